#if canImport(Glibc)
  import Glibc
#endif

/// The functions behind the distributions: log gamma and the regularised incomplete beta.
enum SpecialFunctions {
  /// Coefficients of the Lanczos series for g = 7: C. Lanczos, SIAM J. Numer. Anal. 1 (1964) 86, in
  /// the form with nine terms that is good to about 15 digits.
  private static let lanczos = [
    0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313,
    -176.61502916214059, 12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6,
    1.5056327351493116e-7,
  ]

  /// The natural logarithm of the gamma function of `x` > 0.
  static func logGamma(_ x: Double) -> Double {
    // The reflection formula brings small arguments to where the series converges well.
    if x < 0.5 { return log(.pi / sin(.pi * x)) - logGamma(1 - x) }
    let shifted = x - 1
    var sum = lanczos[0]
    for index in 1..<lanczos.count { sum += lanczos[index] / (shifted + Double(index)) }
    let base = shifted + 7.5
    return 0.5 * log(2 * .pi) + (shifted + 0.5) * log(base) - base + log(sum)
  }

  /// The regularised incomplete beta function I_x(a, b), for a, b > 0.
  static func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
    guard a > 0, b > 0, !x.isNaN else { return .nan }
    if x <= 0 { return 0 }
    if x >= 1 { return 1 }
    let front = exp(
      logGamma(a + b) - logGamma(a) - logGamma(b) + a * log(x) + b * log1p(-x))
    // The continued fraction converges fast only below the mean; above it the symmetry helps.
    if x < (a + 1) / (a + b + 2) { return front * betaFraction(x, a, b) / a }
    return 1 - front * betaFraction(1 - x, b, a) / b
  }

  /// The continued fraction 26.5.8 of Abramowitz and Stegun, by Lentz's method.
  private static func betaFraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
    let tiny = 1e-300
    func away(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
    var c = 1.0
    var d = 1 / away(1 - (a + b) * x / (a + 1))
    var fraction = d
    for step in 1...10_000 {
      let m = Double(step)
      let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
      d = 1 / away(1 + even * d)
      c = away(1 + even / c)
      fraction *= d * c
      let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      d = 1 / away(1 + odd * d)
      c = away(1 + odd / c)
      fraction *= d * c
      if abs(d * c - 1) < 1e-15 { break }
    }
    return fraction
  }
}
