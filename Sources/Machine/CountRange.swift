/// A count of the model, such as entries or ways: the value that is taken, the range in which makers'
/// data and dumps leave it, and where it comes from.
public struct CountRange: Hashable, Sendable {
  /// What the model takes.
  public var expected: Int
  /// The least and the greatest that a source names.
  public var lower: Int
  /// See ``lower``.
  public var upper: Int
  /// Manual, paper, kernel file and version, or dump.
  public var source: String
  /// How well the source carries it.
  public var confidence: Confidence

  /// A count; a bound that is not given is the value itself, one on the wrong side is put right.
  public init(
    _ expected: Int, lower: Int? = nil, upper: Int? = nil, source: String, confidence: Confidence
  ) {
    self.expected = expected
    self.lower = min(lower ?? expected, expected)
    self.upper = max(upper ?? expected, expected)
    self.source = source
    self.confidence = confidence
  }
}
