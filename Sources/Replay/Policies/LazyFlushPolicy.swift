/// ``LazyUnmapFlush`` as a policy: which frames and tasks carry which generation, and what ends
/// deferral.
struct LazyFlushPolicy: FlushPolicy {
  private var machine: LazyUnmapFlush
  private let triggers: DeferralTriggers
  private var pause = PressurePause()
  /// Generation that the frames of a deferral are freed with, by its number.
  private var generations: [UInt32] = []
  /// Newest generation that a refill handed to the task.
  private var taskGenerations: [UInt32] = []
  /// Generations that frames have from elsewhere, 0 none; both are empty unless a block's order stands
  /// in for its generation.
  private var frameGenerations: [UInt32] = []
  private var blocks = BuddyBlocks()

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

  var followsFrames: Bool { machine.rules.forgetsInBuddy }

  func isSpent(_ deferral: UInt32) -> Bool { generations[Int(deferral)] <= machine.done }

  mutating func growTo(tasks: Int, frames: Int) {
    while taskGenerations.count < tasks { taskGenerations.append(0) }
    pause.growTo(tasks: tasks)
    guard machine.rules.forgetsInBuddy else { return }
    blocks.growTo(frames: frames)
    if frameGenerations.count < frames {
      frameGenerations.append(contentsOf: repeatElement(0, count: frames - frameGenerations.count))
    }
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
  private func generation(of frame: Int, with deferral: UInt32) -> UInt32 {
    if machine.rules.forgetsInBuddy, frameGenerations[frame] != 0 { return frameGenerations[frame] }
    return deferral == 0 ? 0 : generations[Int(deferral)]
  }

  mutating func allocated(
    _ frame: Int, with deferral: UInt32, _ frames: borrowing FrameTable, _ now: Situation,
    _ actions: inout [FlushAction]
  ) {
    takeOrder(frame, frames)
    let generation = generation(of: frame, with: deferral)
    if machine.rules.forgetsInBuddy { frameGenerations[frame] = 0 }
    if machine.rules.holdsFolios, !triggers.takesHeldFrames {
      if machine.isOwed(generation) { actions.append(.frameHeld) }
      return
    }
    force(
      machine.taken(generation, at: now.time, flushLasting: now.flushDuration),
      machine.rules.holdsFolios ? .pressure : .allocation, &actions)
  }

  mutating func drained(
    _ frame: Int, with deferral: UInt32, _ now: Situation, _ actions: inout [FlushAction]
  ) {
    guard machine.rules.forgetsInBuddy else { return }
    frameGenerations[frame] = 0
    blocks.entered(frame)
    actions.append(.forgetFrame)
  }

  mutating func refilled(
    _ frame: Int, with deferral: UInt32, _ frames: borrowing FrameTable, _ now: Situation,
    _ actions: inout [FlushAction]
  ) {
    takeOrder(frame, frames)
    guard machine.rules.flushesAfterRefill else { return }
    taskGenerations[now.task] = max(
      taskGenerations[now.task], generation(of: frame, with: deferral))
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

  /// The order of its block stands for a frame's generation. Generations start at 1 with the trace,
  /// so that is one to come as long as few flushes have been done.
  private mutating func takeOrder(_ frame: Int, _ frames: borrowing FrameTable) {
    guard machine.rules.forgetsInBuddy, let order = blocks.left(frame, frames) else { return }
    frameGenerations[frame] = UInt32(order)
  }

  private func force(
    _ flush: LazyUnmapFlush.ForcedFlush?, _ fate: DeferralFate, _ actions: inout [FlushAction]
  ) {
    guard let flush else { return }
    actions.append(.flush(flush.mask, fate))
    actions.append(.settleAll(fate))
  }
}
