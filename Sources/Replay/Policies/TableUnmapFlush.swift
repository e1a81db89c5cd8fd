/// Lazy unmap flush with a batch of its own for every deferral: LUF v12's table, MIGRC v3's requests.
///
/// A frame's flush interrupts the CPUs of its own batch only, less those that a credited flush has
/// cleaned since. Frames that pass through buddy lose their batch (v12): they carry their zone's open
/// generation, and taking one flushes all that frames of it owe. Which zone a frame belongs to no
/// event says, so all of memory is one zone here, which makes that mask too large rather than too
/// small.
struct TableUnmapFlush: FlushPolicy {
  private let rules: LazyFlushRules
  private var triggers: DeferralTriggers
  private var pause = PressurePause()
  private var debts: FlushDebts
  /// What frames in buddy owe since the zone's last flush, and the last drain before that flush.
  private var zone = FlushDebts.Share()
  private var zoneDone: UInt32 = 0
  /// The last drain of a frame that carried a deferral, and the last of each deferral's frames.
  private var lastDrain: UInt32 = 0
  private var drains: [UInt32] = []

  init(_ rules: LazyFlushRules, _ assumption: ReplayAssumption, cpuCount: Int) {
    self.rules = rules
    triggers = DeferralTriggers(rules, assumption)
    debts = FlushDebts(cpuCount: cpuCount)
  }

  var listens: MomentKindSet {
    triggers.kinds.union(
      MomentKindSet(
        (rules.domain == .table ? [.frameDrained] : [])
          + (rules.credit == .none || rules.credit == .batchFlushes ? [] : [.mmShootdown])))
  }

  static var followsDrains: Bool { true }

  /// A frame that went to buddy with it may still owe what others of its zone do.
  @inline(__always)
  func isSpent(_ deferral: UInt32) -> Bool { drains[Int(deferral)] <= zoneDone }

  mutating func assume(_ assumption: ReplayAssumption) {
    triggers = DeferralTriggers(rules, assumption)
  }

  mutating func growTo(tasks: Int, frames: Int) { pause.growTo(tasks: tasks) }

  mutating func batchFlush(
    _ shootdown: borrowing Shootdown, mayDefer: Bool, until end: UInt64, as deferral: UInt32,
    _ now: Situation, _ actions: inout [FlushAction]
  ) -> FlushDecision {
    let isEligible = mayDefer && rules.admits(shootdown.cause)
    guard isEligible, !pause.isOn else {
      if rules.credit != .none { debts.clean(shootdown.mask) }
      return .asRecorded(isRefused: isEligible)
    }
    debts.owe(shootdown.mask, as: deferral)
    while drains.count <= Int(deferral) { drains.append(0) }
    drains[Int(deferral)] = 0
    return shootdown.mask.isEmpty ? .putOffForNobody : .putOff
  }

  mutating func mmFlush(
    _ shootdown: borrowing Shootdown, as deferral: UInt32, _ now: Situation,
    _ actions: inout [FlushAction]
  ) -> FlushDecision {
    switch rules.credit {
    case .none, .batchFlushes: break
    case .batchAndUnmapFlushes:
      // `flush_tlb_batched_pending` is a full flush at the start of these calls.
      if shootdown.pages == -1, shootdown.cause.isAddressSpaceCall {
        debts.clean(shootdown.cleaned)
      }
    case .fullFlushes: debts.clean(shootdown.cleaned)
    }
    return .asRecorded(isRefused: false)
  }

  mutating func drained(
    with deferral: UInt32, _ passage: BuddyPassage, _ now: Situation,
    _ actions: inout [FlushAction]
  ) {
    guard rules.domain == .table, deferral != 0 else { return }
    lastDrain = passage.drain
    drains[Int(deferral)] = lastDrain
    debts.add(deferral, to: &zone)
  }

  mutating func allocated(
    with deferral: UInt32, _ passage: BuddyPassage, _ now: Situation,
    _ actions: inout [FlushAction]
  ) {
    guard deferral != 0 else { return }
    let isOfZone = rules.domain == .table && passage.drain > zoneDone
    let owing = isOfZone ? debts.owing(zone) : debts.owing(deferral)
    guard !owing.isEmpty else {
      actions.append(.settle(deferral, .absorbed))
      return
    }
    let isKept = rules.holdsFolios || (rules.skipsForAtomicAllocations && now.isAtomic)
    if isKept, !triggers.takesHeldFrames {
      actions.append(.frameHeld)
      return
    }
    let fate = rules.holdsFolios ? DeferralFate.pressure : .allocation
    flush(owing, fate, &actions)
    actions.append(.settle(deferral, fate))
    if isOfZone {
      zoneDone = lastDrain
      zone = FlushDebts.Share()
    }
  }

  mutating func other(
    _ moment: Moment, _ source: borrowing Reconstruction, _ now: Situation,
    _ actions: inout [FlushAction]
  ) {
    if rules.pausesUnderPressure { pause.note(moment, now.task) }
    if debts.isAnythingOwed, let fate = triggers.fate(moment, source) {
      // Whose mm or file a deferred page was no event says: all that is owed is flushed.
      let owing = debts.owingAnything
      guard !owing.isEmpty else { return }
      flush(owing, fate, &actions)
      actions.append(.settleAll(fate))
    }
  }

  @inline(__always)
  func isOwed(_ deferral: UInt32) -> Bool { !debts.owing(deferral).isEmpty }

  private mutating func flush(
    _ mask: CPUMask, _ fate: DeferralFate, _ actions: inout [FlushAction]
  ) {
    debts.clean(mask)
    actions.append(.flush(mask, fate))
  }
}
