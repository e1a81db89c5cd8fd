import Machine
import Testing
import TraceBuilding
import TraceEvents

@Suite struct LinuxTLBsTests {
  /// Never full in these tests.
  fileprivate static let roomy: TLBGeometry = {
    let arrays = [TLBArray(1024, .all, source: "test")]
    return TLBGeometry(fetch: arrays, load: arrays, second: [])
  }()

  // MARK: Against the slow twin

  /// Both kernels at once.
  private struct Pair {
    var fast: LinuxTLBs
    let slow: SlowKernel
    var spaces: [(fast: AddressSpace, slow: SlowKernel.Space)]
    /// Flushes under way.
    var late: [(fast: FlushRequest, slow: SlowKernel.Request, cpu: Int)] = []
    var random: SplitMix64

    init(seed: Int, rules: FlushRules) {
      random = SplitMix64(seed: UInt64(seed))
      let cpus = 1 + random.number(5)
      fast = LinuxTLBs(
        cpus: cpus, LinuxTLBsTests.roomy, rules: rules,
        siblings: random.number(2) == 0 ? .none : .halves)
      slow = SlowKernel(cpus: cpus, rules: rules)
      spaces = [(.kernel, slow.kernel)]
      for _ in 0..<2 + random.number(8) {
        spaces.append((fast.addSpace(), SlowKernel.Space()))
      }
    }

    mutating func step() throws {
      let cpu = random.number(fast.cpus)
      let space = spaces[1 + random.number(spaces.count - 1)]
      switch random.number(16) {
      case 0...3:
        let next = spaces[random.number(spaces.count)]
        fast.switchTo(next.fast, cpu: cpu)
        slow.switchTo(next.slow, cpu)
      case 4, 5:
        fast.enterLazy(cpu: cpu)
        slow.cpus[cpu].isLazy = !slow.cpus[cpu].loaded.isKernel
      case 6...8: try flush(space.fast, space.slow, cpu)
      case 9: batch(cpu)
      case 10, 11:
        guard !late.isEmpty else { break }
        let one = late.remove(at: random.number(late.count))
        fast.deliver(one.fast, to: one.cpu)
        slow.deliver(one.slow, one.cpu)
      case 12:
        let count = [1, 5, 40][random.number(3)]
        fast.flushKernel(FlushRange(firstPage: kernelPage, count: UInt64(count)))
        slow.flushKernel((0..<UInt64(count)).map { kernelPage + $0 })
      default: access(cpu)
      }
      if random.number(30) == 0 {
        fast.time += 600_000_000
        slow.time += 600_000_000
      }
    }

    private mutating func flush(
      _ space: AddressSpace, _ slowSpace: SlowKernel.Space, _ cpu: Int
    ) throws {
      let first = UInt64(random.number(30))
      let count = [1, 3, 33, 34][random.number(4)]
      let isAll = random.number(4) == 0
      let freesTables = random.number(4) == 0
      let range: FlushRange = isAll ? .all : FlushRange(firstPage: first, count: UInt64(count))
      let pages = isAll ? nil : (0..<UInt64(count)).map { first + $0 }
      let (request, receivers) = slow.send(slowSpace, pages, freesTables, cpu)
      guard random.number(2) == 0 else {
        fast.flush(space, range, freesTables: freesTables, initiator: cpu)
        for receiver in receivers { slow.deliver(request, receiver) }
        return
      }
      let result = fast.send(space, range, freesTables: freesTables, initiator: cpu)
      let sent = try #require(result)
      try #require(sent.cpus == receivers)
      late += receivers.map { (sent.request, request, $0) }
    }

    private mutating func batch(_ cpu: Int) {
      var batch = UnmapBatch()
      var mask: Set<Int> = []
      for _ in 0..<random.number(4) {
        let space = spaces[1 + random.number(spaces.count - 1)]
        fast.unmap(page: 3, of: space.fast, into: &batch)
        space.slow.generation += 1
        mask.formUnion(space.slow.mask)
      }
      fast.flush(&batch, initiator: cpu)
      guard !mask.isEmpty else { return }
      let (request, receivers) = slow.sendBatch(mask, cpu)
      for receiver in receivers { slow.deliver(request, receiver) }
    }

