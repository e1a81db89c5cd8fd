import TraceEvents
import TraceWriting

extension EventMix {
  /// Decides what a CPU does next, now that all it did is written.
  mutating func plan(_ cpu: Int) {
    cpus[cpu].pending.removeAll(keepingCapacity: true)
    cpus[cpu].position = 0
    cpus[cpu].waitsAt = .max
    frames.putInBuddy(cpus[cpu].drained)
    frames.putInCache(cpus[cpu].cached)
    cpus[cpu].drained.removeAll(keepingCapacity: true)
    cpus[cpu].cached.removeAll(keepingCapacity: true)
    let node = cpu * MachineFrames.nodes / Self.cpus
    if let kswapd = cpus[cpu].kswapd {
      kswapdGoesOn(cpu, kswapd)
    } else if !frames.hasRoom(node) {
      directReclaim(cpu, node)
    } else if frames.buddy[node].count < MachineFrames.lowWatermark, !isKswapdRunning[node] {
      kswapdWakes(cpu, node)
    } else if frames.buddy[node].count < MachineFrames.lowWatermark, random.below(6) == 0 {
      // Some allocate faster than kswapd reclaims.
      directReclaim(cpu, node)
    } else {
      userWork(cpu, node)
    }
  }

  private mutating func userWork(_ cpu: Int, _ node: Int) {
    let process = Self.process(cpus[cpu].task)
    switch random.below(1000) {
    case 0..<240: switchTask(cpu, Self.task(cpu, Int(random.below(UInt64(Self.processes)))))
    case 240..<290: idle(cpu)
    case 290..<540: touch(cpu, node, process)
    case 540..<650: read(cpu, node, process)
    case 650..<740: write(cpu, node, process)
    case 740..<880: unmap(cpu, node, process)
    case 880..<930: copyOnWrite(cpu, node, process)
    case 930..<945: directReclaim(cpu, node)
    case 945..<965: migrate(cpu, from: node, to: node, reason: 0)
    default: promote(cpu, node)
    }
  }

  /// Adds a row some hundred nanoseconds behind the last.
  private mutating func add(_ kind: EventKind, _ cpu: Int, _ words: UInt64...) {
    var row = TraceRow(
      kind, cpu: UInt16(cpu), task: cpus[cpu].task, time: 100 + random.below(1_500))
    for (slot, word) in words.enumerated() { row.words[slot] = word }
    cpus[cpu].pending.append(row)
  }

  // MARK: Tasks

  private mutating func switchTask(_ cpu: Int, _ next: Int32) {
    let previous = cpus[cpu].task
    guard next != previous else { return touch(cpu, cpu * MachineFrames.nodes / Self.cpus, 0) }
    add(
      .schedSwitch, cpu, UInt64(previous), UInt64(next), 1, Self.name(previous), Self.name(next))
    // Still in the name of the task that leaves; a kernel thread keeps the mm.
    if Self.isUser(next), Self.isUser(previous) || random.below(3) == 0 {
      add(.tlbFlush, cpu, 0, .max)
    }
    cpus[cpu].task = next
  }

  private mutating func idle(_ cpu: Int) {
    let task = cpus[cpu].task
    switchTask(cpu, Self.idleTask)
    let isLong = random.below(2_000) == 0
    switchTask(cpu, task)
    // The way back is a switch and perhaps its flush.
    let back = cpus[cpu].pending.lastIndex { $0.kind == .schedSwitch } ?? 0
    cpus[cpu].pending[back].time += isLong ? 300_000_000 : 5_000 + random.below(60_000)
  }

  // MARK: Frames

  private mutating func allocate(
    _ cpu: Int, _ node: Int, gfp: UInt64, migratetype: UInt64 = 1
  ) -> UInt32? {
    var frame = frames.take(cpu, node)
    if frame == nil {
      for moved in frames.refill(cpu, node) {
        add(.pageAllocZoneLocked, cpu, UInt64(moved), 0, migratetype, 1)
      }
      frame = frames.take(cpu, node)
    }
    guard let frame else { return nil }
    add(.pageAlloc, cpu, UInt64(frame), 0, gfp, migratetype)
    return frame
  }

  private mutating func give(_ cpu: Int, _ frame: UInt32) {
    guard frames.give(frame, cpu) else { return }
    for moved in frames.drain(cpu, MachineFrames.node(of: frame)) {
      add(.pagePCPDrain, cpu, UInt64(moved), 0, 1)
      cpus[cpu].drained.append(moved)
    }
  }

