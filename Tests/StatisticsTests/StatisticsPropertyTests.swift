import Testing

@testable import Statistics

/// A small seeded generator: the same numbers in each run.
private struct Generator: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return (state ^ (state >> 33)) &* 0xff51_afd7_ed55_8ccd
  }
  /// Near enough to normal: the sum of twelve uniform numbers less 6.
  mutating func normal() -> Double {
    (0..<12).reduce(-6.0) { sum, _ in sum + Double.random(in: 0..<1, using: &self) }
  }
}

@Suite struct StatisticsPropertyTests {
  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func testsAreSymmetricAndBlindToUnits(_ seed: UInt64) throws {
    var random = Generator(state: seed)
    let x = (0..<Int(seed % 7) + 3).map { _ in random.normal() }
    let y = (0..<Int(seed % 5) + 4).map { _ in random.normal() + 0.5 }
    let (one, two) = (try #require(Sample(x)), try #require(Sample(y)))
    let forth = try #require(WelchTest(one, two))
    let back = try #require(WelchTest(two, one))
    #expect(abs(forth.t + back.t) < 1e-12)
    #expect(abs(forth.probability - back.probability) < 1e-12)
    #expect(abs(forth.interval.lowerBound + back.interval.upperBound) < 1e-9)
    // p < 0.05 says the same as an interval without 0.
    #expect((forth.probability < 0.05) == !forth.interval.contains(0))
    let (fourfold1, fourfold2) = (
      try #require(Sample(x.map { $0 * 4 })), try #require(Sample(y.map { $0 * 4 }))
    )
    let scaled = try #require(WelchTest(fourfold1, fourfold2))
    #expect(abs(scaled.t - forth.t) < 1e-9)
    let ranks = try #require(MannWhitneyTest(one, two))
    let turned = try #require(MannWhitneyTest(two, one))
    #expect(ranks.u + turned.u == Double(ranks.pairs))
    #expect(abs(ranks.probability - turned.probability) < 1e-12)
  }

  /// The counting of arrangements against listing every one of them.
  @Test(arguments: [(2, 3), (3, 3), (4, 2), (4, 5), (1, 6)])
  func exactRanksEqualEnumeration(_ n: Int, _ m: Int) throws {
    let all = Array(0..<n + m)
    let choices = (0..<1 << (n + m)).filter { $0.nonzeroBitCount == n }
    let statistics = choices.map { bits in
      let chosen = all.filter { bits >> $0 & 1 == 1 }
      return chosen.reduce(0, +) - n * (n - 1) / 2
    }
    for (bits, u) in zip(choices, statistics) {
      let x = try #require(Sample(all.filter { bits >> $0 & 1 == 1 }.map(Double.init)))
      let y = try #require(Sample(all.filter { bits >> $0 & 1 == 0 }.map(Double.init)))
      let test = try #require(MannWhitneyTest(x, y))
      let extreme = max(u, n * m - u)
      let tail = statistics.filter { $0 >= extreme }.count
      #expect(test.u == Double(u))
      #expect(abs(test.probability - min(1, 2 * Double(tail) / Double(choices.count))) < 1e-12)
    }
  }

  @Test func quantileInvertsTheTail() {
    for degrees in [1, 3, 7.7, 40, 500.0] {
      for confidence in [0.5, 0.8, 0.95, 0.995] {
        let t = StudentT.quantile(confidence: confidence, degrees: degrees)
        #expect(abs(StudentT.twoSided(t, degrees: degrees) - (1 - confidence)) < 1e-10)
      }
    }
  }

  @Test func degenerateSamplesDoNotCrash() throws {
    #expect(Sample([1, .nan]) == nil)
    #expect(Sample([.infinity]) == nil)
    let empty = try #require(Sample([]))
    let one = try #require(Sample([3]))
    let same = try #require(Sample([3, 3, 3]))
    let other = try #require(Sample([4, 4]))
    let huge = try #require(Sample([1e308, -1e308, 1e308]))
    #expect(empty.mean.isNaN && empty.median.isNaN)
    #expect(one.interval() == nil && WelchTest(one, same) == nil)
    #expect(MannWhitneyTest(empty, same) == nil)
    #expect(WelchTest(same, same)?.probability == 1)
    #expect(WelchTest(same, other)?.probability == 0)
    #expect(MannWhitneyTest(same, same)?.probability == 1)
    #expect(WelchTest(huge, same) == nil)
    #expect(Repetitions.search([[], []]) == .none)
    #expect(Repetitions.search([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1]]) == .none)
    #expect(SampleComparison(before: [], after: [1], repetitions: .none) == nil)
  }

  /// Repetitions that differ by more than their instances do are found, whatever their number.
  @Test(arguments: [(10, 3), (6, 2), (5, 4), (12, 2)])
  func planted(_ period: Int, _ instances: Int) {
    var random = Generator(state: UInt64(period))
    let sides = (0..<2).map { _ in
      let levels = (0..<period).map { _ in 100 + 10 * random.normal() }
      return (0..<instances).flatMap { _ in levels.map { $0 + 0.2 * random.normal() } }
    }
    let found = Repetitions.search(sides)
    #expect(found.origin == .found && found.instances == instances, "\(found)")
  }

  /// Independent values are left alone: of 500 lists hardly any may show a grouping.
  @Test func independentValuesAreNotGrouped() {
    var random = Generator(state: 5)
    let grouped = (0..<500).filter { _ in
      let sides = (0..<2).map { _ in (0..<30).map { _ in random.normal() } }
      return Repetitions.search(sides).origin == .found
    }
    #expect(grouped.count <= 2)
  }
}
