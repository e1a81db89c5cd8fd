import Machine
import Replay
import TraceEvents

/// A call of `migrate_pages`: where it stands.
struct MigrationJob {
  enum Phase { case none, unmap, flush, move, done }

  var phase = Phase.none
  var isPromotion = false
  var target = 0
  var sources: [Int32] = []
  var position = 0
  /// Pages whose entries are gone: where from, where to, and whether the flush is owed with them.
  var pairs: [(old: Int32, new: Int32)] = []
  var failed: [Int32] = []
  var moved = 0
  var pendingTarget: Int32 = -1
}

extension Simulation {
  /// `enum migrate_reason`: `MR_NUMA_MISPLACED`, `MR_DEMOTION`.
  private static func reason(_ isPromotion: Bool) -> UInt64 { isPromotion ? 5 : 8 }

  /// `demote_folio_list`.
  mutating func beginDemotion(_ task: Int, _ cpu: Int) {
    let node = tasks[task].reclaim.nodes[tasks[task].reclaim.place]
    beginMigration(
      tasks[task].reclaim.demote, to: demotionTarget(node) ?? node, isPromotion: false, task, cpu)
  }

  mutating func beginMigration(
    _ list: [Int32], to target: Int, isPromotion: Bool, _ task: Int, _ cpu: Int
  ) {
    var job = MigrationJob()
    job.phase = .unmap
    job.isPromotion = isPromotion
    job.target = target
    job.sources = list
    tasks[task].migration = job
    emit(.migratePagesStart, cpu, 0, Self.reason(isPromotion))
  }

  mutating func stepMigration(_ task: Int, _ cpu: Int) {
    switch tasks[task].migration.phase {
    case .none: break
    case .unmap: unmapSources(task, cpu)
    case .flush:
      tasks[task].migration.phase = .move
      let isKswapd = tasks[task].kswapd >= 0
      flushUnmapped(
        tasks[task].migration.isPromotion
          ? .promotion : isKswapd ? .kswapdDemotion : .directDemotion, task, cpu)
    case .move: moveSources(task, cpu)
    case .done: endMigration(task, cpu)
    }
  }

  /// `migrate_folio_unmap` of some pages: a new frame, then the entries go.
  private mutating func unmapSources(_ task: Int, _ cpu: Int) {
    let start = cpus[cpu].clock
    while tasks[task].migration.position < tasks[task].migration.sources.count {
      let frame = tasks[task].migration.sources[tasks[task].migration.position]
      if tasks[task].migration.pendingTarget < 0 {
        let target = allocateOnly(tasks[task].migration.target, task, cpu)
        guard let target, canMigrate(frame) else {
          if let target { putBack(target, task, cpu) }
          tasks[task].migration.failed.append(frame)
          tasks[task].migration.position += 1
          continue
        }
        tasks[task].migration.pendingTarget = target
        // The policy may want a flush before the new frame is used.
        if !tasks[task].flushes.isEmpty { return }
      }
      let target = tasks[task].migration.pendingTarget
      tasks[task].migration.pendingTarget = -1
      tasks[task].migration.position += 1
      noteAllocated(target, .migration, cpu)
      unmapSource(frame, task, cpu)
      tasks[task].migration.pairs.append((frame, target))
      if cpus[cpu].clock - start > Self.stepSpan { return }
    }
    tasks[task].migration.phase = .flush
  }

  private mutating func putBack(_ frame: Int32, _ task: Int, _ cpu: Int) {
    noteAllocated(frame, .migration, cpu)
    emit(.pageFree, cpu, pfn(frame), 0)
    free(frame, isOwed: false, task, cpu)
  }

  private func canMigrate(_ frame: Int32) -> Bool {
    let use = frames[Int(frame)]
    return use.pins == 0 && !use.isLocked && use.kind != .kernel && use.kind != .none
  }

