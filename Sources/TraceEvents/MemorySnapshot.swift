/// One zone of one copy of /proc/zoneinfo; pages of the machine's base size.
public struct ZoneSnapshot: Sendable, Equatable {
  /// Node that it belongs to.
  public var node: Int
  /// `DMA`, `DMA32`, `Normal`, `Movable`, `Device`.
  public var name: String
  /// First frame, and frames from there on, holes included.
  public var startFrame: UInt64
  /// See ``startFrame``.
  public var spanned: UInt64
  /// Pages that the page allocator has.
  public var managed: UInt64
  /// Pages on the buddy lists (`nr_free_pages`), as far as the kernel's per-CPU sums were folded in.
  public var free: UInt64
  /// Pages on the per-CPU lists, which no buddy list has.
  public var perCPUFree: UInt64
  /// Watermarks, pages.
  public var min: UInt64
  /// See ``min``.
  public var low: UInt64
  /// See ``min``.
  public var high: UInt64
  /// By how many pages the zone's counters may be off: the CPUs' `vm stats threshold`, summed.
  public var counterSlack: UInt64
  /// Allocations that a CPU of the zone's own node made (`numa_local`); nil where not told.
  public var localAllocations: UInt64?

  /// An empty zone.
  public init(node: Int, name: String) {
    self.node = node
    self.name = name
    (startFrame, spanned, managed, free, perCPUFree) = (0, 0, 0, 0, 0)
    (min, low, high, counterSlack) = (0, 0, 0, 0)
  }
}

/// One copy of /proc/zoneinfo.
public struct MemorySnapshot: Sendable, Equatable {
  /// Zones with frames, by node and first frame.
  public var zones: [ZoneSnapshot]

  /// A copy with these zones.
  public init(zones: [ZoneSnapshot]) { self.zones = zones }
}

/// What the migration and reclaim counters of /proc/vmstat gained between two snapshots.
public struct MigrationCounters: Sendable, Equatable {
  /// Pages by the kernel's counter name, those that both snapshots have, in ``names`` order.
  public var gained: [(name: String, pages: UInt64)]

  /// The counters that say where migrations went, and what reclaim freed: Linux 6.12 `mm/vmstat.c` `vmstat_text`.
  public static let names =
    [
      "pgmigrate_success", "pgmigrate_fail", "numa_pages_migrated", "pgpromote_success",
      "pgdemote_kswapd", "pgdemote_direct", "pgdemote_khugepaged", "pgdemote_proactive",
    ]
    + reclaimNames

  /// The counters whose sum is the pages that reclaim freed, demotions included: who reclaimed.
  public static let reclaimNames = [
    "pgsteal_kswapd", "pgsteal_direct", "pgsteal_khugepaged", "pgsteal_proactive",
  ]

  /// What counters gained.
  public init(gained: [(name: String, pages: UInt64)]) { self.gained = gained }

  /// What one counter gained; nil where a snapshot lacks it.
  public subscript(name: String) -> UInt64? { gained.first { $0.name == name }?.pages }

  /// Whether both hold the same counts.
  public static func == (one: MigrationCounters, two: MigrationCounters) -> Bool {
    one.gained.elementsEqual(two.gained) { $0.name == $1.name && $0.pages == $1.pages }
  }
}

/// What the memory snapshots around a traced window say.
public struct RecordedMemory: Sendable, Equatable {
  /// /proc/zoneinfo before and after the window.
  public var before: MemorySnapshot?
  /// See ``before``.
  public var after: MemorySnapshot?
  /// What /proc/vmstat gained from before to after.
  public var counters: MigrationCounters?
  /// Snapshots that could not be used, and why.
  public var problems: [String] = []

  /// Snapshots, as far as there are.
  public init(
    before: MemorySnapshot? = nil, after: MemorySnapshot? = nil, counters: MigrationCounters? = nil
  ) {
    self.before = before
    self.after = after
    self.counters = counters
  }
}
