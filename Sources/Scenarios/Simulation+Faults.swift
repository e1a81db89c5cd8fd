import Machine
import Replay
import TraceEvents

/// A page fault: where it stands.
struct FaultJob {
  enum Phase {
    case none, lookUp, allocate, commit, transfer, copied, wait, map, copyFlush, copyDone, hinting
  }

  var phase = Phase.none
  var mapping = 0
  var place = 0
  var isWrite = false
  /// Pages of the file that are still to be allocated, and those that are read already.
  var next = 0
  var end = 0
  var isSynchronous = false
  /// Whether it is no fault but a read(2).
  var isUnmapped = false
  /// Whether the hint has been taken.
  var isHinted = false
  var transfer: [Int32] = []
  /// The frame that has been taken, and the one that it replaces.
  var frame: Int32 = -1
  var old: Int32 = -1
  var reclaims = 0
  var lastReclaimed = 0
}

extension Simulation {
  static let aheadMax = 32
  /// `MMAP_LOTSAMISS`.
  static let missesMax = 100
  /// `fault_around_bytes`, in pages.
  static let aroundMax = 16
  static let reclaimsMax = 16

  /// A thread touched a page that it has no usable entry for.
  mutating func beginFault(
    _ mapping: Int, _ place: Int, isWrite: Bool, _ task: Int, _ cpu: Int
  ) {
    let isPresent = mappings[mapping].frames[place] >= 0
    let address = mappings[mapping].address + UInt64(place) << 12
    // An inaccessible entry is not present to the hardware.
    let isHint = isPresent && mappings[mapping].bits[place] & PTE.inaccessible != 0
    emit(
      .pageFaultUser, cpu, address, 0x40_1000,
      (isPresent && !isHint ? 1 : 0) | (isWrite ? 2 : 0) | 4)
    if isTracing { summary.faults += 1 }
    cpus[cpu].clock += costs.fault
    policy.fault(
      address: address, isWrite: isWrite,
      mayWrite: mappings[mapping].isWritable || !mappings[mapping].isShared, cpu: cpu, task: task,
      time: cpus[cpu].clock)
    takeFlushes(task)
    var job = FaultJob()
    job.mapping = mapping
    job.place = place
    job.isWrite = isWrite
    job.phase = .lookUp
    if isHint {
      job.phase = .hinting
    } else if isPresent {
      // The entry is there but protected.
      policy.note(.writeProtectFault, cpu: cpu, task: task, time: cpus[cpu].clock)
      takeFlushes(task)
    }
    tasks[task].fault = job
  }

  mutating func stepFault(_ task: Int, _ cpu: Int) {
    switch tasks[task].fault.phase {
    case .none: break
    case .lookUp: lookUp(task, cpu)
    case .allocate: allocateForFault(task, cpu)
    case .commit: commit(task, cpu)
    case .transfer: submit(task, cpu)
    case .copied:
      let list = tasks[task].fault.transfer
      tasks[task].fault.transfer = []
      endTransfer(task)
      unlock(list, at: cpus[cpu].clock)
    case .wait: waitForPage(task, cpu)
    case .map: mapAround(task, cpu)
    case .copyFlush: replaceEntry(task, cpu)
    case .copyDone: releaseCopied(task, cpu)
    case .hinting: hintingFault(task, cpu)
    }
  }

  mutating func endFault(_ task: Int) { tasks[task].fault.phase = .none }

  /// `handle_pte_fault` and `filemap_fault`: what has to be done.
  private mutating func lookUp(_ task: Int, _ cpu: Int) {
    let job = tasks[task].fault
    let mapping = job.mapping
    guard mappings[mapping].isLive else { return endFault(task) }
    let present = mappings[mapping].frames[job.place]
    if present == PTE.migrating { return waitForMigration(task, cpu) }
    if present >= 0 { return writeToProtected(present, task, cpu) }
    guard mappings[mapping].file >= 0 else {
      tasks[task].fault.phase = .allocate
      return
    }
    let file = mappings[mapping].file
    let page = mappings[mapping].offset + job.place
    let frame = files[file].frames[page]
    if frame < 0 {
      planRead(file, page, task)
    } else if files[file].marks[page] {
      files[file].marks[page] = false
      planReadAhead(file, page, task)
    } else {
      tasks[task].fault.phase = .wait
    }
  }

