/// How far another run of the same workload may lie from this one, estimated from this one alone.
///
/// A recorded run is one draw: where its threads and the kernel's reclaim meet changes from run to
/// run. Time is cut into slices, and neighbouring slices with `a` and `b` interrupts tell how much
/// counts scatter: `(a - b)^2 / (a + b)` is 1 on average where single interrupts come independently,
/// the interrupts of a flush where whole flushes do, and more where flushes come in bursts. The mean
/// of this over all pairs (the Allan factor of point processes), times the total, is the total's
/// variance. Neighbours are compared, and each pair by its own size, so that a workload that changes
/// over time is not taken for one that scatters.
///
/// Slices are as long as they must be for ``slicesMax`` of them, at least half as many, to cover the
/// time: shorter ones would miss bursts, fewer would leave too few pairs (batch means are commonly
/// taken from 10 to 30, Schmeiser, Operations Research 30, 1982).
///
/// Invariant: every slice but the last lies wholly between the start and ``advance(to:)``.
struct DrawInterval: Sendable, Equatable {
  /// Slices kept; their length doubles when they are full.
  static let slicesMax = 64

  private var start: UInt64?
  /// Slices are 2 to this power long, in the trace's unit.
  private var shift: UInt64 = 0
  private var slices = Array(repeating: 0, count: DrawInterval.slicesMax)
  /// The slice of the latest time seen.
  private var last = 0
  /// Sum of all that was added.
  private(set) var total = 0

  /// Time has come to `time`; the first call says where it begins.
  mutating func advance(to time: UInt64) { last = max(last, slice(of: time)) }

  /// `count` interrupts more at `time`; negative where interrupts that were added do not happen.
  mutating func add(_ count: Int, at time: UInt64) {
    let slice = slice(of: time)
    last = max(last, slice)
    slices[slice] &+= count
    total &+= count
  }

  /// The interrupts of both, which begin at one time.
  func merged(with other: DrawInterval) -> DrawInterval {
    var one = self
    var two = other
    while one.shift < two.shift { one.fold() }
    while two.shift < one.shift { two.fold() }
    for index in one.slices.indices { one.slices[index] &+= two.slices[index] }
    one.total &+= two.total
    one.last = max(one.last, two.last)
    one.start = one.start ?? two.start
    return one
  }

  /// Standard error of the total as that of one draw, in interrupts; 0 where too little is there.
  var standardError: Double {
    guard total > 0 else { return 0 }
    var sum = 0.0
    var pairs = 0
    // The last slice is not over yet, so it says nothing beside a whole one.
    for index in stride(from: 1, to: last, by: 1) {
      let before = Double(slices[index - 1])
      let after = Double(slices[index])
      guard before + after > 0 else { continue }
      sum += (before - after) * (before - after) / (before + after)
      pairs += 1
    }
    return pairs > 0 ? (Double(total) * sum / Double(pairs)).squareRoot() : 0
  }

  /// Where another run lies, about 95 times in 100, if this one has `count` interrupts.
  ///
  /// Both runs are draws, so their difference has twice the variance of one.
  func range(around count: Int) -> ClosedRange<Int> {
    let margin = Int(clamping: (2 * (2.0).squareRoot() * standardError).rounded(.up))
    let below = count.subtractingReportingOverflow(margin)
    let above = count.addingReportingOverflow(margin)
    // A row cannot be negative.
    let lower = below.overflow ? .min : max(below.partialValue, min(count, 0))
    return lower...(above.overflow ? .max : above.partialValue)
  }

  /// The slice that `time` lies in; makes slices longer until there is one.
  private mutating func slice(of time: UInt64) -> Int {
    let start = start ?? time
    self.start = start
    let elapsed = time > start ? time - start : 0
    while elapsed >> shift >= UInt64(Self.slicesMax) { fold() }
    return Int(elapsed >> shift)
  }

  /// Joins each slice with its neighbour.
  private mutating func fold() {
    let half = Self.slicesMax / 2
    for index in 0..<half { slices[index] = slices[2 * index] &+ slices[2 * index + 1] }
    for index in half..<Self.slicesMax { slices[index] = 0 }
    last /= 2
    shift += 1
  }
}

extension Int {
  /// The nearest integer that there is; 0 for what is no number.
  fileprivate init(clamping value: Double) {
    self = value.isNaN ? 0 : value >= 0x1p63 ? .max : value <= -0x1p63 ? .min : Int(value)
  }
}
