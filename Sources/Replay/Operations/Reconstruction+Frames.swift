import TraceEvents

extension Reconstruction {
  /// `MAX_PAGE_ORDER` of x86-64 is 10 (Linux 6.12 `include/linux/mmzone.h`); beyond is damage.
  private static let orderMax: UInt64 = 10

  /// Frames of a block; nil where the event does not name one (a failed allocation).
  private mutating func block(_ pfn: UInt64, _ order: UInt64) -> Range<UInt64>? {
    guard pfn != EventBatch.absent, pfn != .max, pfn != 0 else { return nil }
    let order = order == EventBatch.absent ? 0 : order
    guard order <= Self.orderMax, pfn < FrameTable.pfnLimit else {
      counts.impossibleBlocks += 1
      return nil
    }
    return pfn..<(pfn + (1 << order))
  }

  mutating func allocated(
    _ cpu: Int, _ time: UInt64, pfn: UInt64, _ order: UInt64, isAtomic: Bool, isMovable: Bool
  ) {
    counts.allocations += 1
    if isAtomic { counts.addressSpaces.atomicAllocations += 1 }
    guard let block = block(pfn, order) else { return }
    for frame in block {
      guard let index = frames.index(of: frame) else { continue }
      var state = frames[index]
      switch state.life {
      case .unknown: counts.framesFirstSeenAllocated += 1
      case .allocated: counts.framesAllocatedTwice += 1
      case .free: counts.framesReused += 1
      }
      if state.isFreedWithBatch { counts.batchFramesReused += 1 }
      tellAllocated(index, state, cpu, time, isAtomic: isAtomic, isMovable: isMovable)
      state.life = .allocated
      state.isFreedWithBatch = false
      state.isFreedBehindFlush = false
      state.batch = 0
      frames[index] = state
    }
    let task = Int(cpus[cpu].taskIndex)
    if tasks.states[task].hasRefilled {
      tasks.states[task].hasRefilled = false
      emit(.taskAllocated, cpu, time, isAtomic: isAtomic)
    }
  }

  /// Tells those who follow a frame that it is in use.
  private mutating func tellAllocated(
    _ index: Int, _ state: FrameTable.State, _ cpu: Int, _ time: UInt64, isAtomic: Bool,
    isMovable: Bool
  ) {
    if state.isFreedBehindFlush {
      emit(
        .unmappedFrameAllocated, cpu, time, subject: UInt32(index), batch: state.batch,
        isAtomic: isAtomic, isMovable: isMovable)
      batchNumbers.release(state.batch, at: nextPosition)
    } else if state.wasUnmapped {
      emit(
        .onceUnmappedAllocated, cpu, time, subject: UInt32(index),
        batch: state.isFreedWithBatch ? state.batch : 0, isAtomic: isAtomic, isMovable: isMovable)
    }
    guard state.isFreedWithBatch else { return }
    let passage = followsBuddy ? passages.taken(index, frames) : BuddyPassage()
    emit(
      .frameAllocated, cpu, time, subject: UInt32(index), batch: state.batch, passage: passage,
      isAtomic: isAtomic)
    batchNumbers.release(state.batch, at: nextPosition)
  }

  /// A frame goes from buddy to a per-CPU list (or straight to the allocation that follows).
  mutating func refilled(_ cpu: Int, _ time: UInt64, pfn: UInt64, _ order: UInt64) {
    guard let block = block(pfn, order) else { return }
    for frame in block {
      guard let index = frames.index(of: frame), frames[index].isFreedWithBatch else { continue }
      let passage = followsBuddy ? passages.refilled(index, frames) : BuddyPassage()
      emit(
        .frameRefilled, cpu, time, subject: UInt32(index), batch: frames[index].batch,
        passage: passage)
      tasks.states[Int(cpus[cpu].taskIndex)].hasRefilled = true
    }
  }

  /// A frame goes from a per-CPU list back to buddy.
  mutating func drained(_ cpu: Int, _ time: UInt64, pfn: UInt64, _ order: UInt64) {
    guard followsBuddy, let block = block(pfn, order) else { return }
    for frame in block {
      guard let index = frames.index(of: frame), frames[index].isFreedWithBatch else { continue }
      emit(
        .frameDrained, cpu, time, subject: UInt32(index), batch: frames[index].batch,
        passage: passages.drained(index, frames))
    }
  }

