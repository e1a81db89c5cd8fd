/// The pages that each unmap batch is seen to unmap, by address: migrations name them, reclaim does not.
///
/// Followed once for all policies. Invariant: at most ``openMax`` pages wait for their flush, beyond
/// which the oldest are forgotten and counted; the pages of a flush live as long as its ``Shootdown``.
struct UnmappedPages {
  /// A page, by its number, and the frame that it was in, by index.
  struct Page {
    var number: UInt64
    /// Where that is not followed `UInt32.max`.
    var frame: UInt32
  }
  private struct Open {
    var task: UInt32
    var page: Page
  }

  /// Pages whose batch has not come to its flush.
  static let openMax = 1 << 13

  private var open: [Open] = []
  private var flushed: [Page] = []
  private var base: UInt64 = 0
  /// Pages that were forgotten for room.
  private(set) var leftOut = 0

  /// A task unmaps a page.
  mutating func add(_ number: UInt64, frame: UInt32?, by task: UInt32) {
    if open.count >= Self.openMax {
      open.removeFirst(Self.openMax / 2)
      leftOut += Self.openMax / 2
    }
    open.append(Open(task: task, page: Page(number: number, frame: frame ?? .max)))
  }

  /// The task's batch comes to its flush; where its pages are found.
  mutating func close(by task: UInt32) -> Range<UInt64> {
    let start = base + UInt64(flushed.count)
    guard !open.isEmpty else { return start..<start }
    var kept = 0
    for index in open.indices {
      if open[index].task == task {
        flushed.append(open[index].page)
      } else {
        open[kept] = open[index]
        kept += 1
      }
    }
    open.removeLast(open.count - kept)
    return start..<base + UInt64(flushed.count)
  }

  /// The pages that ``close(by:)`` put there.
  subscript(places: Range<UInt64>) -> ArraySlice<Page> {
    flushed[Int(places.lowerBound - base)..<Int(places.upperBound - base)]
  }

  /// Nobody asks for what was put before `place`.
  mutating func drop(before place: UInt64) {
    let dropped = Int(min(place, base + UInt64(flushed.count)) - base)
    flushed.removeFirst(dropped)
    base += UInt64(dropped)
  }
}
