/// Lays a report out in one form.
public protocol ReportRenderer: Sendable {
  /// Its name on the command line: `--format NAME`.
  var name: String { get }
  /// What it is for, in one line.
  var summary: String { get }
  /// Whether it shows what `report` only records for drawings: shootdowns by time and by sender.
  var drawsTimelines: Bool { get }
  /// The report in this form, with a final line end.
  func render(_ report: Report) -> String
  /// Why `report` cannot have this form; nil where it can.
  func obstacle(to report: Report) -> String?
}

extension ReportRenderer {
  /// Most forms fit every report.
  public func obstacle(to report: Report) -> String? { nil }
}

extension ReportRenderer {
  /// See ``drawsTimelines``: most show none.
  public var drawsTimelines: Bool { false }
}

/// The forms a report can have.
public enum ReportRenderers {
  /// All of them, the default first.
  public static let all: [any ReportRenderer] = [
    TextRenderer(),
    MarkdownRenderer(),
    CoverLetterRenderer(),
    CSVRenderer(),
    JSONRenderer(),
    HTMLRenderer(),
  ]

  /// The one with this name.
  public static func renderer(named name: String) -> (any ReportRenderer)? {
    all.first { $0.name == name }
  }
}
