public import TraceEvents

/// The TLBs of one core, exactly simulated: every access is looked up, true LRU.
///
/// ```
/// var tlb = TranslationBuffers(geometry)
/// tlb.access(accesses)
/// tlb.flushNonGlobal()
/// print(tlb.counts.walks.load)
/// ```
///
/// How levels work together is said at ``TLBGeometry``. Each logical CPU has its current PCID and its
/// own tags also in what it shares with its sibling: the same PCID of two logical CPUs is two address
/// spaces. Pages of the upper half of the addresses are the kernel's; they are global unless page-table
/// isolation is on. Memory is fixed by the geometry.
public struct TranslationBuffers: Sendable {
  private let layout: TLBLayout
  private let pagingLevels: Int
  /// Logical CPUs of the core.
  public let threads: Int
  /// Whether the kernel's translations survive flushes of an address space: page-table isolation off.
  public let isKernelGlobal: Bool
  private var tags: [UInt64]
  private var counters: [UInt64]
  /// Of each logical CPU.
  private var pcids: [UInt16]

  /// Empty TLBs; `geometry` has no fault.
  public init(_ geometry: TLBGeometry, threads: Int = 1, isKernelGlobal: Bool = true) {
    precondition(geometry.fault == nil, "a geometry that cannot be built")
    precondition((1...TLBGeometry.threadsMax).contains(threads), "1 to 4 logical CPUs in a core")
    self.threads = threads
    self.isKernelGlobal = isKernelGlobal
    layout = TLBLayout(geometry, threads: threads)
    pagingLevels = geometry.pagingLevels
    tags = Array(repeating: 0, count: layout.tagsTotal)
    counters = Array(repeating: 0, count: threads * TranslationCounts.stride)
    pcids = Array(repeating: 0, count: threads)
  }

  // MARK: Counts

  /// Of all logical CPUs.
  public var counts: TranslationCounts {
    (0..<threads).reduce(into: TranslationCounts()) { $0 += counts(of: $1) }
  }

  /// Of one logical CPU.
  public func counts(of thread: Int) -> TranslationCounts {
    let start = thread * TranslationCounts.stride
    return TranslationCounts(counters[start..<start + TranslationCounts.stride])
  }

  // MARK: Accesses

  /// Looks accesses up, one after the other.
  public mutating func access(
    _ accesses: [PageAccess], thread: Int = 0, pages: PageMap = PageMap()
  ) {
    accesses.withUnsafeBufferPointer { access($0, thread: thread, pages: pages) }
  }

  /// Looks accesses up, one after the other; `pages` says with which sizes their pages are mapped.
  ///
  /// The longer the run, the less its fixed cost (some tens of nanoseconds) matters.
  public mutating func access(
    _ accesses: UnsafeBufferPointer<PageAccess>, thread: Int = 0, pages: PageMap = PageMap()
  ) {
    precondition(thread >= 0 && thread < threads, "no such logical CPU")
    let space = EntryTag.space(pcid: pcids[thread], thread: thread)
    let walker = Walker(
      space: space, kernelSpace: isKernelGlobal ? EntryTag.globalSpace(thread: thread) : space,
      pagingLevels: pagingLevels, thread: thread)
    if pages.isSmall {
      walker.run(accesses, layout, &tags, &counters)
    } else {
      walker.run(accesses, pages.runs, layout, &tags, &counters)
    }
  }

  // MARK: Address spaces and flushes

  /// The PCID of a logical CPU.
  public func pcid(of thread: Int = 0) -> UInt16 { pcids[thread] }

  /// A write to CR3 with the no-flush bit: another address space, nothing lost.
  public mutating func select(pcid: UInt16, thread: Int = 0) { pcids[thread] = pcid & 0xfff }

  /// A write to CR3 without the no-flush bit, or INVPCID type 1: all that is not global of one PCID,
  /// by default the current, and its part of the paging-structure caches.
  public mutating func flushNonGlobal(pcid: UInt16? = nil, thread: Int = 0) {
    drop(
      EntryTag.space(pcid: pcid ?? pcids[thread], thread: thread),
      under: EntryTag.pcidMask | EntryTag.globalBit | EntryTag.threadMask, thread)
  }

  /// INVPCID type 3: all that is not global, of all PCIDs of a logical CPU.
  public mutating func flushAllNonGlobal(thread: Int = 0) {
    drop(
      EntryTag.space(pcid: 0, thread: thread), under: EntryTag.globalBit | EntryTag.threadMask,
      thread)
  }

  /// INVPCID type 2 or a change of CR4.PGE: everything of a logical CPU, global or not.
  public mutating func flushAll(thread: Int = 0) {
    drop(EntryTag.space(pcid: 0, thread: thread), under: EntryTag.threadMask, thread)
  }

  /// The paging-structure caches of the current PCID alone.
  public mutating func flushPagingStructures(thread: Int = 0) {
    let space = EntryTag.space(pcid: pcids[thread], thread: thread)
    for bank in layout.banks where bank.thread == nil || bank.thread == thread {
      guard !bank.holdsTranslations else { continue }
      Self.drop(
        space, under: EntryTag.pcidMask | EntryTag.globalBit | EntryTag.threadMask, bank, &tags)
    }
  }

