import Machine
import Replay
import TraceEvents

/// A system call that changes mappings, or a round of several: where it stands.
struct CallJob {
  enum Phase {
    case none, touch, protect, protectFlush, write, unmap, zap, free, unmapEnd, pinned
  }

  var phase = Phase.none
  var pattern = ScenarioPhase.Pattern.churn
  var mapping = -1
  var first = 0
  var pages = 0
  var position = 0
  var draw: UInt64 = 0
  /// Frames that the unmap leaves without an owner.
  var frames: [Int32] = []
  var pinned: Int32 = -1
}

extension Simulation {
  private static let mmapCall: UInt64 = 9
  private static let mprotectCall: UInt64 = 10
  private static let munmapCall: UInt64 = 11
  private static let writeCall: UInt64 = 1
  private static let pwriteCall: UInt64 = 18
  /// PROT_READ and PROT_WRITE; MAP_PRIVATE and MAP_ANONYMOUS; MAP_SHARED and MAP_FIXED.
  private static let readWrite: UInt64 = 3
  private static let privateAnonymous: UInt64 = 0x22
  private static let sharedFixed: UInt64 = 0x11
  private static let churnPagesMax: UInt64 = 16

  /// Begins a round of calls.
  mutating func beginCall(_ phase: ScenarioPhase, _ mapping: Int, _ task: Int, _ cpu: Int) {
    var job = CallJob()
    job.pattern = phase.pattern
    job.draw = tasks[task].program.random.next()
    let unit = max(phase.unitPages, 1)
    switch phase.pattern {
    case .churn:
      job.pages = 1 + Int((job.draw >> 20) % UInt64(min(UInt64(unit), Self.churnPagesMax)))
      job.mapping = mapAnonymous(job.pages, task, cpu)
      job.phase = .touch
    case .remap:
      job.mapping = mapping
      job.pages = min(unit, mappings[mapping].frames.count)
      job.first = Int(job.draw >> 1) % max(mappings[mapping].frames.count - job.pages + 1, 1)
      enter(
        Self.mmapCall, cpu, address(mapping, job.first), UInt64(job.pages) << 12,
        mappings[mapping].isWritable ? 3 : 1, Self.sharedFixed)
      job.phase = .unmap
    case .pin:
      job.mapping = mapping
      job.first = Int(job.draw >> 1) % max(mappings[mapping].frames.count, 1)
      job.phase = .touch
      job.pages = 1
    default:
      enter(Self.writeCall, cpu, 3, 0x7ffe_0000_1000, UInt64(unit) << 12)
      cpus[cpu].clock += costs.readPage * UInt64(unit)
      leave(Self.writeCall, UInt64(unit) << 12, task, cpu)
      endRound(task, phase.compute)
      return
    }
    tasks[task].call = job
  }

  private func address(_ mapping: Int, _ place: Int) -> UInt64 {
    mappings[mapping].address + UInt64(place) << 12
  }

  private mutating func enter(
    _ call: UInt64, _ cpu: Int, _ a: UInt64, _ b: UInt64, _ c: UInt64 = 0, _ d: UInt64 = 0
  ) {
    cpus[cpu].clock += costs.systemCall
    emit(.rawSysEnter, cpu, call, a, b, c, d)
  }

  private mutating func leave(_ call: UInt64, _ result: UInt64, _ task: Int, _ cpu: Int) {
    emit(.rawSysExit, cpu, call, result)
    if call == Self.writeCall || call == Self.pwriteCall {
      policy.note(.fileWriteEnd, cpu: cpu, task: task, time: cpus[cpu].clock)
      takeFlushes(task)
    }
    cpus[cpu].clock += costs.systemCall
  }

