import TraceEvents

extension Reconstruction {
  /// Says what a shootdown was for, from what its task did and goes on with.
  mutating func nameCause(_ slot: Int, _ next: EventKind?) {
    var found =
      shootdowns[slot].kind == .unmapBatch ? shootdowns[slot].ifBatch : shootdowns[slot].ifMM
    let isFree = next == .pageFree || next == .pageFreeBatched
    if shootdowns[slot].kind == .mm, shootdowns[slot].awaitsNextEvent, isFree {
      found = CauseFound(cause: .munmap, isRecorded: false)
    }
    shootdowns[slot].cause = found.cause
    shootdowns[slot].isCauseRecorded = found.isRecorded
    noteScan(Int(shootdowns[slot].taskIndex), found.cause)
  }

  /// Whether pages freed right behind a flush of one mm would say more than is known.
  ///
  /// `mmu_gather` frees what it flushed (Linux 6.12 `mm/mmu_gather.c` `tlb_flush_mmu`): munmap and
  /// its like (exit, MADV_DONTNEED), told apart from scans and mprotect where calls are not recorded.
  func awaitsNextEvent(_ found: CauseFound) -> Bool {
    areFreesTraced && !areCallsTraced && (found.cause == .unknown || found.cause == .numaScan)
  }

  /// A flush of one mm that its own CPU did alone.
  mutating func localFlush(_ cpu: Int, pages: Int64) {
    let index = Int(cpus[cpu].taskIndex)
    let found = mmCause(tasks.states[index], pages: pages)
    counts.causes.localFlushes[Int(found.cause.rawValue)] += 1
    noteScan(index, found.cause)
  }

  /// Flushes in a row of one task belong to one scan, which flushes once a mapping.
  private mutating func noteScan(_ index: Int, _ cause: FlushCause) {
    guard cause == .numaScan else { return }
    if !tasks.states[index].isScanning { counts.addressSpaces.numaScans += 1 }
    tasks.states[index].isScanning = true
  }

  /// A batch is flushed at the end of a reclaim or migration pass (Linux 6.12 `mm/vmscan.c`
  /// `shrink_folio_list`, `mm/migrate.c` `migrate_pages_batch`).
  func batchCause(_ task: TaskState) -> CauseFound {
    if task.isInMigration { return migrationCause(task) }
    if task.isKswapd { return CauseFound(cause: .kswapdReclaim, isRecorded: true) }
    if task.isInDirectReclaim { return CauseFound(cause: .directReclaim, isRecorded: true) }
    if task.call == .madvise { return CauseFound(cause: .madvise, isRecorded: areCallEndsTraced) }
    if task.entryPages > 0 { return CauseFound(cause: .otherMigration, isRecorded: false) }
    // Whoever takes pages out of the page cache and flushes a batch reclaims, with or without the
    // events that say so.
    if task.deleted > 0 { return CauseFound(cause: .directReclaim, isRecorded: false) }
    return CauseFound(cause: .otherBatch, isRecorded: false)
  }

  private func migrationCause(_ task: TaskState) -> CauseFound {
    let cause: FlushCause =
      switch MigrationReason(rawValue: Int(task.migrationReason)) {
      case .compaction: .compaction
      case .memoryHotplug: .memoryHotplug
      case .syscall: .movePages
      case .numaMisplaced: .promotion
      case .contigRange: .contiguousRange
      case .longtermPin: .longtermPin
      case .demotion: task.isKswapd ? .kswapdDemotion : .directDemotion
      case .memoryFailure, .mempolicyMbind, .damon, nil: .otherMigration
      }
    return CauseFound(
      cause: cause, isRecorded: MigrationReason(rawValue: Int(task.migrationReason)) != nil)
  }

  /// A flush of one mm: of an entry at a time in synchronous migration and in reclaim that cannot
  /// batch, else of the call or fault that the task is in.
  ///
  /// `task_numa_work` runs on the way back to user mode, outside system calls and behind the work of
  /// a fault, and `change_prot_numa` covers megabytes, so its flush is one of the whole mm; nothing
  /// else that a user task does outside a system call flushes a whole mm. `wp_page_copy` flushes one
  /// page inside a write-protect fault.
  func mmCause(_ task: TaskState, pages: Int64) -> CauseFound {
    if task.isInMigration { return migrationCause(task) }
    if task.isKswapd { return CauseFound(cause: .kswapdReclaim, isRecorded: true) }
    if task.isInDirectReclaim { return CauseFound(cause: .directReclaim, isRecorded: true) }
    if task.kind == .kernel { return CauseFound(cause: .kernelThread, isRecorded: false) }
    if task.isInFault, task.isProtectFault, pages == 1 {
      return CauseFound(cause: .copyOnWrite, isRecorded: false)
    }
    if task.call != .none {
      // Without the ends of calls it may be out of the call again; from exit nobody returns.
      return CauseFound(
        cause: task.call.cause, isRecorded: areCallEndsTraced || task.call == .exit)
    }
    let mayScan = task.kind == .user && (areCallsTraced || isHintingSeen)
    if mayScan, pages == -1 { return CauseFound(cause: .numaScan, isRecorded: false) }
    return CauseFound(cause: .unknown, isRecorded: false)
  }

