public import TraceEvents

/// How many pages `tlb_flush` events flush, for another `tlb_single_page_flush_ceiling` (Linux 6.12
/// `arch/x86/mm/tlb.c`: above so many strides, flush all).
///
/// Sends (reason 4) are no flushes and left out. A flush of more pages than the recorded kernel's ceiling
/// stands in the trace as a full one, so nothing is known of higher ceilings than that.
public struct FlushSizes: Sendable {
  /// The kernel's default, and the highest ceiling that is looked at.
  public static let ceilingDefault = 33

  /// Full flushes as recorded.
  public private(set) var full: UInt64 = 0
  /// Flushes by pages, from 1; what a kernel with a higher ceiling did stands last.
  private var ranges = [UInt64](repeating: 0, count: ceilingDefault + 2)
  private let window: TimeWindow

  /// Nothing counted yet; only what lies in `window` is.
  public init(window: TimeWindow?) { self.window = window ?? TimeWindow(start: 0, end: .max) }

  /// Counts the flushes of `batch`.
  public mutating func absorb(_ batch: borrowing EventBatch) {
    for row in 0..<batch.count where batch.event(row) == EventKind.tlbFlush.rawValue {
      guard window.contains(batch.timestamp(row)),
        batch.word(row, TLBFlush.reason) != UInt64(FlushReason.remoteSendIPI.rawValue)
      else { continue }
      let pages = batch.signedWord(row, TLBFlush.pages)
      if pages == -1 { full &+= 1 }
      if pages > 0 { ranges[min(Int(pages), Self.ceilingDefault + 1)] &+= 1 }
    }
  }

  /// Most pages of a flush that was no full one; 0 without any.
  public var largestRange: Int { ranges.lastIndex { $0 > 0 } ?? 0 }

  /// Full flushes, flushes page by page, and pages of the latter, under a ceiling.
  public func under(_ ceiling: Int) -> (full: UInt64, ranged: UInt64, pages: UInt64) {
    var counts = (full: full, ranged: UInt64(0), pages: UInt64(0))
    for size in ranges.indices {
      if size > ceiling {
        counts.full &+= ranges[size]
      } else {
        counts.ranged &+= ranges[size]
        counts.pages &+= ranges[size] &* UInt64(size)
      }
    }
    return counts
  }
}
