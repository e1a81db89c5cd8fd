/// `send_base` and `send_each` of the traced machine, from the waits that it recorded: a straight
/// line through waits by number of receivers, by least squares.
public struct WaitFit: Sendable, Equatable {
  /// Fewer shootdowns say too little.
  public static let shootdownsMin = 30

  /// The wait without receivers, and what each adds.
  public let base: ParameterRange
  /// See ``base``.
  public let each: ParameterRange

  /// The fit to `count` shootdowns with these sums (receivers, their squares, waits, their squares,
  /// products); nil where there are too few. Waits are known until the last receiver begins, so they
  /// may be longer by a handler's time, at most `receive`.
  public init?(
    count: Int, receivers: Double, receiversSquared: Double, waits: Double, waitsSquared: Double,
    products: Double, receive: Double
  ) {
    guard count >= Self.shootdownsMin else { return nil }
    let total = Double(count)
    let meanWait = waits / total
    let meanReceivers = receivers / total
    let spread = max(receiversSquared - receivers * meanReceivers, 0)
    // All shootdowns with as many receivers say nothing of one more; a line that falls says no more.
    let slope = spread > 0 ? max((products - receivers * meanWait) / spread, 0) : 0
    let intercept = max(meanWait - slope * meanReceivers, 0)
    let scatter = max(waitsSquared - waits * meanWait, 0) / total
    let error = 2 * (scatter / total).squareRoot()
    let slopeError = spread > 0 ? 2 * (scatter / spread).squareRoot() : 0
    let source = "fitted to the waits of \(count) shootdowns of this trace, in its own clock"
    base = ParameterRange(
      intercept, lower: max(intercept - error, 0), upper: intercept + error + max(receive, 0),
      source: source, confidence: .medium)
    each = ParameterRange(
      slope, lower: max(slope - slopeError, 0), upper: slope + slopeError, source: source,
      confidence: .medium)
  }
}
