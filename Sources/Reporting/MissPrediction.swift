public import Machine
import Replay
import TraceEvents

/// What `report` predicts TLB misses with.
public struct MissRequest: Sendable {
  /// The machine whose TLB is meant.
  public var machine: String
  /// Entries that 4 KiB pages have in its last level, and with a busy sibling.
  public var entries: [Int]
  /// Accesses of a CPU to a second.
  public var accessesPerSecond: ParameterRange
  /// The workload's profile; nil without one.
  public var profile: ReuseProfile?
  /// Without a profile: walks by class (raw value) that counters measured over the same time as the
  /// trace's window.
  public var measuredWalks: [Double]?

  /// A request.
  public init(
    machine: String, entries: [Int], profile: ReuseProfile? = nil,
    accessesPerSecond: ParameterRange = MissModel.accessesPerSecondDefault
  ) {
    self.machine = machine
    self.entries = entries
    self.profile = profile
    self.accessesPerSecond = accessesPerSecond
  }

  /// For a machine of the catalogue or a file.
  public init(
    _ machine: MachineModel, profile: ReuseProfile? = nil,
    accessesPerSecond: ParameterRange = MissModel.accessesPerSecondDefault
  ) {
    self.init(
      machine: machine.name,
      entries: MissModel.entries(
        machine.geometry.smallPageEntries,
        isShared: machine.geometry.isSecondLevelShared && machine.threadsPerCore.expected > 1),
      profile: profile, accessesPerSecond: accessesPerSecond)
  }

  /// The letter's machine, nothing known of accesses.
  public static let standard = MissRequest(machine: "sapphire-rapids", entries: [2048, 1024])
}

/// TLB misses of each policy, or why not.
struct MissPrediction {
  /// Of one policy; nil where its flushes are not known.
  struct PolicyMisses {
    var load: FlushLoadRange
    /// By class (raw value); empty without a profile.
    var walks: [ClassWalks]
    /// Walks of all classes that its flushes can make at the most.
    var bound: Double
  }

  let request: MissRequest
  /// Where walks come from.
  let source: WalkSource
  /// In the order of the outcome's policies.
  let policies: [PolicyMisses?]
  /// Whether some flushes are not counted: misses come from all of them.
  private let isFiltered: Bool

  init(_ trace: TraceDescription, _ outcome: Outcome, _ request: MissRequest) {
    self.request = request
    let measured = request.profile == nil ? request.measuredWalks : nil
    source =
      request.profile.map { MissModel.source(of: $0) }
      ?? (measured == nil ? WalkSource.none : .calibrated)
    let model = request.profile.map {
      MissModel($0, entries: request.entries, accessesPerSecond: request.accessesPerSecond)
    }
    isFiltered =
      trace.filtered?.request.asksForTasks == true || trace.filtered?.request.cpus != nil
      || trace.filtered?.request.events.isEmpty == false
    guard !isFiltered, let recorded = RecordedFlushes(trace),
      let before = outcome.policies.first?.figures
    else {
      policies = outcome.policies.map { _ in nil }
      return
    }
    let flushes = recorded.load(changes: []).expected.flushes
    let most = Double(request.entries.max() ?? 2048)
    let calibrations = measured?.compactMap {
      RefillCalibration(RefillCalibration.Run(walks: $0, flushes: flushes), walksMax: most)
    }
    policies = outcome.policies.enumerated().map { index, policy in
      guard let figures = policy.figures else { return nil }
      let load = recorded.load(changes: index == 0 ? [] : Self.changes(before, figures))
      let walks =
        model.map { model in AccessClass.allCases.map { model.walks($0, under: load) } }
        ?? calibrations?.map { ClassWalks($0, flushes: load.expected.flushes) } ?? []
      return PolicyMisses(
        load: load, walks: walks.count == AccessClass.allCases.count ? walks : [],
        bound: MissModel.bound(
          load.upper, entries: request.entries, accessesPerSecond: request.accessesPerSecond))
    }
  }

  /// Walks that flushes make, of all classes, by policy; the others are the same for all policies.
  func flushWalks(_ outcome: Outcome) -> [String: WalkRange] {
    var found: [String: WalkRange] = [:]
    for (policy, misses) in zip(outcome.policies, policies) {
      guard let misses, !misses.walks.isEmpty else { continue }
      let made = misses.walks.map(\.flushMade).reduce(WalkEstimate(0, lower: 0, upper: 0), +)
      found[policy.name] = WalkRange(lower: made.lower, expected: made.value, upper: made.upper)
    }
    return found
  }

  /// By CPU, flushes that a policy has more than the recorded run: what it puts off and what it adds
  /// flushes everything, and events that send or find nothing drop nothing.
  static func changes(_ before: CaseFigures, _ after: CaseFigures) -> [Int] {
    let reasons = [
      FlushReason.remoteShootdown, .localShootdown, .localMMShootdown,
    ].map(\.rawValue).filter { $0 < before.tlbFlush.count && $0 < after.tlbFlush.count }
    let cpus = reasons.map { min(before.tlbFlush[$0].count, after.tlbFlush[$0].count) }.max() ?? 0
    return (0..<cpus).map { cpu in
      reasons.reduce(0) { sum, reason in
        guard cpu < before.tlbFlush[reason].count, cpu < after.tlbFlush[reason].count else {
          return sum
        }
        return sum + after.tlbFlush[reason][cpu] - before.tlbFlush[reason][cpu]
      }
    }
  }

  /// Why there are no figures; nil where there are.
  var reason: String? {
    if isFiltered { return "misses come from all flushes, and the filters leave some out" }
    if policies.first.flatMap(\.self) == nil {
      return "the time between flushes is not known in this trace"
    }
    if source == .none { return "no event of this trace shows memory accesses" }
    let hasWalks = policies.first.flatMap(\.self).map { !$0.walks.isEmpty } ?? false
    return hasWalks ? nil : "the trace has no full flush to share the measured walks between"
  }
}

/// The recorded run's flushes, CPU by CPU.
private struct RecordedFlushes {
  let gaps: [[FlushLoad.Gap]]
  let rangedPages: Int
  let nanoseconds: Double

  /// Nil where times are no nanoseconds or there is no CPU column.
  init?(_ trace: TraceDescription) {
    guard case .nanoseconds = trace.instanceFacts.timeUnit, trace.facts.hasCPUColumn else {
      return nil
    }
    let survey = trace.rowBasis
    let span = trace.countedSpan
    guard let first = span?.start ?? survey.firstTime, let last = span?.end ?? survey.lastTime,
      last > first
    else { return nil }
    nanoseconds = Double(last - first)
    rangedPages = Int(clamping: survey.flushGaps.rangedPages)
    gaps = (0..<max(trace.cpus, 1)).map { cpu in
      survey.flushGaps.gaps(cpu: cpu, until: last).map {
        FlushLoad.Gap(nanoseconds: $0.time, flushes: Double($0.flushes))
      }
    }
  }

  /// The load with `changes` flushes more on each CPU; none means the recorded run.
  func load(changes: [Int]) -> FlushLoadRange {
    guard !changes.isEmpty else {
      return FlushLoadRange(
        FlushLoad(
          gaps: gaps.flatMap(\.self), rangedPages: rangedPages,
          cpuSeconds: nanoseconds * Double(gaps.count) / 1e9))
    }
    return FlushLoadRange(
      recorded: gaps, changes: changes, rangedPages: rangedPages, nanoseconds: nanoseconds)
  }
}
