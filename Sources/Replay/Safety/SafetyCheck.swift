/// Judges one rule, or a few that need the same facts, from what really happens in a run.
///
/// It keeps no state of the policy's and sees none. To add a rule: a case in ``SafetyRule``, a file
/// in `Rules`, a line in ``SafetyChecks/all``.
protocol SafetyCheck: Sendable {
  /// What it is told of; nothing else reaches it.
  var hears: SafetyNews { get }
  /// Moments it is told of while any CPU may be stale, after the policy has acted on them.
  var moments: MomentKindSet { get }
  /// Moments it is told of in any case.
  var momentsAlways: MomentKindSet { get }
  /// Moments it is told of while a check ``awaitsFlushes``.
  var momentsWhileAwaiting: MomentKindSet { get }
  /// Whether it must hear of everything, also before the first flush that does not happen.
  var hearsFromTheStart: Bool { get }

  /// A recorded shootdown, before the CPUs that it flushes are clean. `unmap` is what it leaves
  /// behind where it does not happen in this run, 0 where it does.
  mutating func shootdown(
    _ shootdown: borrowing Shootdown, leaving unmap: UInt32, _ moment: Moment,
    _ source: borrowing Reconstruction, _ stale: inout StaleTranslations)

  /// The policy flushes, so many times, before the CPUs are clean. More than once only for batches in
  /// their own time (``DeferralFate/absorbed``).
  mutating func flushed(
    _ mask: CPUMask, _ fate: DeferralFate, times: Int, _ moment: Moment,
    _ stale: inout StaleTranslations)

  /// A CPU flushes itself because the policy wants it to, before it is clean.
  mutating func flushedItself(_ cpu: Int, _ moment: Moment, _ stale: inout StaleTranslations)

  /// See ``moments``.
  mutating func observe(
    _ moment: Moment, _ source: borrowing Reconstruction, _ stale: inout StaleTranslations)

  /// Whether it waits for some task's next flush of its mm. Asked after each ``Moment/Kind/unmappedFault``
  /// and each flush of an mm that it is told of.
  var awaitsFlushes: Bool { get }

  /// Whether it waits for some frame that no CPU may be able to reach. Asked after each shootdown that
  /// is put off.
  var awaitsHandouts: Bool { get }

  /// A frame that an unflushed unmap freed is handed out: told where a CPU may still reach it, where
  /// it slept through more than ``GenerationWrap/flushesMax`` flushes, and where a check waits for it.
  mutating func handedOut(
    _ handout: FrameHandout, _ moment: Moment, _ stale: inout StaleTranslations)

  /// What it found, a verdict for each rule; `counts` is what it need not be told of one by one.
  func verdicts(_ counts: SafetyCounts) -> [RuleVerdict]
}

/// What is counted for all checks: frames of unflushed unmaps that were handed out, and flushes of a
/// few pages.
struct SafetyCounts {
  /// Flushes of a few pages of one mm, by CPU, since the first flush that did not happen.
  private(set) var rangedFlushes = 0
  private(set) var frames = 0
  /// Of these, to allocations that cannot sleep.
  private(set) var toAtomic = 0
  /// The most flushes of the policy's that one slept through.
  private(set) var flushesMax: UInt64 = 0

  /// A flush of a few pages on so many CPUs.
  mutating func noteRanged(_ cpus: Int) { rangedFlushes += cpus }

  /// Several that are followed by one that slept through as many flushes or more.
  mutating func note(_ count: Int, cannotWait: Int) {
    frames += count
    toAtomic += cannotWait
  }

  mutating func note(cannotWait: Bool, after flushes: UInt64) {
    frames += 1
    if cannotWait { toAtomic += 1 }
    flushesMax = max(flushesMax, flushes)
  }
}

/// What a check wants to be told of beside moments.
struct SafetyNews: OptionSet {
  let rawValue: UInt8
  /// Recorded shootdowns that do not happen in this run.
  static let putOff = SafetyNews(rawValue: 1)
  /// Those that do: of unmap batches, and of one mm.
  static let batchFlushes = SafetyNews(rawValue: 16)
  /// See ``batchFlushes``.
  static let mmFlushes = SafetyNews(rawValue: 32)
  /// Of those of one mm only the ones of a few pages that reach a CPU which owes another flush.
  static let convertedFlushes = SafetyNews(rawValue: 64)
  /// Of those of one mm only the ones inside a call that unmaps, and all while it
  /// ``SafetyCheck/awaitsFlushes``.
  static let callFlushes = SafetyNews(rawValue: 128)
  static let flushes = SafetyNews(rawValue: 2)
  static let handouts = SafetyNews(rawValue: 4)
  static let ownFlushes = SafetyNews(rawValue: 8)
}

/// A frame that an unflushed unmap freed, on its way to a new owner.
struct FrameHandout {
  var frame: Int
  var pfn: UInt64
  /// A CPU that may still reach it through the old translation.
  var staleCPU: Int?
  /// Flushes that the policy did between the unmap and now.
  var flushesSince: UInt64
}

extension SafetyCheck {
  var hears: SafetyNews { [] }
  var moments: MomentKindSet { MomentKindSet([]) }
  var momentsAlways: MomentKindSet { MomentKindSet([]) }
  var momentsWhileAwaiting: MomentKindSet { MomentKindSet([]) }
  var hearsFromTheStart: Bool { false }

  mutating func shootdown(
    _ shootdown: borrowing Shootdown, leaving unmap: UInt32, _ moment: Moment,
    _ source: borrowing Reconstruction, _ stale: inout StaleTranslations
  ) {}

  mutating func flushed(
    _ mask: CPUMask, _ fate: DeferralFate, times: Int, _ moment: Moment,
    _ stale: inout StaleTranslations
  ) {}

  mutating func flushedItself(_ cpu: Int, _ moment: Moment, _ stale: inout StaleTranslations) {}

  mutating func observe(
    _ moment: Moment, _ source: borrowing Reconstruction, _ stale: inout StaleTranslations
  ) {}

  var awaitsFlushes: Bool { false }
  var awaitsHandouts: Bool { false }

  mutating func handedOut(
    _ handout: FrameHandout, _ moment: Moment, _ stale: inout StaleTranslations
  ) {}
}

/// Occasions that a rule was looked at, and those that broke it.
struct RuleFindings {
  var checked = 0
  var violations = 0
  private(set) var first: Violation?

  /// The rule is broken.
  mutating func violated(_ rule: SafetyRule, _ moment: Moment, cpu: Int, pfn: UInt64 = 0) {
    violations += 1
    guard first == nil else { return }
    first = Violation(
      rule: rule.rawValue, time: moment.time, eventIndex: moment.event, cpu: cpu, pfn: pfn)
  }

  /// The first violation, in the name of `rule`, which may restate another.
  private func first(of rule: SafetyRule) -> Violation? {
    first.map {
      Violation(
        rule: rule.rawValue, time: $0.time, eventIndex: $0.eventIndex, cpu: $0.cpu, pfn: $0.pfn)
    }
  }

  /// Violated or kept.
  func verdict(_ rule: SafetyRule, _ detail: String = "") -> RuleVerdict {
    RuleVerdict(
      rule: rule, kind: violations > 0 ? .violated : .holds, checked: checked,
      violations: violations, first: first(of: rule), detail: detail)
  }

  /// Broken somewhere, or not to be told.
  func verdict(_ rule: SafetyRule, orRecord record: String, _ detail: String = "") -> RuleVerdict {
    RuleVerdict(
      rule: rule, kind: violations > 0 ? .violated : .notObservable(record: record),
      checked: checked, violations: violations, first: first(of: rule), detail: detail)
  }
}
