/// Bars beside each other, a slot for each category.
///
/// Of two series the second stands as a narrow bar before the first one's wide one, so that what is
/// gone can be seen, however narrow the slots are; of more, each has its own bar.
enum BarsDrawing {
  private static let barsMax = 6
  /// Up to so many categories each has a tip; more would only make the page larger.
  private static let tipsMax = 64

  static func draw(_ plot: BarPlot) -> PlotDrawing {
    let scale = PlotScale(plot.reach, isWhole: plot.isWhole)
    let frame = PlotFrame(
      left: PlotFrame.margin(scale), right: PlotDrawing.width - 8, top: 26, bottom: 266)
    var canvas = SVGCanvas(width: PlotDrawing.width, height: 292)
    frame.drawValues(scale, unit: plot.unit, &canvas)
    let shown = Array(plot.series.prefix(barsMax))
    let slot = frame.width / Double(max(plot.categories.count, 1))
    for (index, series) in shown.enumerated() {
      var bars = ""
      for (category, amount) in series.amounts.prefix(plot.categories.count).enumerated() {
        guard let amount, amount.value.isFinite else { continue }
        let (x, width) = place(index, of: shown.count, in: slot)
        let ends = [scale.share(0), scale.share(amount.value)].map {
          frame.bottom - $0 * frame.height
        }
        // What is there but too small to be seen is a hairline.
        let height = amount.value == 0 ? 0 : max(abs(ends[0] - ends[1]), 0.7)
        guard height > 0 else { continue }
        bars += SVGCanvas.box(
          x: frame.left + Double(category) * slot + x, y: min(ends[0], ends[1], ends[0] - height),
          width: width, height: height)
      }
      canvas.path(bars, "bar \(style(index, shown.count))")
    }
    canvas.path(whiskers(plot, shown.count, slot, frame, scale), "whisker")
    frame.drawLabels(plot.categories, &canvas)
    if plot.categories.count <= tipsMax { drawTips(plot, slot, frame, &canvas) }
    var keys = shown.enumerated().map { index, series in
      PlotDrawing.Key(
        classes: style(index, shown.count), text: series.name)
    }
    if plot.hasBounds { keys.append(PlotDrawing.Key(classes: "bounds", text: plot.boundsName)) }
    return PlotDrawing(
      canvas: canvas, keys: keys, table: plot.table,
      tableNote: plot.series.count > barsMax
        ? "Drawn: the first \(barsMax) of \(plot.series.count)." : nil)
  }

  private static func style(_ index: Int, _ count: Int) -> String {
    count == 1 ? "b1" : "b\(index)\(count == 2 && index == 0 ? " wide" : "")"
  }

  /// Where in its slot a bar of one series begins, and how wide it is.
  private static func place(
    _ index: Int, of count: Int, in slot: Double
  ) -> (x: Double, width: Double) {
    let width = min(slot * (slot < 4 ? 1 : 0.84), 64)
    let left = (slot - width) / 2
    guard count > 1 else { return (left, width) }
    guard count == 2 else {
      return (left + width / Double(count) * Double(index), width / Double(count))
    }
    return index == 0 ? (left, width) : (left + width * 0.25, width * 0.5)
  }

  private static func whiskers(
    _ plot: BarPlot, _ count: Int, _ slot: Double, _ frame: PlotFrame, _ scale: PlotScale
  ) -> String {
    var path = ""
    for (index, series) in plot.series.prefix(count).enumerated() {
      for (category, amount) in series.amounts.prefix(plot.categories.count).enumerated() {
        // Bounds that are one figure need no whisker: the bar shows it.
        guard let amount, let lower = amount.lower, lower != amount.upper else { continue }
        let (x, width) = place(index, of: count, in: slot)
        let center = frame.left + Double(category) * slot + x + width / 2
        path += whisker(
          center, min(width * 0.6, 8),
          frame.bottom - scale.share(lower) * frame.height,
          amount.upper.map { frame.bottom - scale.share($0) * frame.height })
      }
    }
    return path
  }

  /// From bound to bound with a bar at each; an end that is not known has an arrow's head.
  private static func whisker(
    _ x: Double, _ cap: Double, _ lower: Double, _ upper: Double?
  ) -> String {
    let top = upper ?? max(lower - 14, 4)
    let numbers = [x, lower, top].map(PlotNumber.coordinate)
    let half = PlotNumber.coordinate(x - cap / 2)
    var path = "M\(numbers[0]) \(numbers[1])V\(numbers[2])"
    guard cap >= 3 else { return path }
    path += "M\(half) \(numbers[1])h\(PlotNumber.coordinate(cap))"
    if upper != nil {
      path += "M\(half) \(numbers[2])h\(PlotNumber.coordinate(cap))"
    } else {
      path +=
        "m-\(PlotNumber.coordinate(cap / 2)) 4l\(PlotNumber.coordinate(cap / 2)) -4"
        + "l\(PlotNumber.coordinate(cap / 2)) 4"
    }
    return path
  }

  private static func drawTips(
    _ plot: BarPlot, _ slot: Double, _ frame: PlotFrame, _ canvas: inout SVGCanvas
  ) {
    for category in plot.categories.indices {
      canvas.rectangle(
        x: frame.left + Double(category) * slot, y: frame.top, width: slot, height: frame.height,
        "tip", title: plot.sentence(category))
    }
  }
}
