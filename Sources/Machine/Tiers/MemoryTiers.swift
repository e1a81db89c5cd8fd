public import TraceEvents

/// What a node is for demotion and promotion.
public enum TierRole: String, Sendable {
  /// It has CPUs, or pages are demoted from it.
  case top
  /// It has no CPUs, or pages are demoted to it.
  case lower
  /// There is no other node.
  case only
  /// Nothing tells.
  case unknown
}

/// Where migrated pages went.
public enum MigrationDirection: String, Sendable, CaseIterable {
  /// From a lower tier to the top one, and the other way.
  case promotion, demotion
  /// Between nodes of one role, or of unknown ones.
  case sideways
  /// Inside one node.
  case within
}

/// One node: what the trace shows of it and what the snapshots around it say.
public struct TierNode: Sendable {
  /// What the trace shows.
  public var residency: NodeResidency
  /// What it is, and what says so.
  public var role: TierRole
  /// See ``role``.
  public var evidence: String
  /// Pages that the allocator has; nil without a snapshot.
  public var managed: Int?
  /// Pages in use when the window began: managed less free less those on per-CPU lists.
  public var usedBefore: Int?
  /// By how many pages the snapshots' free pages changed, buddy and per-CPU lists together.
  public var freeGained: Int?
  /// By how many pages the kernel's own counters lag at most, both snapshots together.
  public var counterLag: Int?

  /// Frames that the trace never names, which may be in use or free all the time.
  public var framesUnseen: Int? { managed.map { max($0 - residency.framesSeen, 0) } }
  /// Pages in use when the window ended.
  public var usedAfter: Int? { usedBefore.map { $0 + residency.gain } }
  /// What the snapshots gained in free pages, less what the trace shows.
  public var difference: Int? { freeGained.map { $0 + residency.gain } }
}

/// A counter of /proc/vmstat beside what the trace shows of it.
public struct CounterAgreement: Sendable, Equatable {
  /// The kernel's name.
  public var name: String
  /// Pages by the counter.
  public var counted: Int
  /// Pages by the trace's events.
  public var traced: Int
  /// By how many pages the counter itself lags at most; 0 for those that are summed when read.
  public var lag: Int
}

/// Nodes with their roles, and migrations by direction.
public struct MemoryTiers: Sendable {
  /// By node; last the frames of no known node, if there are any.
  public var nodes: [TierNode]
  /// What the tracker found.
  public var outcome: TierOutcome
  /// Counters of /proc/vmstat beside the trace.
  public var counters: [CounterAgreement]
  /// Whether frames could be told apart by node.
  public var isPlaced: Bool { nodes.contains { $0.residency.node != nil } }

  /// Concludes from what was tracked, the snapshots and what the trace says of nodes.
  public init(_ outcome: TierOutcome, _ memory: RecordedMemory, _ facts: [NodeFacts]) {
    self.outcome = outcome
    let numbers = outcome.nodes.compactMap(\.node)
    nodes = outcome.nodes.map { residency in
      let (role, evidence) = Self.role(residency.node, numbers, outcome.flows, memory, facts)
      var node = TierNode(residency: residency, role: role, evidence: evidence)
      guard let number = residency.node, let before = memory.before, let after = memory.after else {
        return node
      }
      let old = NodeTotals(before, number)
      let new = NodeTotals(after, number)
      node.managed = old.managed
      node.usedBefore = old.managed - old.free
      node.freeGained = new.free - old.free
      node.counterLag = old.lag + new.lag
      return node
    }
    counters = []
    if let recorded = memory.counters { counters = agreements(recorded, memory) }
  }

  /// What a migration is, by the roles of its nodes.
  public func direction(_ flow: MigrationFlow) -> MigrationDirection {
    guard flow.source != flow.target else { return .within }
    let source = nodes.first { $0.residency.node == flow.source }?.role
    let target = nodes.first { $0.residency.node == flow.target }?.role
    switch (source, target) {
    case (.lower?, .top?): return .promotion
    case (.top?, .lower?): return .demotion
    default: return .sideways
    }
  }

