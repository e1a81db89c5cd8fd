import TraceEvents

/// Pages by node: a table of all nodes and a list of those that were touched, which are few.
struct NodeCounts {
  private var counts: [Int]
  private(set) var touched: [Int] = []

  init(nodes: Int) { counts = Array(repeating: 0, count: nodes) }

  subscript(node: Int) -> Int { counts[node] }

  mutating func add(_ pages: Int, to node: Int) {
    if counts[node] == 0, !touched.contains(node) { touched.append(node) }
    counts[node] &+= pages
  }

  mutating func removeAll() {
    for node in touched { counts[node] = 0 }
    touched.removeAll(keepingCapacity: true)
  }

  /// The one node with pages; nil where there are several or none.
  var only: Int? {
    var found: Int?
    for node in touched where counts[node] > 0 {
      if found != nil { return nil }
      found = node
    }
    return found
  }

  var total: Int { touched.reduce(0) { $0 &+ counts[$1] } }
}

/// One `migrate_pages` call that is under way: what its task takes and gives meanwhile.
struct OpenMigration {
  /// Targets listed for one call; beyond, a target that is given back counts as a source.
  static let targetsMax = 1 << 16

  var task = EventBatch.unknownTask
  /// Pages taken and not given back, and pages given up, by index of their node, the last for frames
  /// of no known one.
  var taken: NodeCounts
  var freed: NodeCounts
  /// Entries that name a source and a target, where allocations and frees are not recorded.
  var mappedFrom: NodeCounts
  var mappedTo: NodeCounts
  /// Frames taken, which are marked.
  var targets: [UInt32] = []

  init(nodes: Int) {
    taken = NodeCounts(nodes: nodes + 1)
    (freed, mappedFrom, mappedTo) = (taken, taken, taken)
  }

  mutating func begin(_ task: Int32) {
    self.task = task
    taken.removeAll()
    freed.removeAll()
    mappedFrom.removeAll()
    mappedTo.removeAll()
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
  mutating func open(_ task: Int32) {
    calls[count].begin(task)
    count += 1
  }

  /// Closes a call; the order of the others stays.
  mutating func close(_ slot: Int) {
    for next in slot..<(count - 1) { calls.swapAt(next, next + 1) }
    count -= 1
  }
}
