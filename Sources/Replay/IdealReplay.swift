/// Runs ``IdealUnmapFlush`` under one assumption over the moments of a trace.
struct IdealReplay {
  private struct Decision {
    var batch: UInt32 = 0
    var number: UInt32 = 0
    var serial: UInt32 = 0
  }
  /// A deferral of the window whose fate is not known yet.
  private enum Fate: UInt8 {
    case notCounted, open, forced
  }

  let assumption: ReplayAssumption
  private(set) var books: ReplayBooks
  private var policy: IdealUnmapFlush
  private var decisions: [Decision] = []
  private var numbers: [UInt32] = []
  private var fates: [Fate] = []

  init(_ assumption: ReplayAssumption, _ context: ReplayContext) {
    self.assumption = assumption
    policy = IdealUnmapFlush(cpuCount: context.cpuCount)
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
        case .mm:
          policy.cleaned(source.shootdowns[slot].cleaned)
          books.mmFlush(source.shootdowns[slot])
        case .unmapBatch: unmapBatch(source.shootdowns[slot])
        }
        // The recorded initiator is in the kernel and can flush itself.
        clean(cpu)
      case .frameFreed:
        let decision = decisions[Int(moment.task)]
        guard decision.batch == moment.batch, decision.number != 0 else { continue }
        numbers[Int(moment.subject)] = decision.number
        books.freed(Int(moment.subject), serial: decision.serial, isPending: true)
      case .frameAllocated: allocated(moment, source.frames)
      case .taskAllocated, .writeProtectFault, .writableMapping, .fileWriteEnd, .switchedMM:
        clean(cpu)
      case .frameRefilled, .frameDrained: break
      case .lazyBegin: books.lazyBegin(cpu)
      case .lazyEnd:
        books.lazyEnd(cpu)
        policy.cleaned(cpu)
      }
    }
  }

  /// Closes the books: deferrals that no CPU owes are absorbed, others pending.
  mutating func finish() {
    for (index, fate) in fates.enumerated() where fate != .notCounted {
      if fate == .forced {
        books.ledger.forcedByAllocation += 1
      } else if policy.owing(UInt32(index + 1)).isEmpty {
        books.ledger.absorbed += 1
      } else {
        books.ledger.pending += 1
      }
    }
    fates.removeAll()
  }

  private mutating func growTo(tasks: Int, frames: Int) {
    while decisions.count < tasks { decisions.append(Decision()) }
    if numbers.count < frames {
      numbers.append(contentsOf: repeatElement(0, count: frames - numbers.count))
    }
    books.growTo(frames: frames)
  }

  private mutating func clean(_ cpu: Int) {
    policy.cleaned(cpu)
    books.cleaned(cpu)
  }

  private mutating func unmapBatch(_ shootdown: Shootdown) {
    var decision = Decision(batch: shootdown.batch)
    if assumption.isEligible(shootdown.evidence) {
      decision.number = policy.unmapBatch(on: shootdown.mask)
      decision.serial = books.putOff(shootdown, .keptByCaller)
      fates.append(books.isCounted(shootdown.start) ? .open : .notCounted)
    } else {
      policy.cleaned(shootdown.mask)
      books.keep(shootdown, isRefused: false, settles: false)
    }
    decisions[Int(shootdown.taskIndex)] = decision
  }

  private mutating func allocated(_ moment: Moment, _ frames: borrowing FrameTable) {
    clean(Int(moment.cpu))
    let number = numbers[Int(moment.subject)]
    numbers[Int(moment.subject)] = 0
    if number != 0 {
      books.stopsPending()
      let owing = policy.owing(number)
      if !owing.isEmpty {
        policy.cleaned(owing)
        books.pay(owing, from: Int(moment.cpu), at: moment.time)
        let index = Int(number) - 1
        if index < fates.count, fates[index] == .open { fates[index] = .forced }
      }
    }
    books.handedOut(moment, frames)
  }
}
