import Machine
import Replay
import TraceEvents

/// Reclaim of a task: where `shrink_node` stands.
struct ReclaimJob {
  enum Phase { case none, nextList, folios, flush, free, demoted, listDone, passDone }

  var phase = Phase.none
  var isKswapd = false
  var priority = 12
  /// Nodes to go through, and which one is at hand.
  var nodes: [Int] = []
  var place = 0
  var goal = 0
  var reclaimed = 0
  var scanned = 0
  /// Pages to look at, by ``LRUKind``.
  var left = InlineArray<4, Int>(repeating: 0)
  var kind = LRUKind.inactiveFile
  /// Folios that were taken off the list, and how many are done.
  var list: [Int32] = []
  var position = 0
  var taken = 0
  var reclaimedOfList = 0
  var mayDemote = false
  var demote: [Int32] = []
  /// Unmapped and out of the page cache, to be freed behind the flush.
  var batch: [Int32] = []
  var kept: [Int32] = []
  /// kswapd: pages that the pass at hand had to look at, to know whether to look at more.
  var passScanned = 0
  var passReclaimed = 0
}

extension Simulation {
  static let clusterMax = 32
  /// `PAGEVEC_SIZE`: folios freed behind one flush.
  static let freeBatchMax = 31

  // MARK: Who reclaims

  /// A task that found no page goes to reclaim 32.
  mutating func beginDirectReclaim(_ node: Int, _ task: Int, _ cpu: Int) {
    emit(.directReclaimBegin, cpu, 0)
    if isTracing { summary.directReclaims += 1 }
    policy.note(.directReclaimBegin, cpu: cpu, task: task, time: cpus[cpu].clock)
    takeFlushes(task)
    var job = ReclaimJob()
    job.phase = .passDone
    job.nodes = zonelists[node]
    job.place = job.nodes.count
    job.priority = 13
    job.goal = Self.clusterMax
    tasks[task].reclaim = job
  }

  /// kswapd: `balance_pgdat` until the node is balanced, then sleep.
  mutating func stepKswapd(_ task: Int, _ cpu: Int) {
    let node = tasks[task].kswapd
    if tasks[task].isDozing {
      tasks[task].isDozing = false
      if !isKswapdAwake[node] {
        emit(.kswapdSleep, cpu, UInt64(node))
        return sleep(task, cpu, uninterruptible: false)
      }
    }
    if tasks[task].reclaim.goal == 0 {
      guard !isBalanced(node) else { return endKswapd(task, cpu) }
      emit(.kswapdWake, cpu, UInt64(node), 0)
      if isTracing { summary.kswapdWakes += 1 }
      memory.setReclaimActive(node, true)
      var job = ReclaimJob()
      job.isKswapd = true
      job.nodes = [node]
      job.priority = 12
      tasks[task].reclaim = job
    } else {
      // `kswapd_shrink_node` is through: more if it looked at too little, or found nothing.
      let job = tasks[task].reclaim
      if job.passScanned < job.goal || job.passReclaimed == 0 { tasks[task].reclaim.priority -= 1 }
      if isBalanced(node) || tasks[task].reclaim.priority < 1 { return endKswapd(task, cpu) }
    }
    tasks[task].reclaim.goal = max(memory.watermarks(node).high, Self.clusterMax)
    tasks[task].reclaim.reclaimed = 0
    tasks[task].reclaim.passScanned = 0
    tasks[task].reclaim.place = 0
    beginNode(task, cpu)
  }

  private mutating func endKswapd(_ task: Int, _ cpu: Int) {
    let node = tasks[task].kswapd
    memory.setReclaimActive(node, false)
    tasks[task].reclaim = ReclaimJob()
    isKswapdAwake[node] = false
    // `kswapd_try_to_sleep` tells of it only if nobody wakes it for a tenth of a second.
    let time = cpus[cpu].clock + 100_000_000
    tasks[task].dozesAt = time
    timers.add(.kswapdDozes, node, at: time)
    cpus[cpu].clock += costs.systemCall
    sleep(task, cpu, uninterruptible: false)
  }

  /// kswapd has slept for a tenth of a second.
  mutating func doze(_ node: Int, at time: UInt64) {
    let task = kswapds[node]
    guard !isKswapdAwake[node], tasks[task].dozesAt == time else { return }
    // The event is its own, and it is on no CPU then: it wakes up to go back to sleep.
    tasks[task].isDozing = true
    wake(task, at: time)
  }

  // MARK: Nodes and lists