  /// read(2) of a page that is not in the page cache, and of those behind it.
  mutating func beginRead(_ mapping: Int, _ place: Int, _ task: Int) {
    var job = FaultJob()
    job.mapping = mapping
    job.place = place
    job.isUnmapped = true
    job.isSynchronous = true
    job.phase = .allocate
    job.next = mappings[mapping].offset + place
    job.end = min(job.next + Self.aheadMax, files[mappings[mapping].file].frames.count)
    tasks[task].fault = job
  }

  private mutating func waitForMigration(_ task: Int, _ cpu: Int) {
    // Who moves the page wakes everybody who waits for it; then the fault starts anew.
    pageWaiters.append((task, PTE.migrating))
    sleep(task, cpu, uninterruptible: true)
  }

  // MARK: Reading

  /// `do_sync_mmap_readahead`: around the page, unless the file is read at random.
  private mutating func planRead(_ file: Int, _ page: Int, _ task: Int) {
    if files[file].misses < Self.missesMax * 10 { files[file].misses += 1 }
    tasks[task].fault.isSynchronous = true
    tasks[task].fault.phase = .allocate
    tasks[task].fault.next = page
    tasks[task].fault.end = page + 1
    guard files[file].misses <= Self.missesMax else { return }
    let start = max(page - Self.aheadMax / 2, 0)
    files[file].aheadStart = start
    files[file].aheadSize = Self.aheadMax
    files[file].aheadAsync = Self.aheadMax / 4
    planRange(file, task)
  }

  /// `page_cache_async_ra`, for a thread that came to the mark of the last read.
  private mutating func planReadAhead(_ file: Int, _ page: Int, _ task: Int) {
    let expected = files[file].aheadStart + files[file].aheadSize - files[file].aheadAsync
    if page == expected {
      files[file].aheadStart += files[file].aheadSize
    } else {
      var start = page + 1
      while start < files[file].frames.count, files[file].frames[start] >= 0 { start += 1 }
      files[file].aheadStart = start
    }
    files[file].aheadSize = Self.aheadMax
    files[file].aheadAsync = Self.aheadMax
    tasks[task].fault.isSynchronous = false
    tasks[task].fault.phase = .allocate
    planRange(file, task)
  }

  private mutating func planRange(_ file: Int, _ task: Int) {
    let count = files[file].frames.count
    let start = min(files[file].aheadStart, count)
    let end = min(start + files[file].aheadSize, count)
    let mark = files[file].aheadStart + files[file].aheadSize - files[file].aheadAsync
    if mark < end, mark >= start, files[file].frames[mark] < 0 { files[file].marks[mark] = true }
    tasks[task].fault.next = start
    tasks[task].fault.end = end
  }

  /// The next page of the read, or the page of anonymous memory, gets a frame.
  private mutating func allocateForFault(_ task: Int, _ cpu: Int) {
    let job = tasks[task].fault
    let file = mappings[job.mapping].file
    if file >= 0, job.old < 0 {
      var next = job.next
      while next < job.end, files[file].frames[next] >= 0 { next += 1 }
      // `page_cache_ra_unbounded` submits what it has where it meets a page that is there.
      let isCut = next > job.next && !job.transfer.isEmpty
      tasks[task].fault.next = next
      guard next < job.end, !isCut else {
        tasks[task].fault.phase = .transfer
        return
      }
    }
    let node = homeNode(cpu)
    if let frame = allocate(node, task, cpu) {
      tasks[task].fault.frame = frame
      tasks[task].fault.phase = .commit
      tasks[task].fault.reclaims = 0
      return
    }
    if job.reclaims > 0, job.lastReclaimed == 0 { drainLists(task, cpu) }
    guard job.reclaims < Self.reclaimsMax else {
      return fail(
        "out of memory: \(job.reclaims) rounds of direct reclaim freed nothing for "
          + names[tasks[task].name])
    }
    beginDirectReclaim(node, task, cpu)
  }