  /// Frees a batch: all are given up, then go to the lists.
  private mutating func free(_ cpu: Int, _ batch: [UInt32]) {
    for frame in batch { add(.pageFree, cpu, UInt64(frame), 0) }
    for frame in batch {
      add(.pageFreeBatched, cpu, UInt64(frame))
      give(cpu, frame)
    }
  }

  /// A buffer of the kernel that lives for a moment; each CPU has one place for it.
  private mutating func useKernelBlock(_ cpu: Int) {
    let order = random.below(4)
    let pfn = 0x8_0000 + UInt64(cpu) << 10
    add(.pageAlloc, cpu, pfn, order, order == 0 ? 0x920 : 0x4_0cc0, 0)
    add(.pageFree, cpu, pfn, order)
  }

  // MARK: Shootdowns

  /// CPUs that run a thread of a process, or at random some that run any, without `cpu`.
  private mutating func targets(_ cpu: Int, of process: Int?) -> [Int] {
    cpus.indices.filter { other in
      guard other != cpu, Self.isUser(cpus[other].task) else { return false }
      if let process { return Self.process(cpus[other].task) == process }
      return random.below(4) == 0
    }
  }

  /// Requests, interrupts, and the initiator's own flush. Linux 6.12 `arch/x86/mm/tlb.c`
  /// `flush_tlb_multi`; where no other CPU has the mm, the own one flushes without asking.
  private mutating func shootDown(
    _ cpu: Int, _ targets: [Int], pages: UInt64, localReason: UInt64?
  ) {
    if !targets.isEmpty { send(cpu, targets, pages: pages) }
    if let localReason {
      if !targets.isEmpty { add(.csdFunctionEntry, cpu, FunctionName.flushTLBFunction, 0) }
      add(.tlbFlush, cpu, localReason, pages)
    }
    cpus[cpu].outstanding = targets.count
    cpus[cpu].waitsAt = cpus[cpu].pending.count
  }

  private mutating func send(_ cpu: Int, _ targets: [Int], pages: UInt64) {
    let callsite: UInt64 = 0xffff_ffff_811a_0020
    let callback: UInt64 = 0xffff_ffff_811a_1000
    var mask: UInt64 = 0
    add(.tlbFlush, cpu, 4, pages)
    for target in targets {
      let csd = 0xff11_0000_0a82_e000 + UInt64(target) << 19 + UInt64(cpu) << 5
      add(.csdQueueCPU, cpu, UInt64(target), callsite, FunctionName.flushTLBFunction, csd)
      // No field of the record: the interrupt takes it from there.
      cpus[cpu].pending[cpus[cpu].pending.count - 1].words[TraceRow.wordsMax - 1] = pages
      mask |= 1 << UInt64(target)
    }
    if targets.count == 1 {
      add(.ipiSendCPU, cpu, UInt64(targets[0]), callsite, callback)
    } else {
      add(.ipiSendCPUMask, cpu, mask, callsite, callback)
    }
  }

  // MARK: Processes

  /// Write faults on a mapping that is not full yet, or mmap for a new one.
  private mutating func touch(_ cpu: Int, _ node: Int, _ process: Int) {
    let process = Self.isUser(cpus[cpu].task) ? Self.process(cpus[cpu].task) : process
    let last = cpus[cpu].mappings[process].count - 1
    guard last >= 0,
      cpus[cpu].mappings[process][last].frames.count
        < cpus[cpu].mappings[process][last].pages
    else { return map(cpu, process) }
    let mapping = cpus[cpu].mappings[process][last]
    let count = min(mapping.pages - mapping.frames.count, 2 + Int(random.below(14)))
    for index in 0..<count {
      add(
        .pageFaultUser, cpu, mapping.address + UInt64(mapping.frames.count + index) << 12,
        0x40_1000, 6)
      guard let frame = allocate(cpu, node, gfp: 0x14_0cca) else { return }
      cpus[cpu].mappings[process][last].frames.append(frame)
    }
    for frame in cpus[cpu].mappings[process][last].frames.suffix(count) {
      add(.lruInsertion, cpu, UInt64(frame), 0, 0x13)
    }
  }