  /// INVLPG of the page that holds the 4 KiB page `page` and is mapped with `size`: its translations
  /// under the current PCID, global ones, and the PCID's part of the paging-structure caches (Intel
  /// SDM volume 3, 4.10.4.1).
  public mutating func flush(page: UInt64, size: PageSize = .small, thread: Int = 0) {
    flush(FlushRange(firstPage: page, count: 1, stride: size), thread: thread)
  }

  /// All that is not global of the current PCID, or INVLPG for each page of a range.
  public mutating func flush(_ range: FlushRange, thread: Int = 0) {
    if range.isAll { return flushNonGlobal(thread: thread) }
    guard range.count > 0 else { return }
    let space = EntryTag.space(pcid: pcids[thread], thread: thread)
    var dropped: UInt64 = 0
    for bank in layout.banks where bank.thread == nil || bank.thread == thread {
      guard bank.holdsTranslations else { continue }
      if range.count > Self.probesMax || bank.keepsPieces(of: range.stride) {
        dropped &+= drop(range, space, thread, bank)
        continue
      }
      for kept in bank.sizes.members {
        var page = range.firstPage
        for _ in 0..<range.count {
          dropped &+= dropEntry(page & EntryTag.pageMask, kept, space, thread, bank)
          page &+= 1 << UInt64(range.stride.shift)
        }
      }
    }
    counters[thread * TranslationCounts.stride + TranslationCounts.dropPlace] &+= dropped
    // Nothing is looked up between the pages of a range, so once is enough.
    flushPagingStructures(thread: thread)
  }

  /// Takes out every entry whose tag is `tag` in the bits of `mask`.
  private mutating func drop(_ tag: UInt64, under mask: UInt64, _ thread: Int) {
    var dropped: UInt64 = 0
    for bank in layout.banks where bank.thread == nil || bank.thread == thread {
      let count = Self.drop(tag, under: mask, bank, &tags)
      if bank.holdsTranslations { dropped &+= count }
    }
    counters[thread * TranslationCounts.stride + TranslationCounts.dropPlace] &+= dropped
  }

  @discardableResult
  private static func drop(
    _ tag: UInt64, under mask: UInt64, _ bank: TLBLayout.Bank, _ tags: inout [UInt64]
  ) -> UInt64 {
    tags.withUnsafeMutableBufferPointer { tags in
      guard var set = tags.baseAddress.map({ $0 + bank.firstTag }) else { return 0 }
      var dropped: UInt64 = 0
      for _ in 0..<bank.sets {
        if set[0] != 0 {
          dropped &+= compact(set, bank.ways) { $0 & mask == tag }
        }
        set += bank.ways
      }
      return dropped
    }
  }

  /// Takes the entry of one page out of its set.
  private mutating func dropEntry(
    _ page: UInt64, _ kept: PageSize, _ space: UInt64, _ thread: Int, _ bank: TLBLayout.Bank
  ) -> UInt64 {
    let number = page >> UInt64(kept.shift)
    let key = number | EntryTag.sizeBits(kept)
    let set = Int(truncatingIfNeeded: number & UInt64(bank.sets - 1))
    return tags.withUnsafeMutableBufferPointer { tags in
      guard let base = tags.baseAddress else { return 0 }
      return Self.compact(base + (bank.firstTag + set * bank.ways), bank.ways) { tag in
        EntryTag.matches(tag, key | space)
          || EntryTag.matches(tag, key | EntryTag.globalSpace(thread: thread))
      }
    }
  }

  /// From so many pages on, looking at all entries is less work than looking each page up.
  private static let probesMax = 64

  /// Takes everything out that overlaps a range, whatever its size.
  private mutating func drop(
    _ range: FlushRange, _ space: UInt64, _ thread: Int, _ bank: TLBLayout.Bank
  ) -> UInt64 {
    let shift = UInt64(range.stride.shift)
    let start = ((range.firstPage & EntryTag.pageMask) >> shift) << shift
    let limit = EntryTag.pageMask &+ 1
    let end = range.count < (limit >> shift) ? min(start &+ (range.count << shift), limit) : limit
    let spaceMask = EntryTag.pcidMask | EntryTag.globalBit | EntryTag.threadMask
    let global = EntryTag.globalSpace(thread: thread)
    return tags.withUnsafeMutableBufferPointer { tags in
      guard var set = tags.baseAddress.map({ $0 + bank.firstTag }) else { return 0 }
      var dropped: UInt64 = 0
      for _ in 0..<bank.sets {
        dropped &+= Self.compact(set, bank.ways) { tag in
          let steps = UInt64(9 &* EntryTag.size(tag))
          let first = (tag & EntryTag.pageMask) << steps
          return first < end && first &+ (1 << steps) > start
            && (tag & spaceMask == space || tag & spaceMask == global)
        }
        set += bank.ways
      }
      return dropped
    }
  }

  /// Takes the entries out that `isGone` and moves the others up, in order; how many went.
  @inline(__always)
  private static func compact(
    _ set: UnsafeMutablePointer<UInt64>, _ ways: Int, where isGone: (UInt64) -> Bool
  ) -> UInt64 {
    var way = 0
    while way < ways, set[way] != 0, !isGone(set[way]) { way &+= 1 }
    var kept = way
    while way < ways {
      let tag = set[way]
      if tag == 0 { break }
      if !isGone(tag) {
        set[kept] = tag
        kept &+= 1
      }
      way &+= 1
    }
    for empty in kept..<way { set[empty] = 0 }
    return UInt64(way &- kept)
  }
}
