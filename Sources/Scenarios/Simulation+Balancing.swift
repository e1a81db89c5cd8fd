import Machine
import Replay
import TraceEvents

/// NUMA balancing of memory tiers, as Linux 6.12 `struct pglist_data` keeps it for the fast node.
struct BalancingState {
  var isOn = false
  /// `nbp_threshold` in milliseconds, 0 none yet; when it was set, and candidates by then.
  var threshold: UInt64 = 0
  var thresholdSet: UInt64 = 0
  var candidatesThen = 0
  /// `PGPROMOTE_CANDIDATE`; since when the rate is counted, and candidates by then.
  var candidates = 0
  var rateStart: UInt64 = 0
  var candidatesAtRateStart = 0
}

/// A scan of `task_numa_work` that is under way.
struct ScanWork {
  var isActive = false
  /// Pages that may still be made inaccessible, and looked at.
  var pages = 0
  var looked = 0
}

extension Simulation {
  /// `NUMA_MIGRATION_ADJUST_STEPS`.
  private static let adjustSteps: UInt64 = 16
  private static let hugePages = 512
  private static let scanCost: UInt64 = 20

  // MARK: Scans

  /// Does a part of `task_numa_work` if it is due; false if there is nothing to do.
  mutating func scanIsDue(_ task: Int, _ cpu: Int) -> Bool {
    guard let shape = scenario.machine.balancing else { return false }
    let process = tasks[task].process
    if !tasks[task].scan.isActive {
      guard cpus[cpu].clock >= processes[process].scanDue else { return false }
      processes[process].scanDue =
        cpus[cpu].clock + UInt64(shape.scanPeriodMinMilliseconds) * 1_000_000
      tasks[task].scan = ScanWork(
        isActive: true, pages: shape.scanSizeMegabytes << 8, looked: shape.scanSizeMegabytes << 11)
    }
    scan(process, task, cpu)
    return true
  }

  /// The next range: `change_prot_numa` and its flush.
  private mutating func scan(_ process: Int, _ task: Int, _ cpu: Int) {
    let all = processes[process].mappings
    if processes[process].scanMapping >= all.count {
      processes[process].scanMapping = 0
      processes[process].scanPage = 0
    }
    guard tasks[task].scan.pages > 0, tasks[task].scan.looked > 0, !all.isEmpty else {
      tasks[task].scan.isActive = false
      return
    }
    if processes[process].hasBatched {
      _ = flushBatchedPending(process, .numaScan, task, cpu)
      return
    }
    let mapping = all[processes[process].scanMapping]
    // Read-only mappings of files are left out: moving their pages is of little use.
    let isSkipped = mappings[mapping].file >= 0 && !mappings[mapping].isWritable
    let start = processes[process].scanPage
    let size = mappings[mapping].frames.count
    guard !isSkipped, start < size else { return scanNextMapping(process, task) }
    let wanted = start + tasks[task].scan.pages
    let end = min((wanted + Self.hugePages - 1) & ~(Self.hugePages - 1), size)
    let changed = makeInaccessible(mapping, start..<end, cpu)
    if changed > 0 { tasks[task].scan.pages -= end - start }
    tasks[task].scan.looked -= end - start
    processes[process].scanPage = end
    if end == size { scanNextMapping(process, task) }
    if changed > 0 { flushMM(process, pages: end - start, .numaScan, task, cpu) }
  }

  private mutating func scanNextMapping(_ process: Int, _ task: Int) {
    processes[process].scanMapping += 1
    processes[process].scanPage = 0
    // A whole round ends the scan.
    if processes[process].scanMapping >= processes[process].mappings.count {
      tasks[task].scan.isActive = false
    }
  }

