/// Where a core's arrays lie in one flat run of tags.
struct TLBLayout: Sendable {
  /// Arrays of one level that share page sizes, or one paging-structure cache.
  struct Bank: Sendable {
    var firstTag: Int
    var sets: Int
    var ways: Int
    /// The logical CPU whose own it is; nil if all share it.
    var thread: Int?
    var holdsTranslations: Bool
    /// What it keeps.
    var sizes: PageSizes

    /// Whether a page of `size` may lie in it in pieces.
    func keepsPieces(of size: PageSize) -> Bool {
      sizes.rawValue & (1 << size.rawValue - 1) != 0
    }
  }

  /// Lookups of one logical CPU: classes x page sizes, of the first level, then of the second.
  static let lookupsPerThread = 18
  static let secondLevel = 9
  /// Paging-structure caches.
  static let structures = 4

  private(set) var banks: [Bank] = []
  private(set) var lookups: [TLBLookup] = []
  /// Of each logical CPU: PDE, PDPTE, PML4E and PML5E caches.
  private(set) var structureLookups: [TLBLookup] = []
  private(set) var tagsTotal = 0

  init(_ geometry: TLBGeometry, threads: Int) {
    var shared: [[TLBLookup]?] = Array(repeating: nil, count: 5 + Self.structures)
    for thread in 0..<threads {
      let fetch = lookups(geometry.fetch, 0, geometry.isFirstLevelShared, thread, &shared)
      let load = lookups(geometry.load, 1, geometry.isFirstLevelShared, thread, &shared)
      let store =
        geometry.store.isEmpty
        ? load : lookups(geometry.store, 2, geometry.isFirstLevelShared, thread, &shared)
      let second = lookups(geometry.second, 3, geometry.isSecondLevelShared, thread, &shared)
      let secondFetch =
        geometry.secondFetch.isEmpty
        ? second : lookups(geometry.secondFetch, 4, geometry.isSecondLevelShared, thread, &shared)
      lookups += fetch + load + store + secondFetch + second + second
      for level in 0..<Self.structures {
        structureLookups.append(structure(geometry, level, thread, &shared))
      }
    }
  }

  /// How pages of each size are looked up in a level; made once where it is shared.
  private mutating func lookups(
    _ arrays: [TLBArray], _ slot: Int, _ isShared: Bool, _ thread: Int,
    _ shared: inout [[TLBLookup]?]
  ) -> [TLBLookup] {
    if isShared, let made = shared[slot] { return made }
    var bySize = Array(repeating: TLBLookup(), count: PageSize.allCases.count)
    for bank in Self.banks(arrays) {
      let sizes = bank.reduce(into: PageSizes()) { $0.formUnion($1.sizes) }
      let start = addBank(bank, isShared ? nil : thread, sizes, holdsTranslations: true)
      for size in sizes.members {
        bySize[size.rawValue] = Self.lookup(bank, start, size)
      }
    }
    // What the level does not take, it keeps in smaller pieces.
    for size in 1..<bySize.count where bySize[size].ways == 0 { bySize[size] = bySize[size - 1] }
    shared[slot] = bySize
    return bySize
  }

  private mutating func structure(
    _ geometry: TLBGeometry, _ level: Int, _ thread: Int, _ shared: inout [[TLBLookup]?]
  ) -> TLBLookup {
    guard level < geometry.pagingStructures.count, level < geometry.pagingLevels - 1 else {
      return TLBLookup()
    }
    if geometry.isSecondLevelShared, let made = shared[5 + level]?.first { return made }
    let array = [geometry.pagingStructures[level]]
    let start = addBank(
      array, geometry.isSecondLevelShared ? nil : thread, [], holdsTranslations: false)
    var lookup = Self.lookup(array, start, .small)
    lookup.shift = UInt64(9 * (level + 1))
    shared[5 + level] = [lookup]
    return lookup
  }

  private mutating func addBank(
    _ arrays: [TLBArray], _ thread: Int?, _ sizes: PageSizes, holdsTranslations: Bool
  ) -> Int {
    let start = tagsTotal
    let ways = arrays.reduce(0) { $0 + $1.ways.expected }
    let sets = arrays.first?.sets ?? 0
    banks.append(
      Bank(
        firstTag: start, sets: sets, ways: ways, thread: thread,
        holdsTranslations: holdsTranslations, sizes: sizes))
    tagsTotal += sets * ways
    return start
  }

  private static func lookup(_ arrays: [TLBArray], _ start: Int, _ size: PageSize) -> TLBLookup {
    var lookup = TLBLookup()
    lookup.firstTag = start
    lookup.ways = arrays.reduce(0) { $0 + $1.ways.expected }
    lookup.setMask = UInt64((arrays.first?.sets ?? 1) - 1)
    lookup.shift = UInt64(size.shift)
    lookup.sizeBits = EntryTag.sizeBits(size)
    lookup.arrays = arrays.count
    lookup.accepting = 0
    for (index, array) in arrays.enumerated() {
      lookup.arrayWays |= UInt64(array.ways.expected) << UInt64(16 * index)
      if array.sizes.contains(size) { lookup.accepting |= 1 << UInt64(index) }
    }
    return lookup
  }

  /// The arrays of a level, those together that take pages of one size.
  private static func banks(_ arrays: [TLBArray]) -> [[TLBArray]] {
    var groups: [(sizes: PageSizes, arrays: [Int])] = []
    for (index, array) in arrays.enumerated() {
      var joined = (sizes: array.sizes, arrays: [index])
      groups.removeAll { group in
        guard !group.sizes.isDisjoint(with: joined.sizes) else { return false }
        joined = (joined.sizes.union(group.sizes), group.arrays + joined.arrays)
        return true
      }
      groups.append(joined)
    }
    return groups.map { $0.arrays.sorted().map { arrays[$0] } }
  }
}
