/// The report's data for scripts.
public struct JSONRenderer: Sendable {
  /// A renderer.
  public init() {}

  /// The document, sorted keys, a final line end.
  public func render(_ report: Report) -> String { report.data.text }
}