  mutating func migrationStarted(_ task: Int, reason: Int64) {
    areMigrationStartsTraced = true
    tasks.states[task].isInMigration = true
    tasks.states[task].migrationReason = Int8(truncatingIfNeeded: max(-1, min(reason, 127)))
    if reason == Int64(MigrationReason.numaMisplaced.rawValue) { isHintingSeen = true }
    tasks.states[task].forgetEntries()
  }

  /// Counts a page of an unmap batch, and takes what its entry proves of the mapping.
  mutating func pageUnmapped(
    _ cpu: Int, _ time: UInt64, address: UInt64, _ entry: MigrationEntry
  ) {
    let task = Int(cpus[cpu].taskIndex)
    if wanted.contains(.unmappedFault), address < 1 << 57 {
      everUnmapped.add(address >> 12)
      unmappedPages.add(
        address >> 12, frame: followed(entry.sourceFrame), by: cpus[cpu].taskIndex)
    }
    if tasks.states[task].lastEntryFrame != entry.sourceFrame {
      tasks.states[task].replacePage(entry.sourceFrame)
    }
    guard wanted.contains(.userFault), address < 1 << 57 else { return }
    // Whose mapping it is no event says; the faulting task's own is the one at the fault's address.
    if tasks.states[task].migrationReason == Int8(MigrationReason.numaMisplaced.rawValue),
      tasks.states[task].isInMigration, tasks.states[task].faultAddress >> 12 == address >> 12
    {
      addressEvidence.prove(address, in: tasks.states[task].process)
    } else if entry.isWritable(writeType: context.writeEntryType) == true {
      addressEvidence.prove(address, in: 0)
    }
  }

  /// A migration entry became present again.
  mutating func pageMapped(_ cpu: Int, _ time: UInt64, address: UInt64, pte: UInt64) {
    let isPresent = pte != EventBatch.absent && pte & 1 != 0
    guard isPresent, address < 1 << 57 else { return }
    if pte & 2 != 0, wanted.contains(.userFault) { addressEvidence.prove(address, in: 0) }
    guard wanted.contains(.pageMapped) else { return }
    let record = PageMapping(
      address: address, frame: followed(pte >> 12 & (1 << 40 - 1)), isWritable: pte & 2 != 0)
    let number = pageMappings.append(record, at: nextPosition)
    emit(.pageMapped, cpu, time, subject: number)
  }

  mutating func pageRemoved(
    _ batch: borrowing EventBatch, _ row: Int, _ cpu: Int, _ time: UInt64
  ) {
    arePageRemovalsTraced = true
    // Reclaim takes pages out of the cache too, and has unmapped them itself.
    let shootdownsSoFar = shootdownsBase &+ UInt32(shootdowns.count)
    if tasks.states[Int(cpus[cpu].taskIndex)].payer == .user {
      emit(.pageCacheRemoved, cpu, time)
    } else if cpus[cpu].reclaimedAfter != shootdownsSoFar {
      cpus[cpu].reclaimedAfter = shootdownsSoFar
      emit(.pageReclaimed, cpu, time)
    }
    guard wanted.contains(.pageReturned) else { return }
    let task = cpus[cpu].taskIndex
    let payer = tasks.states[Int(task)].payer
    // A user outside reclaim truncates or invalidates, and unmaps by another way.
    guard payer != .user, payer != .idle else { return }
    removedPages.add(cacheChange(batch, row), by: task)
  }

  mutating func pageAdded(
    _ batch: borrowing EventBatch, _ row: Int, _ cpu: Int, _ time: UInt64
  ) {
    guard wanted.contains(.pageReturned), let page = removedPages.take(cacheChange(batch, row))
    else { return }
    let task = tasks.states[Int(cpus[cpu].taskIndex)]
    let record = ReturnedPage(
      frame: page.frame, isInWrite: task.call == .write && !task.isInFault)
    let number = returnedPages.append(record, at: nextPosition)
    emit(.pageReturned, cpu, time, subject: number, batch: page.batch)
    batchNumbers.release(page.batch, at: nextPosition)
  }

  private mutating func cacheChange(
    _ batch: borrowing EventBatch, _ row: Int
  ) -> PageCacheChange {
    PageCacheChange(
      device: batch.word(row, FilemapChange.device), inode: batch.word(row, FilemapChange.inode),
      index: batch.word(row, FilemapChange.index),
      frame: followed(batch.word(row, FilemapChange.pfn)))
  }

  private mutating func followed(_ pfn: UInt64) -> UInt32? {
    guard pfn != 0, pfn != EventBatch.absent, pfn < FrameTable.pfnLimit else { return nil }
    return frames.index(of: pfn).map { UInt32(truncatingIfNeeded: $0) }
  }
}
