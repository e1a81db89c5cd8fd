/// Runs one lazy-flush policy under one assumption over the moments of a trace and keeps its books:
/// what the policy's actions take from the recorded counters and what they add.
struct LazyFlushReplay {
  private struct Decision {
    var batch: UInt32 = 0
    var generation: UInt32 = 0
    var serial: UInt32 = 0
  }
  private enum Cause {
    case allocation, permission
  }

  let assumption: ReplayAssumption
  private let window: TimeWindow
  private var policy: LazyUnmapFlush
  private var oracle: StaleTranslationOracle
  private var decisions: [Decision] = []
  private var taskGenerations: [UInt32] = []
  private var generations: [UInt32] = []
  private var serials: [UInt32] = []
  private var lazyCPUs = CPUMask()
  private var durations = DurationHistogram()

  private(set) var changes: CounterChanges
  private(set) var ledger = Ledger()
  private(set) var safety = SafetyVerdict()
  private(set) var framesPendingMax = 0
  private var framesPending = 0
  /// Of the policy's pending batches, those deferred inside the window.
  private var openInLedger = 0

  init(_ rules: LazyFlushRules, _ assumption: ReplayAssumption, _ context: ReplayContext) {
    self.assumption = assumption
    window = context.window
    var rules = rules
    if assumption == .allPossibleAtOnce { rules.givesUpWhileFlushing = false }
    policy = LazyUnmapFlush(rules)
    oracle = StaleTranslationOracle(cpuCount: context.cpuCount)
    changes = CounterChanges(cpuCount: context.cpuCount)
  }

  /// Replays the first `count` moments.
  mutating func replay(_ source: borrowing Reconstruction, count: Int) {
    growTo(tasks: source.tasks.states.count, frames: source.frames.indexCount)
    for position in 0..<count {
      let moment = source.moments[position]
      if moment.time > window.end { continue }
      let cpu = Int(moment.cpu)
      switch moment.kind {
      case .shootdown:
        let slot = Int(moment.subject &- source.shootdownsBase)
        if source.shootdowns[slot].kind == .unmapBatch { unmapBatch(source.shootdowns[slot]) }
      case .frameFreed:
        let decision = decisions[Int(moment.task)]
        guard decision.batch == moment.batch, decision.generation != 0 else { continue }
        generations[Int(moment.subject)] = decision.generation
        serials[Int(moment.subject)] = decision.serial
        if decision.generation > policy.done { framesPending += 1 }
        framesPendingMax = max(framesPendingMax, framesPending)
      case .frameAllocated:
        allocated(moment, source.frames)
      case .frameRefilled:
        let generation = generations[Int(moment.subject)]
        if policy.rules.flushesAfterRefill, generation > taskGenerations[Int(moment.task)] {
          taskGenerations[Int(moment.task)] = generation
        }
      case .taskAllocated:
        let generation = taskGenerations[Int(moment.task)]
        taskGenerations[Int(moment.task)] = 0
        force(
          policy.taken(generation, at: moment.time, flushLasting: durations.median), .allocation,
          moment)
      case .writeProtectFault:
        force(
          policy.writeProtectFault(at: moment.time, flushLasting: durations.median), .permission,
          moment)
      case .writableMapping:
        force(
          policy.writableMapping(at: moment.time, flushLasting: durations.median), .permission,
          moment)
      case .lazyBegin: lazyCPUs.insert(cpu)
      case .lazyEnd: lazyCPUs.remove(cpu)
      }
    }
  }

  /// Closes the books: what is still owed is pending.
  mutating func finish() {
    ledger.pending += openInLedger
    openInLedger = 0
  }

  private mutating func growTo(tasks: Int, frames: Int) {
    while decisions.count < tasks {
      decisions.append(Decision())
      taskGenerations.append(0)
    }
    if generations.count < frames {
      let more = frames - generations.count
      generations.append(contentsOf: repeatElement(0, count: more))
      serials.append(contentsOf: repeatElement(0, count: more))
    }
  }

  private mutating func unmapBatch(_ shootdown: Shootdown) {
    let mask = shootdown.mask
    if shootdown.outstanding == 0 { durations.record(shootdown.end - shootdown.start) }
    let isCounted = window.contains(shootdown.start)
    let action = policy.unmapBatch(
      on: mask, isEligible: assumption.isEligible(shootdown.evidence), from: shootdown.start,
      to: shootdown.end)
    var decision = Decision(batch: shootdown.batch)
    switch action {
    case .deferred(let generation, let isSettled):
      decision.generation = generation
      decision.serial = oracle.deferred(mask)
      changes.remove(shootdown)
      if isCounted {
        ledger.deferred += 1
        if isSettled { ledger.absorbed += 1 } else { openInLedger += 1 }
      }
    case .flush(let isRefused, let settled):
      oracle.flushed(mask)
      if isRefused, isCounted { ledger.refused += 1 }
      if settled > 0 {
        ledger.absorbed += openInLedger
        openInLedger = 0
        framesPending = 0
      }
    }
    decisions[Int(shootdown.taskIndex)] = decision
  }

  private mutating func allocated(_ moment: Moment, _ frames: borrowing FrameTable) {
    let frame = Int(moment.subject)
    let generation = generations[frame]
    let serial = serials[frame]
    generations[frame] = 0
    serials[frame] = 0
    guard generation != 0 else { return }
    if generation > policy.done, framesPending > 0 { framesPending -= 1 }
    force(
      policy.taken(generation, at: moment.time, flushLasting: durations.median), .allocation,
      moment)
    safety.framesChecked += 1
    guard let stale = oracle.staleCPU(serial) else { return }
    safety.violations += 1
    if safety.first == nil {
      safety.first = Violation(
        rule: "I1", time: moment.time, eventIndex: moment.event, cpu: stale,
        pfn: frames.pfn(frame))
    }
  }

  private mutating func force(
    _ flush: LazyUnmapFlush.ForcedFlush?, _ cause: Cause, _ moment: Moment
  ) {
    guard let flush else { return }
    oracle.flushed(flush.mask)
    framesPending = 0
    switch cause {
    case .allocation: ledger.forcedByAllocation += openInLedger
    case .permission: ledger.forcedByPermission += openInLedger
    }
    openInLedger = 0
    guard window.contains(moment.time) else { return }
    ledger.forcedFlushes += 1
    changes.add(flush.mask, from: Int(moment.cpu), lazy: lazyCPUs)
  }
}
