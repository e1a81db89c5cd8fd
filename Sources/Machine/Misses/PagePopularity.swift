public import TraceEvents

#if canImport(Glibc)
  import Glibc
#endif

/// How often sampled accesses hit each page, and the reuse times that follow if accesses are
/// independent of each other (independent reference model, IRM).
///
/// A page with the share p of all accesses then comes back after u of them with probability
/// p (1 - p)^(u - 1). Real programs use a page in bursts, so IRM overstates the footprint of short
/// gaps; pages that no sample hit are missing from that of long ones. Label it.
public struct PagePopularity: Sendable {
  /// Of each page, samples by class.
  private var samples: [UInt64: InlineArray<3, UInt32>] = [:]
  /// Samples taken.
  public private(set) var count: UInt64 = 0
  /// Samples on pages beyond ``pagesMax``, which are left out.
  public private(set) var leftOut: UInt64 = 0

  /// Pages kept at most: half a gigabyte.
  public static let pagesMax = 1 << 23
  /// Accesses that one sample stands for in the profile, so that whole numbers are fine enough.
  static let scale: Double = 1_000_000

  /// No sample.
  public init() {}

  /// Distinct pages.
  public var pages: Int { samples.count }

  /// Takes samples.
  public mutating func record(_ batch: [PageAccess]) {
    for access in batch {
      if samples.count >= Self.pagesMax, samples[access.page] == nil {
        leftOut += 1
        continue
      }
      let kind = Int(access.class.rawValue)
      let page = samples[access.page, default: InlineArray(repeating: 0)][kind]
      samples[access.page, default: InlineArray(repeating: 0)][kind] = page &+ (page < .max ? 1 : 0)
      count += 1
    }
  }

  /// One window of accesses, ``scale`` for each sample, with the reuse times of IRM.
  public func profile() -> ReuseProfile {
    // Pages hit equally often come back equally: one sum for each popularity.
    var byHits: [UInt64: InlineArray<3, UInt64>] = [:]
    for hits in samples.values {
      let all = UInt64(hits[0]) + UInt64(hits[1]) + UInt64(hits[2])
      var sum = byHits[all] ?? InlineArray(repeating: 0)
      for kind in 0..<3 { sum[kind] += UInt64(hits[kind]) }
      byHits[all] = sum
    }
    var expected = Array(repeating: 0.0, count: ReuseWindow.classes * ReuseBins.count)
    let total = Double(max(count, 1))
    // Sorted: sums of floating-point numbers depend on the order.
    for (all, hits) in byHits.sorted(by: { $0.key < $1.key }) {
      let stays = 1 - Double(all) / total
      var survival = 1.0
      for bin in 1..<ReuseBins.count {
        let next = pow(stays, Double(ReuseBins.lowerBound(of: bin + 1) - 1))
        for kind in 0..<3 {
          expected[kind * ReuseBins.count + bin] += Double(hits[kind]) * (survival - next)
        }
        survival = next
        if survival == 0 { break }
      }
    }
    var window = ReuseWindow()
    for kind in AccessClass.allCases {
      for bin in 1..<ReuseBins.count {
        let count = expected[Int(kind.rawValue) * ReuseBins.count + bin] * Self.scale
        window.add(UInt64(count.rounded()), kind, bin: bin)
      }
    }
    return ReuseProfile(source: .independent, interval: 1, pages: pages, windows: [window])
  }
}
