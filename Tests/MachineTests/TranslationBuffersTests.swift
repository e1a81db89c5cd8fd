import Machine
import Testing
import TraceBuilding
import TraceEvents

@Suite struct TranslationBuffersTests {
  // MARK: Against the textbook

  private static let source = "test"

  /// Arrays of one level that fit each other: one for all sizes, one each, or two halves.
  private static func level(_ random: inout SplitMix64) -> [TLBArray] {
    func array(_ sizes: PageSizes, sets: Int) -> TLBArray {
      let ways = 1 + random.number(5)
      return TLBArray(sets * ways, ways: ways, sizes, source: source)
    }
    let sets = 1 << random.number(4)
    switch random.number(6) {
    case 0: return [array(.all, sets: sets)]
    case 4: return [TLBArray(30 + random.number(12), .all, source: source)]
    case 1: return [array(.small, sets: sets), array(.large, sets: 2), array(.huge, sets: 1)]
    case 2: return [array([.small, .large], sets: sets), array([.small, .huge], sets: sets)]
    case 3: return [array(.huge, sets: 1), array([.small, .large], sets: sets)]
    default: return [array(.small, sets: sets)]
    }
  }

  private static func geometry(_ random: inout SplitMix64) -> TLBGeometry {
    let structures = [(32, 8), (8, 4), (4, 4), (2, 2)].prefix(random.number(5)).map {
      TLBArray($0, ways: $1, [], source: source)
    }
    return TLBGeometry(
      fetch: level(&random), load: level(&random),
      store: random.number(2) == 0 ? [] : level(&random),
      second: random.number(8) == 0 ? [] : level(&random),
      secondFetch: random.number(3) == 0 ? level(&random) : [],
      pagingStructures: Array(structures), pagingLevels: 4 + random.number(2),
      isFirstLevelShared: random.number(2) == 0, isSecondLevelShared: random.number(3) > 0)
  }

  /// Small pages, pages of 2 MiB and of 1 GiB, and the kernel's.
  private static func page(_ random: inout SplitMix64) -> UInt64 {
    switch random.number(6) {
    case 0: UInt64(1 << 20 + random.number(1 << 13))
    case 1: UInt64(1 << 24 + random.number(1 << 21))
    case 2: UInt64(0xf_ffff_8000_0000) + UInt64(random.number(40))
    case 3: UInt64(random.number(4)) << 27 + UInt64(random.number(3)) << 9
    default: UInt64(0x400 + random.number(60))
    }
  }

  private static func map(_ random: inout SplitMix64) -> PageMap {
    var pages = PageMap()
    guard random.number(3) > 0 else { return pages }
    pages.map(1 << 20..<1 << 20 + 1 << 13, as: .large)
    pages.map(1 << 24..<1 << 24 + 1 << 21, as: .huge)
    pages.map(0xf_ffff_8000_0000..<0xf_ffff_8000_0200, as: .large)
    return pages
  }

  @Test(arguments: 0..<50)
  func countsAreTheTextbooks(_ seed: Int) throws {
    var random = SplitMix64(seed: UInt64(seed))
    let geometry = Self.geometry(&random)
    try #require(geometry.fault == nil)
    let pages = Self.map(&random)
    let threads = 1 + random.number(3)
    let isKernelGlobal = random.number(2) == 0
    var tlb = TranslationBuffers(geometry, threads: threads, isKernelGlobal: isKernelGlobal)
    var twin = TextbookTLB(geometry, threads: threads, isKernelGlobal: isKernelGlobal)
    for _ in 0..<250 {
      let thread = random.number(threads)
      switch random.number(26) {
      case 0:
        tlb.flushNonGlobal(thread: thread)
        twin.flushNonGlobal(nil, thread)
      case 1:
        let pcid = UInt16(random.number(3))
        tlb.flushNonGlobal(pcid: pcid, thread: thread)
        twin.flushNonGlobal(pcid, thread)
      case 2:
        tlb.flushAllNonGlobal(thread: thread)
        twin.flushAllNonGlobal(thread)
      case 3 where random.number(3) == 0:
        tlb.flushAll(thread: thread)
        twin.flushAll(thread)
      case 4...7:
        let page = Self.page(&random)
        tlb.flush(page: page, size: pages.size(of: page), thread: thread)
        twin.flush(page, pages.size(of: page), thread)
      case 8:
        let first = Self.page(&random)
        let count = 1 + random.number(120)
        let size = pages.size(of: first)
        tlb.flush(
          FlushRange(firstPage: first, count: UInt64(count), stride: size), thread: thread)
        for page in 0..<UInt64(count) {
          twin.flush(first + (page << UInt64(size.shift)), size, thread)
        }
      case 9...11:
        let pcid = UInt16(random.number(3))
        tlb.select(pcid: pcid, thread: thread)
        twin.select(pcid, thread)
      default:
        let accesses = (0..<1 + random.number(40)).map { _ in
          PageAccess(
            page: Self.page(&random), class: AccessClass.allCases[random.number(3)])
        }
        tlb.access(accesses, thread: thread, pages: pages)
        for access in accesses { twin.access(access, thread: thread, pages: pages) }
      }
      for thread in 0..<threads {
        try #require(tlb.counts(of: thread) == twin.threads[thread].counts)
      }
    }
    #expect(tlb.counts.walks.total > 0)
  }