  private mutating func mapAnonymous(_ pages: Int, _ task: Int, _ cpu: Int) -> Int {
    enter(
      Self.mmapCall, cpu, 0, UInt64(pages) << 12, Self.readWrite, Self.privateAnonymous)
    policy.note(.writableMapping, cpu: cpu, task: task, time: cpus[cpu].clock)
    takeFlushes(task)
    let process = tasks[task].process
    // Addresses of small mappings come again, as the kernel's do: each thread has a place of its own.
    let place =
      0x7e00_0000_0000 + UInt64(process) << 36 + UInt64(tasks[task].program.thread) << 24
    let mapping = addMapping(
      process, file: -1, offset: 0, pages: pages, isShared: false, isWritable: true, at: place)
    leave(Self.mmapCall, place, task, cpu)
    return mapping
  }

  mutating func stepCall(_ task: Int, _ cpu: Int) {
    switch tasks[task].call.phase {
    case .none: break
    case .touch: touchNext(task, cpu)
    case .protect: protect(task, cpu)
    case .protectFlush: endProtect(task, cpu)
    case .write: writePage(task, cpu)
    case .unmap: beginUnmap(task, cpu)
    case .zap: zap(task, cpu)
    case .free: freeUnmapped(task, cpu)
    case .unmapEnd: endUnmap(task, cpu)
    case .pinned: unpin(task, cpu)
    }
  }

  private mutating func touchNext(_ task: Int, _ cpu: Int) {
    let job = tasks[task].call
    guard job.position < job.pages else {
      if job.pattern == .pin { return pin(task, cpu) }
      tasks[task].call.phase = job.draw & 1 == 1 ? .protect : .write
      return
    }
    let place = job.first + job.position
    let isWrite = mappings[job.mapping].isWritable
    var time: UInt64 = 0
    let frame = mappings[job.mapping].frames[place]
    let bits = mappings[job.mapping].bits[place]
    guard frame >= 0, bits & PTE.inaccessible == 0, !isWrite || bits & PTE.writable != 0 else {
      return beginFault(job.mapping, place, isWrite: isWrite, task, cpu)
    }
    mappings[job.mapping].bits[place] |= PTE.accessed | (isWrite ? PTE.dirty : 0)
    time = nodeReadCost[memory.node(of: frame)]
    tasks[task].computeLeft = time
    tasks[task].call.position += 1
    if isTracing { summary.touched += 1 }
  }

  // MARK: mprotect, pwrite

  private mutating func protect(_ task: Int, _ cpu: Int) {
    let job = tasks[task].call
    let process = mappings[job.mapping].process
    if job.first == 0 {
      enter(
        Self.mprotectCall, cpu, address(job.mapping, 0), UInt64(job.pages) << 12, 1)
      // From here on the call has been entered.
      tasks[task].call.first = 1
      if flushBatchedPending(process, .mprotect, task, cpu) { return }
    }
    for place in 0..<job.pages { mappings[job.mapping].bits[place] &= ~PTE.writable }
    mappings[job.mapping].isWritable = false
    tasks[task].call.first = 0
    tasks[task].call.phase = .protectFlush
    flushMM(process, pages: job.pages, .mprotect, task, cpu)
  }

  private mutating func endProtect(_ task: Int, _ cpu: Int) {
    let job = tasks[task].call
    policy.changedRange(
      address: address(job.mapping, 0), bytes: UInt64(job.pages) << 12, cpu: cpu, task: task,
      time: cpus[cpu].clock)
    takeFlushes(task)
    leave(Self.mprotectCall, 0, task, cpu)
    tasks[task].call.phase = .write
  }

  /// Every fourth round writes a page of a log that stays in the page cache.
  private mutating func writePage(_ task: Int, _ cpu: Int) {
    tasks[task].call.phase = .unmap
    if tasks[task].program.done & 3 == 0 {
      enter(
        Self.pwriteCall, cpu, 3, 0x7ffe_0000_1000, 4096, (tasks[task].call.draw >> 30) % 16 << 12)
      cpus[cpu].clock += costs.readPage
      leave(Self.pwriteCall, 4096, task, cpu)
    }
    let job = tasks[task].call
    enter(Self.munmapCall, cpu, address(job.mapping, job.first), UInt64(job.pages) << 12)
  }

  // MARK: munmap, and mmap over a mapping

