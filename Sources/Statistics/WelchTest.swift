/// Welch's t-test: do the means of two samples differ, whose variances need not be equal?
///
/// B. L. Welch, Biometrika 34 (1947) 28; degrees of freedom after F. E. Satterthwaite, Biometrics
/// Bulletin 2 (1946) 110.
public struct WelchTest: Sendable, Equatable {
  /// Mean of the second sample minus mean of the first, in the samples' unit.
  public let difference: Double
  /// The statistic; infinite where neither sample varies and the means differ.
  public let t: Double
  /// Degrees of freedom, in general no whole number.
  public let degrees: Double
  /// Two-sided probability of such a statistic where the means are equal.
  public let probability: Double
  /// The interval of ``difference``.
  public let interval: ClosedRange<Double>

  /// The test; nil where a sample has fewer than two values.
  public init?(_ first: Sample, _ second: Sample, confidence: Double = 0.95) {
    guard let one = first.variance, let two = second.variance else { return nil }
    let (share1, share2) = (one / Double(first.count), two / Double(second.count))
    let squaredError = share1 + share2
    difference = second.mean - first.mean
    guard squaredError.isFinite, difference.isFinite else { return nil }
    guard squaredError > 0 else {
      // No value varies: equal, or different without any doubt that the samples could tell of.
      t = difference == 0 ? 0 : difference * .infinity
      degrees = Double(first.count + second.count - 2)
      probability = difference == 0 ? 1 : 0
      interval = difference...difference
      return
    }
    let error = squaredError.squareRoot()
    let (weight1, weight2) = (share1 / squaredError, share2 / squaredError)
    degrees =
      1
      / (weight1 * weight1 / Double(first.count - 1) + weight2 * weight2 / Double(second.count - 1))
    t = difference / error
    probability = StudentT.twoSided(t, degrees: degrees)
    let half = StudentT.quantile(confidence: confidence, degrees: degrees) * error
    guard half.isFinite else { return nil }
    interval = difference - half...difference + half
  }
}
