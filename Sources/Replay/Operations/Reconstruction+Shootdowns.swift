import TraceEvents

extension Reconstruction {
  private func slot(_ number: UInt32) -> Int? {
    guard number != Self.noShootdown else { return nil }
    let slot = Int(number &- shootdownsBase)
    return slot < shootdowns.count ? slot : nil
  }

  mutating func tlbFlush(_ cpu: Int, _ time: UInt64, reason: Int64, pages: Int64) {
    let isInView = context.window.contains(time) && context.counts(cpu: cpu)
    // A receiver's event belongs to the task that interrupted it.
    let isCounted =
      isInView && reason != 1 && reason != 5 && context.counts(task: cpus[cpu].task, at: time)
    if isCounted { tally.flush(reason, pages, cpu) }
    switch reason {
    case 0:
      counts.addressSpaces.mmSwitches += 1
      counts.events.switches += 1
      if pages != 0 { counts.addressSpaces.mmSwitchesFlushing += 1 }
      emit(.switchedMM, cpu, time)
    case 1: remoteEvent(cpu, time, pages, isInView)
    case 2, 3: localEvent(cpu, time, pages, isBatch: reason == 2, isCounted)
    case 4:
      if cpus[cpu].open != Self.noShootdown { resolve(openOn: cpu, at: time) }
      begin(cpu, time, pages: pages)
      shootdowns[shootdowns.count - 1].isSendCounted = isCounted
    case 5:
      if isInView, countsShootdown(slot(cpus[cpu].serving)) {
        noteReceived(reason, pages, cpu, time)
      }
      if cpus[cpu].serving == Self.noShootdown { counts.events.failToExplain(.tlbFlush) }
    default: counts.events.failToExplain(.tlbFlush)
    }
    // The announcement flushes nothing itself.
    if reason != 4 { matcher.flush(on: cpu, at: time) }
  }

  /// Whether what a shootdown causes counts by its task; what none is seen to cause is nobody's.
  private func countsShootdown(_ slot: Int?) -> Bool {
    slot.map { shootdowns[$0].isOfCountedTask } ?? (context.countedTasks == nil)
  }

  /// A receiver's event, by which the row is told where no csd event does.
  private mutating func noteReceived(_ reason: Int64, _ pages: Int64, _ cpu: Int, _ time: UInt64) {
    tally.flush(reason, pages, cpu)
    victims?.interrupted(cpu, cpus[cpu].taskIndex, time, by: .flushEvents)
    if !areRunsTraced, !areRequestsTraced { tally.timeline?.add(1, ofCPU: cpu, at: time) }
  }

  private mutating func begin(_ cpu: Int, _ time: UInt64, pages: Int64) {
    let number = shootdownsBase &+ UInt32(shootdowns.count)
    let position = nextPosition
    let task = tasks.states[Int(cpus[cpu].taskIndex)]
    let ifMM = mmCause(task, pages: pages)
    shootdowns.append(
      Shootdown(
        initiator: cpu, taskIndex: cpus[cpu].taskIndex, start: time, end: time, pages: pages,
        ifMM: ifMM, ifBatch: batchCause(task), awaitsNextEvent: awaitsNextEvent(ifMM),
        position: position))
    if !context.countsEverything {
      let last = shootdowns.count - 1
      shootdowns[last].isOfCountedTask = context.counts(task: cpus[cpu].task, at: time)
      shootdowns[last].isOfCountedCPU = context.counts(cpu: cpu)
    }
    emit(.shootdown, cpu, time, subject: number)
    cpus[cpu].open = number
    matcher.begin(
      WaitWindowMatcher.Wait(
        number: number, initiator: cpu, start: time, pages: pages,
        isBatch: pages == -1 && task.isUnmapping))
  }

  /// The initiator's own flush. Linux 6.12 `flush_tlb_multi` runs it after all requests are queued.
  private mutating func localEvent(
    _ cpu: Int, _ time: UInt64, _ pages: Int64, isBatch: Bool, _ isCounted: Bool
  ) {
    // A shootdown has one local flush: a second one is a flush of this CPU alone, right behind it.
    if let slot = slot(cpus[cpu].open), shootdowns[slot].isLocal { resolve(openOn: cpu, at: time) }
    if cpus[cpu].open == Self.noShootdown {
      // Without a send the mask held this CPU alone; of mm flushes no policy changes anything then.
      guard isBatch else {
        localFlush(cpu, pages: pages)
        return
      }
      begin(cpu, time, pages: -1)
    }
    guard let slot = slot(cpus[cpu].open) else { return }
    shootdowns[slot].isLocal = true
    if pages == -1 { shootdowns[slot].fullEvents.insert(cpu) }
    shootdowns[slot].isLocalCounted = isCounted
    shootdowns[slot].isKindRecorded = true
    shootdowns[slot].kind = isBatch ? .unmapBatch : .mm
    shootdowns[slot].end = max(shootdowns[slot].end, time)
  }

