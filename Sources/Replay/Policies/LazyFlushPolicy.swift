/// ``LazyUnmapFlush`` as a policy: which frames and tasks carry which generation.
struct LazyFlushPolicy: FlushPolicy {
  private var machine: LazyUnmapFlush
  /// Generation that frames of a task's last batch are freed with; 0 none.
  private var batchGenerations: [UInt32] = []
  /// Newest generation that a refill handed to the task.
  private var taskGenerations: [UInt32] = []
  private var frameGenerations: [UInt32] = []

  init(_ rules: LazyFlushRules) { machine = LazyUnmapFlush(rules) }

  mutating func growTo(tasks: Int, frames: Int) {
    while batchGenerations.count < tasks {
      batchGenerations.append(0)
      taskGenerations.append(0)
    }
    if frameGenerations.count < frames {
      frameGenerations.append(contentsOf: repeatElement(0, count: frames - frameGenerations.count))
    }
  }

  mutating func batchFlush(
    _ shootdown: borrowing Shootdown, mayDefer: Bool, until end: UInt64, as deferral: UInt32,
    _ now: Situation, _ actions: inout [FlushAction]
  ) -> FlushDecision {
    let action = machine.unmapBatch(
      on: shootdown.mask, isEligible: mayDefer, from: shootdown.start, to: end)
    let task = Int(shootdown.taskIndex)
    switch action {
    case .deferred(let generation, let isSettled):
      batchGenerations[task] = generation
      return isSettled ? .putOffForNobody : .putOff
    case .flush(let isRefused, let settled):
      batchGenerations[task] = 0
      if settled > 0 { actions.append(.settleAll(.absorbed)) }
      return .asRecorded(isRefused: isRefused)
    }
  }

  mutating func freed(
    _ frame: Int, with deferral: UInt32, _ now: Situation, _ actions: inout [FlushAction]
  ) {
    frameGenerations[frame] = batchGenerations[now.task]
  }

  mutating func allocated(
    _ frame: Int, with deferral: UInt32, _ now: Situation, _ actions: inout [FlushAction]
  ) {
    let generation = frameGenerations[frame]
    frameGenerations[frame] = 0
    force(
      machine.taken(generation, at: now.time, flushLasting: now.flushDuration), .allocation,
      &actions)
  }

  mutating func drained(
    _ frame: Int, with deferral: UInt32, _ now: Situation, _ actions: inout [FlushAction]
  ) {
    guard machine.rules.forgetsInBuddy else { return }
    frameGenerations[frame] = 0
    actions.append(.forgetFrame)
  }

  mutating func refilled(
    _ frame: Int, with deferral: UInt32, _ now: Situation, _ actions: inout [FlushAction]
  ) {
    guard machine.rules.flushesAfterRefill else { return }
    taskGenerations[now.task] = max(taskGenerations[now.task], frameGenerations[frame])
  }

  mutating func other(
    _ moment: Moment, _ source: borrowing Reconstruction, _ now: Situation,
    _ actions: inout [FlushAction]
  ) {
    let duration = now.flushDuration
    switch moment.kind {
    case .taskAllocated:
      let generation = taskGenerations[now.task]
      taskGenerations[now.task] = 0
      force(
        machine.taken(generation, at: now.time, flushLasting: duration), .allocation, &actions)
    case .writeProtectFault:
      force(
        machine.writeProtectFault(at: now.time, flushLasting: duration), .permission, &actions)
    case .writableMapping:
      force(machine.writableMapping(at: now.time, flushLasting: duration), .permission, &actions)
    case .fileWriteEnd:
      force(machine.fileWriteEnd(at: now.time, flushLasting: duration), .fileWrite, &actions)
    default: break
    }
  }

  private func force(
    _ flush: LazyUnmapFlush.ForcedFlush?, _ fate: DeferralFate, _ actions: inout [FlushAction]
  ) {
    guard let flush else { return }
    actions.append(.flush(flush.mask, fate))
    actions.append(.settleAll(fate))
  }
}

extension LazyFlushRules {
  static let v10Entry = PolicyEntry(
    summary:
      "lazy unmap flush: read-only unmaps are flushed when one of their frames is taken again",
    source: "LUF v10, linux-mm, 10 May 2024", v10.blueprint)

  static let v10AsPostedEntry = PolicyEntry(
    summary: "the same with the posted defect: frames that pass through buddy forget; not safe",
    source: "LUF v10 patch 5/12 as posted", v10AsPosted.blueprint)

  static let v11Entry = PolicyEntry(
    summary: "the end of a write to a file ends deferral, mmap and write-protect faults do not",
    source: "LUF v11, linux-mm, 31 May 2024", v11.blueprint)

  /// These rules as a policy.
  var blueprint: PolicyBlueprint {
    PolicyBlueprint(name: name, limits: limits, triggers: triggers) { assumption, _ in
      var rules = self
      if assumption == .allPossibleAtOnce { rules.givesUpWhileFlushing = false }
      return LazyFlushPolicy(rules)
    }
  }

  private var triggers: [PolicyBlueprint.Trigger] {
    var triggers: [PolicyBlueprint.Trigger] = []
    if flushesAfterRefill { triggers.append(.refill) }
    if flushesOnWriteProtectFault { triggers.append(.writeProtectFault) }
    if flushesOnWritableMapping { triggers.append(.writableMapping) }
    if flushesOnFileWrite { triggers.append(.fileWrite) }
    if forgetsInBuddy { triggers.append(.drain) }
    return triggers
  }

  private var limits: [String] {
    var notes: [String] = []
    if flushesOnFileWrite {
      notes.append(
        "which writes go to regular files is not visible: every write(2) and pwrite64(2) that ends "
          + "inside the trace counts as one; raced faults, which v11 also looks at, have no event")
    }
    if !creditsWhileFlushing {
      notes.append(
        "who fails to get the lock is not visible: approximated by batch flushes that start while "
          + "another one runs")
    }
    if forgetsInBuddy {
      notes.append(
        "a frame forgets the flush that it owes when mm_page_pcpu_drain moves it to buddy: not "
          + "safe, shown for what the posted text does. The order of its block stands in for the "
          + "generation there, so a kernel that has just started does up to ten more flushes")
    }
    return notes
  }
}
