public import TraceEvents

/// What a trace tells of the pages of one node.
///
/// Known means: with hindsight over the whole trace. A frame whose first event is a free was in use
/// from the beginning, one whose first event is an allocation was free.
public struct NodeResidency: Sendable, Equatable {
  /// Node number; nil for frames whose node is not known.
  public var node: Int?
  /// Frames that the trace names.
  public internal(set) var framesSeen = 0
  /// Of these, how many were in use when the window began and when it ended.
  public internal(set) var usedAtStart = 0
  /// See ``usedAtStart``.
  public internal(set) var usedAtEnd = 0
  /// Least and greatest number in use inside the window, of the frames seen.
  public internal(set) var usedMin = 0
  /// See ``usedMin``.
  public internal(set) var usedMax = 0
  /// Pages allocated and freed inside the window, by events.
  public internal(set) var allocated = 0
  /// See ``allocated``.
  public internal(set) var freed = 0
  /// Pages that are seen in use inside the window without an event that allocated them.
  public internal(set) var takenUnseen = 0
  /// What the number in use gained in each span of ``TierOutcome/width``.
  public internal(set) var gains: [Int] = []

  /// What the number in use gained in the window.
  public var gain: Int { usedAtEnd - usedAtStart }
}

/// Pages that moved from one node to another, or were moved inside one, for one reason.
public struct MigrationFlow: Sendable, Equatable {
  /// Node numbers.
  public var source: Int
  /// See ``source``.
  public var target: Int
  /// Why; nil for a reason that no kernel has.
  public var reason: MigrationReason?
  /// Pages.
  public internal(set) var pages = 0
  /// Calls of `migrate_pages`.
  public internal(set) var calls = 0
  /// Pages in each span of ``TierOutcome/width``.
  public internal(set) var series: [Int] = []
}

/// What `mm_migrate_pages` says of one reason inside the window.
public struct MigrationTotal: Sendable, Equatable {
  /// Why; nil for reasons that no kernel has.
  public var reason: MigrationReason?
  /// Calls that ended.
  public internal(set) var calls = 0
  /// Pages that were moved, and that could not be.
  public internal(set) var succeeded = 0
  /// See ``succeeded``.
  public internal(set) var failed = 0
  /// Of the former, pages whose nodes are not known.
  public internal(set) var unplaced = 0
}

/// What ``TierTracker`` found.
public struct TierOutcome: Sendable, Equatable {
  /// By node, ascending; last the frames of no known node, if there are any.
  public internal(set) var nodes: [NodeResidency] = []
  /// Migrations by source, target and reason.
  public internal(set) var flows: [MigrationFlow] = []
  /// Migrations by reason.
  public internal(set) var totals: [MigrationTotal] = []
  /// First moment of the series in the trace's unit, and length of its spans.
  public internal(set) var start: UInt64?
  /// See ``start``.
  public internal(set) var width: UInt64 = 0
  /// Frames allocated though in use, or freed though free: events are missing.
  public internal(set) var contradictions = 0
  /// Events on frames beyond the table.
  public internal(set) var framesUntracked = 0
  /// Migrations that began and are not seen to end, or end and are not seen to begin.
  public internal(set) var callsCut = 0
  /// Whether allocations, frees, and ends of migrations were recorded.
  public internal(set) var hasAllocations = false
  /// See ``hasAllocations``.
  public internal(set) var hasFrees = false
  /// See ``hasAllocations``.
  public internal(set) var hasMigrations = false
  /// See ``hasAllocations``.
  public internal(set) var hasMigrationStarts = false
  /// Frames whose node several zones claim.
  public internal(set) var framesAmbiguous: UInt64 = 0
}
