/// What the modelled machine counted between the marks.
public struct RunSummary: Sendable, Equatable {
  /// Policy that it ran under.
  public var policy = ""
  /// Nanoseconds from mark to mark.
  public var runTime: UInt64 = 0
  /// TLB row of `/proc/interrupts` by CPU.
  public var tlbRow: [Int] = []
  /// `tlb:tlb_flush` events by reason, and those of them that flushed nothing.
  public var flushes = Array(repeating: 0, count: 6)
  /// See ``flushes``.
  public var flushesOfNothing = Array(repeating: 0, count: 6)
  /// Nanoseconds from the start of a batch's flush to its last answer, on average.
  public var flushDuration: UInt64 = 0
  /// Flushes of unmap batches that were done, and flushes that had been put off and were done.
  public var batchFlushes = 0
  /// See ``batchFlushes``.
  public var deferredFlushes = 0
  /// Batches that were put off, and those that might have been but were not.
  public var deferred = 0
  /// See ``deferred``.
  public var refused = 0
  /// Pages that reclaim took out of the page cache or demoted, and those of direct reclaim.
  public var reclaimed = 0
  /// See ``reclaimed``.
  public var reclaimedDirectly = 0
  /// Pages that reclaim looked at.
  public var scanned = 0
  /// Pages demoted and promoted.
  public var demoted = 0
  /// See ``demoted``.
  public var promoted = 0
  /// Pages that came into the page cache.
  public var cached = 0
  /// Faults, and those of NUMA hinting.
  public var faults = 0
  /// See ``faults``.
  public var hintingFaults = 0
  /// Pages that threads touched.
  public var touched = 0
  /// Pages allocated.
  public var allocated = 0
  /// Times that a task had to reclaim for itself, and that kswapd woke up.
  public var directReclaims = 0
  /// See ``directReclaims``.
  public var kswapdWakes = 0
  /// Events written.
  public var events = 0

  /// An empty count.
  public init() {}

  /// The whole TLB row.
  public var tlbRowTotal: Int { tlbRow.reduce(0, +) }
}

/// What the modelled machine cannot go on from.
public struct SimulationError: Error, Sendable, Equatable {
  /// In words.
  public let message: String
}
