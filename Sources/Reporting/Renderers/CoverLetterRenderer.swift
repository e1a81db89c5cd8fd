/// Lays a report out as the cover letter of a patch series has it: numbered claims, the machine, and
/// the numbers before and after. 75 columns, so that mail and `git format-patch` leave it as it is.
///
/// The form is that of the LUF v10 letter (linux-mm, May 2024): rows that do not fit a line stand six
/// CPUs to a line under a `TLB:` of their own.
public struct CoverLetterRenderer: ReportRenderer {
  /// See ``ReportRenderer/name``.
  public let name = "cover"
  /// See ``ReportRenderer/summary``.
  public let summary = "for the cover letter of a patch series, 75 columns"

  /// Columns that everything fits in.
  public static let width = 75
  /// CPUs to a line of a row that does not fit one.
  public static let cpusOfALine = 6
  private static let margin = "   "

  /// A renderer.
  public init() {}

  /// Why a report has no such form.
  public func obstacle(to report: Report) -> String? {
    report.coverLetter == nil
      ? "this report has no cover letter form; report and compare have one, where both sides are known"
      : nil
  }

  /// The letter; empty where the report has none.
  public func render(_ report: Report) -> String {
    guard let letter = report.coverLetter else { return "" }
    var lines: [String] = []
    if !letter.claims.isEmpty {
      lines += letter.claims.enumerated().flatMap { Self.item("\($0 + 1). ", $1) } + [""]
    }
    lines += letter.environment.flatMap { Self.item("\($0.name): ", $0.value) }
    if !letter.environment.isEmpty { lines.append("") }
    if !letter.testSet.isEmpty {
      lines.append(Self.margin + "The test set:")
      lines.append("")
      lines += letter.testSet.flatMap { Self.item("   ", $0) } + [""]
    }
    for (index, block) in letter.blocks.enumerated() {
      lines += Self.item("\(index + 1). ", block.title + ":") + [""]
      lines += side("BEFORE", block.before) + [""] + side("AFTER", block.after) + [""]
    }
    if !letter.notes.isEmpty {
      lines += letter.notes.flatMap { Self.item("", $0) + [""] }
    }
    while lines.last == "" { lines.removeLast() }
    return lines.joined(separator: "\n") + "\n"
  }

  private func side(_ name: String, _ side: CoverLetter.Side) -> [String] {
    let title = side.label.isEmpty ? name : "\(name) (\(side.label))"
    var lines = Self.item("", title) + [Self.margin + String(repeating: "-", count: title.count)]
    lines += content(side.content)
    if !side.source.isEmpty {
      lines.append("")
      lines += side.source.flatMap { Self.item("", "[\($0)]") }
    }
    return lines
  }

  private func content(_ content: CoverLetter.Content) -> [String] {
    switch content {
    case .row(let counts, let labelWidth): row(counts, labelWidth)
    case .counters(let counters):
      counters.map { Self.margin + Self.trimmed(PerfStatStyle.count($0.name, $0.count)) }
    case .lines(let lines): lines.flatMap { Self.item("", $0) }
    }
  }

  /// As the kernel prints it where it fits, else wrapped.
  private func row(_ counts: [UInt64], _ labelWidth: Int) -> [String] {
    let row = InterruptTable.Row(
      counts: counts.map { Int64(clamping: $0) }, text: "TLB shootdowns")
    let line =
      Self.margin
      + InterruptTable(labelWidth: labelWidth, cpus: counts.count, rows: []).line(row)
    if line.count <= Self.width { return [line] }
    let cells = counts.map { padded("\($0)", left: 10) }
    var lines = [Self.margin + "TLB:"]
    for start in stride(from: 0, to: cells.count, by: Self.cpusOfALine) {
      let shown = cells[start..<min(start + Self.cpusOfALine, cells.count)]
      lines.append("  " + shown.joined(separator: " "))
    }
    let end = "  \(row.text)"
    if let last = lines.last, last.count + end.count <= Self.width {
      lines[lines.count - 1] = last + end
    } else {
      lines.append(Self.margin + row.text)
    }
    return lines
  }

  /// perf's lines end with blanks for columns that stay empty; mail has no use for them.
  private static func trimmed(_ text: String) -> String {
    var text = Substring(text)
    while text.last == " " { text.removeLast() }
    return String(text)
  }

  /// Text behind a mark, wrapped so that the mark stands free.
  static func item(_ mark: String, _ text: String) -> [String] {
    let words = MarkdownRenderer.oneLine(text).split(separator: " ")
    let indent = String(repeating: " ", count: mark.count)
    var lines: [String] = []
    var line = margin + mark
    var isEmpty = true
    for word in words {
      if !isEmpty, line.count + 1 + word.count > width {
        lines.append(line)
        line = margin + indent
        isEmpty = true
      }
      line += (isEmpty ? "" : " ") + word
      isEmpty = false
    }
    return lines + [trimmed(line)]
  }
}