  private mutating func map(_ cpu: Int, _ process: Int) {
    let pages = 1 + Int(random.below(40))
    cpus[cpu].mappingsMade += 1
    let address =
      0x7f00_0000_0000 + UInt64(cpu) << 36 + UInt64(process) << 32
      + cpus[cpu].mappingsMade % 0x4000 << 18
    // PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS.
    add(.sysEnterMmap, cpu, 0, UInt64(pages) << 12, 3, 0x22, .max)
    add(.sysExitMmap, cpu, address)
    cpus[cpu].mappings[process].append(Mapping(address: address, pages: pages))
  }

  private mutating func unmap(_ cpu: Int, _ node: Int, _ process: Int) {
    guard let mapping = cpus[cpu].mappings[process].popLast() else { return map(cpu, process) }
    add(.sysEnterMunmap, cpu, mapping.address, UInt64(mapping.pages) << 12)
    if !mapping.frames.isEmpty {
      // `tlb_single_page_flush_ceiling` is 33.
      let pages = mapping.frames.count > 33 ? UInt64.max : UInt64(mapping.frames.count)
      shootDown(cpu, targets(cpu, of: process), pages: pages, localReason: 3)
      free(cpu, mapping.frames)
    }
    add(.sysExitMunmap, cpu, 0)
  }

  private mutating func copyOnWrite(_ cpu: Int, _ node: Int, _ process: Int) {
    let last = cpus[cpu].mappings[process].count - 1
    guard last >= 0, let old = cpus[cpu].mappings[process][last].frames.popLast() else {
      return touch(cpu, node, process)
    }
    let mapping = cpus[cpu].mappings[process][last]
    add(.pageFaultUser, cpu, mapping.address + UInt64(mapping.frames.count) << 12, 0x40_1100, 7)
    let copy = allocate(cpu, node, gfp: 0x14_0cca)
    cpus[cpu].mappings[process][last].frames.append(copy ?? old)
    guard copy != nil else { return }
    shootDown(cpu, targets(cpu, of: process), pages: 1, localReason: 3)
    add(.pageFree, cpu, UInt64(old), 0)
    give(cpu, old)
  }

  // MARK: Files

  private mutating func addToCache(_ cpu: Int, _ node: Int, _ process: Int, _ count: UInt64) {
    for _ in 0..<count {
      guard let frame = allocate(cpu, node, gfp: 0x15_2c4a) else { return }
      let page = MachineFrames.FilePage(
        frame: frame, inode: UInt16(100 + process), index: fileIndex[process])
      fileIndex[process] += 1
      add(
        .filemapAdd, cpu, UInt64(frame), UInt64(page.inode), UInt64(page.index), 0x10_0000, 0)
      cpus[cpu].cached.append(page)
    }
  }

  /// A read fault on a mapped file and the pages that are read ahead.
  private mutating func read(_ cpu: Int, _ node: Int, _ process: Int) {
    add(.pageFaultUser, cpu, Self.fileAddress(process, fileIndex[process]), 0x40_1200, 4)
    addToCache(cpu, node, process, 4 + random.below(21))
  }

  private mutating func write(_ cpu: Int, _ node: Int, _ process: Int) {
    let count = 1 + random.below(8)
    add(.sysEnterWrite, cpu, 3, 0x7ffe_0000_1000, count << 12)
    addToCache(cpu, node, process, count)
    useKernelBlock(cpu)
    add(.sysExitWrite, cpu, count << 12)
  }

  /// Where a process maps a page of its file.
  private static func fileAddress(_ process: Int, _ index: UInt32) -> UInt64 {
    0x7e00_0000_0000 + UInt64(process) << 36 + UInt64(index & 0xff_ffff) << 12
  }

  // MARK: Reclaim

  private mutating func kswapdWakes(_ cpu: Int, _ node: Int) {
    isKswapdRunning[node] = true
    cpus[cpu].kswapd = node
    cpus[cpu].taskBeforeKswapd = cpus[cpu].task
    add(.wakeupKswapd, cpu, UInt64(node), 0)
    switchTask(cpu, Self.kswapdTask(node))
    add(.kswapdWake, cpu, UInt64(node), 0)
  }

  private mutating func kswapdGoesOn(_ cpu: Int, _ node: Int) {
    if frames.buddy[node].count >= MachineFrames.highWatermark {
      isKswapdRunning[node] = false
      cpus[cpu].kswapd = nil
      switchTask(cpu, cpus[cpu].taskBeforeKswapd)
    } else if node == 0, frames.hasRoom(1), random.below(4) == 0 {
      migrate(cpu, from: 0, to: 1, reason: 8)
    } else {
      reclaim(cpu, node, 1 + random.below(31), localReason: nil)
    }
  }

