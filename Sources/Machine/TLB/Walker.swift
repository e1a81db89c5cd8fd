internal import TraceEvents

/// Looks a run of accesses of one logical CPU up, and walks the page tables for what is in no level.
struct Walker {
  /// Bits of the current PCID and logical CPU, and those of the kernel's pages.
  var space: UInt64
  var kernelSpace: UInt64
  var pagingLevels: Int
  var thread: Int

  /// All pages are of 4 KiB.
  func run(
    _ accesses: UnsafeBufferPointer<PageAccess>, _ layout: TLBLayout, _ tags: inout [UInt64],
    _ counters: inout [UInt64]
  ) {
    withPointers(layout, &tags, &counters) { core in
      for index in 0..<accesses.count {
        translate(accesses[index].rawValue, 0, core)
      }
    }
  }

  /// Pages are of the sizes that `runs` says.
  func run(
    _ accesses: UnsafeBufferPointer<PageAccess>, _ runs: [PageMap.Run], _ layout: TLBLayout,
    _ tags: inout [UInt64], _ counters: inout [UInt64]
  ) {
    withPointers(layout, &tags, &counters) { core in
      var cursor = PageMapCursor()
      for index in 0..<accesses.count {
        let word = accesses[index].rawValue
        translate(word, cursor.size(of: word >> 2, in: runs), core)
      }
    }
  }

  /// What a run works on; the arrays are entered once a run.
  struct Core {
    var tags: UnsafeMutablePointer<UInt64>
    /// Of this logical CPU.
    var counters: UnsafeMutablePointer<UInt64>
    var lookups: UnsafePointer<TLBLookup>
    var structures: UnsafePointer<TLBLookup>
  }

  @inline(__always)
  private func withPointers(
    _ layout: TLBLayout, _ tags: inout [UInt64], _ counters: inout [UInt64],
    _ body: (Core) -> Void
  ) {
    tags.withUnsafeMutableBufferPointer { tags in
      counters.withUnsafeMutableBufferPointer { counters in
        layout.lookups.withUnsafeBufferPointer { lookups in
          layout.structureLookups.withUnsafeBufferPointer { structures in
            guard let tags = tags.baseAddress, let counters = counters.baseAddress,
              let lookups = lookups.baseAddress, let structures = structures.baseAddress
            else { return }
            body(
              Core(
                tags: tags, counters: counters + thread * TranslationCounts.stride,
                lookups: lookups + thread * TLBLayout.lookupsPerThread,
                structures: structures + thread * TLBLayout.structures))
          }
        }
      }
    }
  }

  @inline(__always)
  private func translate(_ word: UInt64, _ size: Int, _ core: Core) {
    // Class bits 3 count as a store; counters wrap after 2^64 accesses.
    let kind = Int(truncatingIfNeeded: min(word & 3, 2))
    let address = word >> 2
    let page = address & EntryTag.pageMask
    let isKernel = address >> 51 & 1 != 0
    let tagSpace = isKernel ? kernelSpace : space
    core.counters[kind] &+= 1
    let place = kind &* 3 &+ size
    if core.lookups[place].touch(page, tagSpace, core.tags) { return }
    core.counters[TranslationCounts.firstLevelPlace &+ kind] &+= 1
    if core.lookups[TLBLayout.secondLevel &+ place].touch(page, tagSpace, core.tags) { return }
    core.counters[TranslationCounts.walkPlace &+ kind] &+= 1
    core.counters[TranslationCounts.readPlace] &+= walk(page, size, core)
  }

  /// Page-table entries that a walk reads: from the lowest table that a paging-structure cache knows.
  ///
  /// Caches are asked from the lowest up and filled on the way; those above the one that hits are not
  /// touched. Their entries go with the PCID, also those of global pages.
  @inline(__always)
  private func walk(_ page: UInt64, _ size: Int, _ core: Core) -> UInt64 {
    var level = size
    while level < pagingLevels &- 1 {
      if core.structures[level].touch(page, space, core.tags) { break }
      level &+= 1
    }
    return UInt64(level &+ 1 &- size)
  }
}
