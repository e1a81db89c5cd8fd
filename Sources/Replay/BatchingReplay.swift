/// Runs ``UnmapBatching`` over the moments of a trace: every recorded batch flush gives way to those
/// of the policy.
struct BatchingReplay {
  private struct Decision {
    var batch: UInt32 = 0
    var serial: UInt32 = 0
    /// CPU that flushed last, for what is owed at the end.
    var cpu = 0
    /// Batches inside the window that no flush has paid for yet.
    var open = 0
  }
  private struct Freed {
    var group: UInt32 = 0
    var task: UInt32 = 0
  }

  private(set) var books: ReplayBooks
  private var policy: UnmapBatching
  private var decisions: [Decision] = []
  private var frames: [Freed] = []
  private var lastTime: UInt64 = 0

  init(pagesMax: Int, _ context: ReplayContext) {
    policy = UnmapBatching(pagesMax: pagesMax)
    books = ReplayBooks(context)
  }

  /// Replays the first `count` moments.
  mutating func replay(_ source: borrowing Reconstruction, count: Int) {
    growTo(tasks: source.tasks.states.count, frames: source.frames.indexCount)
    for position in 0..<count {
      let moment = source.moments[position]
      if books.isOver(moment.time) { continue }
      lastTime = max(lastTime, moment.time)
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
      case .switchedMM: books.cleaned(cpu)
      case .lazyBegin: books.lazyBegin(cpu)
      case .lazyEnd: books.lazyEnd(cpu)
      case .frameRefilled, .frameDrained, .taskAllocated, .writeProtectFault, .writableMapping,
        .fileWriteEnd:
        break
      }
    }
  }

  /// Does the flushes still owed: what is unmapped is flushed in the end.
  mutating func finish() {
    for task in decisions.indices {
      guard let mask = policy.finish(task) else { continue }
      pay(mask, task, .absorption, from: decisions[task].cpu, at: lastTime)
    }
  }

  private mutating func growTo(tasks: Int, frames count: Int) {
    while decisions.count < tasks { decisions.append(Decision()) }
    policy.growTo(tasks: tasks)
    if frames.count < count {
      frames.append(contentsOf: repeatElement(Freed(), count: count - frames.count))
    }
    books.growTo(frames: count)
  }

  private mutating func unmapBatch(_ shootdown: Shootdown) {
    let task = Int(shootdown.taskIndex)
    if let due = policy.unmapBatch(of: task, on: shootdown.mask) {
      pay(due, task, .absorption, from: shootdown.initiator, at: shootdown.start)
    }
    decisions[task].batch = shootdown.batch
    decisions[task].serial = books.putOff(shootdown, .keptByCaller)
    decisions[task].cpu = shootdown.initiator
    if books.isCounted(shootdown.start) { decisions[task].open += 1 }
  }

  private mutating func freed(_ moment: Moment) {
    let task = Int(moment.task)
    guard decisions[task].batch == moment.batch else { return }
    let (group, flush) = policy.freed(by: task)
    frames[Int(moment.subject)] = Freed(group: group, task: moment.task)
    books.freed(Int(moment.subject), serial: decisions[task].serial, isPending: false)
    if let flush { pay(flush, task, .absorption, from: Int(moment.cpu), at: moment.time) }
  }

  private mutating func allocated(_ moment: Moment, _ table: borrowing FrameTable) {
    let freed = frames[Int(moment.subject)]
    frames[Int(moment.subject)] = Freed()
    if let flush = policy.taken(freed.group, of: Int(freed.task)) {
      pay(flush, Int(freed.task), .allocation, from: Int(moment.cpu), at: moment.time)
    }
    books.handedOut(moment, table)
  }

  private mutating func pay(
    _ mask: CPUMask, _ task: Int, _ cause: ReplayBooks.Cause, from cpu: Int, at time: UInt64
  ) {
    books.pay(mask, from: cpu, at: time)
    let open = decisions[task].open
    decisions[task].open = 0
    if cause == .allocation {
      books.ledger.forcedByAllocation += open
    } else {
      books.ledger.absorbed += open
    }
  }
}