  private mutating func directReclaim(_ cpu: Int, _ node: Int) {
    add(.directReclaimBegin, cpu, 0)
    let count = 1 + random.below(31)
    reclaim(cpu, node, count, localReason: random.below(2) == 0 ? 2 : nil)
    add(.directReclaimEnd, cpu, count)
  }

  /// One batch of `shrink_folio_list`.
  private mutating func reclaim(_ cpu: Int, _ node: Int, _ count: UInt64, localReason: UInt64?) {
    let pages = frames.takeOldest(node, Int(count))
    for page in pages {
      add(
        .filemapDelete, cpu, UInt64(page.frame), UInt64(page.inode), UInt64(page.index), 0x10_0000,
        0)
    }
    // Pages that nobody maps need no flush.
    if random.below(4) != 0 {
      shootDown(cpu, targets(cpu, of: nil), pages: .max, localReason: localReason)
    }
    free(cpu, pages.map(\.frame))
    add(.shrinkInactive, cpu, UInt64(node), count, UInt64(pages.count), 2)
  }

  // MARK: Migration

  /// A migration entry for a frame: 28 of a page mapped read-only, 30 of a writable one.
  private static func entry(_ type: UInt64, _ frame: UInt32) -> UInt64 {
    type << 59 | ~(UInt64(frame) << 9) & (1 << 59 - 1) & ~0x1ff
  }

  /// Moves file pages; one in four passes has writable ones.
  private mutating func migrate(_ cpu: Int, from: Int, to: Int, reason: UInt64) {
    let pages = frames.takeOldest(from, 4 + Int(random.below(13)))
    let hasWritable = random.below(4) == 0
    add(.migratePagesStart, cpu, 0, reason)
    var moved: [(old: MachineFrames.FilePage, new: UInt32, isWritable: Bool)] = []
    for page in pages {
      guard let target = allocate(cpu, to, gfp: 0x28_28ca) else {
        cpus[cpu].cached.append(page)
        continue
      }
      let isWritable = hasWritable && random.below(2) == 0
      let address = Self.fileAddress(Int(page.inode) - 100, page.index)
      add(.setMigrationPTE, cpu, address, Self.entry(isWritable ? 30 : 28, page.frame), 0)
      moved.append((page, target, isWritable))
    }
    if !moved.isEmpty { shootDown(cpu, targets(cpu, of: nil), pages: .max, localReason: nil) }
    finish(cpu, moved)
    add(.migratePages, cpu, UInt64(moved.count), 0, 0, 0, 0, 0, 0, reason)
  }

  /// Page by page: it appears at its new place, and its old frame is freed.
  private mutating func finish(
    _ cpu: Int, _ moved: [(old: MachineFrames.FilePage, new: UInt32, isWritable: Bool)]
  ) {
    for page in moved {
      let address = Self.fileAddress(Int(page.old.inode) - 100, page.old.index)
      let bits: UInt64 = page.isWritable ? 0x8000_0000_0000_0067 : 0x8000_0000_0000_0025
      add(.removeMigrationPTE, cpu, address, bits | UInt64(page.new) << 12, 0)
      var copy = page.old
      copy.frame = page.new
      cpus[cpu].cached.append(copy)
      add(.pageFree, cpu, UInt64(page.old.frame), 0)
      give(cpu, page.old.frame)
    }
  }

  /// A NUMA hinting fault brings one page to the node of its user; its entry was inaccessible.
  private mutating func promote(_ cpu: Int, _ node: Int) {
    guard let page = frames.takeOldest(1 - node, 1).first else { return useKernelBlock(cpu) }
    let address = Self.fileAddress(Int(page.inode) - 100, page.index)
    add(.pageFaultUser, cpu, address, 0x40_1300, 5)
    add(.migratePagesStart, cpu, 0, 5)
    if let target = allocate(cpu, node, gfp: 0x28_28ca) {
      add(.setMigrationPTE, cpu, address, Self.entry(28, page.frame), 0)
      finish(cpu, [(page, target, false)])
      add(.migratePages, cpu, 1, 0, 0, 0, 0, 0, 0, 5)
    } else {
      cpus[cpu].cached.append(page)
      add(.migratePages, cpu, 0, 1, 0, 0, 0, 0, 0, 5)
    }
  }
}
