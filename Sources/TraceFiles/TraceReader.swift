public import TraceEvents

/// In which order a consumer wants the events of an instance.
public enum EventOrder: Sendable {
  /// By time over all CPUs (ties by CPU number): what a replay needs.
  case time
  /// Any order that keeps each CPU's own: cheaper, enough for counting.
  case any
}

/// What a consumer wants from a trace.
public struct ReadRequest: Sendable {
  /// Order of the rows.
  public var order: EventOrder
  /// Only this instance (the top one is ""); nil reads all, one after the other or line by line.
  public var instance: String?
  /// Kinds whose payload words are wanted; rows of other kinds carry none, which saves decoding them.
  public var payloads: EventKindSet
  /// Whether rows of kernel and user stacks carry the number of their chain, a single word, among the
  /// directory's ``EventDirectory/callChains``; such rows then follow the flushes that a perf.data
  /// sampled with a chain.
  public var readsCallChains: Bool

  /// Everything, in `order`.
  public init(
    order: EventOrder, instance: String? = nil, payloads: EventKindSet = .all,
    readsCallChains: Bool = false
  ) {
    self.order = order
    self.instance = instance
    self.payloads = payloads
    self.readsCallChains = readsCallChains
  }
}

/// Turns one trace into batches.
///
/// Contract: `facts` are complete once the reader exists, except what only the events tell. `next`
/// replaces the batch's rows; all rows of a batch belong to `batch.instance`; it returns false, with
/// an empty batch, at the end, and then for ever. Damage that leaves something to read is noted in
/// `statistics` and skipped; only a file that cannot be read at all throws.
public protocol TraceReader {
  /// What the trace says about itself.
  var facts: TraceFacts { get }
  /// Names of events, strings and tasks.
  var directory: EventDirectory { get }
  /// What was bad so far.
  var statistics: IngestStatistics { get }
  /// Fills `batch` with the next rows.
  mutating func next(into batch: inout EventBatch) throws(TraceError) -> Bool
}
