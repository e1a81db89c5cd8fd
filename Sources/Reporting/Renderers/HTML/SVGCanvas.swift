/// An inline drawing that is being made: shapes with classes, which the page's style sheet colours.
struct SVGCanvas {
  enum Anchor: String { case start, middle, end }

  /// Height of a line of text.
  static let lineHeight = 14.0

  let width: Double
  let height: Double
  private(set) var body = ""

  init(width: Double, height: Double) {
    self.width = width
    self.height = height
  }

  /// Whether two stand beside each other, and one may shrink to a phone's width.
  var isSmall: Bool { width <= 520 }

  /// The drawing with its text alternative.
  func document(id: String, title: String, description: String) -> String {
    let (w, h) = (PlotNumber.coordinate(width), PlotNumber.coordinate(height))
    // Narrow screens scroll a drawing in its own box rather than shrink its text beyond reading.
    let least = isSmall ? "0" : PlotNumber.coordinate(min(width, 760))
    return """
      <svg role="img" aria-labelledby="\(id)-t \(id)-d" viewBox="0 0 \(w) \(h)" \
      style="max-width:\(w)px;min-width:\(least)px">
      <title id="\(id)-t">\(HTMLText.escaped(title))</title>
      <desc id="\(id)-d">\(HTMLText.escaped(description))</desc>
      \(body)</svg>

      """
  }

  mutating func path(_ data: String, _ classes: String, title: String? = nil) {
    guard !data.isEmpty else { return }
    body += "<path class=\"\(classes)\" d=\"\(data)\""
    body += title.map { "><title>\(HTMLText.escaped($0))</title></path>\n" } ?? "/>\n"
  }

  mutating func rectangle(
    x: Double, y: Double, width: Double, height: Double, _ classes: String, title: String? = nil
  ) {
    let numbers = [x, y, width, height].map(PlotNumber.coordinate)
    body +=
      "<rect class=\"\(classes)\" x=\"\(numbers[0])\" y=\"\(numbers[1])\" width=\"\(numbers[2])\" "
      + "height=\"\(numbers[3])\""
    body += title.map { "><title>\(HTMLText.escaped($0))</title></rect>\n" } ?? "/>\n"
  }

  mutating func text(
    _ text: String, x: Double, y: Double, _ anchor: Anchor = .start, _ classes: String = "",
    room: Double? = nil
  ) {
    let shown = room.map { Self.fitted(text, to: $0) } ?? text
    guard !shown.isEmpty else { return }
    body +=
      "<text x=\"\(PlotNumber.coordinate(x))\" y=\"\(PlotNumber.coordinate(y))\""
      + (anchor == .start ? "" : " text-anchor=\"\(anchor.rawValue)\"")
      + (classes.isEmpty ? "" : " class=\"\(classes)\"") + ">\(HTMLText.escaped(shown))</text>\n"
  }

  /// Shapes in another coordinate system.
  mutating func group(_ attributes: String, _ content: String) {
    body += "<g \(attributes)>\n\(content)</g>\n"
  }

  /// A rectangle as part of a path.
  static func box(x: Double, y: Double, width: Double, height: Double) -> String {
    let numbers = [x, y, width, height, -width].map(PlotNumber.coordinate)
    return "M\(numbers[0]) \(numbers[1])h\(numbers[2])v\(numbers[3])h\(numbers[4])z"
  }

  // MARK: Room for text

  /// About what `text` takes at 12 pixels, in any font that a reader may have: rather more than less.
  static func room(for text: String) -> Double {
    text.unicodeScalars.reduce(0) { $0 + ($1.value < 0x250 ? 7.6 : 14) }
  }

  /// `text`, or as much of it as fits with dots behind it; nothing where not even that fits.
  static func fitted(_ text: String, to room: Double) -> String {
    guard self.room(for: text) > room else { return text }
    var kept = ""
    var used = self.room(for: "..")
    for character in text {
      used += self.room(for: String(character))
      guard used <= room else { break }
      kept.append(character)
    }
    return kept.isEmpty ? "" : kept + ".."
  }
}

/// The rectangle that values are drawn in, with its axes.
struct PlotFrame {
  var left: Double
  var right: Double
  var top: Double
  var bottom: Double

  var width: Double { right - left }
  var height: Double { bottom - top }

  /// Horizontal lines at the ticks of `scale`, with their numbers at the left, and the unit above.
  func drawValues(_ scale: PlotScale, unit: String, _ canvas: inout SVGCanvas) {
    for tick in scale.ticks {
      let y = bottom - scale.share(tick) * height
      let isZero = abs(tick) < scale.step / 1e6
      let start = "M\(PlotNumber.coordinate(left)) \(PlotNumber.coordinate(y))"
      canvas.path("\(start)H\(PlotNumber.coordinate(right))", isZero ? "axis" : "rule")
      canvas.text(
        PlotNumber.tick(tick, step: scale.step), x: left - 6, y: y + 4, .end, "tick")
    }
    canvas.text(unit, x: 2, y: 12, .start, "unit", room: right - 2)
  }

  /// Room that the numbers of `scale` take at the left.
  static func margin(_ scale: PlotScale) -> Double {
    let widths = scale.ticks.map {
      SVGCanvas.room(for: PlotNumber.tick($0, step: scale.step))
    }
    return (widths.max() ?? 0) + 10
  }

  /// Labels under slots of equal width: as many as fit, every second, fourth, ...
  func drawLabels(_ labels: [String], _ canvas: inout SVGCanvas) {
    guard !labels.isEmpty else { return }
    let slot = width / Double(labels.count)
    // The longest decides, but none may take more than a quarter of the drawing.
    let widest = min(labels.map(SVGCanvas.room).max() ?? 0, width / 4)
    var every = 1
    while slot * Double(every) < widest + 8, every < labels.count { every *= 2 }
    for index in stride(from: 0, to: labels.count, by: every) {
      let center = left + (Double(index) + 0.5) * slot
      let room = min(slot * Double(every), 2 * min(center, canvas.width - center))
      canvas.text(labels[index], x: center, y: bottom + 16, .middle, "tick", room: room)
    }
  }

  /// A title under the labels.
  func drawAxisTitle(_ title: String, _ canvas: inout SVGCanvas) {
    canvas.text(
      title, x: (left + right) / 2, y: bottom + 34, .middle, "unit",
      room: 2 * min((left + right) / 2, canvas.width - (left + right) / 2))
  }
}
