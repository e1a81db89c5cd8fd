import TraceEvents

@testable import Replay
@testable import Reporting

/// Outcomes that no trace was read for, so that every part of a report can be asked for.
enum SampleOutcome {
  static let unit = TimeUnit.nanoseconds(resolution: 1)

  static func ledger() -> Ledger {
    var ledger = Ledger()
    ledger.deferred = 1_660
    ledger.fates = [500, 700, 300, 100, 50, 0, 0]
    ledger.pending = 10
    ledger.refused = 39
    ledger.broadcasts = 3
    ledger.forcedFlushes = 42
    ledger.flushes = [0, 20, 15, 5, 2, 0, 0]
    return ledger
  }

  static func pending() -> PendingFrames {
    var pending = PendingFrames()
    pending.framesMax = 90
    pending.framesMean = 41
    pending.series = [0, 1, 45, 90]
    pending.start = 250_885_137_284
    pending.width = 1 << 20
    return pending
  }

  static func ages() -> DeferralAges {
    var ages = DeferralAges()
    ages.count = 1_650
    ages.median = 805
    ages.percentile90 = 11_534
    ages.percentile99 = 4_700_000
    ages.longest = 1_048_576_000
    return ages
  }

  static func bursts() -> FlushBursts {
    var bursts = FlushBursts()
    bursts.span = 1_000_000
    bursts.flushesMax = 5
    bursts.spansByFlushes = [20, 6, 2]
    return bursts
  }

  static func payers() -> [Payment] {
    var payers = Array(repeating: Payment(), count: TaskClass.allCases.count)
    payers[TaskClass.user.rawIndex].flushes = 1
    payers[TaskClass.user.rawIndex].interrupts = 3
    payers[TaskClass.kswapd.rawIndex].flushes = 41
    payers[TaskClass.kswapd.rawIndex].interrupts = 1_200
    return payers
  }

  static let violation = Violation(
    rule: "I1", time: 196_544_813_366, eventIndex: 29_153, cpu: 2, pfn: 0xd9c0)

  static func safety() -> SafetyVerdict {
    var safety = SafetyVerdict()
    safety.violations = 3_410
    safety.first = violation
    safety.framesChecked = 27_626
    safety.rules = [
      RuleVerdict(
        rule: .staleFrame, kind: .violated, checked: 27_626, violations: 3_410, first: violation,
        detail: ""),
      RuleVerdict(
        rule: .flushedTwice, kind: .holds, checked: 8_802, violations: 0, first: nil,
        detail: "0 of 9,224 interrupts"),
      RuleVerdict(
        rule: .unmappedRange, kind: .notObservable(record: "syscalls:sys_enter_munmap"), checked: 0,
        violations: 0, first: nil, detail: ""),
    ]
    return safety
  }

  static func figures(_ safety: SafetyVerdict?, _ assumption: ReplayAssumption? = nil)
    -> CaseFigures
  {
    CaseFigures(
      assumption: assumption, tlbRow: [10, 20],
      tlbFlush: [[1, 0], [10, 20], [0, 0], [0, 0], [2, 3]],
      anotherRun: 20...50, ledger: ledger(), pending: pending(), ages: ages(), bursts: bursts(),
      payers: payers(),
      safety: safety)
  }

  static func policy(_ name: String, _ safety: SafetyVerdict?) -> PolicyOutcome {
    PolicyOutcome(
      name: name, figures: figures(safety), cases: [figures(nil, .onlyProven)], rowLower: 25,
      rowUpper: 300, runLower: 20, runUpper: 320, ipisAvoided: 270, rowGrade: .modelled,
      flushGrade: .modelled,
      notes: ["open loop", "only of \(name)"])
  }

  /// The same policy with totals of six digits.
  static func widened(_ policy: PolicyOutcome) -> PolicyOutcome {
    let figures = CaseFigures(
      assumption: nil, tlbRow: [100_000, 200_000], tlbFlush: [], anotherRun: 200_000...999_999,
      ledger: ledger(), pending: pending(), ages: ages(), bursts: bursts(), payers: payers(),
      safety: policy.figures?.safety)
    return PolicyOutcome(
      name: policy.name, figures: figures, cases: [], rowLower: 100_000, rowUpper: 999_999,
      runLower: 100_000, runUpper: 999_999, ipisAvoided: 0, rowGrade: .modelled,
      flushGrade: .modelled, notes: [])
  }

  static func recorded() -> PolicyOutcome {
    PolicyOutcome(
      name: "recorded",
      figures: CaseFigures(
        assumption: nil, tlbRow: [100, 200],
        tlbFlush: [[1, 0], [100, 200], [0, 0], [0, 0], [20, 30]],
        anotherRun: nil, ledger: Ledger(), pending: PendingFrames(), ages: DeferralAges(),
        bursts: FlushBursts(),
        payers: [], safety: nil), cases: [], rowLower: 300, rowUpper: 300, runLower: nil,
      runUpper: nil, ipisAvoided: 0,
      rowGrade: .derived, flushGrade: .measured, notes: [])
  }

  static func outcome(_ policies: [PolicyOutcome]) -> Outcome {
    Outcome(policies: [recorded()] + policies, reconstruction: ReconstructionCounts())
  }

  static func trace(_ unit: TimeUnit = unit) -> TraceDescription {
    var facts = TraceFacts(
      format: "trace.dat/7", instances: [TraceInstance(name: "", clock: "mono", timeUnit: unit)])
    facts.cpuCount = 2
    return TraceDescription(
      name: "sample", facts: facts, eventNames: [], statistics: IngestStatistics(),
      survey: TraceSurvey(), instance: 0, window: nil, recordedRow: nil, snapshotProblem: nil)
  }

  static func text(_ policies: [PolicyOutcome], showsBounds: Bool = false) -> String {
    TextRenderer().render(
      ReplayReport.build(trace(), outcome(policies), showsBounds: showsBounds))
  }
}
