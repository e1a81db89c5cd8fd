public import Machine
public import Replay
import TraceEvents

/// One figure of one capture that a baseline can hold.
public struct MetricReading: Sendable {
  /// `recorded.tlb_row`, `luf-v10.deferred`.
  public var name: String
  /// The figure, rounded so that a file holds it exactly.
  public var value: Double
  /// How good it is.
  public var grade: Grade
  /// What is worse: more, less, or neither by itself.
  public var direction: MetricDirection
  /// Why it matters.
  public var reason: String
  /// Whether a new capture of the workload is held to it, unless the baseline says otherwise.
  public var isGate: Bool

  /// Whether it only relates other figures to the work done: of use between captures, not within one.
  public var isRate: Bool { name.contains(".tlb_row.per_") }

  /// A figure; its value is rounded to six decimals.
  init(
    _ name: String, _ value: Double, _ grade: Grade, _ direction: MetricDirection,
    isGate: Bool = false, _ reason: String
  ) {
    self.name = name
    self.value = (value * 1e6).rounded() / 1e6
    self.grade = grade
    self.direction = direction
    self.isGate = isGate
    self.reason = reason
  }
}

/// What one capture says, as a baseline keeps it.
public struct CaptureReading: Sendable {
  /// Its last path component.
  public var name: String
  /// What the user called it.
  public var path: String
  /// Of its trace.
  public var digest: String
  /// What the figures depend on beside the workload.
  public var environment: CaptureEnvironment
  /// By name.
  public var metrics: [MetricReading]
  /// Why a policy breaks safety rules, or why that cannot be seen; nil where all is well.
  public var violation: String?
  /// See ``violation``.
  public var unchecked: String?

  /// A reading of known figures.
  init(
    name: String, path: String, digest: String, environment: CaptureEnvironment,
    metrics: [MetricReading]
  ) {
    self.name = name
    self.path = path
    self.digest = digest
    self.environment = environment
    self.metrics = metrics
  }

  /// Reads the figures of a capture off its replay.
  public init(
    name: String, digest: String, _ trace: TraceDescription, _ outcome: Outcome, tiers: TierOutcome
  ) {
    self.name = name
    path = trace.name
    self.digest = digest
    environment = CaptureEnvironment(trace, outcome)
    let work = Self.work(trace, tiers)
    metrics =
      (Self.recorded(trace, outcome, work) + work
      + outcome.policies.dropFirst().flatMap { Self.policy($0, work) })
      .sorted { $0.name < $1.name }
    violation = ReplayReport.violation(trace, outcome)
    unchecked = ReplayReport.uncheckedPolicy(outcome)
  }

  // MARK: What was done

  private static func work(_ trace: TraceDescription, _ tiers: TierOutcome) -> [MetricReading] {
    let run = CapturedRun(trace)
    var work: [MetricReading] = []
    func add(_ name: String, _ value: Double?, _ grade: Grade, _ reason: String) {
      guard let value else { return }
      work.append(MetricReading("work.\(name)", value, grade, .any, reason))
    }
    add(
      "reclaimed_pages", run["reclaimed"]?.value, .measured,
      "pages that reclaim freed or demoted: other work makes other totals")
    add(
      "migrated_pages", run["migrated"]?.value, .measured,
      "pages that were migrated: other work makes other totals")
    add("seconds", run["window"]?.value, .measured, "length of the window that is counted")
    if tiers.hasMigrations {
      func moved(_ reason: MigrationReason) -> Double {
        tiers.totals.reduce(0) { $1.reason == reason ? $0 + Double($1.succeeded) : $0 }
      }
      add("demoted_pages", moved(.demotion), .measured, "pages moved to a slower tier")
      add("promoted_pages", moved(.numaMisplaced), .measured, "pages moved to a faster tier")
    }
    return work
  }

  /// Shootdowns for each unit of work; they, and not totals, tell runs of unequal length apart.
  private static func rates(
    _ base: String, _ row: Int, _ grade: Grade, _ work: [MetricReading]
  ) -> [MetricReading] {
    let units = [
      ("work.reclaimed_pages", "per_reclaimed", "for each page reclaimed"),
      ("work.migrated_pages", "per_migrated", "for each page migrated"),
      ("work.seconds", "per_second", "in a second"),
    ]
    return units.compactMap { source, suffix, words in
      guard let amount = work.first(where: { $0.name == source })?.value, amount > 0 else {
        return nil
      }
      return MetricReading(
        "\(base).tlb_row.\(suffix)", Double(row) / amount, grade, .more,
        isGate: suffix != "per_second", "shootdown interrupts \(words)")
    }
  }

