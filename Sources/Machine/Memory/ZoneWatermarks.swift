/// Where a zone's free pages make reclaim begin and end, in pages.
///
/// Linux 6.12 `mm/page_alloc.c`, `__setup_per_zone_wmarks` and `calculate_min_free_kbytes`.
public struct ZoneWatermarks: Sendable, Equatable {
  /// Below it only reclaimers allocate.
  public var min: Int
  /// Below it kswapd is woken; up to `high` it reclaims.
  public var low: Int
  /// See ``low``.
  public var high: Int
  /// Up to it kswapd of a node that is promoted to reclaims, with NUMA balancing of memory tiers.
  public var promo: Int

  /// The marks of zones with so many managed pages each.
  public static func zones(
    managed: [Int], minFreeKilobytes: Int, scaleFactor: Int
  ) -> [ZoneWatermarks] {
    let pagesMin = minFreeKilobytes / 4
    let all = Swift.max(managed.reduce(0, +), 1)
    return managed.map { pages in
      let least = pagesMin * pages / all
      let gap = Swift.max(least / 4, pages * scaleFactor / 10_000)
      return ZoneWatermarks(
        min: least, low: least + gap, high: least + 2 * gap, promo: least + 3 * gap)
    }
  }

  /// `min_free_kbytes` where nobody sets it: the root of 16 times the memory, both in KiB.
  public static func defaultMinFreeKilobytes(managedPages: Int) -> Int {
    let root = integerRoot(managedPages * 4 * 16)
    return Swift.min(Swift.max(root, 128), 262_144)
  }
}

/// The largest integer whose square is not above `value`.
func integerRoot(_ value: Int) -> Int {
  guard value > 0 else { return 0 }
  var root = Int(Double(value).squareRoot())
  while root * root > value { root -= 1 }
  while (root + 1) * (root + 1) <= value { root += 1 }
  return root
}
