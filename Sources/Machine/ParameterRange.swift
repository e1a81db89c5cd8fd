/// How well a number is known, as in a data sheet.
public enum Confidence: String, Sendable, CaseIterable {
  /// Read in source code, in a CPUID dump, or in the maker's manual.
  case high
  /// From a document that others confirm, or that leaves room.
  case medium
  /// From memory of a document, or chosen.
  case low
}

/// A number of the model that nobody measured on the machine at hand: a value with the range in which
/// it may lie, and where both come from.
public struct ParameterRange: Hashable, Sendable {
  /// What the model takes.
  public var expected: Double
  /// The least and the greatest that are plausible.
  public var lower: Double
  /// See ``lower``.
  public var upper: Double
  /// Manual, paper, kernel file and version, or dump.
  public var source: String
  /// How well the source carries it.
  public var confidence: Confidence

  /// A parameter; `lower <= expected <= upper` is put right if it is not so.
  public init(
    _ expected: Double, lower: Double, upper: Double, source: String, confidence: Confidence
  ) {
    self.expected = expected
    self.lower = min(lower, expected)
    self.upper = max(upper, expected)
    self.source = source
    self.confidence = confidence
  }
}
