import Testing

@testable import Replay
@testable import Reporting

@Suite struct ReplayReportDataTests {
  private func member(_ value: JSONValue, _ path: String...) -> JSONValue {
    path.reduce(value) { value, name in
      guard case .object(let members) = value else { return .null }
      return members[name] ?? .null
    }
  }

  @Test func booksHaveTheirNames() {
    let ledger = ReplayReportData.ledger(SampleOutcome.ledger(), 90)
    let wanted: [(String, Int)] = [
      ("deferred", 1_660), ("absorbed", 500), ("forced_by_allocation", 700),
      ("forced_by_permission", 300), ("forced_by_file_write", 100), ("forced_by_pressure", 50),
      ("refused", 39), ("pending", 10), ("broadcasts", 3), ("forced_flushes", 42),
      ("frames_pending_max", 90),
    ]
    for (name, value) in wanted { #expect(member(ledger, name) == JSONValue(value), "\(name)") }
    #expect(member(ledger, "forced_flushes_by_cause", "permission") == JSONValue(15))
    #expect(member(ledger, "balanced") == .bool(true))
  }

  @Test func figuresOverTimeHaveTheirUnit() {
    let pending = ReplayReportData.pending(SampleOutcome.pending(), "ns")
    #expect(member(pending, "series") == .array([0, 1, 45, 90].map { JSONValue($0) }))
    #expect(member(pending, "start") == JSONValue(250_885_137_284))
    #expect(member(pending, "mean") == JSONValue(41))
    let ages = ReplayReportData.ages(SampleOutcome.ages(), "ns")
    #expect(member(ages, "p50") == JSONValue(805))
    #expect(member(ages, "longest") == JSONValue(1_048_576_000))
    #expect(member(ages, "unit") == .string("ns"))
    #expect(member(ReplayReportData.ages(DeferralAges(), "ns"), "p50") == .null)
    let bursts = ReplayReportData.bursts(SampleOutcome.bursts(), "ns")
    #expect(member(bursts, "spans_by_flushes") == .array([20, 6, 2].map { JSONValue($0) }))
    #expect(ReplayReportData.bursts(FlushBursts(), "ticks") == .null)
    let payers = ReplayReportData.payers(SampleOutcome.figures(nil))
    #expect(member(payers, "kswapd", "interrupts") == JSONValue(1_200))
    #expect(member(payers, "direct_reclaim", "flushes") == JSONValue(0))
  }

  @Test func verdictsSayWhatToRecord() {
    let safety = ReplayReportData.safety(SampleOutcome.safety())
    #expect(member(safety, "violations") == JSONValue(3_410))
    for (name, value) in [("event_index", 29_153), ("time", 196_544_813_366), ("cpu", 2)] {
      #expect(member(safety, "first", name) == JSONValue(value), "\(name)")
    }
    #expect(member(safety, "first", "pfn") == JSONValue(0xd9c0))
    #expect(member(safety, "first", "rule") == .string("I1"))
    guard case .array(let rules) = member(safety, "rules"), rules.count == 3 else {
      Issue.record("rules: \(member(safety, "rules"))")
      return
    }
    #expect(
      rules.map { member($0, "verdict") }
        == ["violated", "holds", "not_observable"].map { .string($0) })
    #expect(member(rules[2], "record") == .string("syscalls:sys_enter_munmap"))
    #expect(member(rules[1], "record") == .null)
    #expect(member(rules[0], "first", "event_index") == JSONValue(29_153))
    #expect(Set(SafetyRule.allCases.map(\.title)).count == SafetyRule.allCases.count)
  }

  /// Whatever is not measured says how good it is.
  @Test func everyModelledObjectHasItsGrade() {
    let outcome = SampleOutcome.outcome([SampleOutcome.policy("luf-v10", SampleOutcome.safety())])
    let document = ReplayReportData.document(
      SampleOutcome.trace(), outcome,
      MissPrediction(SampleOutcome.trace(), outcome, .standard))
    guard case .array(let policies) = member(document, "policies"), policies.count == 2 else {
      Issue.record("policies")
      return
    }
    for name in [
      "tlb_row", "tlb_flush", "ledger", "pending_frames", "ages", "bursts", "payers", "safety",
    ] {
      #expect(member(policies[1], name, "grade") == .string("modelled"), "\(name)")
    }
    #expect(member(document, "reconstruction", "grade") == .string("derived"))
    #expect(member(policies[0], "payers") == .null)
  }
}
