/// Call paths as a flame graph: the outermost caller at the bottom, a frame as wide as what it weighs.
enum FlamesDrawing {
  private static let rowHeight = 18.0
  private static let depthMax = 48
  private static let framesMax = 3_000
  /// Frames narrower than this, in pixels, are put together with their neighbours of one caller.
  private static let narrowest = 2.0
  private static let tableRows = 50
  private static let other = "(narrower ones)"

  /// Frames by index; the first is the root.
  private struct Tree {
    struct Node {
      var name: String
      var weight = 0
      var children: [String: Int] = [:]

      mutating func add(_ more: Int) {
        let (sum, overflow) = weight.addingReportingOverflow(more)
        weight = overflow ? .max : sum
      }
    }
    var nodes = [Node(name: "all")]
    var isCut = false

    mutating func add(_ frames: [String], _ weight: Int) {
      var node = 0
      nodes[0].add(weight)
      isCut = isCut || frames.count > depthMax
      for frame in frames.prefix(depthMax) {
        let next = nodes[node].children[frame] ?? nodes.count
        if next == nodes.count {
          nodes.append(Node(name: frame))
          nodes[node].children[frame] = next
        }
        nodes[next].add(weight)
        node = next
      }
    }

    /// Callees by name, so that the same paths give the same picture.
    func children(of node: Int) -> [Int] {
      nodes[node].children.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        .map(\.value)
    }
  }

  /// A frame where it is drawn.
  private struct Frame {
    var name: String
    var weight: Int
    var depth: Int
    var x: Double
    var width: Double
  }

  static func draw(_ plot: FlamePlot) -> PlotDrawing {
    var tree = Tree()
    for stack in plot.stacks where stack.weight > 0 { tree.add(stack.frames, stack.weight) }
    let frames = layout(tree)
    let depth = (frames.map(\.depth).max() ?? 0) + 1
    let height = Double(depth) * rowHeight + 8
    var canvas = SVGCanvas(width: PlotDrawing.width, height: height)
    for frame in frames {
      let y = height - 4 - Double(frame.depth + 1) * rowHeight
      canvas.rectangle(
        x: frame.x, y: y, width: frame.width, height: rowHeight - 1,
        "flame f\(tone(frame.name))",
        title: "\(frame.name): \(UInt64(max(frame.weight, 0)).grouped) \(plot.unit) "
          + "(\(PlotNumber.percent(Double(frame.weight), of: Double(tree.nodes[0].weight))))")
      guard frame.width >= 26 else { continue }
      canvas.text(
        frame.name, x: frame.x + 4, y: y + 13, .start, "frame", room: frame.width - 8)
    }
    return PlotDrawing(canvas: canvas, table: table(plot), tableNote: note(plot, tree))
  }

  private static func layout(_ tree: Tree) -> [Frame] {
    let total = Double(max(tree.nodes[0].weight, 1))
    let width = PlotDrawing.width - 4
    // Of very many frames only the heaviest are drawn, whatever their width.
    let heaviest = tree.nodes.map(\.weight).sorted(by: >)
    let limit = heaviest.count > framesMax ? heaviest[framesMax] : 0
    let least = max(narrowest / width * total, Double(limit))
    var frames: [Frame] = []
    var open = [(node: 0, depth: 0, x: 2.0)]
    while let (node, depth, x) = open.popLast() {
      let frame = tree.nodes[node]
      frames.append(
        Frame(
          name: frame.name, weight: frame.weight, depth: depth, x: x,
          width: Double(frame.weight) / total * width))
      var next = x
      var rest = 0
      for child in tree.children(of: node) {
        let weight = tree.nodes[child].weight
        guard Double(weight) >= least else {
          rest &+= weight
          continue
        }
        open.append((child, depth + 1, next))
        next += Double(weight) / total * width
      }
      if Double(rest) / total * width >= narrowest {
        frames.append(
          Frame(
            name: other, weight: rest, depth: depth + 1, x: next,
            width: Double(rest) / total * width))
      }
    }
    return frames
  }

  /// One of five tones by the name (FNV-1a), so that neighbours mostly differ and two reports agree.
  private static func tone(_ name: String) -> Int {
    if name == other { return 0 }
    var hash: UInt32 = 2_166_136_261
    for byte in name.utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
    return Int(hash >> 8) % 5 + 1
  }

  private static func table(_ plot: FlamePlot) -> Report.Table {
    let stacks = plot.stacks.filter { $0.weight > 0 }
      .map { (path: $0.frames.joined(separator: ";"), weight: $0.weight) }
      .sorted { a, b in
        a.weight != b.weight
          ? a.weight > b.weight : a.path.utf8.lexicographicallyPrecedes(b.path.utf8)
      }
    let total = stacks.reduce(0) { $0 + Double($1.weight) }
    return Report.Table(
      columns: ["call path, outermost caller first", plot.unit, "share"],
      rows: stacks.prefix(tableRows).map { stack in
        [
          stack.path, UInt64(stack.weight).grouped,
          PlotNumber.percent(Double(stack.weight), of: total),
        ]
      })
  }

  private static func note(_ plot: FlamePlot, _ tree: Tree) -> String? {
    var parts: [String] = []
    let count = plot.stacks.filter { $0.weight > 0 }.count
    if count > tableRows { parts.append("The heaviest \(tableRows) of \(count) call paths.") }
    if tree.isCut { parts.append("Paths are drawn up to \(depthMax) frames.") }
    return parts.isEmpty ? nil : parts.joined(separator: " ")
  }
}
