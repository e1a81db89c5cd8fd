import Testing

@testable import Statistics

/// Figures of SciPy 1.17.1 (`scipy.stats`, `scipy.special`), to 12 digits where it has them.
@Suite struct KnownValuesTests {
  private func expect(
    _ got: Double, _ want: Double, within relative: Double = 1e-9,
    _ location: SourceLocation = #_sourceLocation
  ) {
    #expect(abs(got - want) <= relative * max(abs(want), 1e-30), "\(got)", sourceLocation: location)
  }

  /// `stats.t.ppf(0.975, df)` and `2 * stats.t.sf(2.5, df)`.
  @Test(arguments: [
    (1, 12.706204736174694, 0.24223788318168682), (2, 4.302652729749462, 0.12961172022151082),
    (5.5, 2.501858617589239, 0.050120085869221634),
    (30, 2.0422724563012378, 0.01811564906806669),
    (1000, 1.9623390808264083, 0.012578567801090807),
    (1e6, 1.959966356814107, 0.012419489502163254),
  ])
  func studentT(_ degrees: Double, _ quantile: Double, _ tail: Double) {
    expect(StudentT.quantile(confidence: 0.95, degrees: degrees), quantile, within: 1e-8)
    expect(StudentT.twoSided(2.5, degrees: degrees), tail, within: 1e-8)
    expect(StudentT.twoSided(-2.5, degrees: degrees), tail, within: 1e-8)
  }

  /// `special.betainc(a, b, x)`.
  @Test(arguments: [
    (0.3, 0.5, 2, 0.7394254526319747), (0.9, 30, 0.5, 0.012282448499852763),
    (0.4, 400, 600, 0.5017170329937447), (0.5, 0.01, 3, 0.9993117371897107),
  ])
  func incompleteBeta(_ x: Double, _ a: Double, _ b: Double, _ want: Double) {
    expect(SpecialFunctions.incompleteBeta(x, a, b), want)
  }

  /// `stats.f.sf` and `stats.norm.ppf(0.975)`.
  @Test func otherDistributions() {
    expect(FisherF.upper(3.2, above: 4, below: 10), 0.06178892552964908)
    expect(FisherF.upper(150, above: 18, below: 40), 5.370881249735478e-31, within: 1e-6)
    expect(Normal.quantile(confidence: 0.95), 1.959963984540054)
  }

  /// `stats.ttest_ind(y, x, equal_var=False)` and its `confidence_interval()`.
  @Test func welch() throws {
    let x = try #require(Sample([1, 2, 2, 3, 5]))
    let y = try #require(Sample([2, 3, 4, 4, 6, 7]))
    let test = try #require(WelchTest(x, y))
    expect(test.t, 1.7014919766095893)
    expect(test.probability, 0.12306044474092805)
    expect(test.degrees, 8.99994841585078)
    expect(test.interval.lowerBound, -0.5711593679335967)
    expect(test.interval.upperBound, 4.037826034600263)
  }

  /// `stats.mannwhitneyu`, `method="exact"` without ties and `"asymptotic"` with.
  @Test func mannWhitney() throws {
    func test(_ x: [Double], _ y: [Double]) throws -> MannWhitneyTest {
      let (one, two) = (try #require(Sample(x)), try #require(Sample(y)))
      return try #require(MannWhitneyTest(one, two))
    }
    let small = try test([1.1, 2.2, 3.3, 4.4, 9.9], [2.5, 5.5, 6.6, 7.7, 8.8, 12])
    #expect(small.u == 7 && small.isExact)
    expect(small.probability, 0.17748917748917747)
    let tied = try test([1, 2, 2, 3, 5], [2, 3, 4, 4, 6, 7])
    #expect(tied.u == 6.5 && !tied.isExact)
    expect(tied.probability, 0.13862587987892763)
    let large = try test((0..<25).map(Double.init), (0..<25).map { Double($0) + 3.5 })
    #expect(large.u == 231 && large.isExact)
    expect(large.probability, 0.11663881126432638)
  }
}
