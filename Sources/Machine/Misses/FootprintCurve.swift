public import TraceEvents

/// What a stretch of accesses needs of a TLB: average footprint, base walks, and walks that a flush
/// makes, all from reuse times.
///
/// P_k(u) is the share of all accesses that are of class k and whose page was last touched more than
/// u accesses ago; f(t), the sum of all P_k(u) for u < t, is the average number of distinct pages in
/// t accesses (Xiang et al., "HOTL", ASPLOS 2013). A TLB of C entries under LRU holds what was touched
/// in the last T_C accesses, f(T_C) = C. Hence P_k(T_C) walks to an access without any flush, and
/// after a full flush, until the next one G accesses later, another
///
///     X_k(G) = sum over u < min(G, T_C) of P_k(u) - P_k(T_C).
///
/// A stretch that never needs C entries has no T_C; its base is its first touches.
public struct FootprintCurve: Sendable {
  private let accesses: Double
  /// Per class and bin: accesses whose reuse time is at least the bin's least, first touches too.
  private let tails: [Double]
  /// Per class and bin: the sum of min(reuse time, the bin's least) over all accesses.
  private let sums: [Double]
  private static let stride = ReuseBins.count + 1

  /// The curve of `window`.
  public init(_ window: ReuseWindow) {
    let total = Double(window.accesses)
    var tails: [Double] = []
    var sums: [Double] = []
    tails.reserveCapacity(Self.stride * ReuseWindow.classes)
    sums.reserveCapacity(Self.stride * ReuseWindow.classes)
    for kind in AccessClass.allCases {
      var tail = Double(window.accesses(kind))
      var within = 0.0
      for bin in 0..<ReuseBins.count {
        let lower = Double(ReuseBins.lowerBound(of: bin))
        let count = Double(window.reuses(kind, bin: bin))
        tails.append(tail)
        sums.append(within + lower * tail)
        tail -= count
        within += count * (lower + Double(ReuseBins.lowerBound(of: bin + 1)) - 1) / 2
      }
      tails.append(tail)
      sums.append(within + Double(ReuseBins.lowerBound(of: ReuseBins.count)) * tail)
    }
    accesses = max(total, 1)
    self.tails = tails
    self.sums = sums
  }

  /// P_k(u): accesses of `class` whose page was last touched more than `time` accesses ago, as a share
  /// of all accesses.
  public func missShare(_ class: AccessClass, after time: UInt64) -> Double {
    let (bin, offset) = Self.place(time == .max ? time : time + 1)
    let start = Int(`class`.rawValue) * Self.stride + bin
    guard bin < ReuseBins.count else { return tails[start] / accesses }
    let width = Double(ReuseBins.lowerBound(of: bin + 1) - ReuseBins.lowerBound(of: bin))
    return (tails[start] - (tails[start] - tails[start + 1]) * offset / width) / accesses
  }

  /// The part of f(t) that first touches by `class` make.
  public func footprint(_ class: AccessClass, in time: UInt64) -> Double {
    let (bin, offset) = Self.place(time)
    let start = Int(`class`.rawValue) * Self.stride + bin
    guard bin < ReuseBins.count else { return (sums[start] + offset * tails[start]) / accesses }
    let width = Double(ReuseBins.lowerBound(of: bin + 1) - ReuseBins.lowerBound(of: bin))
    let inBin = tails[start] - tails[start + 1]
    return (sums[start] + offset * tails[start] - inBin / width * offset * (offset + 1) / 2)
      / accesses
  }

  /// f(t): the average number of distinct pages in `time` accesses.
  public func footprint(in time: UInt64) -> Double {
    AccessClass.allCases.reduce(0) { $0 + footprint($1, in: time) }
  }

  /// T_C: accesses in which `entries` distinct pages are touched; nil if that never happens.
  public func residence(entries: Int) -> UInt64? {
    let wanted = Double(entries)
    var upper = ReuseBins.lowerBound(of: ReuseBins.count)
    guard footprint(in: upper) >= wanted else { return nil }
    var lower: UInt64 = 0
    // f grows with t: the least t with f(t) >= C.
    while upper - lower > 1 {
      let middle = lower + (upper - lower) / 2
      if footprint(in: middle) >= wanted { upper = middle } else { lower = middle }
    }
    return upper
  }

  private static func place(_ time: UInt64) -> (bin: Int, offset: Double) {
    let end = ReuseBins.lowerBound(of: ReuseBins.count)
    guard time < end else { return (ReuseBins.count, Double(time - end)) }
    let bin = ReuseBins.index(of: time)
    return (bin, Double(time - ReuseBins.lowerBound(of: bin)))
  }
}

/// Walks of a ``FootprintCurve`` in a TLB of a given size.
public struct WalkCurve: Sendable {
  /// Entries of the last-level TLB for 4 KiB pages.
  public let entries: Int
  /// T_C, in accesses; nil if everything fits.
  public let residence: UInt64?
  private let curve: FootprintCurve
  private let base: [Double]

  /// The walks of `curve` with `entries` entries.
  public init(_ curve: FootprintCurve, entries: Int) {
    self.curve = curve
    self.entries = entries
    let residence = curve.residence(entries: entries)
    self.residence = residence
    base = AccessClass.allCases.map { curve.missShare($0, after: residence ?? .max) }
  }

  /// Walks to an access without flushes: capacity misses and first touches.
  public func baseWalks(_ class: AccessClass) -> Double { base[Int(`class`.rawValue)] }

  /// X_k(G): walks that a full flush adds until the next one, `gap` accesses later.
  public func flushWalks(_ class: AccessClass, gap: UInt64) -> Double {
    let time = min(gap, residence ?? .max, Self.gapMax)
    return max(0, curve.footprint(`class`, in: time) - Double(time) * baseWalks(`class`))
  }

  /// The same for all classes.
  public func flushWalks(gap: UInt64) -> Double {
    AccessClass.allCases.reduce(0) { $0 + flushWalks($1, gap: gap) }
  }

  /// Accesses beyond any bin; differences of sums lose their digits there.
  private static let gapMax: UInt64 = 1 << 46
}
