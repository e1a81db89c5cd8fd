import Testing

@testable import Reporting

@Suite struct CaptureCheckTests {
  private func kind(
    _ value: Double, _ now: Double?, _ tolerance: String, _ direction: MetricDirection
  ) -> MetricVerdict.Kind {
    let metric = BaselineMetric(
      name: "m", value: value, deviation: 10, runs: 5,
      tolerance: MetricTolerance(tolerance) ?? .exact, direction: direction, grade: "derived",
      reason: "")
    return MetricVerdict(metric, now: now, confidence: 0.99, runs: 1).kind
  }

  @Test func verdictsFollowToleranceAndDirection() {
    #expect(kind(100, 100, "0", .any) == .same)
    #expect(kind(100, 101, "0", .any) == .changed)
    #expect(kind(100, 101, "0", .more) == .worse)
    #expect(kind(100, 101, "0", .less) == .better)
    #expect(kind(100, 99, "0", .less) == .worse)
    #expect(kind(100, 105, "5%", .more) == .within)
    #expect(kind(100, 105.001, "5%", .more) == .worse)
    #expect(kind(-100, -105, "5%", .less) == .within)
    #expect(kind(100, 110, "5% or 10", .more) == .within)
    #expect(kind(100, 900, "any", .more) == .shown)
    #expect(kind(100, nil, "any", .more) == .gone)
    #expect(kind(0, 1, "50%", .more) == .worse)
  }

  /// t(0.99, 4) = 4.6041 (tables of Student's t), so 4.6041 * 10 * sqrt(1 + 1/5) = 50.435.
  @Test func spreadIsWhereAnotherRunLies() {
    #expect(kind(100, 150.4, "spread", .more) == .within)
    #expect(kind(100, 150.5, "spread", .more) == .worse)
    let metric = BaselineMetric(
      name: "m", value: 100, deviation: 10, runs: 5, tolerance: MetricTolerance(usesSpread: true),
      direction: .more, grade: "derived", reason: "")
    // The mean of five new runs scatters less: sqrt(1/5 + 1/5).
    let five = MetricVerdict(metric, now: 130, confidence: 0.99, runs: 5)
    #expect(abs((five.allowed ?? 0) - 29.119) < 0.001)
    #expect(five.kind == .worse)
  }

  @Test func theSameTraceIsHeldToEveryFigure() throws {
    let baseline = try SampleBaseline.baseline()
    #expect(SampleBaseline.check(baseline, [SampleBaseline.reading(3761)]).verdict == .same)
    let moved = SampleBaseline.check(baseline, [SampleBaseline.reading(3760)])
    #expect(moved.verdict == .regressed)
    #expect(moved.metrics.filter { $0.kind.isFailure }.map(\.baseline.name) == ["recorded.tlb_row"])
  }

  @Test func anotherTraceIsRefused() throws {
    let check = SampleBaseline.check(
      try SampleBaseline.baseline(), [SampleBaseline.reading(3761, digest: "xxh64:2")])
    #expect(check.verdict == .unchecked && check.metrics.isEmpty)
    #expect(check.refusals[0].contains("another trace (xxh64:2)"))
  }

  @Test func anotherToolIsBridgedForATraceAndRefusedForAWorkload() throws {
    var demands = CaptureCheck.Demands(toolVersion: "0.2.0")
    let trace = SampleBaseline.check(
      try SampleBaseline.baseline(), [SampleBaseline.reading(3761)], demands)
    #expect(trace.verdict == .same)
    #expect(trace.notes.contains { $0.contains("0.1.0") && $0.contains("0.2.0") })
    let workload = try SampleBaseline.baseline(.workload, [3700, 3800])
    let refused = SampleBaseline.check(workload, [SampleBaseline.reading(3761)], demands)
    #expect(refused.verdict == .unchecked)
    #expect(refused.refusals[0].contains("--allow tool"))
    demands.allowed = ["tool"]
    let allowed = SampleBaseline.check(workload, [SampleBaseline.reading(3761)], demands)
    #expect(allowed.verdict == .moved)
    #expect(allowed.notes.contains { $0.contains("tool was 0.1.0 and is 0.2.0") })
  }

