/// Independent values of one measure, in its own unit.
public struct Sample: Sendable, Equatable {
  /// In the order of measurement; all finite.
  public let values: [Double]
  /// Ascending.
  public let sorted: [Double]
  /// Arithmetic mean; NaN without values.
  public let mean: Double
  /// Sample variance (n - 1); nil below two values.
  public let variance: Double?

  /// A sample; nil where a value is no finite number.
  public init?(_ values: [Double]) {
    guard values.allSatisfy(\.isFinite) else { return nil }
    self.values = values
    sorted = values.sorted()
    let count = Double(values.count)
    let mean = Repetitions.mean(values)
    self.mean = mean
    guard values.count > 1 else {
      variance = nil
      return
    }
    // Two passes: the textbook difference of squares loses digits where the spread is small.
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    variance = squares / (count - 1)
  }

  /// How many values.
  public var count: Int { values.count }
  /// Sample standard deviation (n - 1); nil below two values.
  public var standardDeviation: Double? { variance?.squareRoot() }
  /// The middle value, or the mean of both; NaN without values.
  public var median: Double {
    guard let last = sorted.last else { return .nan }
    let half = sorted.count / 2
    guard half > 0 else { return last }
    return sorted.count % 2 == 1 ? sorted[half] : sorted[half - 1] / 2 + sorted[half] / 2
  }
  /// The smallest value; NaN without values.
  public var minimum: Double { sorted.first ?? .nan }
  /// The greatest value; NaN without values.
  public var maximum: Double { sorted.last ?? .nan }

  /// The interval of the mean by Student's t; nil below two values.
  public func interval(confidence: Double = 0.95) -> ClosedRange<Double>? {
    guard let deviation = standardDeviation, deviation.isFinite else { return nil }
    let half =
      StudentT.quantile(confidence: confidence, degrees: Double(count - 1)) * deviation
      / Double(count).squareRoot()
    guard half.isFinite else { return nil }
    return mean - half...mean + half
  }
}
