/// Where every deferred unmap batch ended, in batches; only those deferred inside the window.
public struct Ledger: Sendable, Equatable {
  /// Batches whose flush was put off.
  public internal(set) var deferred = 0
  /// Paid for by a batch flush that happened anyway, or owed by no CPU.
  public internal(set) var absorbed = 0
  /// Paid for by a flush that an allocation of one of their frames, or a refill, forced.
  public internal(set) var forcedByAllocation = 0
  /// ... that a write-protect fault or a writable mapping forced.
  public internal(set) var forcedByPermission = 0
  /// ... that the end of a write to a file forced.
  public internal(set) var forcedByFileWrite = 0
  /// ... that memory pressure forced.
  public internal(set) var forcedByPressure = 0
  /// Still owed at the window's end.
  public internal(set) var pending = 0
  /// Eligible batches that were flushed at once because another flush was running. Not part of
  /// ``deferred``.
  public internal(set) var refused = 0
  /// Flushes that paid for the forced ones, inside the window.
  public internal(set) var forcedFlushes = 0

  /// Of these, those for an allocation or a refill, for a permission change, and for a write to a file.
  public internal(set) var flushesForAllocation = 0
  /// See ``flushesForAllocation``.
  public internal(set) var flushesForPermission = 0
  /// See ``flushesForAllocation``.
  public internal(set) var flushesForFileWrite = 0

  /// Empty books.
  public init() {}

  /// Whether every deferred batch has exactly one fate.
  public var isBalanced: Bool {
    deferred == absorbed + forcedByAllocation + forcedByPermission + forcedByFileWrite
      + forcedByPressure + pending
  }
}

/// A frame that was handed out while a CPU might still reach it.
public struct Violation: Sendable, Equatable {
  /// The broken invariant (`I1`).
  public let rule: String
  /// When, in the trace's unit, and which event: its place among all events in time order, from 0.
  public let time: UInt64
  /// See ``time``.
  public let eventIndex: UInt64
  /// The CPU that had not flushed.
  public let cpu: Int
  /// The frame.
  public let pfn: UInt64
}

/// What the independent check of a policy found.
public struct SafetyVerdict: Sendable, Equatable {
  /// Frames handed out too early.
  public internal(set) var violations = 0
  /// The first of them.
  public internal(set) var first: Violation?
  /// Frames checked: freed with a deferred batch and handed out again.
  public internal(set) var framesChecked = 0

  /// Nothing found.
  public init() {}
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
  /// Most frames that were free with a flush owed, at one time.
  public let framesPendingMax: Int
  /// What the independent check found.
  public let safety: SafetyVerdict

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
  /// Least and greatest total of the TLB row over the cases. Deferring more does not always flush
  /// less, so both come from all cases. They bound what the trace does not show of the recorded run,
  /// not how the workload itself would have gone on differently. `rowUpper` is nil where silent
  /// interrupts are not visible.
  public let rowLower: Int?
  /// See ``rowLower``.
  public let rowUpper: Int?
  /// Least and greatest total of another run under this policy, over the cases: what the trace leaves
  /// open, and that the recorded run and the other are two draws of one workload.
  public let runLower: Int?
  /// See ``runLower``.
  public let runUpper: Int?
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
}

/// A replay whose own checks failed: a bug of the tool, not of the trace.
public enum ReplayError: Error, Sendable, Equatable {
  /// A policy of this name has batches with no fate or with two.
  case booksDoNotBalance(policy: String, ledger: Ledger)
  /// No policy has this name.
  case unknownPolicy(String)
}
