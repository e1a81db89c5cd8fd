/// Lazy TLB coherence (LATR, ASPLOS 2018): instead of interrupting others, a CPU records what they
/// have to invalidate, and each does so at its next timer tick or context switch.
///
/// Lazy are the flushes behind which pages are freed (munmap, madvise, unmap batches) and NUMA
/// scans; what stays mapped with other permissions is flushed at once. Freed frames are held back
/// until every CPU has swept. A CPU has room for so many records; when they are all taken, it
/// interrupts as before.
struct LATR: FlushPolicy {
  /// What a kernel with it is built with.
  struct Rules: Sendable, Equatable {
    var name = "latr"
    /// Timer ticks a second (`CONFIG_HZ`): 250 on Debian; the paper's kernel has 1000.
    var ticksPerSecond: UInt64 = 250
    /// Records of one CPU: 64 in the paper.
    var recordsPerCPU = 64
    /// Whether frames are held back. No version lacks it: without it a policy is unsafe, which is
    /// how tests know that the safety check can fail.
    var holdsFrames = true
  }

  private let rules: Rules
  private let cpuCount: Int
  /// A tick in the trace's unit; nil where that is not known, then only context switches sweep.
  private let tick: UInt64?
  /// The tick at which all CPUs sweep what is recorded; nil without records.
  private(set) var due: UInt64?
  private var debts: FlushDebts
  /// Deferrals that each CPU has a record of.
  private var records: [[UInt32]]

  init(_ rules: Rules, _ context: ReplayContext) {
    self.rules = rules
    cpuCount = context.cpuCount
    let second = context.millisecond.map { $0.multipliedReportingOverflow(by: 1000).partialValue }
    tick = second.map { max($0 / max(rules.ticksPerSecond, 1), 1) }
    debts = FlushDebts(cpuCount: context.cpuCount)
    records = Array(repeating: [], count: context.cpuCount)
  }

  static var followsTime: Bool { true }
  static var putsOffMMFlushes: Bool { true }
  var listens: MomentKindSet {
    MomentKindSet([
      .mmShootdown, .switchedMM, .lazyBegin, .lazyEnd, .unmappedFramesFreed,
      .unmappedFrameAllocated,
    ])
  }

  /// A CPU that owes nothing has nothing to sweep.
  var chances: MomentKindSet { MomentKindSet([.switchedMM, .lazyBegin, .lazyEnd]) }
  static var takesChances: Bool { true }
  @inline(__always)
  func mayAct(on cpu: Int) -> Bool { debts.owesAnything(cpu) }

  mutating func growTo(tasks: Int, frames: Int) {}

  /// Every CPU sweeps at every tick. Ticks are taken for those of the trace's clock, on all CPUs at
  /// once: `skew_tick` is off by default (Linux 6.12 `kernel/time/tick-sched.c`).
  mutating func timePassed(_ now: Situation, _ actions: inout [FlushAction]) {
    due = nil
    for cpu in 0..<cpuCount {
      sweep(cpu, &actions)
      for deferral in records[cpu] { actions.append(.settle(deferral, .absorbed)) }
      records[cpu].removeAll(keepingCapacity: true)
    }
  }

  mutating func batchFlush(
    _ shootdown: borrowing Shootdown, mayDefer: Bool, until end: UInt64, as deferral: UInt32,
    _ now: Situation, _ actions: inout [FlushAction]
  ) -> FlushDecision { record(shootdown, deferral, now, &actions) }

  mutating func mmFlush(
    _ shootdown: borrowing Shootdown, as deferral: UInt32, _ now: Situation,
    _ actions: inout [FlushAction]
  ) -> FlushDecision {
    guard shootdown.batch != 0 || shootdown.cause == .numaScan else {
      return .asRecorded(isRefused: false)
    }
    return record(shootdown, deferral, now, &actions)
  }

