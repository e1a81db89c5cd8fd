/// The report's data for scripts.
public struct JSONRenderer: ReportRenderer {
  /// See ``ReportRenderer/name``.
  public let name = "json"
  /// See ``ReportRenderer/summary``.
  public let summary = "for scripts"
  /// See ``ReportRenderer/drawsTimelines``.
  public let drawsTimelines = true

  /// A renderer.
  public init() {}

  /// The document, sorted keys, a final line end.
  public func render(_ report: Report) -> String { report.data.text }
}
