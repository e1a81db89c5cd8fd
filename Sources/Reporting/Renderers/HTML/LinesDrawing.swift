/// Values over equal spans as steps or lines; each series has its own dashes.
enum LinesDrawing {
  private static let styles = 7
  /// More points than a screen has pixels: neighbours are then drawn as one, by their greatest.
  private static let pointsMax = 900
  private static let rowsMax = 256

  static func draw(_ plot: LinePlot) -> PlotDrawing {
    let values = plot.series.flatMap { $0.values.compactMap(\.self) }
    let scale = PlotScale(values, isWhole: values.allSatisfy { $0 == $0.rounded() })
    let frame = PlotFrame(
      left: PlotFrame.margin(scale), right: PlotDrawing.width - 24, top: 26, bottom: 246)
    var canvas = SVGCanvas(width: PlotDrawing.width, height: 290)
    frame.drawValues(scale, unit: plot.unit, &canvas)
    let count = plot.series.map(\.values.count).max() ?? 0
    let span = Span(plot, count)
    drawAxis(plot, span, frame, &canvas)
    for (index, series) in plot.series.enumerated() {
      let path =
        plot.isStepped
        ? steps(series.values, plot, span, frame, scale)
        : points(series.values, plot, span, frame, scale)
      if plot.isStepped, index == 0, plot.hasReference || plot.series.count == 1 {
        canvas.path(filled(path, scale, frame), "area \(style(index, plot))")
      }
      canvas.path(path, "line \(style(index, plot))", title: series.name)
    }
    return PlotDrawing(
      canvas: canvas,
      keys: plot.series.enumerated().map {
        PlotDrawing.Key(classes: "stroke \(style($0, plot))", text: $1.name)
      },
      table: table(plot, count),
      tableNote: count > rowsMax ? "The first \(rowsMax) of \(count) spans." : nil)
  }

  /// The first style is that of what others are compared with.
  private static func style(_ index: Int, _ plot: LinePlot) -> String {
    "l\((index + (plot.hasReference ? 0 : 1)) % styles)"
  }

  /// What lies along the axis, from one end to the other.
  private struct Span {
    let start: Double
    let end: Double

    init(_ plot: LinePlot, _ count: Int) {
      let spans = plot.isStepped ? count : count - 1
      let full = plot.start + Double(max(spans, 1)) * plot.step
      start = plot.start
      let last = plot.end ?? full
      end = last > plot.start ? min(last, full) : full
    }

    func x(_ value: Double, _ frame: PlotFrame) -> Double {
      guard value.isFinite, end > start else { return frame.left }
      return frame.left + min(max((value - start) / (end - start), 0), 1) * frame.width
    }
  }

  private static func drawAxis(
    _ plot: LinePlot, _ span: Span, _ frame: PlotFrame, _ canvas: inout SVGCanvas
  ) {
    let step = PlotScale.roundStep((span.end - span.start) / 8)
    var tick = (span.start / step).rounded(.up) * step
    for _ in 0..<32 where tick <= span.end + step / 1e6 {
      let x = span.x(tick, frame)
      canvas.path(
        "M\(PlotNumber.coordinate(x)) \(PlotNumber.coordinate(frame.bottom))v4", "axis")
      let label = PlotNumber.tick(tick, step: step)
      canvas.text(label, x: x, y: frame.bottom + 18, .middle, "tick", room: frame.width / 8)
      tick += step
    }
    frame.drawAxisTitle(plot.axis, &canvas)
  }

  /// Horizontal as long as a span lasts; nothing where there is no value.
  private static func steps(
    _ values: [Double?], _ plot: LinePlot, _ span: Span, _ frame: PlotFrame, _ scale: PlotScale
  ) -> String {
    let group = (values.count - 1) / pointsMax + 1
    var path = ""
    var last: String?
    for first in stride(from: 0, to: values.count, by: group) {
      let end = min(first + group, values.count)
      guard let value = values[first..<end].compactMap(\.self).max(), value.isFinite else {
        last = nil
        continue
      }
      let y = PlotNumber.coordinate(frame.bottom - scale.share(value) * frame.height)
      let x = PlotNumber.coordinate(span.x(plot.start + Double(first) * plot.step, frame))
      let next = PlotNumber.coordinate(span.x(plot.start + Double(end) * plot.step, frame))
      if last == nil { path += "M\(x) \(y)" } else if last != y { path += "V\(y)" }
      path += "H\(next)"
      last = y
    }
    return path
  }

  private static func points(
    _ values: [Double?], _ plot: LinePlot, _ span: Span, _ frame: PlotFrame, _ scale: PlotScale
  ) -> String {
    var path = ""
    var isOpen = false
    for (index, value) in values.enumerated() {
      guard let value, value.isFinite else {
        isOpen = false
        continue
      }
      let x = PlotNumber.coordinate(span.x(plot.start + Double(index) * plot.step, frame))
      let y = PlotNumber.coordinate(frame.bottom - scale.share(value) * frame.height)
      path += "\(isOpen ? "L" : "M")\(x) \(y)"
      isOpen = true
    }
    return path
  }

  /// The area between a line without gaps and zero.
  private static func filled(_ path: String, _ scale: PlotScale, _ frame: PlotFrame) -> String {
    guard path.hasPrefix("M"), !path.dropFirst().contains("M") else { return "" }
    let zero = PlotNumber.coordinate(frame.bottom - scale.share(0) * frame.height)
    let start = path.dropFirst().prefix { $0 != " " }
    return "\(path)V\(zero)H\(start)z"
  }

  private static func table(_ plot: LinePlot, _ count: Int) -> Report.Table {
    let rows = (0..<min(count, rowsMax)).map { index -> [String] in
      let from = plot.start + Double(index) * plot.step
      return [PlotNumber.tick(from, step: plot.step)]
        + plot.series.map { series in
          guard index < series.values.count, let value = series.values[index] else { return "-" }
          return PlotNumber.text(value)
        }
    }
    return Report.Table(columns: [plot.axis + ", from"] + plot.series.map(\.name), rows: rows)
  }
}