  mutating func requestQueued(_ cpu: Int, _ time: UInt64, target: UInt64, csd: UInt64) {
    if !areRequestsTraced, !areRunsTraced { tally.timeline?.clear() }
    areRequestsTraced = true
    guard target < UInt64(cpus.count) else {
      counts.rowsOfUnknownCPUs += 1
      counts.events.failToExplain(.csdQueueCPU)
      return
    }
    let target = Int(target)
    let number = cpus[cpu].open
    let found = slot(number)
    let isCounted =
      context.window.contains(time) && context.counts(cpu: target) && countsShootdown(found)
    if isCounted {
      tally.requests[target] += 1
      victims?.interrupted(target, cpus[target].taskIndex, time, by: .csdQueueCPU)
      if !areRunsTraced { tally.timeline?.add(1, ofCPU: target, at: time) }
    }
    guard let slot = found else {
      counts.requestsWithoutSend += 1
      counts.events.failToExplain(.csdQueueCPU)
      return
    }
    shootdowns[slot].receivers.insert(target)
    shootdowns[slot].outstanding += 1
    // Where runs are not recorded, a request is as good: it is answered unless the trace ends.
    if isCounted, !areRunsTraced { shootdowns[slot].countedInterrupts.insert(target) }
    if cpus[target].requests.count >= Self.requestsMax {
      cpus[target].requests.removeFirst()
      counts.requestsUnanswered += 1
    }
    cpus[target].requests.append(Request(csd: csd, shootdown: number))
  }

  mutating func functionEntered(_ cpu: Int, _ time: UInt64, csd: UInt64) {
    if !areRunsTraced { tally.timeline?.clear() }
    areRunsTraced = true
    cpus[cpu].serving = Self.noShootdown
    cpus[cpu].isSilent = false
    // Without csd the initiator runs the function itself, which no interrupt brought.
    guard csd != 0, csd != EventBatch.absent else { return }
    let number = answered(cpu, csd) ?? waiting(for: cpu)
    let found = number.flatMap { slot($0) }
    let isCounted =
      context.window.contains(time) && context.counts(cpu: cpu) && countsShootdown(found)
    if isCounted {
      tally.interrupts[cpu] += 1
      victims?.interrupted(cpu, cpus[cpu].taskIndex, time, by: .csdFunctionEntry)
      tally.timeline?.add(1, ofCPU: cpu, at: time)
    }
    guard let number, let slot = found else {
      counts.interruptsWithoutShootdown += 1
      counts.events.failToExplain(.csdFunctionEntry)
      return
    }
    cpus[cpu].serving = number
    cpus[cpu].isSilent = true
    counts.waitWindow.silentReceivers += 1
    shootdowns[slot].receivers.insert(cpu)
    shootdowns[slot].end = max(shootdowns[slot].end, time)
    if isCounted { shootdowns[slot].countedInterrupts.insert(cpu) }
  }

  /// The shootdown whose request `csd` the CPU answers now.
  private mutating func answered(_ cpu: Int, _ csd: UInt64) -> UInt32? {
    guard let index = cpus[cpu].requests.firstIndex(where: { $0.csd == csd }) else { return nil }
    let number = cpus[cpu].requests.remove(at: index).shootdown
    counts.interruptsMatchedExactly += 1
    if let slot = slot(number) { shootdowns[slot].outstanding -= 1 }
    return number
  }

  /// The shootdown that a CPU is interrupted for, where requests are not recorded.
  private mutating func waiting(for cpu: Int, pages: Int64 = -1) -> UInt32? {
    guard !areRequestsTraced, let match = matcher.match(cpu, pages: pages) else { return nil }
    if match.isAmbiguous {
      counts.receiversAmbiguous += 1
    } else {
      counts.receiversInWaitWindow += 1
    }
    return match.number
  }