  @Test(arguments: CaptureEnvironment.names)
  func everyFactOfTheEnvironmentCounts(_ fact: String) throws {
    let workload = try SampleBaseline.baseline(.workload, [3700, 3800])
    let reading = SampleBaseline.reading(3761, [fact: "other"])
    let refused = SampleBaseline.check(workload, [reading])
    #expect(refused.verdict == .unchecked)
    #expect(refused.refusals[0].contains("--allow \(fact)"))
    var demands = SampleBaseline.demands
    demands.allowed = [fact]
    #expect(SampleBaseline.check(workload, [reading], demands).verdict == .moved)
  }

  @Test func whatIsNotThereAnyMoreIsNotGood() throws {
    var reading = SampleBaseline.reading(3761)
    reading.metrics.removeAll { $0.name == "luf-v10.deferred" }
    let check = SampleBaseline.check(try SampleBaseline.baseline(), [reading])
    #expect(check.verdict == .unchecked)
    #expect(CheckReport.line(check).contains("luf-v10.deferred"))
    var demands = SampleBaseline.demands
    demands.allowed = ["missing"]
    let allowed = SampleBaseline.check(try SampleBaseline.baseline(), [reading], demands)
    #expect(allowed.verdict == .same)
  }

  @Test func newFiguresAreNamedAndDoNotFail() throws {
    var baseline = try SampleBaseline.baseline()
    baseline.entries[0].metrics.removeAll { $0.name == "luf-v10.deferred" }
    let check = SampleBaseline.check(baseline, [SampleBaseline.reading(3761)])
    #expect(check.verdict == .same)
    #expect(check.notes.contains { $0.contains("Not in the baseline: luf-v10.deferred") })
  }

  @Test func violationsFailOnlyWhereTheyAreForbidden() throws {
    var reading = SampleBaseline.reading(3761)
    reading.violation = "policy luf-v10 breaks safety rules 3 times"
    var demands = SampleBaseline.demands
    #expect(
      SampleBaseline.check(try SampleBaseline.baseline(), [reading], demands).verdict == .same)
    demands.forbidsViolations = true
    let check = SampleBaseline.check(try SampleBaseline.baseline(), [reading], demands)
    #expect(check.verdict == .regressed && check.violation != nil)
    reading.violation = nil
    reading.unchecked = "the safety of policy luf-v10 is not observable"
    #expect(
      SampleBaseline.check(try SampleBaseline.baseline(), [reading], demands).verdict == .unchecked)
  }

  @Test func theWorstComesFirst() throws {
    let baseline = try SampleBaseline.baseline()
    func named(_ name: String, _ row: Double, _ digest: String = "xxh64:0000000000000001")
      -> CaptureCheck
    {
      var check = SampleBaseline.check(baseline, [SampleBaseline.reading(row, digest: digest)])
      check.name = name
      return check
    }
    let summary = CheckSummary([
      named("d", 3761), named("c", 3761, "xxh64:2"), named("b", 1), named("a", 3761), named("e", 2),
    ])
    #expect(summary.checks.map(\.name) == ["b", "e", "c", "a", "d"])
    #expect(summary.verdict == .regressed)
    #expect(CheckSummary([]).verdict == .unchecked)
  }

  @Test func reportFitsATerminal() throws {
    let workload = try SampleBaseline.baseline(.workload, [3700, 3800])
    let check = SampleBaseline.check(workload, [SampleBaseline.reading(123_456_789)])
    let text = TextRenderer().render(CheckReport.build(CheckSummary([check])))
    for line in text.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
    #expect(text.contains("worse"))
    #expect(text.contains("interrupts [derived]"))
    #expect(text.contains("--update"))
  }
}
