/// Which values of a measure belong to one repetition, and how that is known.
///
/// Instances that ran side by side in one repetition share its luck. Taken as independent values
/// they make an interval too narrow and a test too sure (S. H. Hurlbert, Ecological Monographs 54
/// (1984) 187, "pseudoreplication"), so a repetition counts once, with the mean of its values.
public struct Repetitions: Sendable, Equatable {
  /// How the grouping is known.
  public enum Origin: String, Sendable {
    /// The input says which values belong together.
    case stated
    /// A search over the flat lists found it.
    case found
    /// Every value is a repetition of its own: nothing says or shows otherwise.
    case none
  }

  /// How the grouping is known.
  public var origin: Origin
  /// Values of one repetition; 1 without grouping, 0 where repetitions differ in it.
  public var instances: Int
  /// The intraclass correlation of one value, of both sides together; nil where not computed.
  public var correlation: Double?
  /// The probability of repetitions that differ so much in values without any grouping, times the
  /// number of groupings that were tried; nil without a search.
  public var probability: Double?

  /// A grouping.
  public init(
    origin: Origin, instances: Int, correlation: Double? = nil, probability: Double? = nil
  ) {
    self.origin = origin
    self.instances = instances
    self.correlation = correlation
    self.probability = probability
  }

  /// Every value for itself.
  public static let none = Repetitions(origin: .none, instances: 1)

  /// Values of a list are of one repetition if their places in it differ by a multiple of the list's
  /// length over ``instances``: line k, k + 10 and k + 20 of 30.
  public func means(_ values: [Double]) -> [Double] {
    Self.groups(values, instances: instances).map(Self.mean)
  }

  /// The mean of the values of a repetition.
  public static func mean(_ values: [Double]) -> Double {
    guard !values.isEmpty else { return .nan }
    let mean = values.reduce(0, +) / Double(values.count)
    // Shares and not a sum, where the sum is beyond all numbers.
    return mean.isFinite ? mean : values.reduce(0) { $0 + $1 / Double(values.count) }
  }

  static func groups(_ values: [Double], instances: Int) -> [[Double]] {
    guard instances > 1, values.count % instances == 0 else { return values.map { [$0] } }
    let period = values.count / instances
    return (0..<period).map { first in
      stride(from: first, to: values.count, by: period).map { values[$0] }
    }
  }
}

/// One-way analysis of variance of both sides together: repetitions are compared within their side.
public struct IntraclassCorrelation: Sendable, Equatable {
  /// ICC(1): the share of the variance that repetitions explain; at most 1, maybe negative.
  public let correlation: Double
  /// The probability of so great an F where repetitions explain nothing.
  public let probability: Double

  /// The analysis of sides of repetitions, all with `instances` values; nil where there is nothing to
  /// estimate a variance from.
  init?(_ sides: [[[Double]]], instances: Int) {
    guard instances > 1 else { return nil }
    var (between, within) = (0.0, 0.0)
    var (betweenDegrees, withinDegrees) = (0, 0)
    for side in sides where !side.isEmpty {
      let means = side.map(Repetitions.mean)
      let grand = Repetitions.mean(means)
      for (group, mean) in zip(side, means) {
        between += Double(instances) * (mean - grand) * (mean - grand)
        for value in group { within += (value - mean) * (value - mean) }
      }
      betweenDegrees += side.count - 1
      withinDegrees += side.count * (instances - 1)
    }
    guard betweenDegrees > 0, withinDegrees > 0 else { return nil }
    let meanBetween = between / Double(betweenDegrees)
    let meanWithin = within / Double(withinDegrees)
    let denominator = meanBetween + Double(instances - 1) * meanWithin
    // Values that do not vary have a variance all the same, that of rounding.
    let size = sides.joined().joined().reduce(0) { max($0, abs($1)) } * 1e-12
    guard denominator.isFinite, denominator > size * size else { return nil }
    correlation = (meanBetween - meanWithin) / denominator
    probability =
      meanWithin > 0
      ? FisherF.upper(
        meanBetween / meanWithin, above: Double(betweenDegrees), below: Double(withinDegrees))
      : 0
  }
}

extension Repetitions {
  /// The smallest correlation that counts as a grouping. Below it an instance says more about itself
  /// than about its repetition.
  static let correlationMin = 0.5
  /// The greatest probability, over all groupings tried together.
  static let probabilityMax = 0.001
  /// Of groupings that explain the values about as well, the one with the fewest repetitions is
  /// taken: this much less correlation is "about".
  static let correlationSlack = 0.05
  /// Values of a side that are searched; more are not a list of runs.
  static let searchedMax = 4096

  /// Searches flat lists for a period: n values that are n / k repetitions of k instances.
  ///
  /// Each k that divides the length of every list, with at least three repetitions a side, is tried.
  /// It counts if the intraclass correlation is at least 0.5 and its F-test, corrected for the number
  /// of tries, is below 0.001.
  public static func search(_ sides: [[Double]]) -> Repetitions {
    let smallest = sides.map(\.count).min() ?? 0
    guard smallest >= 6, sides.allSatisfy({ $0.count <= searchedMax }) else { return .none }
    let tried = (2...smallest / 3).filter { k in sides.allSatisfy { $0.count % k == 0 } }
    let found = tried.compactMap { k -> Repetitions? in
      let grouped = sides.map { groups($0, instances: k) }
      guard let icc = IntraclassCorrelation(grouped, instances: k) else { return nil }
      let probability = min(1, icc.probability * Double(tried.count))
      guard icc.correlation >= correlationMin, probability <= probabilityMax else { return nil }
      return Repetitions(
        origin: .found, instances: k, correlation: icc.correlation, probability: probability)
    }
    guard let best = found.compactMap(\.correlation).max() else { return .none }
    let near = found.filter { ($0.correlation ?? 0) >= best - correlationSlack }
    return near.max { $0.instances < $1.instances } ?? .none
  }
}
