import TraceEvents

/// One `migrate_pages` call that is under way: what its task takes and gives meanwhile.
struct OpenMigration {
  /// Targets listed for one call: as many as one call may move before they go unmarked.
  static let targetsMax = 1 << 16

  var task = EventBatch.unknownTask
  var reason: Int64 = -1
  /// Pages taken, and pages given back or given up, by index of their node, the last for no known one.
  var taken: [Int]
  var freed: [Int]
  /// Entries that name a source and a target, where allocations and frees are not recorded.
  var mappedFrom: [Int]
  var mappedTo: [Int]
  /// Frames taken, which are marked.
  var targets: [UInt32] = []

  init(nodes: Int) {
    taken = Array(repeating: 0, count: nodes + 1)
    freed = taken
    (mappedFrom, mappedTo) = (taken, taken)
  }

  mutating func begin(_ task: Int32, reason: Int64) {
    self.task = task
    self.reason = reason
    for node in taken.indices {
      taken[node] = 0
      freed[node] = 0
      mappedFrom[node] = 0
      mappedTo[node] = 0
    }
    if targets.capacity > 4096 { targets = [] } else { targets.removeAll(keepingCapacity: true) }
  }
}

/// The calls under way: few at a time, one a task.
struct OpenMigrations {
  /// Calls followed at a time; beyond, the oldest is given up.
  static let callsMax = 64

  private(set) var count = 0
  private var calls: [OpenMigration]

  init(nodes: Int) {
    calls = (0..<Self.callsMax).map { _ in OpenMigration(nodes: nodes) }
  }

  subscript(slot: Int) -> OpenMigration {
    _read { yield calls[slot] }
    _modify { yield &calls[slot] }
  }

  /// The call of a task.
  @inline(__always)
  func slot(of task: Int32) -> Int? {
    for slot in 0..<count where calls[slot].task == task { return slot }
    return nil
  }

  /// Opens a call; the caller has made room.
  mutating func open(_ task: Int32, reason: Int64) {
    calls[count].begin(task, reason: reason)
    count += 1
  }

  /// Closes a call; the order of the others stays.
  mutating func close(_ slot: Int) {
    for next in slot..<(count - 1) { calls.swapAt(next, next + 1) }
    count -= 1
  }
}
