/// Two samples of one measure, and what may be said about their difference.
public struct SampleComparison: Sendable, Equatable {
  /// What the tests allow to say.
  public enum Verdict: String, Sendable {
    /// Both tests see a difference, and the second sample is lower.
    case lower
    /// Both tests see a difference, and the second sample is higher.
    case higher
    /// Neither test sees one.
    case unproven
    /// The tests do not agree.
    case disputed
    /// A side has fewer than two repetitions: there is nothing to test with.
    case untested
  }

  /// Means of the repetitions, a side each.
  public let before: Sample
  /// See ``before``.
  public let after: Sample
  /// How values were grouped into repetitions.
  public let repetitions: Repetitions
  /// The test of the means; nil without two repetitions a side.
  public let welch: WelchTest?
  /// The test of the ranks; nil without two repetitions a side.
  public let mannWhitney: MannWhitneyTest?
  /// The probability below which a test sees a difference.
  public static let significance = 0.05

  /// A comparison of repetitions; nil where a value is no finite number or a side is empty.
  public init?(before: [Double], after: [Double], repetitions: Repetitions) {
    guard !before.isEmpty, !after.isEmpty, let one = Sample(before), let two = Sample(after) else {
      return nil
    }
    self.before = one
    self.after = two
    self.repetitions = repetitions
    let isTestable = one.count > 1 && two.count > 1
    welch = isTestable ? WelchTest(one, two) : nil
    mannWhitney = isTestable ? MannWhitneyTest(one, two) : nil
  }

  /// Mean of the second sample minus mean of the first, in the samples' unit.
  public var difference: Double { after.mean - before.mean }

  /// The difference in per cent of the first mean; nil where that is 0.
  public var percent: Double? { relative(difference) }

  /// The ends of Welch's interval in per cent of the first mean, taken as exact; ascending.
  public var percentInterval: ClosedRange<Double>? {
    guard let interval = welch?.interval, let one = relative(interval.lowerBound),
      let two = relative(interval.upperBound)
    else { return nil }
    return min(one, two)...max(one, two)
  }

  private func relative(_ value: Double) -> Double? {
    let percent = value / abs(before.mean) * 100
    return percent.isFinite ? percent : nil
  }

  /// Whether no arrangement of so few values could make the rank test see a difference.
  public var isRankTestBlind: Bool {
    guard before.count > 1, after.count > 1 else { return true }
    let (n, m) = (before.count, after.count)
    var arrangements = 1.0
    for index in 1...min(n, m) { arrangements *= Double(max(n, m) + index) / Double(index) }
    return 2 / arrangements >= Self.significance
  }

  /// What the tests allow to say.
  public var verdict: Verdict {
    guard let welch, let mannWhitney else { return .untested }
    let means = welch.probability < Self.significance
    let ranks = mannWhitney.probability < Self.significance
    if means, ranks || isRankTestBlind { return difference < 0 ? .lower : .higher }
    return means == ranks ? .unproven : .disputed
  }
}
