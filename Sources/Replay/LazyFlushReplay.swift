/// Runs one lazy-flush policy under one assumption over the moments of a trace and keeps its books:
/// what the policy's actions take from the recorded counters and what they add.
struct LazyFlushReplay {
  private struct Decision {
    var batch: UInt32 = 0
    var generation: UInt32 = 0
    var serial: UInt32 = 0
  }

  let assumption: ReplayAssumption
  private(set) var books: ReplayBooks
  private var policy: LazyUnmapFlush
  private var decisions: [Decision] = []
  private var taskGenerations: [UInt32] = []
  private var generations: [UInt32] = []
  /// Empty unless a block's order stands in for its generation.
  private var blocks = BuddyBlocks()

  init(_ rules: LazyFlushRules, _ assumption: ReplayAssumption, _ context: ReplayContext) {
    self.assumption = assumption
    var rules = rules
    if assumption == .allPossibleAtOnce { rules.givesUpWhileFlushing = false }
    policy = LazyUnmapFlush(rules)
    books = ReplayBooks(context)
  }

  /// Replays the first `count` moments.
  mutating func replay(_ source: borrowing Reconstruction, count: Int) {
    growTo(tasks: source.tasks.states.count, frames: source.frames.indexCount)
    for position in 0..<count {
      let moment = source.moments[position]
      if books.isOver(moment.time) { continue }
      let cpu = Int(moment.cpu)
      switch moment.kind {
      case .shootdown:
        let slot = Int(moment.subject &- source.shootdownsBase)
        switch source.shootdowns[slot].kind {
        case .mm: books.mmFlush(source.shootdowns[slot])
        case .unmapBatch: unmapBatch(source.shootdowns[slot])
        }
      case .frameFreed: freed(moment)
      case .frameAllocated: allocated(moment, source.frames)
      case .frameDrained: drained(Int(moment.subject))
      case .frameRefilled: refilled(moment, source.frames)
      case .taskAllocated:
        let generation = taskGenerations[Int(moment.task)]
        taskGenerations[Int(moment.task)] = 0
        let duration = books.durations.typical
        force(
          policy.taken(generation, at: moment.time, flushLasting: duration), .allocation, moment)
      case .writeProtectFault:
        let duration = books.durations.typical
        force(
          policy.writeProtectFault(at: moment.time, flushLasting: duration), .permission, moment)
      case .writableMapping:
        let duration = books.durations.typical
        force(policy.writableMapping(at: moment.time, flushLasting: duration), .permission, moment)
      case .fileWriteEnd:
        let duration = books.durations.typical
        force(policy.fileWriteEnd(at: moment.time, flushLasting: duration), .fileWrite, moment)
      case .switchedMM: books.cleaned(cpu)
      case .lazyBegin: books.lazyBegin(cpu)
      case .lazyEnd: books.lazyEnd(cpu)
      }
    }
  }

  /// Closes the books: what is still owed is pending.
  mutating func finish() { books.close() }

  private mutating func growTo(tasks: Int, frames: Int) {
    while decisions.count < tasks {
      decisions.append(Decision())
      taskGenerations.append(0)
    }
    if generations.count < frames {
      generations.append(contentsOf: repeatElement(0, count: frames - generations.count))
    }
    if policy.rules.forgetsInBuddy { blocks.growTo(frames: frames) }
    books.growTo(frames: frames)
  }

  private mutating func unmapBatch(_ shootdown: Shootdown) {
    let end = books.lasted(shootdown)
    var decision = Decision(batch: shootdown.batch)
    let action = policy.unmapBatch(
      on: shootdown.mask, isEligible: assumption.isEligible(shootdown.evidence),
      from: shootdown.start, to: end)
    switch action {
    case .deferred(let generation, let isSettled):
      decision.generation = generation
      decision.serial = books.putOff(shootdown, isSettled ? .settled : .open)
    case .flush(let isRefused, let settled):
      books.keep(shootdown, isRefused: isRefused, settles: settled > 0)
    }
    decisions[Int(shootdown.taskIndex)] = decision
  }

  private mutating func freed(_ moment: Moment) {
    let decision = decisions[Int(moment.task)]
    guard decision.batch == moment.batch, decision.generation != 0 else { return }
    generations[Int(moment.subject)] = decision.generation
    books.freed(
      Int(moment.subject), serial: decision.serial, isPending: decision.generation > policy.done)
  }

  private mutating func drained(_ frame: Int) {
    guard policy.rules.forgetsInBuddy else { return }
    if generations[frame] > policy.done { books.stopsPending() }
    generations[frame] = 0
    blocks.entered(frame)
  }

  private mutating func refilled(_ moment: Moment, _ frames: borrowing FrameTable) {
    let frame = Int(moment.subject)
    takeOrder(frame, frames)
    let generation = generations[frame]
    if policy.rules.flushesAfterRefill, generation > taskGenerations[Int(moment.task)] {
      taskGenerations[Int(moment.task)] = generation
    }
  }

  /// The order of its block stands for a frame's generation. Generations start at 1 with the trace,
  /// so that is one to come as long as few flushes have been done.
  private mutating func takeOrder(_ frame: Int, _ frames: borrowing FrameTable) {
    guard policy.rules.forgetsInBuddy, let order = blocks.left(frame, frames) else { return }
    generations[frame] = UInt32(order)
  }

  private mutating func allocated(_ moment: Moment, _ frames: borrowing FrameTable) {
    let frame = Int(moment.subject)
    takeOrder(frame, frames)
    let generation = generations[frame]
    generations[frame] = 0
    if generation > policy.done { books.stopsPending() }
    let duration = books.durations.typical
    force(policy.taken(generation, at: moment.time, flushLasting: duration), .allocation, moment)
    books.handedOut(moment, frames)
  }

  private mutating func force(
    _ flush: LazyUnmapFlush.ForcedFlush?, _ cause: ReplayBooks.Cause, _ moment: Moment
  ) {
    guard let flush else { return }
    books.flush(flush.mask, cause, from: Int(moment.cpu), at: moment.time)
  }
}
