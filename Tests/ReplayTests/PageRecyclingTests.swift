import Testing
import TraceBuilding
import TraceEvents

@testable import Replay

private let users: [(cpu: Int, task: Int32)] = [(0, 100), (1, 101), (2, 102), (3, 103)]

@Suite struct PageRecyclingTests {
  private func script() -> BatchScript {
    let script = BatchScript()
    for user in users { script.directory.name(task: user.task, user.cpu == 3 ? "other" : "app") }
    return script
  }

  private func figures(
    _ outcome: PolicyOutcome, _ assumption: ReplayAssumption = .expected
  ) throws -> CaseFigures {
    try #require(outcome.cases.first { $0.assumption == assumption })
  }

  @Test func aFrameThatComesBackToItsProcessNeedsNoFlush() throws {
    var script = script()
    script.unmap(cpu: 0, task: 100, pfns: [0x10, 0x11], receivers: [users[1], users[2]])
    script.allocate(cpu: 0, task: 100, pfn: 0x10)
    script.allocate(cpu: 1, task: 101, pfn: 0x11)
    script.unmap(cpu: 2, task: 102, pfns: [0x12], receivers: [users[1]])
    let outcome = try CatalogReplay.policy(script, "fpr")
    let expected = try figures(outcome)
    #expect(expected.tlbRow == [0, 0, 0, 0, 0])
    #expect(expected.ledger.framesRecycled == 2 && expected.ledger.forcedFlushes == 0)
    #expect(expected.ledger.deferred == 2 && expected.ledger.pending == 2)
    // Each thread by itself: the other thread's allocation flushes, of which CPU 1 does its own.
    #expect(try figures(outcome, .onlyProven).tlbRow == [1, 0, 1, 0, 0])
    #expect(outcome.rowLower == 0 && outcome.rowUpper == 2)
  }

  @Test func aFrameThatLeavesFlushesAllThatItsProcessOwes() throws {
    var script = script()
    script.unmap(cpu: 0, task: 100, pfns: [0x10], receivers: [users[1]])
    script.unmap(cpu: 0, task: 100, pfns: [0x20], receivers: [users[2]])
    script.allocate(cpu: 3, task: 103, pfn: 0x10)
    script.allocate(cpu: 3, task: 103, pfn: 0x20)
    let expected = try figures(try CatalogReplay.policy(script, "fpr"))
    #expect(expected.tlbRow == [1, 1, 1, 0, 0])
    #expect(expected.ledger.forcedFlushes == 1 && expected.ledger.forcedByAllocation == 2)
    #expect(expected.safety?.framesChecked == 2 && expected.safety?.violations == 0)
    // All threads one process: nothing leaves it but what the kernel takes.
    let all = try figures(try CatalogReplay.policy(script, "fpr"), .allPossible)
    #expect(all.tlbRow == [0, 0, 0, 0, 0] && all.ledger.framesRecycled == 2)
  }