  /// `mm_page_free` says that a page is given up, `mm_page_free_batched` follows it for those that
  /// go in a folio batch (Linux 6.12 `mm/page_alloc.c` `free_unref_folios`): one free, two events.
  mutating func freed(
    _ cpu: Int, _ time: UInt64, pfn: UInt64, _ order: UInt64, isBatched: Bool = false
  ) {
    guard let block = block(pfn, order) else { return }
    let task = Int(cpus[cpu].taskIndex)
    for frame in block {
      guard let index = frames.index(of: frame) else { continue }
      var state = frames[index]
      if state.life == .free {
        if !isBatched { counts.framesFreedTwice += 1 }
        continue
      }
      counts.framesFreed += 1
      let batch = batchOfFree(state, task, order: order)
      let unmap =
        batch == 0 && tasks.states[task].isFreeingUnmapped ? tasks.states[task].flushedUnmap : 0
      state.life = .free
      state.batch = batch | unmap
      state.isFreedWithBatch = batch != 0
      if unmap != 0 {
        state.wasUnmapped = true
        state.isFreedBehindFlush = true
        batchNumbers.hold(unmap)
        noteFreed(.unmappedFramesFreed, with: unmap, cpu, time)
      }
      frames[index] = state
      if batch != 0 {
        counts.batchFramesFreed += 1
        counts.causes.framesFreed[Int(tasks.states[task].flushedCause.rawValue)] += 1
        batchNumbers.hold(batch)
        noteFreed(.framesFreed, with: batch, cpu, time)
        emit(.frameFreed, cpu, time, subject: UInt32(index), batch: batch)
      }
    }
  }

  /// The number of the flushed unmap batch that a free belongs to; 0 none.
  private mutating func batchOfFree(
    _ state: FrameTable.State, _ task: Int, order: UInt64
  ) -> UInt32 {
    let flushed = tasks.states[task].flushedNumber
    if state.batch != 0 {
      if state.batch == tasks.states[task].flushedBatch { return flushed }
      // Freed before any flush: it was not mapped, or each of its entries was flushed at once.
      if state.batch == tasks.states[task].openBatch, tasks.states[task].deleted > 0 {
        tasks.states[task].deleted -= 1
      }
      return 0
    }
    guard tasks.states[task].isFreeingBatch, order == 0 || order == EventBatch.absent else {
      return 0
    }
    counts.batchFramesByOrder += 1
    return flushed
  }

  /// A page leaves the page cache: with reclaim, just before the flush of its batch.
  mutating func deleted(_ cpu: Int, _ time: UInt64, pfn: UInt64, _ order: UInt64) {
    let task = Int(cpus[cpu].taskIndex)
    mark(pfn, on: cpu, at: time)
    if order != EventBatch.absent, order > 0 {
      tasks.states[task].largeFolios &+= 1
    } else {
      tasks.states[task].deleted &+= 1
    }
  }

  /// A page-table entry is replaced for a migration.
  mutating func entrySet(
    _ cpu: Int, _ time: UInt64, _ entry: MigrationEntry, order: UInt64
  ) {
    let task = Int(cpus[cpu].taskIndex)
    mark(entry.sourceFrame, on: cpu, at: time)
    if order != EventBatch.absent, order > 0 { tasks.states[task].largeFolios &+= 1 }
    switch entry.isWritable(writeType: context.writeEntryType) {
    case true?: tasks.states[task].writableEntries &+= 1
    case false?: tasks.states[task].readOnlyEntries &+= 1
    case nil: tasks.states[task].unclearEntries &+= 1
    }
  }

  private mutating func mark(_ pfn: UInt64, on cpu: Int, at time: UInt64) {
    let task = Int(cpus[cpu].taskIndex)
    if tasks.states[task].openBatch == 0 { tasks.states[task].openBatch = newBatch() }
    guard pfn != 0, pfn != EventBatch.absent, let index = frames.index(of: pfn) else { return }
    var state = frames[index]
    // If it was free it is in use though no event gave it away (compaction takes free frames without
    // one), so whatever it owed came due by now at the latest.
    if state.life == .free {
      tellAllocated(index, state, cpu, time, isAtomic: false, isMovable: true)
    }
    state.batch = tasks.states[task].openBatch
    state.isFreedWithBatch = false
    state.isFreedBehindFlush = false
    state.life = .allocated
    frames[index] = state
  }

  mutating func migrationEnded(_ cpu: Int, _ time: UInt64) {
    let task = Int(cpus[cpu].taskIndex)
    let state = tasks.states[task]
    // A flush would have taken the entries: those of a hinting fault were inaccessible.
    if state.isInMigration, state.hasEntries,
      Int(state.migrationReason) == MigrationReason.numaMisplaced.rawValue
    {
      emit(.inaccessibleUnmap, cpu, time)
    }
    tasks.states[task].isInMigration = false
    tasks.states[task].forgetEntries()
    if tasks.states[task].deleted == 0 { tasks.states[task].openBatch = 0 }
  }
}