  /// The shootdown of a receiver's event: of the request that it serves, or, without csd events, of
  /// who is waiting. Where requests are recorded both ways are tried and compared.
  private mutating func answered(_ cpu: Int, pages: Int64) -> UInt32 {
    guard areRunsTraced else { return waiting(for: cpu, pages: pages) ?? Self.noShootdown }
    let number = cpus[cpu].serving
    if number != Self.noShootdown, cpus[cpu].isSilent {
      cpus[cpu].isSilent = false
      counts.waitWindow.silentReceivers -= 1
      if areRequestsTraced {
        counts.waitWindow.note(matcher.match(cpu, pages: pages), exact: number)
      }
    }
    return number
  }

  /// A receiver's event.
  private mutating func remoteEvent(
    _ cpu: Int, _ time: UInt64, _ pages: Int64, _ isInView: Bool
  ) {
    let number = answered(cpu, pages: pages)
    let found = slot(number)
    let isCounted = isInView && countsShootdown(found)
    if isCounted { noteReceived(1, pages, cpu, time) }
    guard let slot = found else {
      counts.remoteEventsWithoutShootdown += 1
      counts.events.failToExplain(.tlbFlush)
      return
    }
    shootdowns[slot].receivers.insert(cpu)
    if pages == -1 { shootdowns[slot].fullEvents.insert(cpu) }
    if !areRunsTraced { shootdowns[slot].end = max(shootdowns[slot].end, time) }
    guard isCounted else { return }
    shootdowns[slot].countedRemoteEvents.insert(cpu)
    if !areRunsTraced { shootdowns[slot].countedInterrupts.insert(cpu) }
  }

  /// The initiator goes on: says what the shootdown was for and closes it.
  mutating func resolve(openOn cpu: Int, at time: UInt64?, goingOnWith next: EventKind? = nil) {
    let number = cpus[cpu].open
    cpus[cpu].open = Self.noShootdown
    // What csd events end early stays open for the wait window, which does not see them.
    if time != nil { matcher.end(on: cpu) }
    guard let slot = slot(number), !shootdowns[slot].isResolved else { return }
    noteWait(slot)
    if let time { shootdowns[slot].end = max(shootdowns[slot].end, time) }
    let index = Int(shootdowns[slot].taskIndex)
    if !shootdowns[slot].isKindRecorded, shootdowns[slot].pages == -1,
      tasks.states[index].isUnmapping
    {
      shootdowns[slot].kind = .unmapBatch
    }
    nameCause(slot, next)
    if shootdowns[slot].kind == .unmapBatch {
      shootdowns[slot].unmappedPages = unmappedPages.close(by: UInt32(index))
      takeEvidence(slot, index)
      findLazyMembers(slot)
    } else if followsUnmappedFrames {
      takeUnmap(slot, index, isFreeing: next == .pageFree || next == .pageFreeBatched)
    }
    if shootdowns[slot].kind == .mm, wanted.contains(.shootdown) {
      moments[Int(shootdowns[slot].position - momentsBase)].kind = .mmShootdown
    }
    shootdowns[slot].isResolved = true
    counts.note(shootdowns[slot])
  }

  /// Before its end is put at the initiator's next event, which may come much later.
  private mutating func noteWait(_ slot: Int) {
    guard shootdowns[slot].isSendCounted, shootdowns[slot].outstanding == 0 else { return }
    counts.initiatorWaits.note(
      start: shootdowns[slot].start, answered: shootdowns[slot].end,
      receivers: shootdowns[slot].receivers.count)
  }

  private mutating func takeEvidence(_ slot: Int, _ index: Int) {
    if tasks.states[index].openBatch == 0 { tasks.states[index].openBatch = newBatch() }
    let task = tasks.states[index]
    // Before the task gives up its last number, which may not be the one that it gets.
    shootdowns[slot].batch = batchNumbers.open(at: shootdowns[slot].position)
    opened(shootdowns[slot].batch)
    if wanted.contains(.shootdown) {
      moments[Int(shootdowns[slot].position - momentsBase)].batch = shootdowns[slot].batch
    }
    let position = nextPosition
    batchNumbers.release(task.flushedNumber, at: position)
    removedPages.close(
      shootdowns[slot].batch, by: UInt32(index), &batchNumbers, at: position)
    shootdowns[slot].evidence = Self.evidence(task)
    shootdowns[slot].unmapped = UnmapCount(
      pages: task.deleted &+ task.entryPages, readOnlyEntries: task.readOnlyEntries,
      writableEntries: task.writableEntries, unclearEntries: task.unclearEntries)
    tasks.states[index].flushedBatch = task.openBatch
    tasks.states[index].flushedNumber = shootdowns[slot].batch
    tasks.states[index].flushedCause = shootdowns[slot].cause
    tasks.states[index].openBatch = 0
    tasks.states[index].deleted = 0
    tasks.states[index].forgetEntries()
    // Frames that carry no mark of their own are taken for the batch's only in a run of frees right
    // behind the flush; a migration's sources are all marked.
    tasks.states[index].isFreeingBatch = !task.isInMigration
  }

