/// AMD's broadcast invalidation (`INVLPGB`), as Linux 6.15 uses it: flushes without interrupts.
///
/// An unmap batch is flushed by one broadcast to all CPUs (`arch_tlbbatch_flush`). A flush of one mm
/// goes by broadcast if its process has a global ASID, which `consider_global_asid` hands out behind
/// a flush with interrupts while the process runs on more than three CPUs that are not lazy, and only
/// if the low five bits of the thread's id and of the tick counter agree: a thread that keeps
/// flushing gets there within 32 ticks. Linux 6.15 `arch/x86/mm/tlb.c`.
struct BroadcastFlush: FlushPolicy {
  /// `mm_active_cpus_exceeds(mm, 3)`.
  static let activeCPUsMin = 4
  /// Ticks until the bits of any thread have come up once.
  static let ticksOfARound: UInt64 = 32

  /// When a process first qualified; ``never`` before.
  private var qualifiedSince: [UInt64] = []
  private static let never = UInt64.max

  private let identity: ProcessIdentity
  /// How long after that the process has its global ASID, in the trace's unit.
  private let delay: UInt64
  /// Whether a flush of another's mm (by kswapd or writeback) goes by broadcast as soon as any
  /// process has a global ASID: which mm it was is not visible.
  private let broadcastsForOthers: Bool
  private var hasGlobal = false

  init(_ identity: ProcessIdentity, delay: UInt64, broadcastsForOthers: Bool) {
    self.identity = identity
    self.delay = delay
    self.broadcastsForOthers = broadcastsForOthers
  }

  static var putsOffNoBatch: Bool { true }
  static var asksForProcesses: Bool { true }
  var listens: MomentKindSet { MomentKindSet([.mmShootdown]) }

  mutating func growTo(tasks: Int, frames: Int) {
    let count = ProcessIdentity.count(tasks: tasks)
    guard qualifiedSince.count < count else { return }
    qualifiedSince.append(
      contentsOf: repeatElement(Self.never, count: count - qualifiedSince.count))
  }

  mutating func batchFlush(
    _ shootdown: borrowing Shootdown, mayDefer: Bool, until end: UInt64, as deferral: UInt32,
    _ now: Situation, _ actions: inout [FlushAction]
  ) -> FlushDecision { .broadcast }

  mutating func mmFlush(
    _ shootdown: borrowing Shootdown, as deferral: UInt32, _ now: Situation,
    _ actions: inout [FlushAction]
  ) -> FlushDecision {
    guard shootdown.isLocal else {
      return broadcastsForOthers && hasGlobal ? .broadcast : .asRecorded(isRefused: false)
    }
    let process = identity.process(now)
    let since = qualifiedSince[process]
    if since != Self.never, now.time >= since, now.time - since >= delay { return .broadcast }
    if since == Self.never, shootdown.receivers.count + 1 >= Self.activeCPUsMin {
      qualifiedSince[process] = now.time
      hasGlobal = true
    }
    return .asRecorded(isRefused: false)
  }
}

extension BroadcastFlush {
  private static let limits = [
    "broadcast flushes send no interrupt, raise no row and write no event: with this policy the TLB "
      + "row and the tlb_flush counts no longer measure flushes, the ledger's broadcasts do",
    "which threads are one process is not visible without kmem:rss_stat: the figure shown takes "
      + "those of the same name, the upper bound each by itself, with a global ASID 32 ticks "
      + "(128 ms) after it qualifies; "
      + "the lower bound gives it at once, and to flushes of another's mm too",
    "modelled: a process qualifies when a flush reaches three other CPUs; how many global ASIDs are "
      + "left, Xen, and a CPU without INVLPGB are not",
    "flushes that stayed on one CPU keep their tlb_flush events here; a process with a global ASID "
      + "would write none",
  ]

  static let entry = PolicyEntry(
    summary:
      "AMD broadcast invalidation: batches, and processes on more than 3 CPUs, interrupt none",
    source: "Linux 6.15 arch/x86/mm/tlb.c",
    PolicyBlueprint(
      name: "invlpgb", limits: limits, asksForPermissions: false, asksForProcesses: true,
      asksForFrames: false, changesOtherFlushes: true
    ) { assumption, context in
      let tick = (context.millisecond ?? 0).multipliedReportingOverflow(by: 4).partialValue
      switch assumption {
      case .onlyProven:
        return BroadcastFlush(
          .thread, delay: tick.multipliedReportingOverflow(by: ticksOfARound).partialValue,
          broadcastsForOthers: false)
      case .expected: return BroadcastFlush(.name, delay: 0, broadcastsForOthers: false)
      case .allPossible, .allPossibleAtOnce:
        return BroadcastFlush(.name, delay: 0, broadcastsForOthers: true)
      }
    })
}
