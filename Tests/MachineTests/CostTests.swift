import Testing
import TraceBuilding

@testable import Machine

/// Costs, and the time that they make of counts.
@Suite struct CostTests {
  @Test func everyCostHasASourceAndARange() {
    for parameter in CostTable.standard.parameters {
      #expect(!parameter.range.source.isEmpty)
      #expect(parameter.range.lower < parameter.range.upper, "\(parameter.name)")
      #expect(parameter.origin == .chosen)
    }
    #expect(Set(CostTable.names).count == CostTable.names.count)
  }

  @Test func costsAreSetByText() throws {
    var table = CostTable.standard
    try table.set("receive=700..2100")
    #expect(table["receive"]?.expected == 1400)
    #expect(table["receive"]?.lower == 700)
    try table.set("walk=25.5")
    #expect(table["walk"]?.lower == 25.5)
    #expect(table["walk"]?.upper == 25.5)
    #expect(table.isSet("walk"))
    #expect(!table.isSet("send_base"))
  }

  @Test(arguments: [
    "", "receive", "receive=", "=5", "receive=a", "receive=5..", "receive=..5", "receive=7..6",
    "receive=-1", "receive=nan", "receive=inf", "receive=1e300", "nothing=5", "receive=1..2..3",
  ]) func badCostsAreRefused(_ text: String) {
    var table = CostTable.standard
    #expect(throws: CostError.self) { try table.set(text) }
    #expect(table == .standard)
  }

  /// By hand: 10 sends, 30 interrupts, 2 broadcasts and 100 walks at round costs.
  @Test func timesAreSums() throws {
    var table = CostTable.standard
    for text in ["send_base=1000", "send_each=100", "receive=2000", "broadcast=500", "walk=10..50"]
    {
      try table.set(text)
    }
    let estimate = TimeEstimate(table)
    let counts = CostCounts(
      sends: 10, interrupts: 30, broadcasts: 2,
      walks: WalkRange(lower: 90, expected: 100, upper: 200))
    #expect(estimate.initiators(counts).expected == 14_000)
    #expect(estimate.receivers(counts).expected == 60_000)
    #expect(estimate.refills(counts) == TimeRange(lower: 900, expected: 3000, upper: 10_000))
    #expect(estimate.total(counts) == TimeRange(lower: 74_900, expected: 77_000, upper: 84_000))
    #expect(estimate.refills(CostCounts(sends: 1, interrupts: 1)) == nil)
  }

  @Test func swingsAreWhatOneCostMoves() {
    let estimate = TimeEstimate(.standard)
    let before = CostCounts(sends: 100, interrupts: 300)
    let after = CostCounts(sends: 20, interrupts: 60)
    let swings = estimate.swings(before, after, fewest: after, most: before)
    // 240 interrupts avoided: 240 * (2116 - 700), 80 * (2700 - 700), 240 * (300 - 0).
    #expect(swings.first { $0.name == "receive" }?.size == 339_840)
    #expect(swings.first { $0.name == "send_base" }?.size == 160_000)
    #expect(swings.first { $0.name == "send_each" }?.size == 72_000)
    #expect(swings.first?.name == "row" || swings.first?.name == "receive")
    #expect(swings.map(\.size) == swings.map(\.size).sorted(by: >))
    #expect(!swings.contains { $0.name == "walk" || $0.name == "broadcast" })
    #expect(swings.first { $0.name == "row" }?.atUpper == 0, "as many as before saves nothing")
  }

  /// No choice of costs inside their ranges leaves the range of what is saved.
  @Test(arguments: 0..<20) func rangesHoldEveryChoice(_ seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    func counts() -> CostCounts {
      let walks = Double.random(in: 0...1000, using: &random)
      return CostCounts(
        sends: Int.random(in: 0...100, using: &random),
        interrupts: Int.random(in: 0...1000, using: &random),
        broadcasts: Int.random(in: 0...50, using: &random),
        walks: WalkRange(lower: walks / 2, expected: walks, upper: walks * 2))
    }
    let before = counts()
    let after = counts()
    let whole = TimeEstimate(.standard).saved(before, after, fewest: after, most: after)
    #expect(whole.lower <= whole.expected && whole.expected <= whole.upper)
    for _ in 0..<50 {
      var table = CostTable.standard
      for parameter in table.parameters {
        let value = Double.random(
          in: parameter.range.lower...parameter.range.upper, using: &random)
        try table.set("\(parameter.name)=\(value)")
      }
      let choice = TimeEstimate(table).saved(before, after, fewest: after, most: after)
      #expect(choice.expected >= whole.lower - 1e-6 && choice.expected <= whole.upper + 1e-6)
    }
  }

  private struct Point {
    var receivers: Double
    var wait: Double
  }

  /// Waits on a line give the line back; a cloud around it stays inside the range.
  @Test func waitsAreFitted() throws {
    func fit(_ points: [Point]) -> WaitFit? {
      var sums = (n: 0.0, nn: 0.0, t: 0.0, tt: 0.0, nt: 0.0)
      for point in points {
        sums.n += point.receivers
        sums.nn += point.receivers * point.receivers
        sums.t += point.wait
        sums.tt += point.wait * point.wait
        sums.nt += point.wait * point.receivers
      }
      return WaitFit(
        count: points.count, receivers: sums.n, receiversSquared: sums.nn, waits: sums.t,
        waitsSquared: sums.tt, products: sums.nt, receive: 2000)
    }
    let line = (1...60).map { index -> Point in
      let receivers = Double(index % 7 + 1)
      return Point(receivers: receivers, wait: 1500 + 100 * receivers)
    }
    let exact = try #require(fit(line))
    #expect(abs(exact.base.expected - 1500) < 1e-6)
    #expect(abs(exact.each.expected - 100) < 1e-9)
    #expect(fit(Array(line.prefix(29))) == nil)
    let same = try #require(fit(line.map { Point(receivers: 3, wait: $0.wait) }))
    #expect(same.each.expected == 0)
    #expect(exact.base.upper >= exact.base.expected + 2000)
    let falling = try #require(
      fit(line.map { Point(receivers: $0.receivers, wait: 3000 - $0.wait) }))
    #expect(falling.each.expected == 0)
    #expect(falling.base.lower >= 0)
  }
}
