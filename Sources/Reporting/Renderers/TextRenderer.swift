/// Lays a report out for a terminal: 80 columns, except rows whose layout is the kernel's.
public struct TextRenderer: ReportRenderer {
  /// See ``ReportRenderer/name``.
  public let name = "text"
  /// See ``ReportRenderer/summary``.
  public let summary = "for a terminal, 80 columns"

  /// Columns that prose is wrapped to.
  public static let width = 80

  /// A renderer.
  public init() {}

  /// The report as text.
  public func render(_ report: Report) -> String {
    var lines = [report.title, String(repeating: "=", count: min(report.title.count, Self.width))]
    for section in report.sections where !section.isDrawn {
      lines.append("")
      let heading = Self.wrap(section.heading, indent: 0)
      lines += heading
      let width = heading.map(\.count).max() ?? 0
      lines.append(String(repeating: "-", count: min(width, Self.width)))
      // Drawings are for forms that can draw; what they sum up stands in the tables.
      let blocks = section.blocks.filter { !$0.isPlot }
      for (index, block) in blocks.enumerated() {
        if index > 0, startsGroup(block, after: blocks[index - 1]) { lines.append("") }
        lines += render(block)
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Names and values follow each other without a gap, all else stands apart.
  private func startsGroup(_ block: Report.Block, after previous: Report.Block) -> Bool {
    switch (previous, block) {
    case (.facts, .facts), (.facts, .series), (.series, .facts): false
    default: true
    }
  }

  private func render(_ block: Report.Block) -> [String] {
    switch block {
    case .facts(let facts): render(facts)
    case .note(let text): Self.wrap(text, indent: 0)
    case .interrupts(let table): render(table)
    case .table(let table): render(table)
    case .series(let series): render(series)
    case .plot: []
    }
  }

  /// Short names share a column with their neighbours in the next block.
  private static let firstColumn = 9

  private func render(_ facts: [(name: String, value: String)]) -> [String] {
    let column = min(max((facts.map(\.name.count).max() ?? 0) + 2, Self.firstColumn), 32)
    return facts.flatMap { fact in
      let lines = Self.wrap(fact.value, indent: column)
      guard let first = lines.first else { return [fact.name] }
      // A name as wide as the column would stick to its value.
      if fact.name.count >= column { return [fact.name] + lines }
      return [padded(fact.name, right: column) + first.dropFirst(column)] + lines.dropFirst()
    }
  }

  private func render(_ table: InterruptTable) -> [String] {
    var lines: [String] = [table.header]
    for row in table.rows {
      if let caption = row.caption { lines += Self.wrap(caption, indent: 0) }
      lines.append(table.line(row))
    }
    return lines
  }

  private func render(_ series: Report.Series) -> [String] {
    let column = max(series.name.count + 2, Self.firstColumn)
    return [padded(series.name, right: column) + Self.bar(series.values)]
      + Self.wrap(series.caption, indent: column)
  }

  /// One character a value, by its share of the greatest; nothing at all is `_`.
  static func bar(_ values: [Int]) -> String {
    let levels = Array(".:-=+*#%@")
    let greatest = max(values.max() ?? 0, 1)
    return String(
      values.map { value -> Character in
        guard value > 0 else { return "_" }
        let (scaled, overflow) = (value - 1).multipliedReportingOverflow(by: levels.count)
        return levels[min(overflow ? levels.count - 1 : scaled / greatest, levels.count - 1)]
      })
  }

  /// Columns that do not fit stand below in panels that repeat the first column.
  private func render(_ table: Report.Table) -> [String] {
    let widths = table.columns.indices.map { column in
      ([table.columns] + table.rows).map { $0[column].count }.max() ?? 0
    }
    var lines: [String] = []
    var next = 1
    repeat {
      var panel = [0]
      var width = widths.first ?? 0
      while next < table.columns.count,
        panel.count == 1 || width + 2 + widths[next] <= Self.width
      {
        width += 2 + widths[next]
        panel.append(next)
        next += 1
      }
      if !lines.isEmpty { lines.append("") }
      lines += ([table.columns] + table.rows).map { line($0, panel, widths) }
    } while next < table.columns.count
    return lines
  }

  private func line(_ cells: [String], _ panel: [Int], _ widths: [Int]) -> String {
    var text = ""
    for column in panel {
      text +=
        column == 0
        ? padded(cells[0], right: widths[0]) : "  " + padded(cells[column], left: widths[column])
    }
    // A title line's last blanks serve nobody.
    while text.hasSuffix(" ") { text.removeLast() }
    return text
  }

  /// Breaks `text` at blanks; a word longer than the line stands alone.
  static func wrap(_ text: String, indent: Int) -> [String] {
    let margin = String(repeating: " ", count: indent)
    var lines: [String] = []
    var line = margin
    for word in text.split(separator: " ") {
      if line.count > indent, line.count + 1 + word.count > width {
        lines.append(line)
        line = margin
      }
      line += (line.count > indent ? " " : "") + word
    }
    if line.count > indent || lines.isEmpty { lines.append(line) }
    return lines
  }
}
