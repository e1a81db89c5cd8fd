import Testing
import TraceBuilding
import TraceEvents

@testable import Replay

/// What must come out where there is nothing to decide, and what evidence may do to bounds.
@Suite struct DegenerateCasesTests {
  private static let all = PolicyCatalog.entries.map(\.sampleName)
  private static let lazy = [
    "luf-v10", "luf-v11", "luf-v12", "luf-v12r", "luf-ideal", "migrc-v3", "migrc-v8", "migrc-v9",
  ]

  private func replay(_ script: BatchScript, _ names: [String]) throws -> [PolicyOutcome] {
    var context = ReplayContext(cpuCount: 5, flushFunction: FunctionName.flushTLBFunction)
    context.checksEveryCase = true
    var session = try ReplaySession(context, policies: names)
    script.forEachBatch { session.consume($0, directory: script.directory) }
    return try session.finish().policies
  }

  /// Reclaim and migration only: nothing is ever allocated again, no permission changes.
  private func withoutReuse(_ seed: UInt64) -> BatchScript {
    var random = SplitMix64(seed: seed)
    var script = BatchScript()
    script.directory.name(task: 40, "kswapd0")
    for cpu in 0..<4 { script.directory.name(task: Int32(100 + cpu), "app") }
    script.allocate(cpu: 0, task: 100, pfn: 0x90000)
    for index in 0..<200 as Range<UInt64> {
      let receivers = (0..<4).filter { _ in random.next() % 2 == 0 }.map { ($0, Int32(100 + $0)) }
      script.skip(random.next() % 30)
      if random.next() % 3 == 0 {
        script.migrate(
          cpu: 4, task: 40, pfns: [0x5000 + index], type: 28, receivers: receivers)
      } else {
        script.reclaim(cpu: 4, task: 40, pfns: [0x5000 + index], receivers: receivers)
      }
    }
    return script
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func nothingReallocatedForcesNothing(_ seed: UInt64) throws {
    for policy in try replay(withoutReuse(seed), Self.lazy).dropFirst() {
      for figures in policy.cases {
        #expect(figures.ledger.forcedFlushes == 0, "\(policy.name)")
        #expect(
          figures.ledger.deferred > 0 || figures.assumption == .onlyProven
            || policy.name.hasPrefix("migrc"))
      }
    }
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func nothingEligibleIsTheRecordedRun(_ seed: UInt64) throws {
    let outcomes = try replay(ReplayPropertyTests.stream(seed, eligible: false), Self.lazy)
    let recorded = try #require(outcomes[0].figures)
    for policy in outcomes.dropFirst() {
      for figures in policy.cases {
        #expect(figures.tlbRow == recorded.tlbRow, "\(policy.name)")
        #expect(figures.tlbFlush == recorded.tlbFlush, "\(policy.name)")
      }
    }
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func shardsOfCPUsGiveTheSameTotals(_ seed: UInt64) throws {
    let script = ReplayPropertyTests.stream(seed)
    let whole = try replay(script, Self.all)
    for shards in [2, 3, 5] {
      for (a, b) in zip(whole, try replay(script.resharded(shards), Self.all)) {
        #expect(a.figures?.tlbRow == b.figures?.tlbRow, "\(a.name)")
        #expect(a.figures?.tlbFlush == b.figures?.tlbFlush, "\(a.name)")
        #expect(a.figures?.ledger == b.figures?.ledger, "\(a.name)")
        #expect(a.rowLower == b.rowLower && a.rowUpper == b.rowUpper)
      }
    }
  }

  /// Bounds of a trace lie inside those of the same trace with less recorded.
  @Test(
    arguments: [
      [.setMigrationPTE], [.filemapDelete], [.pageFaultUser], [.rawSysEnter],
      [.pageAllocZoneLocked], [.setMigrationPTE, .filemapDelete],
    ] as [[EventKind]])
  func evidenceOnlyTightensBounds(_ hidden: [EventKind]) throws {
    for seed in 1...30 as ClosedRange<UInt64> {
      let script = ReplayPropertyTests.stream(seed)
      let names = Self.lazy
      for (full, less) in zip(try replay(script, names), try replay(script.without(hidden), names))
      {
        guard let lower = less.rowLower, let upper = less.rowUpper else { continue }
        let inside = try #require(full.rowLower.flatMap { low in full.rowUpper.map { low...$0 } })
        #expect(lower <= inside.lowerBound, "\(full.name) without \(hidden), seed \(seed)")
        #expect(upper >= inside.upperBound, "\(full.name) without \(hidden), seed \(seed)")
      }
    }
  }
}
