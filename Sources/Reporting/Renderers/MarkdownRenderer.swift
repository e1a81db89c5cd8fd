/// Lays a report out in GitHub-flavoured Markdown, for issues, pull requests and step summaries.
///
/// A paragraph is one line: GitHub shows line ends in comments as such. What comes from a trace is
/// escaped, so that no name can make markup, a link or a mathematical formula.
public struct MarkdownRenderer: ReportRenderer {
  /// See ``ReportRenderer/name``.
  public let name = "markdown"
  /// See ``ReportRenderer/summary``.
  public let summary = "for issues, pull requests and mail that shows it"

  /// Categories, or spans, times series that a drawing may have to be shown as a table too.
  static let cellsOfAPlotMax = 64

  /// A renderer.
  public init() {}

  /// The report as Markdown.
  public func render(_ report: Report) -> String {
    var paragraphs = ["# " + Self.escape(report.title)]
    for section in report.sections {
      paragraphs.append("## " + Self.escape(section.heading))
      paragraphs += section.blocks.flatMap(render)
    }
    return paragraphs.joined(separator: "\n\n") + "\n"
  }

  private func render(_ block: Report.Block) -> [String] {
    switch block {
    case .facts(let facts): facts.isEmpty ? [] : [render(facts)]
    case .note(let text): [Self.paragraph(text)]
    case .interrupts(let table): [render(table)]
    case .table(let table): [render(table)]
    case .series(let series): [render(series)]
    case .plot(let plot): render(plot)
    }
  }

  private func render(_ facts: [(name: String, value: String)]) -> String {
    facts.map { fact in
      // Names such as `!` are marks, not names.
      !fact.name.contains(where: { $0.isLetter || $0.isNumber })
        ? "- \(Self.escape(fact.value))"
        : "- **\(Self.escape(fact.name))**: \(Self.escape(fact.value))"
    }.joined(separator: "\n")
  }

  /// In a fence, byte for byte as the kernel prints it.
  private func render(_ table: InterruptTable) -> String {
    var lines = [table.header]
    for row in table.rows {
      if let caption = row.caption { lines.append(Self.oneLine(caption)) }
      lines.append(table.line(row))
    }
    return fenced(lines)
  }

  /// A fence is longer than any run of backticks inside it.
  private func fenced(_ lines: [String]) -> String {
    var longest = 0
    for line in lines {
      for run in line.split(whereSeparator: { $0 != "`" }) { longest = max(longest, run.count) }
    }
    let fence = String(repeating: "`", count: max(3, longest + 1))
    return ([fence + "text"] + lines + [fence]).joined(separator: "\n")
  }

  private func render(_ table: Report.Table) -> String {
    func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }
    let rules = table.columns.indices.map { $0 == 0 ? ":--" : "--:" }
    var lines = [line(table.columns.map(Self.escape)), line(rules)]
    for row in table.rows {
      // As many cells as columns, whatever a row has.
      lines.append(
        line(table.columns.indices.map { $0 < row.count ? Self.escape(row[$0]) : "" }))
    }
    return lines.joined(separator: "\n")
  }

  private func render(_ series: Report.Series) -> String {
    let name = series.name.isEmpty ? "" : Self.escape(series.name) + " "
    return "\(name)`\(TextRenderer.bar(series.values))` \(Self.escape(series.caption))"
  }

  // MARK: Drawings

  private func render(_ plot: Plot) -> [String] {
    let summary =
      "**\(Self.escape(plot.title))** \\[\(Self.escape(plot.grade))\\]: "
      + Self.escape(plot.summary)
    return [summary] + [table(plot.content).map(render)].compactMap(\.self)
  }

  /// The drawing's own figures where they are few.
  private func table(_ content: Plot.Content) -> Report.Table? {
    switch content {
    case .bars(let bars):
      guard bars.categories.count * bars.series.count <= Self.cellsOfAPlotMax else { return nil }
      return Report.Table(
        columns: [bars.unit] + bars.series.map(\.name),
        rows: bars.categories.enumerated().map { index, category in
          [category]
            + bars.series.map { index < $0.amounts.count ? Self.amount($0.amounts[index]) : "" }
        })
    case .lines(let lines):
      let spans = lines.series.map(\.values.count).max() ?? 0
      guard spans * lines.series.count <= Self.cellsOfAPlotMax else { return nil }
      return Report.Table(
        columns: [lines.axis] + lines.series.map(\.name),
        rows: (0..<spans).map { index in
          [Quantity.text(lines.start + Double(index) * lines.step)]
            + lines.series.map {
              index < $0.values.count ? $0.values[index].map(Quantity.text) ?? "" : ""
            }
        })
    case .grid, .flames: return nil
    }
  }

  private static func amount(_ amount: BarPlot.Amount?) -> String {
    guard let amount else { return "" }
    let value = Quantity.text(amount.value)
    guard amount.lower != nil || amount.upper != nil else { return value }
    let ends = [amount.lower, amount.upper].map { $0.map(Quantity.text) ?? "?" }
    return "\(value) (\(ends[0]) to \(ends[1]))"
  }

  // MARK: Escapes

  /// A paragraph: what would begin a heading, a list or a quotation does not.
  static func paragraph(_ text: String) -> String {
    let escaped = escape(text)
    guard let first = escaped.first else { return "" }
    if "#+-=".contains(first) { return "\\" + escaped }
    // `1.` and `1)` begin a list.
    let digits = escaped.prefix { $0.isASCII && $0.isNumber }
    let rest = escaped[digits.endIndex...]
    guard !digits.isEmpty, let mark = rest.first, mark == "." || mark == ")" else { return escaped }
    return digits + "\\" + rest
  }

  /// Text that Markdown shows as it is, on one line.
  static func escape(_ text: String) -> String {
    var escaped = ""
    var previous: Character = " "
    for character in oneLine(text) {
      switch character {
      case "\\", "`", "*", "_", "|", "<", ">", "~", "$", "&": escaped.append("\\")
      case "(", "[", ":":
        // A bracket alone is no link.
        if previous == "]" { escaped.append("\\") }
      default: break
      }
      escaped.append(character)
      previous = character
    }
    return escaped
  }

  /// Line ends and other control characters, in which a name must not hide, become blanks.
  static func oneLine(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    var line = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { line.append(isControl(scalar) ? " " : scalar) }
    return String(line)
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) || scalar.value == 0x2028
      || scalar.value == 0x2029
  }
}