  /// `get_scan_count`.
  private mutating func beginNode(_ task: Int, _ cpu: Int) {
    let node = tasks[task].reclaim.nodes[tasks[task].reclaim.place]
    let priority = max(tasks[task].reclaim.priority, 0)
    let canDemote = demotionTarget(node) != nil
    let trimsCache =
      memory.count(.inactiveFile, node) >> priority > 0
      && !memory.isInactiveLow(.inactiveFile, node)
    for kind in LRUKind.allCases {
      let size = memory.count(kind, node) >> priority
      let isFile = kind == .inactiveFile || kind == .activeFile
      var share = size
      if !isFile {
        share = canDemote && !trimsCache ? size * 60 / 200 : 0
      } else if canDemote, !trimsCache {
        share = size * 140 / 200
      }
      tasks[task].reclaim.left[Int(kind.rawValue)] = share
    }
    tasks[task].reclaim.passReclaimed = 0
    tasks[task].reclaim.phase = .nextList
  }

  func demotionTarget(_ node: Int) -> Int? { scenario.machine.nodes[node].demotionTarget }

  mutating func stepReclaim(_ task: Int, _ cpu: Int) {
    switch tasks[task].reclaim.phase {
    case .none: break
    case .nextList: nextList(task, cpu)
    case .folios: shrinkFolios(task, cpu)
    case .flush:
      tasks[task].reclaim.phase = .free
      flushUnmapped(
        tasks[task].reclaim.isKswapd ? .kswapdReclaim : .directReclaim, task, cpu)
    case .free: freeBatch(task, cpu)
    case .demoted: takeBackUndemoted(task, cpu)
    case .listDone: endList(task, cpu)
    case .passDone: endPass(task, cpu)
    }
  }

  /// `shrink_lruvec`: the next cluster of some list.
  private mutating func nextList(_ task: Int, _ cpu: Int) {
    let node = tasks[task].reclaim.nodes[tasks[task].reclaim.place]
    guard tasks[task].reclaim.reclaimed < tasks[task].reclaim.goal else {
      tasks[task].reclaim.phase = .passDone
      return
    }
    for kind in LRUKind.allCases where tasks[task].reclaim.left[Int(kind.rawValue)] > 0 {
      let count = min(tasks[task].reclaim.left[Int(kind.rawValue)], Self.clusterMax)
      tasks[task].reclaim.left[Int(kind.rawValue)] -= count
      cpus[cpu].clock += costs.scanFolio
      if kind.isActive {
        if memory.isInactiveLow(kind.opposite, node) { deactivate(kind, node, count, cpu) }
        return
      }
      isolate(kind, node, count, task)
      return
    }
    tasks[task].reclaim.phase = .passDone
  }

  /// `shrink_active_list`: what was used lately goes to the inactive list all the same.
  private mutating func deactivate(_ kind: LRUKind, _ node: Int, _ count: Int, _ cpu: Int) {
    for _ in 0..<count {
      guard let frame = memory.oldest(kind, node) else { return }
      cpus[cpu].clock += costs.scanFolio / 2
      _ = references(frame)
      memory.isolate(frame)
      memory.insert(frame, kind.opposite)
    }
  }

  private mutating func isolate(_ kind: LRUKind, _ node: Int, _ count: Int, _ task: Int) {
    tasks[task].reclaim.list.removeAll(keepingCapacity: true)
    for _ in 0..<count {
      guard let frame = memory.oldest(kind, node) else { break }
      memory.isolate(frame)
      tasks[task].reclaim.list.append(frame)
    }
    tasks[task].reclaim.kind = kind
    tasks[task].reclaim.position = 0
    tasks[task].reclaim.taken = tasks[task].reclaim.list.count
    tasks[task].reclaim.reclaimedOfList = 0
    tasks[task].reclaim.mayDemote = demotionTarget(node) != nil
    tasks[task].reclaim.phase = .folios
  }

  // MARK: Folios

  /// `shrink_folio_list`, for some microseconds.
  private mutating func shrinkFolios(_ task: Int, _ cpu: Int) {
    let start = cpus[cpu].clock
    while tasks[task].reclaim.position < tasks[task].reclaim.list.count {
      let frame = tasks[task].reclaim.list[tasks[task].reclaim.position]
      tasks[task].reclaim.position += 1
      shrink(frame, task, cpu)
      if tasks[task].reclaim.batch.count == Self.freeBatchMax {
        tasks[task].reclaim.phase = .flush
        return
      }
      if cpus[cpu].clock - start > Self.stepSpan || cpus[cpu].outstanding > 0 { return }
    }
    if tasks[task].reclaim.demote.isEmpty {
      tasks[task].reclaim.phase = .flush
    } else {
      tasks[task].reclaim.phase = .demoted
      beginDemotion(task, cpu)
    }
  }

