import Testing
import TraceBuilding
import TraceEvents

@testable import Replay

private let users: [(cpu: Int, task: Int32)] = [(0, 100), (1, 101), (2, 102), (3, 103)]

@Suite struct InaccessibleFlushTests {
  private func script() -> BatchScript {
    let script = BatchScript()
    for user in users { script.directory.name(task: user.task, user.cpu == 3 ? "other" : "app") }
    return script
  }

  /// A hinting fault moves a page; no flush follows.
  private func promote(
    _ script: inout BatchScript, cpu: Int, task: Int32, reason: UInt64 = 5, entries: UInt64 = 1
  ) {
    script.add(.migratePagesStart, cpu: cpu, task: task, [0, reason])
    for entry in 0..<entries {
      script.setEntry(cpu: cpu, task: task, pfn: 0x100 + entry, type: 29)
    }
    script.add(.migratePages, cpu: cpu, task: task, [entries, 0, 0, 0, 0, 0, 0, reason])
  }

  private func row(_ outcome: PolicyOutcome, _ assumption: ReplayAssumption) -> [Int]? {
    outcome.cases.first { $0.assumption == assumption }?.tlbRow
  }

  @Test func promotionsFlushWhereTheLastFlushOfTheirProcessDid() throws {
    var script = script()
    script.shootdown(cpu: 1, task: 101, receivers: [users[0], users[2]], localReason: 3, pages: 1)
    // Another program's flush, and one of another's mm, say nothing of this process.
    script.shootdown(cpu: 3, task: 103, receivers: users.dropLast(), localReason: 3, pages: 1)
    script.shootdown(cpu: 1, task: 101, receivers: [users[3]], pages: 1)
    promote(&script, cpu: 0, task: 100, entries: 3)
    let outcome = try CatalogReplay.policy(script, "no-inaccessible-skip")
    #expect(row(outcome, .onlyProven) == [2, 1, 2, 1, 0])
    #expect(row(outcome, .expected) == [2, 2, 3, 1, 0])
    #expect(row(outcome, .allPossible) == [2, 2, 3, 2, 1])
    #expect(outcome.figures?.ledger.forcedFlushes == 1)
    #expect(outcome.figures?.ledger.flushesForUnmap == 1)
    #expect(outcome.figures?.ledger.deferred == 0)
    // One send and one flush of its own on the CPU that migrates.
    #expect(outcome.figures?.tlbFlush[4][0] == 1 && outcome.figures?.tlbFlush[2][0] == 1)
    #expect(outcome.ipisAvoided == -2)
  }

  @Test func onlyPromotionsThatFlushedNothingCount() throws {
    var script = script()
    script.shootdown(cpu: 0, task: 100, receivers: [users[1]], localReason: 3, pages: 1)
    promote(&script, cpu: 0, task: 100, reason: 8)
    promote(&script, cpu: 0, task: 100, entries: 0)
    script.add(.migratePagesStart, cpu: 0, task: 100, [0, 5])
    script.setEntry(cpu: 0, task: 100, pfn: 0x200, type: 28)
    script.shootdown(cpu: 0, task: 100, receivers: [users[1]], localReason: 2)
    script.add(.migratePages, cpu: 0, task: 100, [1, 0, 0, 0, 0, 0, 0, 5])
    let outcome = try CatalogReplay.policy(script, "no-inaccessible-skip")
    for figures in outcome.cases {
      #expect(figures.ledger.forcedFlushes == 0)
      #expect(figures.tlbRow == [0, 2, 0, 0, 0])
    }
  }

  @Test func aProcessOfOneCPUAndLazyCPUsAreLeftOut() throws {
    var script = script()
    promote(&script, cpu: 0, task: 100)
    script.shootdown(cpu: 0, task: 100, receivers: [users[1], users[2]], localReason: 3, pages: 1)
    script.add(.pageFree, cpu: 2, task: 0, [0x999, 0])
    promote(&script, cpu: 0, task: 100)
    let outcome = try CatalogReplay.policy(script, "no-inaccessible-skip")
    #expect(row(outcome, .expected) == [0, 2, 1, 0, 0])
    #expect(row(outcome, .allPossible) == [0, 3, 2, 2, 2])
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func nothingElseChanges(_ seed: UInt64) throws {
    let outcome = try CatalogReplay.checkBooks(seed, "no-inaccessible-skip")
    let recorded = try #require(outcome.policies[0].figures)
    for figures in outcome.policies[1].cases {
      #expect(figures.tlbRow == recorded.tlbRow && figures.tlbFlush == recorded.tlbFlush)
    }
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func everyPromotionAddsAtMostOneFlush(_ seed: UInt64) throws {
    var script = ReplayPropertyTests.stream(seed)
    for cpu in 0..<4 { promote(&script, cpu: cpu, task: Int32(100 + cpu)) }
    let outcome = try CatalogReplay.outcome(script, "no-inaccessible-skip")
    let recorded = try #require(outcome.policies[0].figures)
    let cases = outcome.policies[1].cases
    let flushes = cases.map(\.ledger.forcedFlushes)
    // A process whose last flush reached no other CPU flushes nothing.
    #expect(flushes[0] == 0 && flushes[1] <= 4 && flushes[2] == 4)
    #expect(cases.count == 3)
    for (less, more) in zip(cases, cases.dropFirst()) {
      for cpu in 0..<5 { #expect(less.tlbRow[cpu] <= more.tlbRow[cpu]) }
      #expect(more.ledger.isBalanced && more.safety?.violations == 0)
    }
    #expect(cases[0].tlbRow == recorded.tlbRow)
    // Each of the four users interrupts the other three; kswapd's CPU is lazy.
    #expect(cases[2].tlbRowTotal == recorded.tlbRowTotal + 4 * 3)
  }
}
