import Machine
import Replay
import TraceEvents

/// What an allocation is for.
enum AllocationUse {
  /// A page of a file that is read in, one of anonymous memory, and the target of a migration.
  case readahead, anonymous, migration

  /// Flags as `mm_page_alloc` shows them (Linux 6.12 `include/linux/gfp_types.h`).
  var flags: UInt64 {
    switch self {
    case .readahead: 0x15_2c4a
    case .anonymous: 0x14_0cca
    case .migration: 0x28_28ca
    }
  }
}

extension Simulation {
  /// Takes a page for `task`, nearest node first; nil where it has to reclaim first.
  ///
  /// Linux 6.12 `get_page_from_freelist`, then the start of `__alloc_pages_slowpath`. The event of the
  /// allocation is written by ``noteAllocated(_:_:_:_:)``, behind the flushes that the policy wants.
  mutating func allocate(_ node: Int, _ task: Int, _ cpu: Int) -> Int32? {
    for candidate in zonelists[node] where memory.admits(candidate) {
      if let frame = take(candidate, task, cpu) { return frame }
    }
    wakeKswapds(zonelists[node], task, cpu)
    for candidate in zonelists[node] where memory.admits(candidate, upToMin: true) {
      if let frame = take(candidate, task, cpu) { return frame }
    }
    return nil
  }

  /// Takes a page of one node, and no other; nil where that would need reclaim.
  mutating func allocateOnly(_ node: Int, _ task: Int, _ cpu: Int) -> Int32? {
    if !memory.admits(node) {
      wakeKswapds([node], task, cpu)
      // `GFP_NOWAIT` goes down to the min mark before it gives up.
      guard memory.admits(node, upToMin: true) else { return nil }
    }
    return take(node, task, cpu)
  }

  private mutating func take(_ node: Int, _ task: Int, _ cpu: Int) -> Int32? {
    if memory.needsRefill(node, cpu: cpu) { takeZoneLock(node, cpu) }
    guard let frame = memory.take(node, cpu: cpu) else { return nil }
    cpus[cpu].clock += costs.allocate
    let moved = memory.refilled.count
    for index in 0..<moved {
      let other = memory.refilled[index]
      cpus[cpu].clock += costs.moveFrame
      emit(.pageAllocZoneLocked, cpu, pfn(other), 0, 1, 1)
      policy.refilled(Int(other), cpu: cpu, task: task, time: cpus[cpu].clock)
    }
    if moved > 0 { zoneLocks[node] = cpus[cpu].clock }
    policy.allocated(
      Int(frame), afterRefill: moved > 0, cpu: cpu, task: task, time: cpus[cpu].clock)
    takeFlushes(task)
    return frame
  }

  /// The allocation of a frame is through.
  mutating func noteAllocated(_ frame: Int32, _ use: AllocationUse, _ cpu: Int) {
    if isTracing { summary.allocated += 1 }
    emit(.pageAlloc, cpu, pfn(frame), 0, use.flags, 1)
  }

  /// Frees a frame that nothing uses any more, with the task's last deferral if `isOwed`.
  mutating func free(_ frame: Int32, isOwed: Bool, _ task: Int, _ cpu: Int) {
    cpus[cpu].clock += costs.free
    frames[Int(frame)] = FrameUse()
    if isOwed {
      policy.freed(Int(frame), with: tasks[task].deferral, time: cpus[cpu].clock)
    }
    memory.give(frame, cpu: cpu)
    guard !memory.drained.isEmpty else { return }
    let node = memory.node(of: frame)
    takeZoneLock(node, cpu)
    for index in 0..<memory.drained.count {
      let moved = memory.drained[index]
      cpus[cpu].clock += costs.moveFrame
      emit(.pagePCPDrain, cpu, pfn(moved), 0, 1)
      policy.drained(Int(moved), cpu: cpu, task: task, time: cpus[cpu].clock)
    }
    zoneLocks[node] = cpus[cpu].clock
  }

  /// Waits until the zone's lock is free: what moves to and from buddy moves in one order.
  private mutating func takeZoneLock(_ node: Int, _ cpu: Int) {
    cpus[cpu].clock = max(cpus[cpu].clock, zoneLocks[node])
  }

  /// `drain_all_pages`: the lists of all CPUs go to buddy, for a task that reclaimed in vain.
  mutating func drainLists(_ task: Int, _ cpu: Int) {
    for node in 0..<memory.nodeCount {
      takeZoneLock(node, cpu)
      // Each CPU empties its own list, and is this far at least.
      for other in cpus.indices where !memory.needsRefill(node, cpu: other) {
        cpus[cpu].clock = max(cpus[cpu].clock, cpus[other].clock)
        memory.drainAll(node, cpu: other)
        for index in 0..<memory.drained.count {
          let moved = memory.drained[index]
          emit(.pagePCPDrain, cpu, pfn(moved), 0, 1)
          policy.drained(Int(moved), cpu: cpu, task: task, time: cpus[cpu].clock)
        }
      }
      zoneLocks[node] = cpus[cpu].clock
    }
  }

  /// `refresh_cpu_vm_stats`, once a second: lists that are longer than they need to be get shorter.
  mutating func decayLists(at time: UInt64) {
    for node in 0..<memory.nodeCount {
      for cpu in cpus.indices {
        if cpus[cpu].current < 0 { cpus[cpu].clock = max(cpus[cpu].clock, time) }
        takeZoneLock(node, cpu)
        memory.decay(node, cpu: cpu)
        for index in 0..<memory.drained.count {
          let moved = memory.drained[index]
          emit(.pagePCPDrain, cpu, pfn(moved), 0, 1)
          policy.drained(Int(moved), cpu: cpu, task: 0, time: cpus[cpu].clock)
        }
        zoneLocks[node] = cpus[cpu].clock
      }
    }
  }

  /// `wakeup_kswapd` for each node that is below its high mark.
  mutating func wakeKswapds(_ nodes: [Int], _ task: Int, _ cpu: Int) {
    for node in nodes where !isKswapdAwake[node] && !isBalanced(node) {
      isKswapdAwake[node] = true
      emit(.wakeupKswapd, cpu, UInt64(node), 0)
      policy.note(.kswapdWakeup, cpu: cpu, task: task, time: cpus[cpu].clock)
      takeFlushes(task)
      wake(kswapds[node], at: cpus[cpu].clock)
    }
  }

  /// `pgdat_balanced`.
  func isBalanced(_ node: Int) -> Bool {
    let marks = memory.watermarks(node)
    let goal = balancing.isOn ? marks.promo : marks.high
    return memory.freePages(node) > goal
  }

  /// The node that a CPU's memory comes from.
  func homeNode(_ cpu: Int) -> Int {
    scenario.machine.nodes.firstIndex { $0.cpus.contains(cpu) } ?? 0
  }
}
