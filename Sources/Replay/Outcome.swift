/// Where every deferred unmap batch ended, in batches; only those deferred inside the window.
public struct Ledger: Sendable, Equatable {
  /// Batches whose flush was put off.
  public internal(set) var deferred = 0
  /// Of these, how many ended each way (``DeferralFate`` raw values).
  public internal(set) var fates = Array(repeating: 0, count: DeferralFate.allCases.count)
  /// Still owed at the window's end.
  public internal(set) var pending = 0
  /// Eligible batches that were flushed at once because another flush was running, or no record of
  /// them could be kept. Not part of ``deferred``.
  public internal(set) var refused = 0
  /// Recorded shootdowns that the policy does without interrupts. Not part of ``deferred``.
  public internal(set) var broadcasts = 0
  /// Frames that the recorded run allocated while this policy would have held them back, so that
  /// another frame is taken.
  public internal(set) var framesHeld = 0
  /// Flushes that the recorded run did not do, inside the window, and of these those of each cause
  /// (``DeferralFate`` raw values).
  public internal(set) var forcedFlushes = 0
  /// See ``forcedFlushes``.
  public internal(set) var flushes = Array(repeating: 0, count: DeferralFate.allCases.count)

  /// Frames, inside the window, that went back to the process that freed them, flush unpaid.
  public internal(set) var framesRecycled = 0

  /// Empty books.
  public init() {}

  /// Paid for by a flush that happened anyway, or owed by no CPU.
  public var absorbed: Int { fates[DeferralFate.absorbed.rawValue] }
  /// Paid for by a flush that an allocation of one of their frames, or a refill, forced.
  public var forcedByAllocation: Int { fates[DeferralFate.allocation.rawValue] }
  /// ... that a write-protect fault or a writable mapping forced.
  public var forcedByPermission: Int { fates[DeferralFate.permission.rawValue] }
  /// ... that a write to a file, a truncation or an eviction forced.
  public var forcedByFileWrite: Int { fates[DeferralFate.fileWrite.rawValue] }
  /// ... that memory pressure forced.
  public var forcedByPressure: Int { fates[DeferralFate.pressure.rawValue] }

  /// Forced flushes for an allocation or a refill, for a permission change, and for a write.
  public var flushesForAllocation: Int { flushes[DeferralFate.allocation.rawValue] }
  /// See ``flushesForAllocation``.
  public var flushesForPermission: Int { flushes[DeferralFate.permission.rawValue] }
  /// See ``flushesForAllocation``.
  public var flushesForFileWrite: Int { flushes[DeferralFate.fileWrite.rawValue] }
  /// Flushes for unmaps that the recorded run did not flush.
  public var flushesForUnmap: Int { flushes[DeferralFate.unmap.rawValue] }

  /// Whether every deferred batch has exactly one fate.
  public var isBalanced: Bool { deferred == fates.reduce(0, +) + pending }
}

/// How many frames were free with a flush owed.
public struct PendingFrames: Sendable, Equatable {
  /// Most at one time, and the mean over time since the first one; nil without any.
  public internal(set) var framesMax = 0
  /// See ``framesMax``.
  public internal(set) var framesMean: Int?
  /// Most in each of consecutive spans of ``width`` (trace's unit) from ``start`` on.
  public internal(set) var series: [Int] = []
  /// See ``series``.
  public internal(set) var start: UInt64?
  /// See ``series``.
  public internal(set) var width: UInt64 = 0

  init() {}

  init(_ gauge: PendingFramesGauge) {
    framesMax = gauge.framesMax
    framesMean = gauge.framesMean
    series = gauge.series
    start = gauge.start
    width = gauge.start == nil ? 0 : gauge.width
  }
}

/// How long flushes were put off, in the trace's unit: deferrals of the window whose end was seen.
/// Percentiles are the lower ends of buckets 12.5 % wide.
public struct DeferralAges: Sendable, Equatable {
  /// Deferrals.
  public internal(set) var count = 0
  /// Half, nine tenths, and all but one in a hundred were at most that old; the oldest.
  public internal(set) var median: UInt64 = 0
  /// See ``median``.
  public internal(set) var percentile90: UInt64 = 0
  /// See ``median``.
  public internal(set) var percentile99: UInt64 = 0
  /// See ``median``.
  public internal(set) var longest: UInt64 = 0

  init() {}

  init(_ ages: DurationHistogram) {
    count = Int(ages.count)
    median = ages.median
    percentile90 = ages.percentile(90)
    percentile99 = ages.percentile(99)
    longest = ages.longest
  }
}

/// Whether forced flushes come in bursts.
public struct FlushBursts: Sendable, Equatable {
  /// Length of the spans that are looked at, in the trace's unit; nil where the unit is not known.
  public internal(set) var span: UInt64?
  /// Most forced flushes in one span.
  public internal(set) var flushesMax = 0
  /// Spans with 1, 2 to 3, 4 to 7, ... forced flushes.
  public internal(set) var spansByFlushes: [Int] = []

