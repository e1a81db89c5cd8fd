/// A value for each row and column as one of a few tones. A tone's cells are one path of runs, so that
/// a large grid stays small.
enum GridDrawing {
  private static let tones = 8
  private static let tableRows = 64
  private static let tableColumns = 16

  static func draw(_ plot: GridPlot, cells: Int) -> PlotDrawing {
    let isSquare = plot.rows == plot.columns
    let grid = coarsened(plot, cells: max(cells, 64), isSquare: isSquare)
    // What is put together is the sum of several: the scale must reach it.
    let own = grid.values.reduce(0.0) { max($0, $1.filter(\.isFinite).max() ?? 0) }
    let greatest = grid.values.count == plot.values.count ? max(plot.greatest ?? own, own) : own
    let labelRoom = min(grid.rows.map(SVGCanvas.room).max() ?? 0, 160)
    let left = max(labelRoom + 10, SVGCanvas.room(for: "CPU0") + 10)
    let width = isSquare ? left + 380 + 20 : PlotDrawing.width
    let frame = frame(grid, left: left, width: width, isSquare: isSquare)
    var canvas = SVGCanvas(width: width, height: frame.bottom + 42)
    canvas.text(
      "\(plot.rowTitle) (rows)", x: 2, y: 12, .start, "unit", room: width - 4)
    let box = [frame.left, frame.top, frame.width, frame.height]
    canvas.rectangle(x: box[0], y: box[1], width: box[2], height: box[3], "h0")
    drawCells(grid, greatest, frame, &canvas)
    drawRowLabels(grid.rows, frame, &canvas)
    frame.drawLabels(grid.columns, &canvas)
    frame.drawAxisTitle("\(plot.columnTitle) (columns)", &canvas)
    let table = coarsened(
      plot, rows: tableRows, columns: tableColumns)
    return PlotDrawing(
      canvas: canvas, keys: keys(greatest, plot),
      table: Report.Table(
        columns: ["\(plot.rowTitle) \\ \(plot.columnTitle)"] + table.columns,
        rows: zip(table.rows, table.values).map { name, values in
          [name] + values.map { PlotNumber.text($0) }
        }),
      tableNote: note(plot, grid, table))
  }

  private static func frame(
    _ grid: GridPlot, left: Double, width: Double, isSquare: Bool
  ) -> PlotFrame {
    let rows = Double(max(grid.rows.count, 1))
    let height = isSquare ? 380 : min(max(rows * 3, min(rows * 20, 280)), 512)
    return PlotFrame(left: left, right: width - 20, top: 22, bottom: 22 + height)
  }

  private static func note(
    _ plot: GridPlot, _ grid: GridPlot, _ table: GridPlot
  ) -> String? {
    var parts: [String] = []
    if grid.values.count < plot.values.count || grid.columns.count < plot.columns.count {
      parts.append(
        "Drawn: sums over neighbours, \(grid.rows.count) by \(grid.columns.count) of "
          + "\(plot.rows.count) by \(plot.columns.count).")
    }
    if table.values.count < plot.values.count || table.columns.count < plot.columns.count {
      parts.append("In the table: sums over neighbours.")
    }
    return parts.isEmpty ? nil : parts.joined(separator: " ")
  }

  // MARK: Cells

  /// The tone of a value: 0 is nothing. By the root, so that both few and many can be told apart.
  private static func tone(_ value: Double, _ greatest: Double) -> Int {
    guard value > 0, greatest > 0 else { return 0 }
    let root = (min(value / greatest, 1)).squareRoot() * Double(tones)
    return min(max(Int(root.rounded(.up)), 1), tones)
  }

  private static func drawCells(
    _ grid: GridPlot, _ greatest: Double, _ frame: PlotFrame, _ canvas: inout SVGCanvas
  ) {
    guard let columns = grid.values.first?.count, columns > 0 else { return }
    var paths = Array(repeating: "", count: tones + 1)
    for (row, values) in grid.values.enumerated() {
      var column = 0
      while column < values.count {
        let tone = tone(values[column], greatest)
        var end = column + 1
        while end < values.count, self.tone(values[end], greatest) == tone { end += 1 }
        if tone > 0 { paths[tone] += "M\(column) \(row)h\(end - column)v1h-\(end - column)z" }
        column = end
      }
    }
    var shapes = SVGCanvas(width: 0, height: 0)
    for (tone, path) in paths.enumerated() where tone > 0 {
      shapes.path(path, "h\(tone)", title: range(tone, greatest, grid))
    }
    let place = [frame.left, frame.top].map(PlotNumber.coordinate).joined(separator: " ")
    let scale = [
      frame.width / Double(columns), frame.height / Double(grid.values.count),
    ].map { "\(($0 * 10_000).rounded() / 10_000)" }.joined(separator: " ")
    canvas.group("class=\"cells\" transform=\"translate(\(place)) scale(\(scale))\"", shapes.body)
  }

