import Testing
import TraceBuilding
import TraceEvents

@testable import Replay

/// Equalities and orders that hold for every stream of events.
@Suite struct ReplayPropertyTests {
  /// Takes frames into use that are free, before a batch unmaps and frees them again.
  ///
  /// Only what is in use can be unmapped: else it depends on what is recorded when a frame is seen to have
  /// been in use.
  static func use(
    _ pfns: [UInt64], of free: inout Set<UInt64>, cpu: Int, _ script: inout BatchScript
  ) {
    for pfn in pfns where free.contains(pfn) {
      script.allocate(cpu: cpu, task: Int32(100 + cpu), pfn: pfn)
    }
    free.formUnion(pfns)
  }

  /// Two replays of one stream come to the same, case by case.
  static func expectSame(_ first: Outcome, _ second: Outcome) {
    for (a, b) in zip(first.policies, second.policies) {
      #expect(a.name == b.name && a.rowLower == b.rowLower && a.rowUpper == b.rowUpper)
      #expect(a.runLower == b.runLower && a.runUpper == b.runUpper, "\(a.name)")
      #expect(a.cases.map(\.assumption) == b.cases.map(\.assumption))
      for (x, y) in zip(
        a.cases + [a.figures].compactMap(\.self), b.cases + [b.figures].compactMap(\.self))
      {
        #expect(x.tlbRow == y.tlbRow && x.tlbFlush == y.tlbFlush, "\(a.name)")
        #expect(x.ledger == y.ledger && x.pending == y.pending, "\(a.name)")
        #expect(x.ages == y.ages && x.payers == y.payers && x.bursts == y.bursts, "\(a.name)")
        #expect(x.safety == y.safety && x.anotherRun == y.anotherRun, "\(a.name)")
        #expect((x.timeline == nil) == (y.timeline == nil), "\(a.name)")
      }
    }
  }

  /// The users' CPUs that a mask of random bits interrupts, and who runs there.
  static func receivers(_ mask: UInt64, but cpu: Int) -> [(cpu: Int, task: Int32)] {
    (0..<4).filter { mask >> UInt64($0) & 1 != 0 && $0 != cpu }.map { ($0, Int32(100 + $0)) }
  }

  /// A stream of operations over 5 CPUs and 48 frames; CPU 4 belongs to kswapd.
  static func stream(_ seed: UInt64, eligible: Bool = true) -> BatchScript {
    var random = SplitMix64(seed: seed)
    var script = BatchScript()
    script.directory.name(task: 40, "kswapd0")
    for cpu in 0..<4 { script.directory.name(task: Int32(100 + cpu), "app") }
    var free = Set<UInt64>()
    for _ in 0..<400 {
      let cpu = Int(random.next() % 4)
      let task = Int32(100 + cpu)
      let mask = random.next()
      let pfn = 0x1000 + random.next() % 48
      script.skip(random.next() % 40)
      switch random.next() % 10 {
      case 0, 1:
        guard eligible else { break }
        let pfns = (0..<(1 + random.next() % 5)).map { 0x1000 + (pfn + $0) % 48 }
        use(pfns, of: &free, cpu: cpu, &script)
        script.reclaim(cpu: 4, task: 40, pfns: pfns, receivers: receivers(mask, but: 4))
      case 2:
        let type: UInt64 = eligible && random.next() & 1 == 0 ? 28 : 30
        use([pfn], of: &free, cpu: cpu, &script)
        script.migrate(
          cpu: cpu, task: task, pfns: [pfn], type: type, receivers: receivers(mask, but: cpu),
          localReason: 2)
      case 3:
        script.shootdown(
          cpu: cpu, task: task, receivers: receivers(mask, but: cpu), localReason: 3, pages: 3)
      case 4: script.add(.pageFaultUser, cpu: cpu, task: task, [0x7000, 0, random.next() % 8])
      case 5:
        let order = random.next() % 3
        script.free(cpu: cpu, task: task, pfn: pfn, order: order)
        free.formUnion(pfn..<(pfn + 1 << order))
      case 6: script.add(.pageAllocZoneLocked, cpu: cpu, task: task, [pfn, 0, 1, 1])
      default:
        let order: UInt64 = random.next() % 8 == 0 ? 2 : 0
        script.allocate(cpu: cpu, task: task, pfn: pfn, order: order)
        free.subtract(pfn..<(pfn + 1 << order))
      }
    }
    return script
  }

  /// A stream in which tasks of two programs unmap memory and take it again, with a migration, a
  /// reclaim pass, an idle CPU or a change of mm between.
  static func unmapStream(_ seed: UInt64) -> BatchScript {
    var random = SplitMix64(seed: seed)
    var script = BatchScript()
    script.directory.name(task: 40, "kswapd0")
    for cpu in 0..<4 { script.directory.name(task: Int32(100 + cpu), cpu == 3 ? "other" : "app") }
    for _ in 0..<400 {
      let cpu = Int(random.next() % 4)
      let task = Int32(100 + cpu)
      let mask = random.next()
      let pfn = 0x1000 + random.next() % 48
      let receivers = Self.receivers(mask, but: cpu)
      let pfns = (0..<(1 + random.next() % 4)).map { 0x1000 + (pfn + $0) % 48 }
      script.skip(random.next() % 400_000)
      switch random.next() % 10 {
      case 0, 1, 2: script.unmap(cpu: cpu, task: task, pfns: pfns, receivers: receivers)
      case 3: script.reclaim(cpu: 4, task: 40, pfns: pfns, receivers: receivers)
      case 4:
        script.shootdown(cpu: cpu, task: task, receivers: receivers, localReason: 3, pages: 3)
      case 5:
        if mask >> 8 & 3 == 0 {
          script.flush(cpu: cpu, task: task, reason: 0)
        } else {
          script.free(cpu: cpu, task: mask >> 8 & 3 == 1 ? 0 : task, pfn: pfn)
        }
      default: script.allocate(cpu: cpu, task: task, pfn: pfn, isMovable: random.next() % 8 != 0)
      }
    }
    return script
  }