  private mutating func unmapSource(_ frame: Int32, _ task: Int, _ cpu: Int) {
    let use = frames[Int(frame)]
    frames[Int(frame)].isLocked = true
    if use.kind == .file {
      unmapFile(frame, task, cpu, toMigration: true)
    } else if mappings[Int(use.owner)].frames[Int(use.page)] == frame {
      unmapEntry(Int(use.owner), Int(use.page), frame, task, cpu, toMigration: true)
    }
  }

  /// `migrate_folio_move`: copies, maps the new page, frees the old one.
  private mutating func moveSources(_ task: Int, _ cpu: Int) {
    let start = cpus[cpu].clock
    while let pair = tasks[task].migration.pairs.first {
      tasks[task].migration.pairs.removeFirst()
      move(pair.old, pair.new, task, cpu)
      if cpus[cpu].clock - start > Self.stepSpan || !tasks[task].flushes.isEmpty { return }
    }
    tasks[task].migration.phase = .done
  }

  private mutating func move(_ old: Int32, _ new: Int32, _ task: Int, _ cpu: Int) {
    cpus[cpu].clock += costs.migratePage
    var use = frames[Int(old)]
    use.isLocked = false
    use.hinted = 0
    frames[Int(new)] = use
    let isPromotion = tasks[task].migration.isPromotion
    memory.setReferenced(new, memory.isReferenced(old))
    if use.kind == .file {
      let file = Int(use.owner)
      files[file].frames[Int(use.page)] = new
      for index in files[file].mappings.indices {
        let mapping = files[file].mappings[index]
        restore(mapping, Int(use.page) - mappings[mapping].offset, new, task, cpu)
      }
    } else {
      restore(Int(use.owner), Int(use.page), new, task, cpu)
    }
    let kind: LRUKind = use.kind == .file ? .inactiveFile : .inactiveAnonymous
    memory.insert(new, kind)
    emit(.pageFree, cpu, pfn(old), 0)
    // The old frame takes the deferral of the flush that its unmap would have needed.
    free(old, isOwed: true, task, cpu)
    tasks[task].migration.moved += 1
    if isTracing {
      if isPromotion { summary.promoted += 1 } else { summary.demoted += 1 }
    }
  }

  /// `remove_migration_pte`.
  private mutating func restore(
    _ mapping: Int, _ place: Int, _ frame: Int32, _ task: Int, _ cpu: Int
  ) {
    guard place >= 0, place < mappings[mapping].frames.count,
      mappings[mapping].frames[place] == PTE.migrating
    else { return }
    mappings[mapping].frames[place] = frame
    mappings[mapping].bits[place] &= ~PTE.inaccessible
    let bits = mappings[mapping].bits[place]
    let address = mappings[mapping].address + UInt64(place) << 12
    let flags: UInt64 =
      0x8000_0000_0000_0005 | (bits & PTE.writable != 0 ? 2 : 0)
      | (bits & PTE.accessed != 0 ? 0x20 : 0) | (bits & PTE.dirty != 0 ? 0x40 : 0)
    emit(.removeMigrationPTE, cpu, address, flags | pfn(frame) << 12, 0)
    policy.note(.pageMapped, cpu: cpu, task: task, time: cpus[cpu].clock)
    takeFlushes(task)
  }

  private mutating func endMigration(_ task: Int, _ cpu: Int) {
    let job = tasks[task].migration
    emit(
      .migratePages, cpu, UInt64(job.moved), UInt64(job.failed.count), 0, 0, 0, 0, 0,
      Self.reason(job.isPromotion))
    policy.release(tasks[task].deferral)
    tasks[task].deferral = 0
    tasks[task].migration.phase = .none
    wakeMigrationWaiters(at: cpus[cpu].clock)
    guard job.isPromotion else { return }
    for frame in job.failed { memory.insert(frame, memory.list(of: frame) ?? .activeFile) }
    tasks[task].migration = MigrationJob()
  }
}
