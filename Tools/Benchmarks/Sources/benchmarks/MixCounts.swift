import TraceEvents
import TraceWriting

/// What a trace of the mix holds, counted while it was made.
struct MixCounts: Equatable {
  /// Events by kind and CPU.
  private(set) var events: [UInt64]
  /// `tlb_flush` by reason (0 to 4) and class: 0 full, 1 none, 2 range.
  private(set) var flushes = [UInt64](repeating: 0, count: 5 * 3)
  /// `mm_page_alloc` by order.
  private(set) var orders = [UInt64](repeating: 0, count: 11)
  /// Frames that events name, a bit each.
  private var frames = [UInt64](repeating: 0, count: 1 << 16)
  let cpus: Int

  init(cpus: Int) {
    self.cpus = cpus
    events = [UInt64](repeating: 0, count: cpus * Int(EventKind.knownCount))
  }

  mutating func count(_ row: TraceRow) {
    events[Int(row.kind.rawValue) * cpus + Int(row.cpu)] += 1
    countFrame(row)
    if row.kind == .tlbFlush {
      let pages = row.words[TLBFlush.pages]
      let pagesClass = pages == .max ? 0 : pages == 0 ? 1 : 2
      flushes[Int(row.words[TLBFlush.reason]) * 3 + pagesClass] += 1
    } else if row.kind == .pageAlloc {
      orders[Int(row.words[PageAlloc.order])] += 1
    }
  }

  private mutating func countFrame(_ row: TraceRow) {
    switch row.kind {
    case .pageAlloc, .pageFree, .pageFreeBatched, .filemapDelete:
      let pfn = row.words[PageFree.pfn]
      if pfn >> 6 < frames.count { frames[Int(pfn >> 6)] |= 1 << (pfn & 63) }
    default: return
    }
  }

  /// Frames that are allocated or freed.
  var framesUsed: Int { frames.reduce(0) { $0 + $1.nonzeroBitCount } }

  func perCPU(_ kind: EventKind) -> ArraySlice<UInt64> {
    events[Int(kind.rawValue) * cpus..<(Int(kind.rawValue) + 1) * cpus]
  }

  var total: UInt64 { events.reduce(0, +) }
}
