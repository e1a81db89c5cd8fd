/// The bound that no way of putting off flushes can beat: each CPU owes each deferral by itself, and
/// whatever cleans a CPU is credited.
///
/// A batch is always deferred if it may be. A CPU owes it until it is flushed, for whatever reason,
/// changes to another mm, leaves lazy mode, or enters the kernel where a version of lazy unmap flush
/// would look for a flush owed: it then flushes itself, which interrupts nobody. When a frame is
/// taken, only the CPUs that still owe that frame's batch are interrupted. For one CPU that is the
/// least number of interrupts that meets every batch's interval from unmap to reuse: each interval
/// that costs one holds no other chance, and ends before the next such one begins.
///
/// With fewer chances credited it is the floor of a policy that uses no others: whatever that policy
/// defers and whenever it flushes, no CPU gets fewer interrupts.
struct IdealUnmapFlush: FlushPolicy {
  private var debts: FlushDebts
  /// Flushes of one mm, and changes of mm, that count for a CPU.
  private let credit: LazyFlushRules.Credit
  /// Moments at which a CPU may flush itself, beside shootdowns and allocations.
  private let entries: MomentKindSet

  /// The bound of all policies.
  init(cpuCount: Int) {
    self.init(cpuCount: cpuCount, crediting: .fullFlushes, at: .all)
  }

  /// The floor of policies that credit `credit` and flush at `chances` and allocations only.
  init(cpuCount: Int, crediting credit: LazyFlushRules.Credit, at chances: MomentKindSet) {
    debts = FlushDebts(cpuCount: cpuCount)
    self.credit = credit
    entries = chances.intersection(.decisions)
  }

  var listens: MomentKindSet {
    entries.union(MomentKindSet([.mmShootdown, .taskAllocated, .lazyEnd]))
      .union(credit == .fullFlushes ? MomentKindSet([.switchedMM]) : .none)
  }

  var chances: MomentKindSet {
    listens.subtracting(MomentKindSet([.mmShootdown])).union(MomentKindSet([.frameAllocated]))
  }

  static var asksForEveryAllocation: Bool { true }
  static var takesChances: Bool { true }
  @inline(__always)
  func mayAct(on cpu: Int) -> Bool { debts.owesAnything(cpu) }

  mutating func growTo(tasks: Int, frames: Int) {}

  mutating func batchFlush(
    _ shootdown: borrowing Shootdown, mayDefer: Bool, until end: UInt64, as deferral: UInt32,
    _ now: Situation, _ actions: inout [FlushAction]
  ) -> FlushDecision {
    defer { clean(now.cpu, &actions) }
    guard mayDefer else {
      debts.clean(shootdown.mask)
      return .asRecorded(isRefused: false)
    }
    debts.owe(shootdown.mask, as: deferral)
    return .putOff
  }

  mutating func mmFlush(
    _ shootdown: borrowing Shootdown, as deferral: UInt32, _ now: Situation,
    _ actions: inout [FlushAction]
  ) -> FlushDecision {
    switch credit {
    case .none, .batchFlushes: break
    case .batchAndUnmapFlushes:
      if shootdown.cause.isAddressSpaceCall { debts.clean(shootdown.cleaned) }
    case .fullFlushes: debts.clean(shootdown.cleaned)
    }
    // The initiator is in the kernel and can flush itself.
    clean(now.cpu, &actions)
    return .asRecorded(isRefused: false)
  }

  mutating func allocated(
    with deferral: UInt32, _ passage: BuddyPassage, _ now: Situation,
    _ actions: inout [FlushAction]
  ) {
    clean(now.cpu, &actions)
    guard deferral != 0 else { return }
    let owing = debts.owing(deferral)
    if owing.isEmpty {
      actions.append(.settle(deferral, .absorbed))
    } else {
      debts.clean(owing)
      actions.append(.flush(owing, .allocation))
      actions.append(.settle(deferral, .allocation))
    }
  }

  mutating func other(
    _ moment: Moment, _ source: borrowing Reconstruction, _ now: Situation,
    _ actions: inout [FlushAction]
  ) {
    switch moment.kind {
    // A flush that came while the CPU was lazy left it out, and now it flushes itself.
    case .switchedMM, .lazyEnd: debts.clean(now.cpu)
    // The CPU is in the kernel, and some version does its flushes at such a moment.
    default: clean(now.cpu, &actions)
    }
  }

  @inline(__always)
  func isOwed(_ deferral: UInt32) -> Bool { !debts.owing(deferral).isEmpty }

  private mutating func clean(_ cpu: Int, _ actions: inout [FlushAction]) {
    guard debts.owesAnything(cpu) else { return }
    debts.clean(cpu)
    actions.append(.cleanSelf(cpu))
  }
}

extension IdealUnmapFlush {
  static let entry = PolicyEntry(
    summary: "the bound that none can beat: credits every flush and context switch to its CPU",
    source: "no kernel does this",
    PolicyBlueprint(
      name: "luf-ideal",
      limits: [
        "a bound and no proposal: every flush, change of mm and end of lazy mode is credited to its "
          + "CPU, and each frame interrupts only those that still owe it; tlb_flush counts leave out "
          + "flushes that a CPU does of itself"
      ],
      floor: PolicyBlueprint.Floor(
        credit: .fullFlushes, chances: .all,
        triggers: [
          .refill, .userFault, .writableMapping, .fileWrite, .unmapRange, .truncate, .pressure,
        ], isPolicyItself: true),
      partsOn: .eligibility
    ) { _, context in IdealUnmapFlush(cpuCount: context.cpuCount) })
}