  init() {}

  init(_ gauge: FlushBurstGauge) {
    span = gauge.span
    flushesMax = gauge.flushesMax
    let last = gauge.spansByFlushes.lastIndex { $0 > 0 }
    spansByFlushes = last.map { Array(gauge.spansByFlushes[...$0]) } ?? []
  }
}

/// The figures of a policy under one assumption about what the trace cannot show.
public struct CaseFigures: Sendable {
  /// The assumption; nil for the recorded run, which needs none.
  public let assumption: ReplayAssumption?
  /// TLB row of /proc/interrupts by CPU: shootdown interrupts received inside the window.
  public let tlbRow: [Int]
  /// `tlb:tlb_flush` events by ``FlushReason`` value (0 to 5), then CPU.
  public let tlbFlush: [[Int]]
  /// Where the row's total of another run of the workload lies, about 95 times in 100, as far as one
  /// run tells; nil for the recorded run.
  public let anotherRun: ClosedRange<Int>?
  /// Fates of the deferred batches.
  public let ledger: Ledger
  /// Frames that were free with a flush owed.
  public let pending: PendingFrames
  /// How long flushes were put off.
  public let ages: DeferralAges
  /// Whether forced flushes come in bursts.
  public let bursts: FlushBursts
  /// Forced flushes by the class of the task that does them (``TaskClass`` raw values).
  public let payers: [Payment]
  /// What the independent check found; nil where this case was not checked.
  public let safety: SafetyVerdict?
  /// The row over time, and by sender as far as the trace tells who sent; nil unless
  /// ``ReplayContext/recordsTimeline``, and in all cases but the shown one.
  public internal(set) var timeline: ShootdownTimeline?
  /// See ``timeline``.
  public internal(set) var senders: SenderMatrix?

  /// Interrupts whose sender the trace does not tell; nil without ``senders``.
  public var interruptsOfUnknownSenders: Int? { senders.map { tlbRowTotal - $0.total } }
  /// Interrupts avoided and added, by the cause of the recorded shootdowns; only of the shown case.
  public private(set) var byCause = CauseChanges()

  /// Sum of the row.
  public var tlbRowTotal: Int { tlbRow.reduce(0, +) }
  /// All `tlb_flush` events.
  public var tlbFlushTotal: Int { tlbFlush.reduce(0) { $0 + $1.reduce(0, +) } }
}

/// What a policy would have done.
public struct PolicyOutcome: Sendable {
  /// Its name on the command line.
  public let name: String
  /// The figures to show; nil where the trace does not hold what the policy needs.
  public let figures: CaseFigures?
  /// All assumptions that were run, in the order of ``ReplayAssumption``; empty for `recorded`.
  public let cases: [CaseFigures]
  /// Least and greatest total of the TLB row, whatever holds of what the trace does not show of the
  /// recorded run (``RowBounds``), not how the workload itself would have gone on differently.
  /// Recording more can only bring them closer. `rowUpper` is nil where silent interrupts are not
  /// visible.
  public let rowLower: Int?
  /// See ``rowLower``.
  public let rowUpper: Int?
  /// Least and greatest total of another run under this policy, over the cases: what the trace leaves
  /// open, and that the recorded run and the other are two draws of one workload.
  public let runLower: Int?
  /// See ``runLower``.
  public let runUpper: Int?
  /// Least total of the TLB row to reckon with: of another run, where policies are modelled, and of
  /// the recorded run itself.
  public var leastRow: Int? { runLower ?? rowLower }
  /// See ``leastRow``.
  public var greatestRow: Int? { runUpper ?? rowUpper }
  /// Recorded interrupts less this policy's; negative where it costs more.
  public let ipisAvoided: Int?
  /// How good the row, and the `tlb_flush` counts, are.
  public let rowGrade: Grade
  /// See ``rowGrade``.
  public let flushGrade: Grade
  /// Why the grades are what they are, what is not observable here and what to record for it.
  public let notes: [String]
}

/// What a replay says of a trace.
public struct Outcome: Sendable {
  /// The recorded run first, then the others in the order asked for.
  public let policies: [PolicyOutcome]
  /// How the operations were put together.
  public let reconstruction: ReconstructionCounts
  /// Who causes the shootdowns and who suffers; nil unless ``ReplaySession/attribute(by:paths:)`` asked.
  public internal(set) var attribution: ShootdownAttribution?
}

/// A replay whose own checks failed: a bug of the tool, not of the trace.
public enum ReplayError: Error, Sendable, Equatable {
  /// A policy of this name has batches with no fate or with two.
  case booksDoNotBalance(policy: String, ledger: Ledger)
  /// No policy has this name.
  case unknownPolicy(String)
}