  private static func drawRowLabels(
    _ rows: [String], _ frame: PlotFrame, _ canvas: inout SVGCanvas
  ) {
    let height = frame.height / Double(max(rows.count, 1))
    var every = 1
    while height * Double(every) < 12, every < rows.count { every *= 2 }
    for row in stride(from: 0, to: rows.count, by: every) {
      let y = frame.top + (Double(row) + 0.5) * height + 4
      canvas.text(
        rows[row], x: frame.left - 6, y: min(max(y, frame.top + 9), frame.bottom), .end, "tick",
        room: frame.left - 8)
    }
  }

  // MARK: Tones

  /// Where a tone begins and ends.
  private static func limits(_ tone: Int, _ greatest: Double) -> (Double, Double) {
    let share = { (tone: Int) in Double(tone * tone) / Double(tones * tones) * greatest }
    return (share(tone - 1), share(tone))
  }

  private static func range(_ tone: Int, _ greatest: Double, _ plot: GridPlot) -> String {
    let (low, high) = limits(tone, greatest)
    let isWhole = plot.values.allSatisfy { $0.allSatisfy { $0 == $0.rounded() } }
    guard isWhole else {
      return "\(PlotNumber.text(low)) to \(PlotNumber.text(high))"
    }
    let (first, last) = (low.rounded(.down) + 1, high.rounded(.down))
    guard first <= last else { return "" }
    return first == last
      ? PlotNumber.text(first) : "\(PlotNumber.text(first)) to \(PlotNumber.text(last))"
  }

  private static func keys(_ greatest: Double, _ plot: GridPlot) -> [PlotDrawing.Key] {
    let used = (1...tones).compactMap { tone -> PlotDrawing.Key? in
      let range = range(tone, greatest, plot)
      return range.isEmpty || greatest <= 0
        ? nil : PlotDrawing.Key(classes: "h\(tone)", text: range)
    }
    guard let last = used.last else {
      return [PlotDrawing.Key(classes: "h0", text: "0 \(plot.unit)")]
    }
    return [PlotDrawing.Key(classes: "h0", text: "0")] + used.dropLast()
      + [PlotDrawing.Key(classes: last.classes, text: "\(last.text) \(plot.unit)")]
  }

  // MARK: Fewer cells

  /// The grid with sums over neighbours where it has more than `cells`.
  private static func coarsened(_ plot: GridPlot, cells: Int, isSquare: Bool) -> GridPlot {
    var rows = max(plot.rows.count, 1)
    var columns = max(plot.columns.count, 1)
    while rows * columns > cells {
      if rows >= columns || isSquare { rows = (rows + 1) / 2 }
      if columns > rows || isSquare { columns = (columns + 1) / 2 }
    }
    return coarsened(plot, rows: rows, columns: columns)
  }

  private static func coarsened(_ plot: GridPlot, rows: Int, columns: Int) -> GridPlot {
    let high = (max(plot.rows.count, 1) - 1) / rows + 1
    let wide = (max(plot.columns.count, 1) - 1) / columns + 1
    guard high > 1 || wide > 1 else { return plot }
    var values: [[Double]] = []
    for first in stride(from: 0, to: plot.values.count, by: high) {
      let group = plot.values[first..<min(first + high, plot.values.count)]
      var sums = Array(repeating: 0.0, count: (max(plot.columns.count, 1) - 1) / wide + 1)
      for row in group {
        for (column, value) in row.enumerated() where column / wide < sums.count {
          sums[column / wide] += value
        }
      }
      values.append(sums)
    }
    return GridPlot(
      unit: plot.unit, rowTitle: plot.rowTitle, columnTitle: plot.columnTitle,
      rows: grouped(plot.rows, high), columns: grouped(plot.columns, wide), values: values)
  }

  /// `CPU0 to CPU3`.
  private static func grouped(_ names: [String], _ size: Int) -> [String] {
    guard size > 1 else { return names }
    return stride(from: 0, to: names.count, by: size).map { first in
      let last = min(first + size, names.count) - 1
      return first == last ? names[first] : "\(names[first])\u{2013}\(names[last])"
    }
  }
}