  /// The frame is the task's: `filemap_add_folio`, or the entry of an anonymous page.
  private mutating func commit(_ task: Int, _ cpu: Int) {
    let job = tasks[task].fault
    let frame = job.frame
    tasks[task].fault.frame = -1
    let file = mappings[job.mapping].file
    if job.old >= 0 || file < 0 {
      noteAllocated(frame, .anonymous, cpu)
      tasks[task].fault.frame = frame
      cpus[cpu].clock += costs.readPage
      tasks[task].fault.phase = .copyFlush
      return
    }
    noteAllocated(frame, .readahead, cpu)
    tasks[task].fault.phase = .allocate
    if files[file].frames[job.next] >= 0 {
      // Somebody else was faster.
      emit(.pageFree, cpu, pfn(frame), 0)
      return free(frame, isOwed: false, task, cpu)
    }
    files[file].frames[job.next] = frame
    var use = FrameUse()
    use.kind = .file
    use.isLocked = true
    use.owner = Int32(file)
    use.page = Int32(job.next)
    frames[Int(frame)] = use
    memory.insert(frame, .inactiveFile)
    cpus[cpu].clock += costs.cachePage
    emit(.filemapAdd, cpu, pfn(frame), files[file].inode, UInt64(job.next), 0x10_0000, 0)
    if isTracing { summary.cached += 1 }
    tasks[task].fault.transfer.append(frame)
    tasks[task].fault.next += 1
  }

  /// The device is asked for the pages; where it is memory, the task copies them itself.
  private mutating func submit(_ task: Int, _ cpu: Int) {
    let list = tasks[task].fault.transfer
    tasks[task].fault.transfer = []
    endTransfer(task)
    guard !list.isEmpty else { return }
    // Submitting takes the reader's time, but can be interrupted.
    tasks[task].computeLeft += costs.readPage * UInt64(list.count)
    guard costs.deviceLatency > 0 else {
      tasks[task].fault.transfer = list
      tasks[task].fault.phase = .copied
      return
    }
    let place: Int
    if let reused = freeTransfers.popLast() {
      transfers[reused] = list
      place = reused
    } else {
      place = transfers.count
      transfers.append(list)
    }
    deviceBusyUntil =
      max(deviceBusyUntil, cpus[cpu].clock) + costs.devicePage * UInt64(list.count)
    timers.add(
      .deviceDone, place, at: max(deviceBusyUntil, cpus[cpu].clock + costs.deviceLatency))
  }

  /// What was read is on its way: the rest of the read, or the wait for the page.
  private mutating func endTransfer(_ task: Int) {
    let isRest = tasks[task].fault.next < tasks[task].fault.end
    tasks[task].fault.phase = isRest ? .allocate : .wait
  }

  mutating func finishTransfer(_ place: Int, at time: UInt64) {
    let list = transfers[place]
    transfers[place] = []
    freeTransfers.append(place)
    unlock(list, at: time)
  }

  private mutating func unlock(_ list: [Int32], at time: UInt64) {
    for frame in list { frames[Int(frame)].isLocked = false }
    guard !pageWaiters.isEmpty else { return }
    var kept = 0
    for waiter in pageWaiters {
      if waiter.frame >= 0, !frames[Int(waiter.frame)].isLocked {
        wake(waiter.task, at: time)
      } else {
        pageWaiters[kept] = waiter
        kept += 1
      }
    }
    pageWaiters.removeLast(pageWaiters.count - kept)
  }

  /// A migration is through: those who ran into its entries try again.
  mutating func wakeMigrationWaiters(at time: UInt64) {
    guard !pageWaiters.isEmpty else { return }
    for waiter in pageWaiters where waiter.frame == PTE.migrating { wake(waiter.task, at: time) }
    pageWaiters.removeAll { $0.frame == PTE.migrating }
  }

