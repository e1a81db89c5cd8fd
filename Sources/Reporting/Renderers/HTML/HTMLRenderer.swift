/// Lays a report out as one HTML page that needs nothing else: no network, no fonts, no script.
public struct HTMLRenderer: ReportRenderer {
  /// See ``ReportRenderer/name``.
  public let name = "html"
  /// See ``ReportRenderer/summary``.
  public let summary = "one page with drawings, to send or print"
  /// See ``ReportRenderer/drawsTimelines``.
  public let drawsTimelines = true

  /// Cells of all grids of a page, so that it stays small, and the most and fewest of one.
  private static let cellsOfPage = 80_000
  private static let cellsOfGrid = 1_000...20_000
  /// Rows of a table that are shown; JSON has all of them.
  private static let rowsMax = 2_000

  /// A renderer.
  public init() {}

  /// The report as a page.
  public func render(_ report: Report) -> String {
    var page = Page(cells: Self.cells(of: report))
    let title = HTMLText.escaped(report.title)
    var body = ""
    var contents = ""
    for section in report.sections {
      let id = page.identifier(HTMLText.slug(section.heading))
      contents +=
        "<li><a href=\"#\(id)\">\(HTMLText.escaped(Self.short(section.heading)))</a></li>\n"
      body += "<section aria-labelledby=\"\(id)\">\n"
      body += "<h2 id=\"\(id)\">\(HTMLText.graded(section.heading))</h2>\n"
      body += render(section.blocks, &page) + "</section>\n"
    }
    // Nothing may be fetched and nothing run, whatever a trace smuggles in.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="\(policy)">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <meta name="referrer" content="no-referrer">
      <link rel="icon" href="data:,">
      <title>\(title)</title>
      <style>
      \(HTMLStyle.sheet)</style>
      </head>
      <body>
      <header><h1>\(title)</h1>\(Self.tiles(report.headlines))</header>
      <nav aria-label="Contents">
      <ul>
      \(contents)</ul>
      </nav>
      <main>
      \(body)</main>
      </body>
      </html>

      """
  }

  /// What a page keeps count of while it is written.
  private struct Page {
    let cells: Int
    private var identifiers: Set<String> = []
    private var plots = 0

    init(cells: Int) { self.cells = cells }

    mutating func identifier(_ slug: String) -> String {
      let base = slug.isEmpty ? "section" : slug
      var name = base
      var number = 1
      while !identifiers.insert(name).inserted {
        number += 1
        name = "\(base)-\(number)"
      }
      return name
    }

    mutating func plotIdentifier() -> String {
      plots += 1
      return "plot\(plots)"
    }
  }

  private static func cells(of report: Report) -> Int {
    var grids = 0
    for section in report.sections {
      for case .plot(let plot) in section.blocks {
        if case .grid = plot.content { grids += 1 }
      }
    }
    let share = cellsOfPage / max(grids, 1)
    return min(max(share, cellsOfGrid.lowerBound), cellsOfGrid.upperBound)
  }

  private static func tiles(_ headlines: [Report.Headline]) -> String {
    guard !headlines.isEmpty else { return "" }
    let items = headlines.map { headline in
      let detail =
        headline.detail.isEmpty
        ? "" : "<span class=\"detail\">\(HTMLText.escaped(headline.detail))</span>"
      return "<li><span class=\"name\">\(HTMLText.escaped(headline.name))</span>"
        + "<strong>\(HTMLText.escaped(headline.value))</strong>\(detail)"
        + "\(HTMLText.grade(headline.grade))</li>\n"
    }
    return "\n<ul class=\"tiles\">\n\(items.joined())</ul>\n"
  }

  /// A heading without its grade, for the list of contents.
  private static func short(_ heading: String) -> String {
    guard heading.hasSuffix("]"), let bracket = heading.lastIndex(of: "[") else { return heading }
    return String(heading[..<bracket])
  }

  // MARK: Blocks

  private func render(_ blocks: [Report.Block], _ page: inout Page) -> String {
    var text = ""
    var isAmongPlots = false
    for block in blocks {
      if case .series(let series) = block, series.isPlotted { continue }
      if case .plot = block {
        if !isAmongPlots { text += "<div class=\"plots\">\n" }
        isAmongPlots = true
      } else if isAmongPlots {
        text += "</div>\n"
        isAmongPlots = false
      }
      text += render(block, &page)
    }
    return isAmongPlots ? text + "</div>\n" : text
  }

  private func render(_ block: Report.Block, _ page: inout Page) -> String {
    switch block {
    case .facts(let facts):
      let items = facts.map {
        "<div><dt>\(HTMLText.escaped($0.name))</dt><dd>\(HTMLText.graded($0.value))</dd></div>\n"
      }
      return "<dl>\n\(items.joined())</dl>\n"
    case .note(let text): return "<p>\(HTMLText.graded(text))</p>\n"
    case .interrupts(let table): return render(table)
    case .table(let table): return Self.render(table)
    case .series(let series): return render(series, page.plotIdentifier())
    case .plot(let plot): return render(plot, page.plotIdentifier(), cells: page.cells)
    }
  }

  /// As the kernel prints it, so that it can be copied.
  private func render(_ table: InterruptTable) -> String {
    var text = ""
    for (index, row) in table.rows.enumerated() {
      if let caption = row.caption { text += "<p>\(HTMLText.graded(caption))</p>\n" }
      let isHeaded = index == 0 || row.caption != nil
      let lines = (isHeaded ? [table.header] : []) + [table.line(row)]
      text += Self.scrolling(
        "<pre>\(lines.map(HTMLText.escaped).joined(separator: "\n"))</pre>\n",
        label: "Row of /proc/interrupts", "screen")
      text += "<pre class=\"paper\">\(HTMLText.escaped(wrapped(row, of: table)))</pre>\n"
    }
    return text
  }

  /// For paper, which cannot scroll: eight CPUs a line, each with its header.
  private func wrapped(_ row: InterruptTable.Row, of table: InterruptTable) -> String {
    let count = row.counts.count
    var lines: [String] = []
    for first in stride(from: 0, to: max(count, 1), by: 8) {
      let cpus = first..<min(first + 8, count)
      let header = cpus.map { "CPU" + padded("\($0)", right: 8) }.joined()
      lines.append(String(repeating: " ", count: table.labelWidth + 8) + header)
      let counts = cpus.map { padded("\(row.counts[$0])", left: 10) + " " }.joined()
      lines.append(
        padded(row.label, left: table.labelWidth) + ": " + counts
          + (cpus.upperBound == count ? "  " + row.text : ""))
    }
    return lines.joined(separator: "\n")
  }

  /// What may be wider than the page scrolls by itself, also with the keyboard.
  private static func scrolling(
    _ content: String, label: String, _ media: String? = nil
  ) -> String {
    "<div class=\"scroll\(media.map { " " + $0 } ?? "")\" tabindex=\"0\" role=\"region\" aria-label=\"\(HTMLText.escaped(label))\">\n"
      + content + "</div>\n"
  }

  private static func render(_ table: Report.Table, label: String? = nil) -> String {
    let head = table.columns.map { "<th scope=\"col\">\(HTMLText.escaped($0))</th>" }.joined()
    var body = ""
    for row in table.rows.prefix(rowsMax) {
      body += "<tr>"
      for (column, cell) in row.enumerated() {
        let text = HTMLText.escaped(cell)
        body += column == 0 ? "<th scope=\"row\">\(text)</th>" : "<td>\(text)</td>"
      }
      body += "</tr>\n"
    }
    let more = table.rows.count - rowsMax
    let rest =
      more > 0 ? "<p>\(UInt64(more).grouped) rows more are in the JSON form.</p>\n" : ""
    return scrolling(
      "<table>\n<thead><tr>\(head)</tr></thead>\n<tbody>\n\(body)</tbody>\n</table>\n",
      label: label ?? "Table: \(table.columns.first ?? "")") + rest
  }

  /// Values over time that have no drawing of their own.
  private func render(_ series: Report.Series, _ id: String) -> String {
    let values = series.values.map { Double($0) }
    let title = series.name.isEmpty ? "Over time" : series.name
    let plot = BarPlot(
      unit: "", categories: series.values.indices.map { "\($0 + 1)" },
      series: [(name: title, amounts: values.map { BarPlot.Amount($0) })])
    let canvas = SparkDrawing.draw(values)
    return """
      <figure>
      <figcaption><h3>\(HTMLText.escaped(title))</h3></figcaption>
      \(canvas.document(id: id, title: title, description: series.caption))\
      <p class="summary">\(HTMLText.graded(series.caption))</p>
      \(details(plot.table, title, note: nil))</figure>

      """
  }

  private func render(_ plot: Plot, _ id: String, cells: Int) -> String {
    let drawing = PlotDrawing(plot.content, cells: cells)
    let title = HTMLText.escaped(plot.title)
    let picture = drawing.canvas.document(id: id, title: plot.title, description: plot.summary)
    return """
      <figure\(drawing.canvas.isSmall ? " class=\"small\"" : "") \
      style="flex-basis:\(PlotNumber.coordinate(drawing.canvas.width))px">
      <figcaption><h3>\(title)</h3> \(HTMLText.grade(plot.grade))</figcaption>
      \(legend(drawing.keys))\(Self.scrolling(picture, label: "Drawing: \(plot.title)"))\
      <p class="summary">\(HTMLText.graded(plot.summary))</p>
      \(details(drawing.table, plot.title, note: drawing.tableNote))</figure>

      """
  }

  private func details(_ table: Report.Table, _ title: String, note: String?) -> String {
    "<details><summary>The same as a table</summary>\n"
      + Self.render(table, label: "Table: \(title)")
      + (note.map { "<p>\(HTMLText.escaped($0))</p>\n" } ?? "") + "</details>\n"
  }

  private func legend(_ keys: [PlotDrawing.Key]) -> String {
    guard !keys.isEmpty else { return "" }
    let items = keys.map { key in
      "<li><span class=\"key\" aria-hidden=\"true\">\(swatch(key))</span>"
        + "\(HTMLText.escaped(key.text))</li>\n"
    }
    return "<ul class=\"legend\">\n\(items.joined())</ul>\n"
  }

  private func swatch(_ key: PlotDrawing.Key) -> String {
    let shape =
      switch key.classes.split(separator: " ").first {
      case "stroke": "<path class=\"line \(key.classes.dropFirst(7))\" d=\"M0 7H26\"/>"
      case "bounds": "<path class=\"whisker\" d=\"M3 7H23M3 3v8M23 3v8\"/>"
      default: "<rect class=\"\(key.classes)\" x=\".5\" y=\".5\" width=\"25\" height=\"13\"/>"
      }
    let mark =
      key.mark.isEmpty
      ? "" : "<text class=\"letter\" x=\"13\" y=\"11.5\" text-anchor=\"middle\">\(key.mark)</text>"
    return "<svg class=\"swatch\" viewBox=\"0 0 26 14\">\(shape)\(mark)</svg>"
  }
}

/// A row of small bars without axes.
enum SparkDrawing {
  static func draw(_ values: [Double]) -> SVGCanvas {
    var canvas = SVGCanvas(width: 640, height: 56)
    let greatest = max(values.max() ?? 0, 1)
    let slot = canvas.width / Double(max(values.count, 1))
    var bars = ""
    for (index, value) in values.enumerated() where value > 0 {
      let height = max(value / greatest * 52, 0.7)
      bars += SVGCanvas.box(
        x: Double(index) * slot, y: 54 - height, width: slot * 0.9, height: height)
    }
    canvas.path(bars, "bar b1")
    canvas.path("M0 54.5H640", "axis")
    return canvas
  }
}
