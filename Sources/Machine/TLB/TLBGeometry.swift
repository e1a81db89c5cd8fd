/// The TLBs and paging-structure caches of one core.
///
/// The model, where makers are silent:
/// - Low bits of the page number pick the set. Replacement is true LRU; machines have pseudo-LRU.
/// - Levels are neither inclusive nor exclusive: a walk fills both, a hit in the second fills the
///   first, and what one level drops the other keeps. A hit in the first level does not refresh the
///   second.
/// - Arrays of one level that take pages of the same size act as one for them: an entry goes to the
///   first listed array with room in its set, else it replaces the least recently used entry of all
///   of them. Two arrays of 1024 x 8 (Sapphire Rapids' STLB) so hold 4 KiB pages as 2048 x 16, as the
///   manual's "2048 entries, 16-way" has it; a page of 2 MiB replaces in its own array only.
/// - A page larger than what a level takes is kept there in pieces of the greatest size it takes.
/// - No prefetch, no speculation, no walk for setting accessed or dirty bits.
public struct TLBGeometry: Hashable, Sendable {
  /// First level for instruction fetches.
  public var fetch: [TLBArray]
  /// First level for loads.
  public var load: [TLBArray]
  /// First level for stores; empty where they use that of loads.
  public var store: [TLBArray]
  /// Second level: for all, or for data where ``secondFetch`` has arrays.
  public var second: [TLBArray]
  /// Second level for fetches; empty where they use ``second``.
  public var secondFetch: [TLBArray]
  /// Paging-structure caches: of page-directory entries first, then PDPT, PML4 and PML5 entries.
  ///
  /// Fewer than four: the upper ones are missing.
  public var pagingStructures: [TLBArray]
  /// Levels of page tables: 4, or 5 with LA57.
  public var pagingLevels: Int
  /// Whether the logical CPUs of a core share the first level.
  public var isFirstLevelShared: Bool
  /// Whether they share the second level and the paging-structure caches.
  public var isSecondLevelShared: Bool

  /// Arrays in one level at most: what an entry has bits for.
  public static let arraysMax = 4
  /// Logical CPUs of a core at most: what an entry has bits for.
  public static let threadsMax = 4

  /// A geometry.
  public init(
    fetch: [TLBArray], load: [TLBArray], store: [TLBArray] = [], second: [TLBArray],
    secondFetch: [TLBArray] = [], pagingStructures: [TLBArray] = [], pagingLevels: Int = 4,
    isFirstLevelShared: Bool = false, isSecondLevelShared: Bool = true
  ) {
    self.fetch = fetch
    self.load = load
    self.store = store
    self.second = second
    self.secondFetch = secondFetch
    self.pagingStructures = pagingStructures
    self.pagingLevels = pagingLevels
    self.isFirstLevelShared = isFirstLevelShared
    self.isSecondLevelShared = isSecondLevelShared
  }

  /// All groups of arrays with the names that files and listings give them.
  public var groups: [(name: String, arrays: [TLBArray])] {
    [
      ("fetch", fetch), ("load", load), ("store", store), ("second", second),
      ("second_fetch", secondFetch), ("paging_structures", pagingStructures),
    ]
  }

  /// What is wrong with the numbers, and in which group; nil if a core can be built.
  public var fault: (group: String, message: String)? {
    for (name, arrays) in groups {
      if arrays.count > Self.arraysMax {
        return (name, "at most \(Self.arraysMax) arrays in a level")
      }
      for array in arrays {
        if let fault = array.fault { return (name, fault) }
      }
      guard name != "paging_structures" else { continue }
      for first in arrays {
        if first.sizes.isEmpty { return (name, "sizes names no page size") }
        for other in arrays where !first.sizes.isDisjoint(with: other.sizes) {
          if first.sets != other.sets {
            return (name, "arrays that take pages of one size have equally many sets")
          }
        }
      }
    }
    if fetch.isEmpty { return ("fetch", "at least one array") }
    if load.isEmpty { return ("load", "at least one array") }
    return pagingLevels == 4 || pagingLevels == 5 ? nil : ("paging_levels", "4 or 5")
  }
}

extension TLBGeometry {
  /// Entries that 4 KiB pages have in the last level of data.
  public var smallPageEntries: Int {
    let last = second.isEmpty ? load : second
    return last.filter { $0.sizes.contains(.small) }.reduce(0) { $0 + $1.entries.expected }
  }
}