  @Test(arguments: MachineCatalog.machines)
  func presetsCountAsTheTextbook(_ machine: MachineModel) {
    var random = SplitMix64(seed: 7)
    let accesses = (0..<20_000).map { _ in
      let page = random.number(10) < 7 ? random.number(300) : random.number(1 << 16)
      return PageAccess(page: UInt64(page), class: AccessClass.allCases[random.number(3)])
    }
    var tlb = TranslationBuffers(machine.geometry)
    var twin = TextbookTLB(machine.geometry, threads: 1, isKernelGlobal: true)
    tlb.access(accesses)
    for access in accesses { twin.access(access, thread: 0, pages: PageMap()) }
    #expect(tlb.counts == twin.threads[0].counts)
    #expect(tlb.counts.walks.load > 0 && tlb.counts.walks.load < tlb.counts.accesses.load)
  }

  // MARK: By hand

  /// 4 entries, first level of 1, and nothing else.
  private func small() -> TranslationBuffers {
    let one = [TLBArray(1, .all, source: Self.source)]
    return TranslationBuffers(
      TLBGeometry(
        fetch: one, load: one, store: one, second: [TLBArray(4, .all, source: Self.source)],
        pagingStructures: [TLBArray(2, [], source: Self.source)]))
  }

  private func loads(_ pages: [UInt64]) -> [PageAccess] {
    pages.map { PageAccess(page: $0, class: .load) }
  }

  @Test func theLeastRecentlyUsedGoes() {
    var tlb = small()
    tlb.access(loads([1, 2, 3, 4, 1, 5]))
    #expect(tlb.counts.walks.load == 5)
    tlb.access(loads([1, 3, 4]))
    #expect(tlb.counts.walks.load == 5)
    tlb.access(loads([2]))
    #expect(tlb.counts.walks.load == 6)
    #expect(tlb.counts.firstLevelMisses.load == 10)
    #expect(tlb.counts.secondLevelHits == 4)
  }

  @Test func batchesAreOneStream() {
    var random = SplitMix64(seed: 3)
    let accesses = loads((0..<5000).map { _ in UInt64(random.number(4000)) })
    let geometry = MachineCatalog.machines[0].geometry
    var whole = TranslationBuffers(geometry)
    whole.access(accesses)
    var parts = TranslationBuffers(geometry)
    for access in accesses { parts.access([access]) }
    #expect(whole.counts == parts.counts)
  }

  /// Flushes in a list are those that were called between pieces of the stream.
  @Test func flushListsAreFlushesBetween() {
    let accesses = loads([1, 2, 3, 1, 2, 3, 1, 2, 3])
    var listed = small()
    accesses.withUnsafeBufferPointer { accesses in
      listed.access(
        accesses,
        flushes: [
          FlushMoment(position: 3), FlushMoment(position: 3),
          FlushMoment(position: 7, range: FlushRange(firstPage: 2, count: 2)),
          FlushMoment(position: 50),
        ])
    }
    var called = small()
    called.access(loads([1, 2, 3]))
    called.flushNonGlobal()
    called.access(loads([1, 2, 3, 1]))
    called.flush(page: 2)
    called.flush(page: 3)
    called.access(loads([2, 3]))
    called.flushNonGlobal()
    #expect(listed.counts == called.counts)
    #expect(listed.counts.walks.load == 8)
  }

