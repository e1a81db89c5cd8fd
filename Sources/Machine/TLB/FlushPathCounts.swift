public import TraceEvents

/// What the flush path of one CPU did.
public struct FlushPathCounts: Hashable, Sendable {
  /// Pages of a `tlb:tlb_flush` event.
  public enum Pages: Int, CaseIterable, Sendable {
    /// 0: no entry was lost.
    case none
    /// Some.
    case some
    /// -1: everything.
    case all
  }

  /// The CPU's field of the TLB row of /proc/interrupts: interrupts received.
  public var row: UInt64 = 0
  /// Received without an event: the CPU ran something else, or was up to date.
  public var silent: UInt64 = 0
  /// Pages that were flushed one by one at places that the trace does not tell: their entries stayed.
  public var unplacedPages: UInt64 = 0
  /// Recorded switches that reused a PCID that the model had not seen.
  public var unexplainedReuses: UInt64 = 0
  private var events = Array(repeating: UInt64(0), count: 18)

  /// Nothing yet.
  public init() {}

  /// `tlb:tlb_flush` events of a reason and a class of pages.
  public func events(_ reason: FlushReason, _ pages: Pages) -> UInt64 {
    events[reason.rawValue * 3 + pages.rawValue]
  }

  /// `tlb:tlb_flush` events of a reason.
  public func events(_ reason: FlushReason) -> UInt64 {
    Pages.allCases.reduce(0) { $0 + events(reason, $1) }
  }

  mutating func note(_ reason: FlushReason, _ pages: Pages) {
    events[reason.rawValue * 3 + pages.rawValue] &+= 1
  }
}
