import TraceEvents

/// What the trace itself says inside the window.
struct RecordedTally {
  /// `tlb:tlb_flush` events by reason (0 to 5), then CPU.
  var flushes: [[Int]]
  /// Events of a reason that no kernel has.
  var flushesOfOtherReasons = 0
  /// `csd_function_entry` of `flush_tlb_func` that an interrupt brought, by CPU.
  var interrupts: [Int]
  /// `csd_queue_cpu` of it, by target CPU.
  var requests: [Int]
  /// The row over time, by the best source seen so far; nil where nothing draws it.
  var timeline: ShootdownTimeline?

  init(_ context: ReplayContext) {
    let cpuCount = context.cpuCount
    if context.recordsTimeline {
      timeline = ShootdownTimeline(cpuCount: cpuCount, over: context.timelineSpan)
    }
    flushes = Array(repeating: Array(repeating: 0, count: cpuCount), count: 6)
    interrupts = Array(repeating: 0, count: cpuCount)
    requests = interrupts
  }

  mutating func flush(_ reason: Int64, _ pages: Int64, _ cpu: Int) {
    guard reason >= 0, reason < 6 else {
      flushesOfOtherReasons += 1
      return
    }
    flushes[Int(reason)][cpu] += 1
  }
}

/// What a policy takes from the recorded counters, and what it adds.
struct CounterChanges {
  private let cpuCount: Int
  /// TLB row by CPU, then `tlb:tlb_flush` by reason and CPU, one behind the other.
  private var counts: [Int]
  /// Of recorded flushes that do not happen what is not yet taken from these: interrupts, and events
  /// of a remote shootdown.
  private var interruptsGone = MaskTally()
  private var remoteEventsGone = MaskTally()

  init(cpuCount: Int) {
    self.cpuCount = cpuCount
    counts = Array(repeating: 0, count: 7 * cpuCount)
  }

  /// TLB row by CPU.
  var interrupts: [Int] { (0..<cpuCount).map { counts[$0] - interruptsGone.count($0) } }
  /// `tlb:tlb_flush` by reason, then CPU.
  var flushes: [[Int]] {
    (0..<6).map { reason in
      (0..<cpuCount).map { cpu in
        counts[place(reason, cpu)] - (reason == 1 ? remoteEventsGone.count(cpu) : 0)
      }
    }
  }

  private func place(_ reason: Int, _ cpu: Int) -> Int { (reason + 1) * cpuCount + cpu }

  /// A recorded flush does not happen: all that it left inside the window goes.
  mutating func remove(_ shootdown: borrowing Shootdown) {
    Self.remove(shootdown.countedInterrupts, &interruptsGone, from: 0, &counts)
    Self.remove(shootdown.countedRemoteEvents, &remoteEventsGone, from: place(1, 0), &counts)
    if shootdown.isLocalCounted {
      counts[place(shootdown.kind == .unmapBatch ? 2 : 3, shootdown.initiator)] -= 1
    }
    if shootdown.isSendCounted { counts[place(4, shootdown.initiator)] -= 1 }
  }

  /// Takes the CPUs of `mask` once from `counts`, which begin at `first`, or notes to do so in `tally`.
  @inline(__always)
  private static func remove(
    _ mask: CPUMask, _ tally: inout MaskTally, from first: Int, _ counts: inout [Int]
  ) {
    guard let word = mask.word else {
      mask.forEach { counts[first + $0] -= 1 }
      return
    }
    if tally.isFull {
      for cpu in 0..<(UInt64.bitWidth - tally.cpus.leadingZeroBitCount) {
        counts[first + cpu] -= tally.count(cpu)
      }
      tally = MaskTally()
    }
    tally.add(word)
  }

  /// `times` put-off flushes of `mask` that CPU `initiator` has to do now.
  ///
  /// Linux 6.12 `arch_tlbbatch_flush`: one send if any other CPU is in the mask, an interrupt for
  /// each that is not lazy, and the initiator's own flush if it is in the mask. Every receiver counts
  /// with an event here; in the kernel some leave silently.
  /// Returns the interrupts; only those of `counted` CPUs count, nil all.
  mutating func add(
    _ mask: CPUMask, from initiator: Int, lazy: CPUMask, counted: CPUList? = nil, times: Int = 1
  ) -> Int {
    var others = mask
    others.remove(initiator)
    if counted?.contains(initiator) ?? true {
      if !others.isEmpty { counts[place(4, initiator)] += times }
      if mask.contains(initiator), !lazy.contains(initiator) {
        counts[place(2, initiator)] += times
      }
    }
    others.subtract(lazy)
    if let counted { others.formIntersection(counted) }
    let remote = place(1, 0)
    counts.withUnsafeMutableBufferPointer { counts in
      others.forEach {
        counts[$0] += times
        counts[remote + $0] += times
      }
    }
    return others.count * times
  }
}