  // MARK: The recorded run

  private static func recorded(
    _ trace: TraceDescription, _ outcome: Outcome, _ work: [MetricReading]
  ) -> [MetricReading] {
    guard let figures = outcome.policies.first?.figures else { return [] }
    let row = figures.tlbRowTotal
    var readings = [
      MetricReading(
        "recorded.tlb_row", Double(row), .derived, .more, isGate: true,
        "shootdown interrupts taken: each stops what its CPU does")
    ]
    readings += rates("recorded", row, .derived, work)
    if let snapshots = trace.recordedRow, !(trace.window?.isRequested ?? false) {
      let total = snapshots.perCPU.reduce(0) { $0 + Double($1) }
      readings.append(
        MetricReading(
          "recorded.tlb_row.snapshots", total, .measured, .more,
          "the row of /proc/interrupts between the snapshots: what the kernel itself counted"))
    }
    var all = 0
    for reason in FlushReason.allCases {
      let count = ReplayReport.total(figures, reason)
      if reason != .taskSwitch { all += count }
      readings.append(
        MetricReading(
          "recorded.tlb_flush.reason_\(reason.rawValue)", Double(count), .measured, .more,
          "tlb_flush events: \(reason.label)"))
    }
    readings.append(
      MetricReading(
        "recorded.tlb_flush.no_switches", Double(all), .measured, .more, isGate: true,
        "tlb_flush events but for task switches: all that unmapping causes"))
    return readings
  }

  // MARK: A policy

  private static func policy(_ policy: PolicyOutcome, _ work: [MetricReading]) -> [MetricReading] {
    guard let figures = policy.figures else { return [] }
    let name = policy.name
    var readings: [MetricReading] = []
    func add(
      _ metric: String, _ value: Int?, _ direction: MetricDirection, isGate: Bool = false,
      _ reason: String
    ) {
      guard let value else { return }
      readings.append(
        MetricReading(
          "\(name).\(metric)", Double(value), .modelled, direction, isGate: isGate, reason))
    }
    let ledger = figures.ledger
    add("tlb_row", figures.tlbRowTotal, .more, isGate: true, "shootdown interrupts under \(name)")
    add("tlb_row.lower", policy.leastRow, .any, "least row, whatever the trace does not show")
    add("tlb_row.upper", policy.greatestRow, .any, "greatest row, whatever the trace does not show")
    readings += rates(name, figures.tlbRowTotal, .modelled, work)
    add("deferred", ledger.deferred, .less, "batches put off: without them \(name) saves nothing")
    add("absorbed", ledger.absorbed, .less, "batches that a flush paid for which came anyway")
    add(
      "forced_by_allocation", ledger.forcedByAllocation, .more,
      "batches whose flush an allocation had to wait for")
    add(
      "forced_by_permission", ledger.forcedByPermission, .more,
      "batches that a write fault or a writable mapping forced")
    add(
      "forced_by_file_write", ledger.forcedByFileWrite, .more,
      "batches that a write to a file forced")
    add(
      "forced_by_pressure", ledger.forcedByPressure, .more, "batches that memory pressure forced")
    add("refused", ledger.refused, .more, "batches that might have been put off and were not")
    add("pending", ledger.pending, .any, "batches still owed at the end of the window")
    add(
      "forced_flushes", ledger.forcedFlushes, .more, isGate: true,
      "flushes that the recorded run did not do")
    add(
      "pending_frames_max", figures.pending.framesMax, .more,
      "most frames that were free with a flush owed")
    add(
      "safety_violations", figures.safety?.violations, .more, isGate: true,
      "times that memory safety is violated under \(name)")
    return readings
  }
}

extension CaptureEnvironment {
  /// What a capture says of itself.
  init(_ trace: TraceDescription, _ outcome: Outcome) {
    let recorded = outcome.policies.first
    let row = recorded?.figures == nil ? nil : recorded?.rowUpper == nil ? "lower bound" : "exact"
    self.init([
      "cpus": trace.cpus == 0 ? "not told" : "\(trace.cpus)",
      "format": trace.facts.format, "kernel": trace.facts.kernelRelease ?? "not told",
      "lost_events": trace.statistics.isDamaged
        ? "damaged, lost: \(TraceOverview.lost(trace.statistics.lost))"
        : TraceOverview.lost(trace.statistics.lost),
      "marks": trace.window.map { "\($0.marks.startLabel) to \($0.marks.endLabel)" } ?? "none",
      "row": row ?? "not observable",
    ])
  }
}