  /// Pages of all migrations in one direction.
  public func pages(_ direction: MigrationDirection) -> Int {
    outcome.flows.reduce(0) { $0 &+ (self.direction($1) == direction ? $1.pages : 0) }
  }

  /// CPUs make a node top tier, and a node without CPUs is a demotion target (Linux 6.12
  /// `mm/memory-tiers.c`). `numa_local` counts allocations from the node of the allocating CPU
  /// (`mm/page_alloc.c` `zone_statistics`), so a node without CPUs never has one.
  private static func role(
    _ node: Int?, _ nodes: [Int], _ flows: [MigrationFlow], _ memory: RecordedMemory,
    _ facts: [NodeFacts]
  ) -> (TierRole, String) {
    guard let node else { return (.unknown, "no snapshot tells whose frames these are") }
    guard nodes.count > 1 else { return (.only, "no other node") }
    let demotions = flows.filter { $0.reason == .demotion && $0.source != $0.target }
    let isSource = demotions.contains { $0.source == node }
    let isTarget = demotions.contains { $0.target == node }
    if isSource != isTarget {
      return isTarget
        ? (.lower, "pages are demoted to it") : (.top, "pages are demoted from it")
    }
    if let cpus = facts.first(where: { $0.number == node })?.cpuList {
      return cpus.isEmpty
        ? (.lower, "no CPUs, says the trace's header") : (.top, "CPUs, says the trace's header")
    }
    let counts = (memory.after?.zones ?? []).compactMap { zone in
      zone.localAllocations.map { (node: zone.node, local: $0) }
    }
    if counts.contains(where: { $0.node == node && $0.local > 0 }) {
      return (.top, "numa_local: its own CPUs allocated there")
    }
    // Where no node has any, the kernel does not count.
    if counts.contains(where: { $0.local > 0 }), counts.contains(where: { $0.node == node }) {
      return (.lower, "numa_local 0: no CPU of its own ever allocated there")
    }
    return (.unknown, "nothing tells whether it has CPUs")
  }

  /// Sums over the zones of a node.
  private struct NodeTotals {
    var managed = 0
    var free = 0
    var lag = 0

    init(_ snapshot: MemorySnapshot, _ node: Int) {
      for zone in snapshot.zones where zone.node == node {
        managed &+= Int(clamping: zone.managed)
        free &+= Int(clamping: zone.free) &+ Int(clamping: zone.perCPUFree)
        lag &+= Int(clamping: zone.counterSlack)
      }
    }
  }

  // MARK: Counters

  private func agreements(
    _ recorded: MigrationCounters, _ memory: RecordedMemory
  ) -> [CounterAgreement] {
    guard outcome.hasMigrations else { return [] }
    func succeeded(_ reason: MigrationReason) -> Int {
      outcome.totals.first { $0.reason == reason }?.succeeded ?? 0
    }
    // Node counters are folded in from each CPU beyond a threshold, at most that of the node's zones;
    // `pgmigrate_*` and `numa_pages_migrated` are summed over the CPUs when read.
    let lag = nodes.reduce(0) { $0 &+ ($1.counterLag ?? 0) }
    var found: [CounterAgreement] = []
    func add(_ name: String, _ traced: Int, lag: Int) {
      guard let counted = recorded[name].map({ Int(clamping: $0) }) else { return }
      found.append(CounterAgreement(name: name, counted: counted, traced: traced, lag: lag))
    }
    add("pgmigrate_success", outcome.totals.reduce(0) { $0 &+ $1.succeeded }, lag: 0)
    add("numa_pages_migrated", succeeded(.numaMisplaced), lag: 0)
    if isPlaced {
      let promoted = outcome.flows.reduce(0) {
        $0 &+ ($1.reason == .numaMisplaced && direction($1) == .promotion ? $1.pages : 0)
      }
      add("pgpromote_success", promoted, lag: lag)
    }
    let demotions = recorded.gained.filter { $0.name.hasPrefix("pgdemote_") }
    if !demotions.isEmpty {
      let counted = demotions.reduce(0) { $0 &+ Int(clamping: $1.pages) }
      found.append(
        CounterAgreement(
          name: "pgdemote_*", counted: counted, traced: succeeded(.demotion), lag: lag))
    }
    return found
  }
}
