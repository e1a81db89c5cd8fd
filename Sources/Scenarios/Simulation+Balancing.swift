import Machine
import TraceEvents

/// NUMA balancing as a whole.
struct BalancingState {
  var isOn = false
}

/// A scan of `task_numa_work` that is under way.
struct ScanWork {
  var isActive = false
}

extension Simulation {
  func scanIsDue(_ task: Int, _ cpu: Int) -> Bool { false }

  mutating func hintingFault(_ task: Int, _ cpu: Int) { endFault(task) }
}