  @Test func whatTheKernelTakesLeavesToo() throws {
    var script = script()
    script.unmap(cpu: 0, task: 100, pfns: [0x10], receivers: [users[1]])
    script.allocate(cpu: 0, task: 100, pfn: 0x10, isMovable: false)
    let outcome = try CatalogReplay.policy(script, "fpr")
    for figures in outcome.cases { #expect(figures.tlbRow == [0, 1, 0, 0, 0]) }
  }

  @Test func recycledFramesStayDangerousUntilAFlush() throws {
    var script = script()
    script.unmap(cpu: 0, task: 100, pfns: [0x10], receivers: [users[1]])
    script.allocate(cpu: 0, task: 100, pfn: 0x10)
    // Freed without a flush this time, but CPU 1 still has the translation of before.
    script.free(cpu: 0, task: 100, pfn: 0x10)
    script.allocate(cpu: 3, task: 103, pfn: 0x10)
    let expected = try figures(try CatalogReplay.policy(script, "fpr"))
    #expect(expected.tlbRow == [1, 1, 0, 0, 0])
    #expect(expected.ledger.forcedFlushes == 1 && expected.ledger.framesRecycled == 1)
    #expect(expected.safety?.framesChecked == 1 && expected.safety?.violations == 0)
  }

  @Test func fullFlushesAndChangesOfMMPay() throws {
    var script = script()
    script.unmap(cpu: 0, task: 100, pfns: [0x10], receivers: [users[1], users[2]])
    script.shootdown(cpu: 0, task: 100, receivers: [users[1]], localReason: 3)
    script.flush(cpu: 2, task: 102, reason: 0)
    script.allocate(cpu: 3, task: 103, pfn: 0x10)
    let expected = try figures(try CatalogReplay.policy(script, "fpr"))
    #expect(expected.tlbRow == [0, 1, 0, 0, 0])
    #expect(expected.ledger.absorbed == 1 && expected.ledger.forcedFlushes == 0)
    #expect(expected.safety?.violations == 0)
  }

  @Test func flushesThatFreeNothingHappen() throws {
    var script = script()
    script.shootdown(cpu: 0, task: 100, receivers: [users[1]], localReason: 3)
    script.allocate(cpu: 0, task: 100, pfn: 0x10)
    script.reclaim(cpu: 4, task: 40, pfns: [0x20], receivers: [users[2]])
    let outcome = try CatalogReplay.policy(script, "fpr")
    for figures in outcome.cases {
      #expect(figures.tlbRow == [0, 1, 1, 0, 0] && figures.ledger.deferred == 0)
    }
  }

  @Test func aSharedMMIsWhatRSSEventsSay() throws {
    var script = script()
    script.add(.rssStat, cpu: 0, task: 100, [7, 1, 1, 4096])
    script.add(.rssStat, cpu: 3, task: 103, [7, 1, 1, 4096])
    script.add(.rssStat, cpu: 1, task: 101, [8, 1, 1, 4096])
    script.unmap(cpu: 0, task: 100, pfns: [0x10, 0x11], receivers: [users[2]])
    script.allocate(cpu: 3, task: 103, pfn: 0x10)
    let shared = try CatalogReplay.policy(script, "fpr")
    for figures in shared.cases { #expect(figures.tlbRow == [0, 0, 0, 0, 0]) }
    // The same name, but another mm.
    script.allocate(cpu: 1, task: 101, pfn: 0x11)
    let other = try CatalogReplay.policy(script, "fpr")
    #expect(try figures(other).tlbRow == [1, 0, 1, 0, 0])
    #expect(try figures(other, .onlyProven).tlbRow == [1, 0, 1, 0, 0])
  }

  @Test(arguments: 1...60 as ClosedRange<UInt64>)
  func booksBalanceAndNoFrameLeavesEarly(_ seed: UInt64) throws {
    let outcome = try CatalogReplay.checkBooks(ReplayPropertyTests.unmapStream(seed), "fpr")
    for figures in outcome.policies[1].cases {
      #expect(figures.ledger.deferred > 0 && figures.ledger.refused == 0)
      #expect(figures.ledger.framesHeld == 0)
    }
    _ = try CatalogReplay.checkBooks(seed, "fpr")
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func followingMoreFramesChangesNoOtherPolicy(_ seed: UInt64) throws {
    let script = ReplayPropertyTests.unmapStream(seed)
    func replay(_ names: [String]) throws -> Outcome {
      let context = ReplayContext(cpuCount: 5, flushFunction: FunctionName.flushTLBFunction)
      var session = try ReplaySession(context, policies: names)
      script.forEachBatch(of: 50) { session.consume($0, directory: script.directory) }
      return try session.finish()
    }
    let names = ["luf-v10", "luf-v11", "luf-ideal", "batch-4", "invlpgb"]
    let alone = try replay(names)
    let beside = try replay(["fpr", "latr"] + names)
    for (a, b) in zip(alone.policies.dropFirst(), beside.policies.dropFirst(3)) {
      #expect(a.name == b.name && a.figures?.tlbRow == b.figures?.tlbRow, "\(a.name)")
      #expect(a.figures?.ledger == b.figures?.ledger && a.figures?.safety == b.figures?.safety)
      #expect(a.rowLower == b.rowLower && a.rowUpper == b.rowUpper)
    }
  }
}