  private mutating func shrink(_ frame: Int32, _ task: Int, _ cpu: Int) {
    cpus[cpu].clock += costs.scanFolio
    let use = frames[Int(frame)]
    guard !use.isLocked else { return keep(frame, task) }
    switch check(frame) {
    case .activate:
      memory.setReferenced(frame, true)
      memory.insert(frame, use.kind == .anonymous ? .activeAnonymous : .activeFile)
      return
    case .keep: return keep(frame, task)
    case .reclaim: break
    }
    if tasks[task].reclaim.mayDemote {
      tasks[task].reclaim.demote.append(frame)
      return
    }
    // Without swap anonymous pages have nowhere to go; a pinned page has a reference too many.
    guard use.kind == .file, use.pins == 0 else { return keep(frame, task) }
    unmapFile(frame, task, cpu, toMigration: false)
    dropFromCache(frame, cpu)
    tasks[task].reclaim.batch.append(frame)
    tasks[task].reclaim.reclaimedOfList += 1
  }

  private mutating func keep(_ frame: Int32, _ task: Int) { tasks[task].reclaim.kept.append(frame) }

  private enum FolioFate { case activate, keep, reclaim }

  /// `folio_check_references`.
  private mutating func check(_ frame: Int32) -> FolioFate {
    let references = references(frame)
    let wasReferenced = memory.isReferenced(frame)
    memory.setReferenced(frame, false)
    guard references > 0 else { return .reclaim }
    memory.setReferenced(frame, true)
    if frames[Int(frame)].kind == .anonymous { return .activate }
    return wasReferenced || references > 1 ? .activate : .keep
  }

  /// `folio_referenced`: entries that were used since the last look, which this forgets.
  mutating func references(_ frame: Int32) -> Int {
    let use = frames[Int(frame)]
    let owner = Int(use.owner)
    let page = Int(use.page)
    var found = 0
    if use.kind == .file {
      for index in files[owner].mappings.indices {
        let mapping = files[owner].mappings[index]
        let place = page - mappings[mapping].offset
        guard place >= 0, place < mappings[mapping].frames.count,
          mappings[mapping].frames[place] == frame
        else { continue }
        if takeAccessed(mapping, place) { found += 1 }
      }
    } else if use.kind == .anonymous, mappings[owner].frames[page] == frame {
      if takeAccessed(owner, page) { found += 1 }
    }
    return found
  }

  private mutating func takeAccessed(_ mapping: Int, _ place: Int) -> Bool {
    let bits = mappings[mapping].bits[place]
    guard bits & PTE.accessed != 0, bits & PTE.inaccessible == 0 else { return false }
    mappings[mapping].bits[place] = bits & ~PTE.accessed
    return true
  }

  /// `try_to_unmap` or `try_to_migrate` of a file's page: all its entries go.
  mutating func unmapFile(_ frame: Int32, _ task: Int, _ cpu: Int, toMigration: Bool) {
    let owner = Int(frames[Int(frame)].owner)
    let page = Int(frames[Int(frame)].page)
    for index in files[owner].mappings.indices {
      let mapping = files[owner].mappings[index]
      let place = page - mappings[mapping].offset
      guard place >= 0, place < mappings[mapping].frames.count,
        mappings[mapping].frames[place] == frame
      else { continue }
      unmapEntry(mapping, place, frame, task, cpu, toMigration: toMigration)
    }
  }

  mutating func unmapEntry(
    _ mapping: Int, _ place: Int, _ frame: Int32, _ task: Int, _ cpu: Int, toMigration: Bool
  ) {
    cpus[cpu].clock += costs.unmapPage
    let bits = mappings[mapping].bits[place]
    let isWritable = bits & PTE.writable != 0
    mappings[mapping].frames[place] = toMigration ? PTE.migrating : PTE.none
    if toMigration {
      let address = mappings[mapping].address + UInt64(place) << 12
      // Swap types of a kernel without device-private memory: READ 28, READ_EXCLUSIVE 29, WRITE 30.
      let isExclusive = bits & PTE.own != 0
      let type: UInt64 = isWritable && bits & PTE.inaccessible == 0 ? 30 : isExclusive ? 29 : 28
      let entry = type << 59 | ~(pfn(frame) << 9) & (1 << 59 - 1) & ~0x1ff
      emit(.setMigrationPTE, cpu, address, entry, 0)
    }
    // An entry that no CPU can use needs no flush (Linux 6.4, commit 4d4b6d66db63). It has lost its
    // write bit too (`change_pte_range`), and `remove_migration_pte` does not give it back: until the
    // next write the page of the new frame can be unmapped as read-only.
    guard bits & PTE.inaccessible == 0 else {
      mappings[mapping].bits[place] &= ~PTE.writable
      return
    }
    noteUnmapped(mappings[mapping].process, isWritable: isWritable, task, cpu)
  }

