/// Sums of several quantities over equal spans of time, in bounded memory.
///
/// Invariant: at most ``spansMax`` spans of `width` from `start` on; the width doubles, and
/// neighbours are joined, when they are full.
struct TimeTable {
  static let spansMax = 64
  private static let firstWidth: UInt64 = 1 << 10

  private(set) var start: UInt64?
  private(set) var width = TimeTable.firstWidth
  /// By quantity: a sum for each span.
  private(set) var sums: [[Int]]
  /// Spans begun.
  private(set) var spans = 0
  /// Sums of the span at hand, and where that ends.
  private var current: [Int]
  private(set) var end: UInt64 = 0

  init(quantities: Int) {
    sums = Array(repeating: Array(repeating: 0, count: Self.spansMax), count: quantities)
    current = Array(repeating: 0, count: quantities)
  }

  /// Another quantity, zero so far; its number.
  mutating func addQuantity() -> Int {
    sums.append(Array(repeating: 0, count: Self.spansMax))
    current.append(0)
    return sums.count - 1
  }

  /// Adds to the span at `time`; what comes late counts in the span at hand.
  @inline(__always)
  mutating func add(_ amount: Int, to quantity: Int, at time: UInt64) {
    if time >= end { advance(to: time) }
    current[quantity] &+= amount
  }

  /// The sums so far, the span at hand included.
  func finished() -> [[Int]] {
    var copy = self
    copy.flush()
    return copy.sums.map { Array($0.prefix(spans)) }
  }

  @inline(never)
  mutating func advance(to time: UInt64) {
    flush()
    guard let start else {
      self.start = time
      spans = 1
      let sum = time.addingReportingOverflow(width)
      end = sum.overflow ? .max : sum.partialValue
      return
    }
    guard time >= start, time >= end else { return }
    while (time - start) / width >= UInt64(Self.spansMax) { fold() }
    let span = (time - start) / width
    spans = Int(span) + 1
    let sum = (start + span * width).addingReportingOverflow(width)
    end = sum.overflow ? .max : sum.partialValue
  }

  private mutating func flush() {
    guard spans > 0 else { return }
    for quantity in sums.indices {
      sums[quantity][spans - 1] &+= current[quantity]
      current[quantity] = 0
    }
  }

  private mutating func fold() {
    let half = Self.spansMax / 2
    for quantity in sums.indices {
      for span in 0..<half {
        sums[quantity][span] = sums[quantity][2 * span] &+ sums[quantity][2 * span + 1]
      }
      for span in half..<Self.spansMax { sums[quantity][span] = 0 }
    }
    spans = (spans + 1) / 2
    width = width >= 1 << 62 ? 1 << 63 : width * 2
  }
}