  mutating func allocated(
    with deferral: UInt32, _ passage: BuddyPassage, _ now: Situation,
    _ actions: inout [FlushAction]
  ) { take(deferral, &actions) }

  mutating func unmappedAllocated(
    _ frame: Int, isMovable: Bool, with deferral: UInt32, _ now: Situation,
    _ actions: inout [FlushAction]
  ) { take(deferral, &actions) }

  mutating func other(
    _ moment: Moment, _ source: borrowing Reconstruction, _ now: Situation,
    _ actions: inout [FlushAction]
  ) {
    switch moment.kind {
    case .switchedMM, .lazyBegin, .lazyEnd: sweep(now.cpu, &actions)
    default: break
    }
  }

  mutating func finish(_ actions: inout [FlushAction]) {
    for cpu in records.indices { dropSwept(cpu, &actions) }
  }

  private mutating func sweep(_ cpu: Int, _ actions: inout [FlushAction]) {
    guard debts.owesAnything(cpu) else { return }
    debts.clean(cpu)
    actions.append(.cleanSelf(cpu))
  }

  private mutating func record(
    _ shootdown: borrowing Shootdown, _ deferral: UInt32, _ now: Situation,
    _ actions: inout [FlushAction]
  ) -> FlushDecision {
    if records[now.cpu].count >= rules.recordsPerCPU { dropSwept(now.cpu, &actions) }
    guard records[now.cpu].count < rules.recordsPerCPU else {
      return .asRecorded(isRefused: true)
    }
    debts.owe(shootdown.mask, as: deferral)
    // Its own entries a CPU invalidates at once.
    sweep(now.cpu, &actions)
    records[now.cpu].append(deferral)
    if due == nil, let tick {
      let next = (now.time / tick + 1).multipliedReportingOverflow(by: tick)
      due = next.overflow ? .max : next.partialValue
    }
    return .putOff
  }

  private mutating func dropSwept(_ cpu: Int, _ actions: inout [FlushAction]) {
    // A core's states are a queue: the oldest makes room first.
    while let oldest = records[cpu].first, debts.owing(oldest).isEmpty {
      actions.append(.settle(oldest, .absorbed))
      records[cpu].removeFirst()
    }
  }

  private func take(_ deferral: UInt32, _ actions: inout [FlushAction]) {
    guard rules.holdsFrames, deferral != 0, !debts.owing(deferral).isEmpty else { return }
    actions.append(.frameHeld)
  }
}

extension LATR {
  static func blueprint(_ rules: Rules) -> PolicyBlueprint {
    let limits = [
      "timer ticks are in no event: \(rules.ticksPerSecond) a second (Debian's CONFIG_HZ is 250, the "
        + "paper's 1000), on all CPUs at once, also on idle ones; of context switches only those to "
        + "another mm, to idle and back count, and nothing else where times have no known unit",
      "lazy are unmap batches, NUMA scans, and flushes of one mm with page frees directly behind them "
        + "(munmap, madvise); without system calls (raw_syscalls) these are told apart less surely",
      "a frame that the recorded run allocated before the sweep counts as held back: which other "
        + "frame, and how much more memory, a kernel would take is not modelled, nor are held-back "
        + "addresses",
      "tlb_flush counts leave out flushes that a CPU does of itself",
    ]
    return PolicyBlueprint(
      name: rules.name, limits: limits, asksForPermissions: false, changesOtherFlushes: true
    ) { _, context in LATR(rules, context) }
  }

  static let entry = PolicyEntry(
    summary: "others invalidate at their next tick, freed frames wait for them; 250 ticks a second",
    source: "LATR, ASPLOS 2018", blueprint(Rules()))

  static let entryByRate = PolicyEntry(
    prefix: "latr-hz-", numbers: 1...100_000, sample: 1000,
    summary: "the same with N ticks a second, as in latr-hz-1000", source: "LATR, ASPLOS 2018"
  ) { name, rate in blueprint(Rules(name: name, ticksPerSecond: UInt64(rate))) }
}
