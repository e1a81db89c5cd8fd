/// ``LazyUnmapFlush`` as a policy: which frames and tasks carry which generation, and what ends
/// deferral.
struct LazyFlushPolicy: FlushPolicy {
  private var machine: LazyUnmapFlush
  private var triggers: DeferralTriggers
  private var pause = PressurePause()
  /// Generation that the frames of a deferral are freed with, by its number.
  private var generations: [UInt32] = []
  /// Newest generation that a refill handed to the task.
  private var taskGenerations: [UInt32] = []

  init(_ rules: LazyFlushRules, _ assumption: ReplayAssumption) {
    machine = LazyUnmapFlush(rules)
    triggers = DeferralTriggers(rules, assumption)
  }

  var listens: MomentKindSet {
    var kinds: [Moment.Kind] = []
    if machine.rules.forgetsInBuddy { kinds.append(.frameDrained) }
    if machine.rules.flushesAfterRefill { kinds += [.frameRefilled, .taskAllocated] }
    return triggers.kinds.union(MomentKindSet(kinds))
  }

  var forgetsInBuddy: Bool { machine.rules.forgetsInBuddy }

  /// Where a block's order stands for a generation, any frame may need a flush as long as few have been
  /// done: generations start at 1 with the trace.
  static var asksForEveryAllocation: Bool { true }
  @inline(__always)
  func mayAct(on cpu: Int) -> Bool { mayActOnAny }
  @inline(__always)
  var mayActOnAny: Bool {
    machine.rules.forgetsInBuddy && machine.done < BuddyBlocks.orderMax
  }

  @inline(__always)
  func isSpent(_ deferral: UInt32) -> Bool { generations[Int(deferral)] <= machine.done }

  mutating func assume(_ assumption: ReplayAssumption) {
    triggers = DeferralTriggers(machine.rules, assumption)
  }

  mutating func growTo(tasks: Int, frames: Int) {
    while taskGenerations.count < tasks { taskGenerations.append(0) }
    pause.growTo(tasks: tasks)
  }

  mutating func batchFlush(
    _ shootdown: borrowing Shootdown, mayDefer: Bool, until end: UInt64, as deferral: UInt32,
    _ now: Situation, _ actions: inout [FlushAction]
  ) -> FlushDecision {
    let isEligible = mayDefer && machine.rules.admits(shootdown.cause)
    let isPaused = isEligible && pause.isOn
    let action = machine.unmapBatch(
      on: shootdown.mask, isEligible: isEligible && !isPaused, from: shootdown.start, to: end)
    switch action {
    case .deferred(let generation, let isSettled):
      while generations.count <= Int(deferral) { generations.append(0) }
      generations[Int(deferral)] = generation
      return isSettled ? .putOffForNobody : .putOff
    case .flush(let isRefused, let settled):
      if settled > 0 { actions.append(.settleAll(.absorbed)) }
      return .asRecorded(isRefused: isRefused || isPaused)
    }
  }

  /// The generation that a frame carries; 0 none.
  @inline(__always)
  private func generation(_ deferral: UInt32, _ passage: BuddyPassage) -> UInt32 {
    if machine.rules.forgetsInBuddy, passage.wasDrained { return UInt32(passage.order) }
    return deferral == 0 ? 0 : generations[Int(deferral)]
  }

  mutating func allocated(
    with deferral: UInt32, _ passage: BuddyPassage, _ now: Situation,
    _ actions: inout [FlushAction]
  ) {
    let generation = generation(deferral, passage)
    if machine.rules.holdsFolios, !triggers.takesHeldFrames {
      if machine.isOwed(generation) { actions.append(.frameHeld) }
      return
    }
    force(
      machine.taken(generation, at: now.time, flushLasting: now.flushDuration),
      machine.rules.holdsFolios ? .pressure : .allocation, &actions)
  }

  mutating func refilled(
    with deferral: UInt32, _ passage: BuddyPassage, _ now: Situation,
    _ actions: inout [FlushAction]
  ) {
    guard machine.rules.flushesAfterRefill else { return }
    let generation = generation(deferral, passage)
    if generation > taskGenerations[now.task] { taskGenerations[now.task] = generation }
  }

  mutating func other(
    _ moment: Moment, _ source: borrowing Reconstruction, _ now: Situation,
    _ actions: inout [FlushAction]
  ) {
    if moment.kind == .taskAllocated {
      let generation = taskGenerations[now.task]
      taskGenerations[now.task] = 0
      force(
        machine.taken(generation, at: now.time, flushLasting: now.flushDuration), .allocation,
        &actions)
    } else if machine.pendingBatches > 0, let fate = triggers.fate(moment, source) {
      force(machine.end(at: now.time, flushLasting: now.flushDuration), fate, &actions)
    }
    if machine.rules.pausesUnderPressure { pause.note(moment, now.task) }
  }

  @inline(__always)
  private func force(
    _ flush: LazyUnmapFlush.ForcedFlush?, _ fate: DeferralFate, _ actions: inout [FlushAction]
  ) {
    guard let flush else { return }
    actions.append(.flush(flush.mask, fate))
    actions.append(.settleAll(fate))
  }
}
