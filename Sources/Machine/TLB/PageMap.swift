/// Which pages an address space maps with which size; 4 KiB where nothing is said.
public struct PageMap: Hashable, Sendable {
  /// A run of addresses that is mapped with one size.
  struct Run: Hashable, Sendable {
    var start: UInt64
    var end: UInt64
    var size: PageSize
  }

  /// In order of address, without overlap; none of 4 KiB.
  private(set) var runs: [Run] = []

  /// All pages are of 4 KiB.
  public init() {}

  /// Whether all pages are of 4 KiB: no lookup is needed.
  public var isSmall: Bool { runs.isEmpty }

  /// Maps `pages` (virtual addresses / 4096) with `size`, whatever they were mapped with.
  ///
  /// Only whole pages of that size; the rest of the range keeps what it had.
  public mutating func map(_ pages: Range<UInt64>, as size: PageSize) {
    let mask = UInt64(1) << UInt64(size.shift) - 1
    let limit = UInt64(1) << 62
    let start = (min(pages.lowerBound, limit) + mask) & ~mask
    let end = min(pages.upperBound, limit) & ~mask
    guard start < end else { return }
    var kept: [Run] = []
    for run in runs {
      if run.start < start {
        kept.append(Run(start: run.start, end: min(run.end, start), size: run.size))
      }
      if run.end > end {
        kept.append(Run(start: max(run.start, end), end: run.end, size: run.size))
      }
    }
    if size != .small { kept.append(Run(start: start, end: end, size: size)) }
    runs = kept.sorted { $0.start < $1.start }
  }

  /// The size with which `page` is mapped.
  public func size(of page: UInt64) -> PageSize {
    var cursor = PageMapCursor()
    return PageSize(rawValue: cursor.size(of: page, in: runs)) ?? .small
  }
}

/// Looks pages up in a map; remembers the run, since accesses stay near each other.
struct PageMapCursor {
  private var start: UInt64 = 0
  private var end: UInt64 = 0
  private var size = 0

  @inline(__always)
  mutating func size(of page: UInt64, in runs: [PageMap.Run]) -> Int {
    if page >= start, page < end { return size }
    search(page, runs)
    return size
  }

  @inline(never)
  private mutating func search(_ page: UInt64, _ runs: [PageMap.Run]) {
    var low = 0
    var high = runs.count
    while low < high {
      let middle = (low + high) / 2
      if runs[middle].end <= page { low = middle + 1 } else { high = middle }
    }
    if low < runs.count, runs[low].start <= page {
      (start, end, size) = (runs[low].start, runs[low].end, runs[low].size.rawValue)
    } else {
      start = low > 0 ? runs[low - 1].end : 0
      end = low < runs.count ? runs[low].start : .max
      size = PageSize.small.rawValue
    }
  }
}
