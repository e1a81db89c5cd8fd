import Testing
import TraceBuilding
import TraceEvents

@testable import Replay

private let users: [(cpu: Int, task: Int32)] = [(0, 100), (1, 101), (2, 102), (3, 103)]

@Suite struct BroadcastFlushTests {
  private func script(named: Bool = true) -> BatchScript {
    let script = BatchScript()
    script.directory.name(task: 40, "kswapd0")
    for user in users where named { script.directory.name(task: user.task, "app") }
    return script
  }

  private func row(_ outcome: PolicyOutcome, _ assumption: ReplayAssumption) -> [Int]? {
    outcome.cases.first { $0.assumption == assumption }?.tlbRow
  }

  @Test func batchesInterruptNobodyAndOweNothing() throws {
    var script = script()
    script.reclaim(cpu: 4, task: 40, pfns: [0x10, 0x11], receivers: users)
    script.migrate(
      cpu: 0, task: 100, pfns: [0x20], type: 30, receivers: [users[1]], localReason: 2)
    script.allocate(cpu: 1, task: 101, pfn: 0x10)
    let outcome = try CatalogReplay.policy(script, "invlpgb")
    let figures = try #require(outcome.figures)
    #expect(figures.tlbRow == [0, 0, 0, 0, 0])
    #expect(figures.tlbFlush.allSatisfy { $0.allSatisfy { $0 == 0 } })
    #expect(figures.ledger.broadcasts == 2 && figures.ledger.deferred == 0)
    #expect(figures.ledger.forcedFlushes == 0 && figures.safety?.violations == 0)
    #expect(outcome.rowLower == 0 && outcome.rowUpper == 0)
  }

  @Test func aProcessOnFourCPUsGetsAGlobalASIDBehindTheFlushThatShowsIt() throws {
    var script = script()
    script.shootdown(cpu: 0, task: 100, receivers: Array(users[1...2]), localReason: 3, pages: 1)
    script.shootdown(cpu: 0, task: 100, receivers: Array(users[1...3]), localReason: 3, pages: 1)
    script.shootdown(cpu: 0, task: 100, receivers: [users[1]], localReason: 3, pages: 1)
    script.shootdown(cpu: 1, task: 101, receivers: [users[2]], localReason: 3, pages: 1)
    // kswapd flushes another's mm.
    script.shootdown(cpu: 4, task: 40, receivers: [users[3]], pages: 1)
    let outcome = try CatalogReplay.policy(script, "invlpgb")
    // Three CPUs are too few, four show it, what follows is broadcast.
    #expect(row(outcome, .expected) == [0, 2, 2, 2, 0])
    #expect(row(outcome, .allPossible) == [0, 2, 2, 1, 0])
    // By itself no thread waits for the round of ticks here.
    #expect(row(outcome, .onlyProven) == [0, 3, 3, 2, 0])
    #expect(outcome.figures?.tlbFlush[3] == [2, 0, 0, 0, 0])
    #expect(outcome.figures?.ledger.broadcasts == 2)
  }

  @Test func unnamedThreadsAreProcessesAndARoundOfTicksMayPass() throws {
    var script = script(named: false)
    script.shootdown(cpu: 0, task: 100, receivers: Array(users[1...3]), localReason: 3, pages: 1)
    script.skip(127_000_000)
    script.shootdown(cpu: 0, task: 100, receivers: [users[1]], localReason: 3, pages: 1)
    script.skip(1_000_000)
    script.shootdown(cpu: 0, task: 100, receivers: [users[1]], localReason: 3, pages: 1)
    // Without names threads are processes.
    script.shootdown(cpu: 1, task: 101, receivers: [users[2]], localReason: 3, pages: 1)
    let outcome = try CatalogReplay.policy(script, "invlpgb")
    #expect(row(outcome, .expected) == [0, 1, 2, 1, 0])
    #expect(row(outcome, .onlyProven) == [0, 2, 2, 1, 0])
  }

  @Test(arguments: 1...40 as ClosedRange<UInt64>)
  func neverInterruptsMoreThanTheRecordedRun(_ seed: UInt64) throws {
    let outcome = try CatalogReplay.checkBooks(seed, "invlpgb")
    let recorded = try #require(outcome.policies[0].figures)
    let cases = outcome.policies[1].cases
    for (more, less) in zip(cases, cases.dropFirst()) {
      for cpu in 0..<5 { #expect(less.tlbRow[cpu] <= more.tlbRow[cpu]) }
    }
    for figures in cases {
      for cpu in 0..<5 { #expect(figures.tlbRow[cpu] <= recorded.tlbRow[cpu]) }
      #expect(figures.tlbFlush[2] == [0, 0, 0, 0, 0])
      #expect(figures.ledger.broadcasts > 0)
    }
  }

  @Test func framesNeedNotBeRecorded() throws {
    var script = script()
    script.shootdown(cpu: 4, task: 40, receivers: users)
    let outcome = try CatalogReplay.policy(script, "invlpgb")
    #expect(outcome.figures != nil)
    #expect(!outcome.notes.contains { $0.contains("mm_page_alloc") })
  }
}
