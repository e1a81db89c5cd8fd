/// Bars below each other, one row for each category, with room for long names.
enum RowsDrawing {
  private static let rowHeight = 30.0
  private static let rowsMax = 64
  private static let partsMax = 8

  static func draw(_ plot: BarPlot) -> PlotDrawing {
    let shown = Array(plot.categories.prefix(rowsMax))
    let count = plot.isStacked ? 1 : max(plot.series.count, 1)
    let scale = PlotScale(
      plot.isStacked ? sums(plot) : plot.reach, ticks: 6, isWhole: plot.isWhole)
    let widest = shown.map(SVGCanvas.room).max() ?? 0
    let height = rowHeight + Double(count - 1) * 16
    let left = min(widest, 240) + 14
    let room = plot.isStacked ? 70.0 : 90
    let frame = PlotFrame(
      left: left, right: PlotDrawing.width - room, top: 8,
      bottom: 8 + height * Double(shown.count))
    var canvas = SVGCanvas(width: PlotDrawing.width, height: frame.bottom + 40)
    drawAxis(scale, frame, plot.unit, &canvas)
    for (category, name) in shown.enumerated() {
      let top = frame.top + Double(category) * height
      canvas.text(
        name, x: left - 8, y: top + height / 2 + 4, .end, "label", room: left - 10)
      if plot.isStacked {
        drawParts(plot, category, scale, frame, top, &canvas)
      } else {
        drawAmounts(plot, category, scale, frame, top, &canvas)
      }
    }
    return PlotDrawing(
      canvas: canvas, keys: keys(plot), table: plot.table,
      tableNote: plot.categories.count > rowsMax
        ? "Drawn: the first \(rowsMax) of \(plot.categories.count)." : nil)
  }

  private static func sums(_ plot: BarPlot) -> [Double] {
    plot.categories.indices.map { category in
      plot.amounts(category).reduce(0) { $0 + max($1?.value ?? 0, 0) }
    }
  }

  private static func drawAxis(
    _ scale: PlotScale, _ frame: PlotFrame, _ unit: String, _ canvas: inout SVGCanvas
  ) {
    var end = -Double.infinity
    for tick in scale.ticks {
      let x = frame.left + scale.share(tick) * frame.width
      let isZero = abs(tick) < scale.step / 1e6
      canvas.path(
        "M\(PlotNumber.coordinate(x)) \(PlotNumber.coordinate(frame.top))"
          + "V\(PlotNumber.coordinate(frame.bottom))", isZero ? "axis" : "rule")
      let label = PlotNumber.tick(tick, step: scale.step)
      let room = SVGCanvas.room(for: label)
      guard x - room / 2 > end + 6 else { continue }
      end = x + room / 2
      canvas.text(label, x: x, y: frame.bottom + 15, .middle, "tick")
    }
    frame.drawAxisTitle(unit, &canvas)
  }

  /// A bar for each series, its amount behind it, and its bounds.
  private static func drawAmounts(
    _ plot: BarPlot, _ category: Int, _ scale: PlotScale, _ frame: PlotFrame, _ top: Double,
    _ canvas: inout SVGCanvas
  ) {
    let zero = frame.left + scale.share(0) * frame.width
    for (index, amount) in plot.amounts(category).enumerated() {
      guard let amount, amount.value.isFinite else { continue }
      let y = top + 7 + Double(index) * 16
      let end = frame.left + scale.share(amount.value) * frame.width
      canvas.rectangle(
        x: min(zero, end), y: y, width: max(abs(end - zero), amount.value == 0 ? 0 : 0.7),
        height: 16, "bar b\(plot.series.count == 1 ? 1 : index)",
        title: plot.sentence(category))
      var last = max(end, zero)
      if let lower = amount.lower {
        let from = frame.left + scale.share(lower) * frame.width
        let to = amount.upper.map { frame.left + scale.share($0) * frame.width } ?? frame.right
        let (a, b) = (PlotNumber.coordinate(from), PlotNumber.coordinate(to))
        let middle = PlotNumber.coordinate(y + 8)
        let cap = PlotNumber.coordinate(y + 4)
        canvas.path(
          "M\(a) \(middle)H\(b)M\(a) \(cap)v8"
            + (amount.upper == nil ? "M\(b) \(middle)l-5 -4m5 4l-5 4" : "M\(b) \(cap)v8"),
          "whisker")
        last = max(last, to)
      }
      canvas.text(
        PlotNumber.text(amount.value), x: last + 6, y: y + 12, .start, "value",
        room: canvas.width - last - 8)
    }
  }

  /// Parts of a whole behind each other, each with its letter where there is room.
  private static func drawParts(
    _ plot: BarPlot, _ category: Int, _ scale: PlotScale, _ frame: PlotFrame, _ top: Double,
    _ canvas: inout SVGCanvas
  ) {
    var sum = 0.0
    let whole = plot.amounts(category).reduce(0) { $0 + max($1?.value ?? 0, 0) }
    for (index, amount) in plot.amounts(category).enumerated() {
      guard let value = amount?.value, value.isFinite, value > 0 else { continue }
      let start = frame.left + scale.share(sum) * frame.width
      sum += value
      let width = frame.left + scale.share(sum) * frame.width - start
      canvas.rectangle(
        x: start, y: top + 4, width: max(width, 0.5), height: 22, "part p\(index % partsMax)",
        title: "\(plot.series[index].name): \(PlotNumber.text(value)) "
          + "(\(PlotNumber.percent(value, of: whole)))")
      guard width >= 14 else { continue }
      canvas.text(letter(index), x: start + width / 2, y: top + 19, .middle, "letter")
    }
    canvas.text(
      PlotNumber.text(whole), x: frame.left + scale.share(sum) * frame.width + 6, y: top + 19,
      .start, "value")
  }

  private static func letter(_ index: Int) -> String {
    UnicodeScalar(UInt8(ascii: "A") + UInt8(index % 26)).description
  }

  private static func keys(_ plot: BarPlot) -> [PlotDrawing.Key] {
    if plot.isStacked {
      return plot.series.enumerated().map { index, series in
        PlotDrawing.Key(classes: "p\(index % partsMax)", mark: letter(index), text: series.name)
      }
    }
    var keys: [PlotDrawing.Key] = []
    if plot.series.count > 1 {
      keys = plot.series.enumerated().map { PlotDrawing.Key(classes: "b\($0)", text: $1.name) }
    }
    if plot.hasBounds { keys.append(PlotDrawing.Key(classes: "bounds", text: plot.boundsName)) }
    return keys
  }
}