  @Test(arguments: 1...60 as ClosedRange<UInt64>)
  func booksBalanceAndBoundsHold(_ seed: UInt64) throws {
    let outcome = try ReplaySessionTests.replay(Self.stream(seed), cpus: 5)
    let recorded = try #require(outcome.policies[0].figures)
    let luf = outcome.policies[1]
    let expected = try #require(luf.figures)
    #expect(luf.cases.count == ReplayAssumption.allCases.count)
    for figures in luf.cases {
      #expect(figures.ledger.isBalanced)
      #expect(figures.ledger.forcedFlushes <= figures.ledger.deferred)
      #expect(figures.safety?.violations == 0)
      #expect(figures.anotherRun?.contains(figures.tlbRowTotal) == true)
      #expect(figures.tlbRow.allSatisfy { $0 >= 0 })
      #expect(figures.tlbFlush.allSatisfy { $0.allSatisfy { $0 >= 0 } })
      // Flushes of one mm and task switches are none of lazy unmap flush's business.
      #expect(figures.tlbFlush[3] == recorded.tlbFlush[3])
      #expect(figures.tlbFlush[0] == recorded.tlbFlush[0])
    }
    let lower = try #require(luf.rowLower)
    let upper = try #require(luf.rowUpper)
    #expect(lower <= expected.tlbRowTotal && expected.tlbRowTotal <= upper)
    // What may be deferred grows from case to case, whatever becomes of it.
    let eligible = luf.cases.map { $0.ledger.deferred + $0.ledger.refused }
    #expect(eligible[0] <= eligible[1] && eligible[1] <= eligible[2])
    #expect(eligible[2] == eligible[3] && luf.cases[3].ledger.refused == 0)
    #expect(luf.ipisAvoided == recorded.tlbRowTotal - expected.tlbRowTotal)
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func withNothingEligibleItIsTheRecordedRun(_ seed: UInt64) throws {
    let outcome = try ReplaySessionTests.replay(Self.stream(seed, eligible: false), cpus: 5)
    let recorded = try #require(outcome.policies[0].figures)
    for figures in outcome.policies[1].cases {
      #expect(figures.tlbRow == recorded.tlbRow)
      #expect(figures.tlbFlush == recorded.tlbFlush)
      #expect(figures.ledger.deferred == 0)
    }
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func whereBatchesEndMakesNoDifference(_ seed: UInt64) throws {
    let script = Self.stream(seed)
    let whole = try ReplaySessionTests.replay(script, cpus: 5)
    for size in [1, 7, 100] {
      let cut = try ReplaySessionTests.replay(script, cpus: 5, batch: size)
      #expect(cut.reconstruction == whole.reconstruction)
      for (a, b) in zip(cut.policies, whole.policies) {
        #expect(a.figures?.tlbRow == b.figures?.tlbRow)
        #expect(a.figures?.tlbFlush == b.figures?.tlbFlush)
        #expect(a.figures?.ledger == b.figures?.ledger)
        #expect(a.rowLower == b.rowLower && a.rowUpper == b.rowUpper)
      }
    }
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func recordedIsACountOfTheEvents(_ seed: UInt64) throws {
    let script = Self.stream(seed)
    var row = Array(repeating: 0, count: 5)
    var flushes = Array(repeating: row, count: 6)
    script.forEachBatch { batch in
      for index in 0..<batch.count {
        let cpu = Int(batch.cpu(index))
        if batch.kind(index) == .csdFunctionEntry, batch.word(index, CSDFunction.csd) != 0 {
          row[cpu] += 1
        }
        if batch.kind(index) == .tlbFlush { flushes[Int(batch.word(index, 0))][cpu] += 1 }
      }
    }
    let recorded = try ReplaySessionTests.replay(script, cpus: 5).policies[0].figures
    #expect(recorded?.tlbRow == row)
    #expect(recorded?.tlbFlush == flushes)
  }

  @Test(arguments: 1...40 as ClosedRange<UInt64>)
  func aPolicyThatForgetsToFlushIsCaughtInSomeStream(_ seed: UInt64) throws {
    var rules = LazyFlushRules.v10
    rules.flushesBeforeReuse = false
    rules.flushesOnWriteProtectFault = false
    let outcome = try ReplaySessionTests.replay(Self.stream(seed), cpus: 5, rules: [rules])
    let safety = try #require(outcome.policies[1].figures?.safety)
    #expect(safety.violations > 0)
  }

  @Test(arguments: 1...40 as ClosedRange<UInt64>)
  func randomWordsDoNotTrap(_ seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var script = BatchScript()
    for _ in 0..<3000 {
      let kind = EventKind.allCases[Int(random.next() % UInt64(EventKind.allCases.count))]
      let words = Tracepoint.of(kind).fields.map { _ -> UInt64 in
        switch random.next() % 6 {
        case 0: random.next()
        case 1: .max
        case 2: EventBatch.absent
        case 3: FunctionName.flushTLBFunction
        default: random.next() % 12
        }
      }
      let cpu = random.next() % 50 == 0 ? 0xffff : Int(random.next() % 6)
      script.add(kind, cpu: cpu, task: Int32(truncatingIfNeeded: random.next() % 9), words)
    }
    _ = try ReplaySessionTests.replay(script, cpus: 5)
  }
}