    private mutating func access(_ cpu: Int) {
      let pages = (0..<random.number(20)).map { _ in
        random.number(5) == 0 ? kernelPage + UInt64(random.number(8)) : UInt64(random.number(70))
      }
      fast.access(loads(pages), cpu: cpu)
      for page in pages { slow.access(page, cpu) }
    }

    func check() throws {
      for (number, cpu) in slow.cpus.enumerated() {
        try #require(fast.counts(of: number).walks.load == cpu.walks)
        let path = fast.flushCounts(of: number)
        try #require(path.row == cpu.row)
        try #require(fast.isLazy(number) == cpu.isLazy)
        try #require(Int(fast.pcid(of: number)) == cpu.asid + 1)
        for reason in FlushReason.allCases {
          for pages in FlushPathCounts.Pages.allCases {
            try #require(
              path.events(reason, pages) == cpu.events["\(reason) \(pages)", default: 0])
          }
        }
        for space in spaces.dropFirst() {
          try #require(
            fast.mask(of: space.fast, contains: number) == space.slow.mask.contains(number))
        }
      }
    }
  }

  @Test(arguments: [FlushRules.linux61, .debian612, .linux614], 0..<12)
  func rulesAreTheSlowKernels(_ rules: FlushRules, _ seed: Int) throws {
    var pair = Pair(seed: seed, rules: rules)
    for step in 0..<600 {
      try pair.step()
      if step % 4 == 0 { try pair.check() }
    }
    let seen = pair.slow.cpus.reduce(into: Set<String>()) { $0.formUnion($1.events.keys) }
    #expect(seen.count > 3)
  }

  /// After a flush no CPU may find what was flushed, whatever it did before.
  @Test(arguments: FlushRules.all, 0..<10)
  func nothingFlushedIsFound(_ rules: FlushRules, _ seed: Int) {
    var random = SplitMix64(seed: UInt64(seed))
    var tlbs = LinuxTLBs(cpus: 6, Self.roomy, rules: rules, siblings: .adjacent)
    let spaces = (0..<4).map { _ in tlbs.addSpace() }
    var flushed: UInt64 = 0
    for round in 0..<400 {
      let cpu = random.number(6)
      let space = spaces[min(random.number(12), 3)]
      switch random.number(4) {
      case 0: tlbs.enterLazy(cpu: cpu)
      case 1:
        let page = UInt64(round)
        let shared = FlushRange(firstPage: page, count: 1)
        for other in 0..<6 where tlbs.loaded(on: other) == space && !tlbs.isLazy(other) {
          tlbs.access(loads([page]), cpu: other)
        }
        tlbs.flush(space, shared, initiator: cpu)
        flushed += 1
        let reader = random.number(6)
        tlbs.switchTo(space, cpu: reader)
        let before = tlbs.counts(of: reader).walks.load
        tlbs.access(loads([page]), cpu: reader)
        #expect(tlbs.counts(of: reader).walks.load == before + 1)
      default:
        tlbs.switchTo(space, cpu: cpu)
        tlbs.access(loads((0..<5).map { _ in UInt64(random.number(400)) }), cpu: cpu)
      }
    }
    #expect(flushed > 50)
  }

  // MARK: By hand

  /// Two CPUs run one program; the first flushes a page.
  private func shared(_ rules: FlushRules = .linux61) -> (LinuxTLBs, AddressSpace) {
    var tlbs = LinuxTLBs(cpus: 4, Self.roomy, rules: rules)
    let space = tlbs.addSpace()
    for cpu in 0..<2 {
      tlbs.switchTo(space, cpu: cpu)
      tlbs.access(loads([1, 2, 3]), cpu: cpu)
    }
    return (tlbs, space)
  }

  @Test func aRangeFlushTakesItsPages() {
    var (tlbs, space) = shared()
    tlbs.flush(space, FlushRange(firstPage: 2, count: 1), initiator: 0)
    #expect(tlbs.flushCounts(of: 1).row == 1)
    #expect(tlbs.flushCounts(of: 0).row == 0)
    #expect(tlbs.flushCounts(of: 0).events(.remoteSendIPI, .some) == 1)
    #expect(tlbs.flushCounts(of: 0).events(.localMMShootdown, .some) == 1)
    #expect(tlbs.flushCounts(of: 1).events(.remoteShootdown, .some) == 1)
    tlbs.access(loads([1, 2, 3]), cpu: 1)
    #expect(tlbs.counts(of: 1).walks.load == 4)
  }

  @Test func aboveTheCeilingAllGoes() {
    var (tlbs, space) = shared()
    tlbs.flush(space, FlushRange(firstPage: 100, count: 34), initiator: 0)
    #expect(tlbs.flushCounts(of: 1).events(.remoteShootdown, .all) == 1)
    tlbs.access(loads([1, 2, 3]), cpu: 1)
    #expect(tlbs.counts(of: 1).walks.load == 6)
  }

  @Test func aLazyCPUFlushesWhenItComesBack() {
    var (tlbs, space) = shared()
    tlbs.enterLazy(cpu: 1)
    tlbs.flush(space, FlushRange(firstPage: 2, count: 1), initiator: 0)
    #expect(tlbs.flushCounts(of: 1).row == 0)
    tlbs.switchTo(space, cpu: 1)
    #expect(tlbs.flushCounts(of: 1).events(.taskSwitch, .all) == 2)
  }

  @Test func freedTablesInterruptLazyCPUs() {
    var (tlbs, space) = shared()
    tlbs.enterLazy(cpu: 1)
    tlbs.flush(space, FlushRange(firstPage: 2, count: 1), freesTables: true, initiator: 0)
    #expect(tlbs.flushCounts(of: 1).row == 1)
    #expect(tlbs.loaded(on: 1) == .kernel)
  }

  @Test func theSeventhSpaceTakesTheFirstSlot() {
    var tlbs = LinuxTLBs(cpus: 1, Self.roomy)
    let spaces = (0..<7).map { _ in tlbs.addSpace() }
    // The kernel has slot 0, so the sixth program takes it.
    for space in spaces.prefix(6) { tlbs.switchTo(space, cpu: 0) }
    #expect(tlbs.pcid(of: 0) == 1)
    tlbs.switchTo(spaces[0], cpu: 0)
    #expect(tlbs.flushCounts(of: 0).events(.taskSwitch, .none) == 1)
    tlbs.switchTo(spaces[6], cpu: 0)
    tlbs.switchTo(spaces[0], cpu: 0)
    #expect(tlbs.flushCounts(of: 0).events(.taskSwitch, .all) == 8)
  }

  @Test func masksAreTrimmedByInterruptSince614() {
    var (tlbs, space) = shared(.linux614)
    tlbs.switchTo(tlbs.addSpace(), cpu: 1)
    #expect(tlbs.mask(of: space, contains: 1))
    tlbs.flush(space, .all, initiator: 0)
    #expect(tlbs.flushCounts(of: 1).row == 0)
    tlbs.time = 2_000_000_000
    tlbs.flush(space, .all, initiator: 0)
    #expect(tlbs.flushCounts(of: 1).row == 1)
    #expect(tlbs.flushCounts(of: 1).events(.remoteWrongCPU, .none) == 1)
    #expect(!tlbs.mask(of: space, contains: 1))
  }

  @Test func broadcastsInterruptNobody() {
    var tlbs = LinuxTLBs(cpus: 6, Self.roomy, rules: .linux615Broadcast)
    let space = tlbs.addSpace()
    for cpu in 0..<5 { tlbs.switchTo(space, cpu: cpu) }
    for _ in 0..<32 { tlbs.flush(space, .all, initiator: 0) }
    let row = tlbs.flushCounts(of: 3).row
    #expect(row == 32)
    tlbs.access(loads([9, 10]), cpu: 3)
    tlbs.flush(space, FlushRange(firstPage: 9, count: 1), initiator: 0)
    tlbs.access(loads([9, 10]), cpu: 3)
    #expect(tlbs.flushCounts(of: 3).row == row)
    #expect(tlbs.counts(of: 3).walks.load == 3)
  }

  @Test func isolatedKernelPagesGoFromAllSlots() {
    var tlbs = LinuxTLBs(cpus: 1, Self.roomy, isKernelGlobal: false)
    let first = tlbs.addSpace()
    let second = tlbs.addSpace()
    for space in [first, second] {
      tlbs.switchTo(space, cpu: 0)
      tlbs.access(loads([kernelPage]), cpu: 0)
    }
    tlbs.flushKernel(FlushRange(firstPage: kernelPage, count: 1))
    tlbs.switchTo(first, cpu: 0)
    tlbs.access(loads([kernelPage]), cpu: 0)
    #expect(tlbs.counts(of: 0).walks.load == 3)
  }

  // MARK: Recorded

  @Test func recordedFlushesAreTakenAsTheyAre() {
    var (tlbs, space) = shared()
    tlbs.applyShootdown(cpu: 1, pages: 0)
    tlbs.access(loads([1, 2, 3]), cpu: 1)
    #expect(tlbs.counts(of: 1).walks.load == 3)
    tlbs.applyShootdown(cpu: 1, pages: 2)
    tlbs.access(loads([1, 2, 3]), cpu: 1)
    #expect(tlbs.counts(of: 1).walks.load == 3)
    #expect(tlbs.flushCounts(of: 1).unplacedPages == 2)
    tlbs.applyShootdown(cpu: 1, pages: 2, range: FlushRange(firstPage: 2, count: 2))
    tlbs.access(loads([1, 2, 3]), cpu: 1)
    #expect(tlbs.counts(of: 1).walks.load == 5)
    // No hang, whatever a record says.
    tlbs.applyShootdown(cpu: 1, pages: .max, range: FlushRange(firstPage: 0, count: 1 << 60))
    tlbs.applyShootdown(cpu: 1, pages: -1)
    tlbs.access(loads([1, 2, 3]), cpu: 1)
    #expect(tlbs.counts(of: 1).walks.load == 8)

    tlbs.applySwitch(to: tlbs.addSpace(), cpu: 1, pages: -1)
    tlbs.applySwitch(to: space, cpu: 1, pages: 0)
    tlbs.access(loads([1, 2, 3]), cpu: 1)
    #expect(tlbs.counts(of: 1).walks.load == 8)
    #expect(tlbs.flushCounts(of: 1).unexplainedReuses == 0)
    tlbs.applySwitch(to: tlbs.addSpace(), cpu: 1, pages: 0)
    #expect(tlbs.flushCounts(of: 1).unexplainedReuses == 1)
  }

  @Test func otherCPUsAreIgnored() {
    var tlbs = LinuxTLBs(cpus: 2, Self.roomy)
    let space = tlbs.addSpace()
    for cpu in [-1, 2, 5000] {
      tlbs.switchTo(space, cpu: cpu)
      tlbs.enterLazy(cpu: cpu)
      tlbs.flush(space, .all, initiator: cpu)
      tlbs.access(loads([1]), cpu: cpu)
      tlbs.applyShootdown(cpu: cpu, pages: -1)
      tlbs.applySwitch(to: space, cpu: cpu, pages: 0)
    }
    #expect((0..<2).allSatisfy { tlbs.counts(of: $0) == TranslationCounts() })
  }
}

private let kernelPage: UInt64 = 0xf_ffff_8100_0000

private func loads(_ pages: [UInt64]) -> [PageAccess] {
  pages.map { PageAccess(page: $0, class: .load) }
}