  private mutating func dropFromCache(_ frame: Int32, _ cpu: Int) {
    let use = frames[Int(frame)]
    files[Int(use.owner)].frames[Int(use.page)] = PTE.none
    files[Int(use.owner)].marks[Int(use.page)] = false
    cpus[cpu].clock += costs.cachePage
    emit(
      .filemapDelete, cpu, pfn(frame), files[Int(use.owner)].inode, UInt64(use.page), 0x10_0000, 0)
  }

  /// Lets the oldest pages of the page cache go until as much is free as the scenario says.
  mutating func prepareFreePages(_ cpu: Int) {
    for (node, shape) in scenario.machine.nodes.enumerated() {
      while memory.freePages(node) < shape.freePages ?? 0,
        let frame = memory.oldest(.inactiveFile, node), !frames[Int(frame)].isLocked
      {
        memory.isolate(frame)
        let use = frames[Int(frame)]
        for index in files[Int(use.owner)].mappings.indices {
          let mapping = files[Int(use.owner)].mappings[index]
          let place = Int(use.page) - mappings[mapping].offset
          guard place >= 0, place < mappings[mapping].frames.count else { continue }
          mappings[mapping].frames[place] = PTE.none
        }
        dropFromCache(frame, cpu)
        frames[Int(frame)] = FrameUse()
        memory.give(frame, cpu: cpu)
        memory.drainAll(node, cpu: cpu)
      }
    }
  }

  // MARK: Ends

  /// `free_unref_folios` behind the flush.
  private mutating func freeBatch(_ task: Int, _ cpu: Int) {
    for index in tasks[task].reclaim.batch.indices {
      emit(.pageFree, cpu, pfn(tasks[task].reclaim.batch[index]), 0)
    }
    for index in tasks[task].reclaim.batch.indices {
      let frame = tasks[task].reclaim.batch[index]
      emit(.pageFreeBatched, cpu, pfn(frame), 0)
      free(frame, isOwed: true, task, cpu)
    }
    tasks[task].reclaim.batch.removeAll(keepingCapacity: true)
    policy.release(tasks[task].deferral)
    tasks[task].deferral = 0
    tasks[task].reclaim.phase =
      tasks[task].reclaim.position < tasks[task].reclaim.list.count ? .folios : .listDone
  }

  /// What could not be demoted is looked at again and freed.
  private mutating func takeBackUndemoted(_ task: Int, _ cpu: Int) {
    let failed = tasks[task].migration.failed
    tasks[task].reclaim.reclaimedOfList += tasks[task].migration.moved
    tasks[task].migration = MigrationJob()
    tasks[task].reclaim.demote.removeAll(keepingCapacity: true)
    tasks[task].reclaim.mayDemote = false
    tasks[task].reclaim.list = failed
    tasks[task].reclaim.position = 0
    tasks[task].reclaim.phase = failed.isEmpty ? .flush : .folios
  }

  private mutating func endList(_ task: Int, _ cpu: Int) {
    let job = tasks[task].reclaim
    let node = job.nodes[job.place]
    for frame in job.kept { memory.insert(frame, job.kind) }
    tasks[task].reclaim.kept.removeAll(keepingCapacity: true)
    tasks[task].reclaim.reclaimed += job.reclaimedOfList
    tasks[task].reclaim.passReclaimed += job.reclaimedOfList
    tasks[task].reclaim.passScanned += job.taken
    if isTracing {
      summary.scanned += job.taken
      summary.reclaimed += job.reclaimedOfList
      if !job.isKswapd { summary.reclaimedDirectly += job.reclaimedOfList }
    }
    if job.taken > 0 {
      emit(
        .shrinkInactive, cpu, UInt64(node), UInt64(job.taken), UInt64(job.reclaimedOfList),
        job.kind == .inactiveFile ? 2 : 1)
    }
    tasks[task].reclaim.phase = .nextList
  }

  /// One node of a pass is through: the next node, a closer look, or the end.
  private mutating func endPass(_ task: Int, _ cpu: Int) {
    guard !tasks[task].reclaim.isKswapd else {
      tasks[task].reclaim.phase = .none
      return
    }
    tasks[task].reclaim.place += 1
    if tasks[task].reclaim.place >= tasks[task].reclaim.nodes.count {
      tasks[task].reclaim.place = 0
      tasks[task].reclaim.priority -= 1
    }
    let isDone = tasks[task].reclaim.reclaimed >= tasks[task].reclaim.goal
    if !isDone, tasks[task].reclaim.priority >= 0 { return beginNode(task, cpu) }
    let reclaimed = tasks[task].reclaim.reclaimed
    tasks[task].reclaim = ReclaimJob()
    emit(.directReclaimEnd, cpu, UInt64(reclaimed))
    policy.note(.directReclaimEnd, cpu: cpu, task: task, time: cpus[cpu].clock)
    tasks[task].fault.reclaims += 1
    tasks[task].fault.lastReclaimed = reclaimed
  }
}