/// How the operations of a trace were put together, and what was left over.
public struct ReconstructionCounts: Sendable, Equatable {
  /// Shootdowns of one mm, and of unmap batches by evidence (``UnmapEvidence`` raw values).
  public internal(set) var mmShootdowns = 0
  /// See ``mmShootdowns``.
  public internal(set) var batchShootdowns: [Int] = Array(
    repeating: 0, count: UnmapEvidence.allCases.count)
  /// Batch flushes that a local event names as such, and those concluded from the task's doings.
  public internal(set) var batchKindsRecorded = 0
  /// See ``batchKindsRecorded``.
  public internal(set) var batchKindsConcluded = 0
  /// Receivers matched by their request's address.
  public internal(set) var interruptsMatchedExactly = 0
  /// Interrupts whose shootdown is not in the trace.
  public internal(set) var interruptsWithoutShootdown = 0
  /// Receivers found, where requests are not recorded, because exactly one initiator was waiting, or
  /// several, of which the oldest was taken.
  public internal(set) var receiversInWaitWindow = 0
  /// See ``receiversInWaitWindow``.
  public internal(set) var receiversAmbiguous = 0
  /// Receivers' events whose shootdown is not in the trace.
  public internal(set) var remoteEventsWithoutShootdown = 0
  /// Requests queued by a CPU that had announced no shootdown.
  public internal(set) var requestsWithoutSend = 0
  /// Requests given up because a CPU answered none of very many.
  public internal(set) var requestsUnanswered = 0
  /// Shootdowns unfinished when the trace ended, or taken as they were after a long wait.
  public internal(set) var shootdownsOpenAtEnd = 0
  /// See ``shootdownsOpenAtEnd``.
  public internal(set) var shootdownsCutShort = 0

  /// `mm_page_alloc` events.
  public internal(set) var allocations = 0
  /// Frames freed, and those that were allocated again afterwards.
  public internal(set) var framesFreed = 0
  /// See ``framesFreed``.
  public internal(set) var framesReused = 0
  /// Frames whose first event is an allocation: where they were before is unknown.
  public internal(set) var framesFirstSeenAllocated = 0
  /// Frames allocated, or freed, twice in a row: what lies between is not in the trace.
  public internal(set) var framesAllocatedTwice = 0
  /// See ``framesAllocatedTwice``.
  public internal(set) var framesFreedTwice = 0
  /// Frames freed with an unmap batch, and those allocated again.
  public internal(set) var batchFramesFreed = 0
  /// See ``batchFramesFreed``.
  public internal(set) var batchFramesReused = 0
  /// Of the former, those that belong to their batch only by the order of events.
  public internal(set) var batchFramesByOrder = 0
  /// Blocks of impossible order or frame number.
  public internal(set) var impossibleBlocks = 0
  /// Rows, or targets, of CPUs that the machine does not have, or without a CPU.
  public internal(set) var rowsOfUnknownCPUs = 0
  /// Events on frames beyond ``FrameTable/chunksMax`` and of threads beyond the table.
  public internal(set) var framesUntracked = 0
  /// See ``framesUntracked``.
  public internal(set) var tasksUntracked = 0

  /// Flushes and unmap batches by cause.
  public internal(set) var causes = CauseCounts()
  /// Operations on address spaces.
  public internal(set) var addressSpaces = AddressSpaceCounts()
  /// How long initiators waited, where the trace shows when receivers answer.
  public internal(set) var initiatorWaits = InitiatorWaits()
  /// How the wait window would have found the receivers that `csd` events name.
  public internal(set) var waitWindow = WaitWindowCounts()
  /// Which events the operations explain.
  public internal(set) var events = EventAccounts()

  /// Nothing yet.
  public init() {}

  mutating func note(_ shootdown: borrowing Shootdown) {
    causes.note(shootdown)
    switch shootdown.kind {
    case .mm: mmShootdowns += 1
    case .unmapBatch:
      batchShootdowns[Int(shootdown.evidence.rawValue)] += 1
      if shootdown.isKindRecorded { batchKindsRecorded += 1 } else { batchKindsConcluded += 1 }
    }
  }
}