  /// Entries of pages on slow nodes; the time is noted in the page.
  private mutating func makeInaccessible(_ mapping: Int, _ range: Range<Int>, _ cpu: Int) -> Int {
    var changed = 0
    let now = UInt32(truncatingIfNeeded: cpus[cpu].clock / 1_000_000)
    for place in range {
      let frame = mappings[mapping].frames[place]
      guard frame >= 0, mappings[mapping].bits[place] & PTE.inaccessible == 0,
        isSlow(memory.node(of: frame))
      else { continue }
      mappings[mapping].bits[place] |= PTE.inaccessible
      frames[Int(frame)].hinted = now
      changed += 1
    }
    cpus[cpu].clock += Self.scanCost * UInt64(changed)
    return changed
  }

  private func isSlow(_ node: Int) -> Bool { scenario.machine.nodes[node].cpus.isEmpty }

  // MARK: Hinting faults

  /// `do_numa_page`: the page may be moved to the node of the CPU.
  mutating func hintingFault(_ task: Int, _ cpu: Int) {
    let job = tasks[task].fault
    let frame = mappings[job.mapping].frames[job.place]
    guard frame >= 0 else {
      tasks[task].fault.phase = .lookUp
      return
    }
    guard mappings[job.mapping].bits[job.place] & PTE.inaccessible != 0, !job.isHinted else {
      mappings[job.mapping].bits[job.place] &= ~PTE.inaccessible
      mappings[job.mapping].bits[job.place] |= PTE.accessed
      return endFault(task)
    }
    if isTracing { summary.hintingFaults += 1 }
    tasks[task].fault.isHinted = true
    let target = homeNode(cpu)
    guard isHot(frame, target, cpu), memory.list(of: frame) != nil,
      frames[Int(frame)].pins == 0, !frames[Int(frame)].isLocked
    else { return }
    // `migrate_balanced_pgdat`: promotion leaves the high mark alone, and wakes who makes room.
    guard memory.freePages(target) > memory.watermarks(target).high + 1 else {
      return wakeKswapds([target], task, cpu)
    }
    memory.isolate(frame)
    beginMigration([frame], to: target, isPromotion: true, task, cpu)
  }

  /// `should_numa_migrate_memory` with memory tiers.
  private mutating func isHot(_ frame: Int32, _ target: Int, _ cpu: Int) -> Bool {
    guard let shape = scenario.machine.balancing, isSlow(memory.node(of: frame)), !isSlow(target)
    else { return false }
    let enough = max(1 << 18, memory.managedPages(target) >> 4)
    if memory.freePages(target) > memory.watermarks(target).promo + enough {
      balancing.threshold = 0
      return true
    }
    let base = UInt64(shape.hotThresholdMilliseconds)
    let limit = shape.promoteRateLimitMegabytesPerSecond << 8
    let now = cpus[cpu].clock / 1_000_000
    adjustThreshold(now, base, limit, UInt64(shape.scanPeriodMaxMilliseconds))
    let threshold = balancing.threshold == 0 ? base : balancing.threshold
    let latency = now &- UInt64(frames[Int(frame)].hinted)
    guard latency < threshold else { return false }
    balancing.candidates += 1
    if now > balancing.rateStart + 1000 {
      balancing.rateStart = now
      balancing.candidatesAtRateStart = balancing.candidates
    }
    return balancing.candidates - balancing.candidatesAtRateStart < limit
  }

  /// `numa_promotion_adjust_threshold`.
  private mutating func adjustThreshold(
    _ now: UInt64, _ base: UInt64, _ limit: Int, _ period: UInt64
  ) {
    guard now > balancing.thresholdSet + period else { return }
    balancing.thresholdSet = now
    let wanted = limit / 1000 * Int(period)
    let found = balancing.candidates - balancing.candidatesThen
    let unit = max(base * 2 / Self.adjustSteps, 1)
    var threshold = balancing.threshold == 0 ? base : balancing.threshold
    if found > wanted * 11 / 10 {
      threshold = max(threshold > unit ? threshold - unit : unit, unit)
    } else if found < wanted * 9 / 10 {
      threshold = min(threshold + unit, base * 2)
    }
    balancing.threshold = threshold
    balancing.candidatesThen = balancing.candidates
  }
}