  /// A flush of one mm with frees directly behind it is that of unmapped pages: `tlb_flush_mmu` flushes,
  /// then frees what it gathered (Linux 6.12 `mm/mmu_gather.c`).
  private mutating func takeUnmap(_ slot: Int, _ index: Int, isFreeing: Bool) {
    tasks.states[index].isFreeingUnmapped = false
    guard isFreeing, shootdowns[slot].isLocal, shootdowns[slot].cause.mayUnmap,
      Int(cpus[shootdowns[slot].initiator].taskIndex) == index
    else { return }
    // As in ``takeEvidence(_:_:)``.
    shootdowns[slot].batch = batchNumbers.open(at: shootdowns[slot].position)
    opened(shootdowns[slot].batch)
    batchNumbers.release(tasks.states[index].flushedUnmap, at: nextPosition)
    moments[Int(shootdowns[slot].position - momentsBase)].batch = shootdowns[slot].batch
    tasks.states[index].isFreeingUnmapped = true
    tasks.states[index].flushedUnmap = shootdowns[slot].batch
  }

  /// CPUs in the batch's mask that were not interrupted because they are lazy.
  ///
  /// `mm_cpumask` keeps an idle CPU that has the mm loaded (Linux 6.12 `arch/x86/mm/tlb.c`
  /// `enter_lazy_tlb`), so a put-off flush owes it too. Which mm that is no event says; concluded
  /// from the user task that ran last, if a batch flush interrupted that task before.
  private mutating func findLazyMembers(_ slot: Int) {
    for cpu in cpus.indices {
      if shootdowns[slot].receivers.contains(cpu) {
        let task = Int(cpus[cpu].taskIndex)
        if !cpus[cpu].isLazy { tasks.states[task].isFlushTarget = true }
      } else if cpus[cpu].isLazy, tasks.states[Int(cpus[cpu].userTaskIndex)].isFlushTarget {
        shootdowns[slot].lazyMembers.insert(cpu)
      }
    }
  }

  private static func evidence(_ task: TaskState) -> UnmapEvidence {
    if task.writableEntries > 0 || task.largeFolios > 0 { return .provenIneligible }
    if task.deleted > 0 { return task.unclearEntries > 0 ? .unseen : .reclaimedFile }
    if task.unclearEntries > 0 { return .unseen }
    if task.readOnlyEntries > 0 { return .provenReadOnly }
    return task.isInMigration || task.isKswapd || task.isInDirectReclaim ? .unseen : .otherPath
  }

  mutating func newBatch() -> UInt32 {
    nextBatch = (nextBatch + 1) % FrameTable.State.batchLimit
    if nextBatch == 0 { nextBatch = 1 }
    return nextBatch
  }

  /// At the end of a batch: closes what is complete though its initiator has not been seen since,
  /// and what has held the stream up for too long.
  mutating func settle() {
    guard !matcher.isIdle else { return }
    let isOverdue = moments.count > Self.momentsHeldMax
    for cpu in cpus.indices {
      guard let slot = slot(cpus[cpu].open) else { continue }
      let isComplete =
        areRunsTraced && areRequestsTraced && shootdowns[slot].isLocal
        && !(shootdowns[slot].awaitsNextEvent && shootdowns[slot].kind == .mm)
        && shootdowns[slot].outstanding == 0
        && !cpus.contains { $0.serving == cpus[cpu].open }
      // Whether frees follow is only known when the initiator goes on.
      let mayFree = followsUnmappedFrames && shootdowns[slot].kind == .mm
      if (isComplete && !mayFree) || isOverdue { resolve(openOn: cpu, at: nil) }
      if isOverdue, !isComplete { counts.shootdownsCutShort += 1 }
      if isOverdue { matcher.end(on: cpu) }
    }
  }
}