  private mutating func waitForPage(_ task: Int, _ cpu: Int) {
    let job = tasks[task].fault
    let page = mappings[job.mapping].offset + job.place
    let frame = files[mappings[job.mapping].file].frames[page]
    guard frame >= 0 else {
      if job.isUnmapped { return endFault(task) }
      // Reclaimed before it could be mapped.
      tasks[task].fault.phase = .lookUp
      return
    }
    guard frames[Int(frame)].isLocked else {
      tasks[task].fault.phase = job.isUnmapped ? .none : .map
      return
    }
    pageWaiters.append((task, frame))
    sleep(task, cpu, uninterruptible: true)
  }

  // MARK: Mapping

  /// `do_fault_around`: the pages of the aligned window that are there and read, and the page itself.
  private mutating func mapAround(_ task: Int, _ cpu: Int) {
    let job = tasks[task].fault
    let mapping = job.mapping
    let file = mappings[mapping].file
    let offset = mappings[mapping].offset
    let first = job.place & ~(Self.aroundMax - 1)
    let last = min(first + Self.aroundMax, mappings[mapping].frames.count)
    var mapped = 0
    for place in first..<last where mappings[mapping].frames[place] == PTE.none {
      let frame = files[file].frames[offset + place]
      let isSkipped = files[file].marks[offset + place] && place != job.place
      guard frame >= 0, !frames[Int(frame)].isLocked, !isSkipped else { continue }
      mappings[mapping].frames[place] = frame
      mappings[mapping].bits[place] = PTE.accessed
      mapped += 1
    }
    cpus[cpu].clock += costs.mapPage * UInt64(mapped)
    files[file].misses = max(files[file].misses - mapped, 0)
    if job.isWrite {
      tasks[task].fault.phase = .lookUp
    } else {
      endFault(task)
    }
  }

  // MARK: Writing

  /// `do_wp_page`: a private page of a file is copied, an own page made writable again.
  private mutating func writeToProtected(_ frame: Int32, _ task: Int, _ cpu: Int) {
    let job = tasks[task].fault
    let bits = mappings[job.mapping].bits[job.place]
    guard job.isWrite, bits & PTE.writable == 0 else { return endFault(task) }
    if bits & PTE.own != 0 || mappings[job.mapping].isShared {
      mappings[job.mapping].bits[job.place] |= PTE.writable | PTE.dirty | PTE.accessed
      return endFault(task)
    }
    tasks[task].fault.old = frame
    tasks[task].fault.phase = .allocate
  }

  /// The new page takes its place; the entry that it replaces is flushed (`ptep_clear_flush`).
  private mutating func replaceEntry(_ task: Int, _ cpu: Int) {
    let job = tasks[task].fault
    let mapping = job.mapping
    let frame = job.frame
    let present = mappings[mapping].frames[job.place]
    if present != job.old, present != PTE.none || job.old >= 0 {
      // The page went away, or somebody else was faster: start again.
      emit(.pageFree, cpu, pfn(frame), 0)
      free(frame, isOwed: false, task, cpu)
      tasks[task].fault.old = -1
      tasks[task].fault.frame = -1
      tasks[task].fault.phase = .lookUp
      return
    }
    var use = FrameUse()
    use.kind = .anonymous
    use.owner = Int32(mapping)
    use.page = Int32(job.place)
    frames[Int(frame)] = use
    memory.insert(frame, .inactiveAnonymous)
    memory.setReferenced(frame, true)
    mappings[mapping].frames[job.place] = frame
    mappings[mapping].bits[job.place] =
      PTE.accessed | PTE.own
      | (mappings[mapping].isWritable ? PTE.writable | (job.isWrite ? PTE.dirty : 0) : 0)
    tasks[task].fault.phase = .copyDone
    if present >= 0 {
      flushMM(mappings[mapping].process, pages: 1, .copyOnWrite, task, cpu)
    }
  }

  private mutating func releaseCopied(_ task: Int, _ cpu: Int) {
    cpus[cpu].clock += costs.mapPage
    endFault(task)
  }
}