  private mutating func beginUnmap(_ task: Int, _ cpu: Int) {
    let job = tasks[task].call
    let range = job.first..<job.first + job.pages
    if range.contains(where: { mappings[job.mapping].frames[$0] == PTE.migrating }) {
      pageWaiters.append((task, PTE.migrating))
      return sleep(task, cpu, uninterruptible: true)
    }
    tasks[task].call.phase = .zap
    let cause = job.pattern == .remap ? FlushCause.mmap : .munmap
    _ = flushBatchedPending(mappings[job.mapping].process, cause, task, cpu)
  }

  /// `zap_pte_range` and the flush of its `mmu_gather`.
  private mutating func zap(_ task: Int, _ cpu: Int) {
    let job = tasks[task].call
    let range = job.first..<job.first + job.pages
    var found = 0
    var loose: [Int32] = []
    for place in range where mappings[job.mapping].frames[place] >= 0 {
      let frame = mappings[job.mapping].frames[place]
      found += 1
      cpus[cpu].clock += costs.mapPage
      if mappings[job.mapping].bits[place] & PTE.own != 0 { loose.append(frame) }
      mappings[job.mapping].frames[place] = PTE.none
      mappings[job.mapping].bits[place] = 0
    }
    for frame in loose { memory.isolate(frame) }
    tasks[task].call.frames = loose
    tasks[task].call.phase = .free
    if found > 0 {
      let cause = job.pattern == .remap ? FlushCause.mmap : .munmap
      flushMM(mappings[job.mapping].process, pages: job.pages, cause, task, cpu)
    }
  }

  /// `free_pages_and_swap_cache`, behind the flush.
  private mutating func freeUnmapped(_ task: Int, _ cpu: Int) {
    let loose = tasks[task].call.frames
    for frame in loose { emit(.pageFree, cpu, pfn(frame), 0) }
    for frame in loose {
      emit(.pageFreeBatched, cpu, pfn(frame), 0)
      free(frame, isOwed: false, task, cpu)
    }
    tasks[task].call.frames = []
    tasks[task].call.phase = .unmapEnd
  }

  private mutating func endUnmap(_ task: Int, _ cpu: Int) {
    let job = tasks[task].call
    policy.changedRange(
      address: address(job.mapping, job.first), bytes: UInt64(job.pages) << 12, cpu: cpu,
      task: task, time: cpus[cpu].clock)
    takeFlushes(task)
    if job.pattern == .remap {
      if mappings[job.mapping].isWritable {
        policy.note(.writableMapping, cpu: cpu, task: task, time: cpus[cpu].clock)
        takeFlushes(task)
      }
      leave(Self.mmapCall, address(job.mapping, job.first), task, cpu)
    } else {
      leave(Self.munmapCall, 0, task, cpu)
      mappings[job.mapping].isLive = false
      freeMappings.append(job.mapping)
      processes[mappings[job.mapping].process].mappings.removeAll { $0 == job.mapping }
    }
    let phase = scenario.processes[tasks[task].process].phases[tasks[task].program.phase]
    endRound(task, phase.compute)
  }

  private mutating func endRound(_ task: Int, _ compute: UInt64) {
    tasks[task].call = CallJob()
    tasks[task].program.done += 1
    tasks[task].computeLeft += compute
  }

  // MARK: Pins

  /// `get_user_pages`: the page cannot move or go while it is pinned.
  private mutating func pin(_ task: Int, _ cpu: Int) {
    let job = tasks[task].call
    let frame = mappings[job.mapping].frames[job.first]
    guard frame >= 0 else {
      tasks[task].call.position = 0
      return
    }
    frames[Int(frame)].pins += frames[Int(frame)].pins < .max ? 1 : 0
    tasks[task].call.pinned = frame
    tasks[task].call.phase = .pinned
    let phase = scenario.processes[tasks[task].process].phases[tasks[task].program.phase]
    tasks[task].computeLeft += phase.compute
  }

  private mutating func unpin(_ task: Int, _ cpu: Int) {
    let frame = Int(tasks[task].call.pinned)
    if frames[frame].pins > 0 { frames[frame].pins -= 1 }
    endRound(task, 0)
  }
}