  @Test func globalPagesOutliveFlushesUnlessIsolated() {
    for isGlobal in [true, false] {
      let geometry = MachineCatalog.machines[0].geometry
      var tlb = TranslationBuffers(geometry, isKernelGlobal: isGlobal)
      let kernel = loads([0xf_ffff_8100_0000])
      tlb.access(kernel)
      tlb.flushNonGlobal()
      tlb.access(kernel)
      #expect(tlb.counts.walks.load == (isGlobal ? 1 : 2))
      tlb.flushAll()
      tlb.access(kernel)
      #expect(tlb.counts.walks.load == (isGlobal ? 2 : 3))
    }
  }

  @Test func aPageFlushDropsPagingStructures() {
    var tlb = small()
    tlb.access(loads([1, 2]))
    // 4 tables, then 1 with the directory entry cached.
    #expect(tlb.counts.walkReads == 5)
    tlb.flush(page: 3)
    tlb.access(loads([4]))
    #expect(tlb.counts.walkReads == 9)
    #expect(tlb.counts.entriesDropped == 0)
  }

  @Test func anotherAddressSpaceHasItsOwnEntries() {
    var tlb = small()
    tlb.access(loads([1]))
    tlb.select(pcid: 2)
    tlb.access(loads([1]))
    tlb.flushNonGlobal()
    tlb.select(pcid: 0)
    tlb.access(loads([1]))
    #expect(tlb.counts.walks.load == 2)
  }

  /// The two halves of Sapphire Rapids' STLB are 2048 x 16 for pages of 4 KiB.
  @Test func halvesAreOneArrayForSmallPages() throws {
    let halves = try #require(MachineCatalog.machine(named: "sapphire-rapids")).geometry
    var whole = halves
    whole.second = [TLBArray(2048, ways: 16, .all, source: Self.source)]
    var random = SplitMix64(seed: 11)
    let accesses = loads((0..<40_000).map { _ in UInt64(random.number(3000)) })
    var first = TranslationBuffers(halves)
    var second = TranslationBuffers(whole)
    first.access(accesses)
    second.access(accesses)
    #expect(first.counts == second.counts)
    #expect(first.counts.walks.load > 10_000)
  }

  /// What a level does not take is kept in pieces, and flushed with all of them.
  @Test func largePagesAreKeptInPieces() {
    let arrays = [TLBArray(8, .small, source: Self.source)]
    var tlb = TranslationBuffers(TLBGeometry(fetch: arrays, load: arrays, second: []))
    var pages = PageMap()
    pages.map(512..<1024, as: .large)
    tlb.access(loads([512, 513, 514, 512]), pages: pages)
    #expect(tlb.counts.walks.load == 3)
    tlb.flush(page: 1000, size: .large)
    #expect(tlb.counts.entriesDropped == 3)
    tlb.access(loads([5, 6]))
    // No hang, and everything behind page 6.
    tlb.flush(FlushRange(firstPage: 6, count: .max, stride: .huge))
    #expect(tlb.counts.entriesDropped == 5)
  }
}

@Suite struct PageMapTests {
  @Test func laterMappingsReplaceEarlierOnes() {
    var pages = PageMap()
    #expect(pages.isSmall)
    pages.map(0..<2048, as: .large)
    pages.map(512..<1024, as: .small)
    #expect(pages.size(of: 511) == .large)
    #expect(pages.size(of: 512) == .small)
    #expect(pages.size(of: 1023) == .small)
    #expect(pages.size(of: 1024) == .large)
    #expect(pages.size(of: 2048) == .small)
  }

  @Test func onlyWholePagesCount() {
    var pages = PageMap()
    pages.map(1..<1023, as: .large)
    #expect(pages.isSmall)
    pages.map(1..<1024, as: .large)
    #expect(pages.size(of: 511) == .small)
    #expect(pages.size(of: 512) == .large)
    pages.map(UInt64.max - 5..<UInt64.max, as: .huge)
    #expect(pages.size(of: .max) == .small)
  }
}
