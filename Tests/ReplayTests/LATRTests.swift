import Testing
import TraceBuilding
import TraceEvents

@testable import Replay

private let users: [(cpu: Int, task: Int32)] = [(0, 100), (1, 101), (2, 102), (3, 103)]
private let tick: UInt64 = 4_000_000

@Suite struct LATRTests {
  private func script() -> BatchScript {
    let script = BatchScript()
    script.directory.name(task: 40, "kswapd0")
    for user in users { script.directory.name(task: user.task, "app") }
    return script
  }

  private func figures(_ script: BatchScript, _ name: String = "latr") throws -> CaseFigures {
    try #require(try CatalogReplay.policy(script, name).figures)
  }

  @Test func aTickSweepsWhatOthersRecorded() throws {
    var script = script()
    script.reclaim(cpu: 4, task: 40, pfns: [0x10, 0x11], receivers: users)
    script.unmap(cpu: 0, task: 100, pfns: [0x20], receivers: [users[1]])
    script.allocate(cpu: 0, task: 100, pfn: 0x10)
    script.allocate(cpu: 0, task: 100, pfn: 0x20)
    script.skip(tick)
    script.allocate(cpu: 0, task: 100, pfn: 0x11)
    let figures = try figures(script)
    #expect(figures.tlbRow == [0, 0, 0, 0, 0])
    #expect(figures.ledger.framesHeld == 2 && figures.ledger.forcedFlushes == 0)
    #expect(figures.ledger.deferred == 2 && figures.ledger.absorbed == 2)
    #expect(figures.safety?.violations == 0 && figures.safety?.framesChecked == 1)
    // Ages end at the tick, not at the first event behind it; its length the name can say.
    #expect((tick - 2000..<tick).contains(figures.ages.longest))
    let faster = try self.figures(script, "latr-hz-1000")
    #expect(faster.ledger.framesHeld == 2 && faster.safety?.violations == 0)
  }

  @Test func theRateOfTicksIsInTheName() throws {
    var script = script()
    script.unmap(cpu: 0, task: 100, pfns: [0x20], receivers: [users[1]])
    script.skip(1_500_000)
    script.allocate(cpu: 0, task: 100, pfn: 0x20)
    #expect(try figures(script).ledger.framesHeld == 1)
    #expect(try figures(script, "latr-hz-1000").ledger.framesHeld == 0)
  }

  @Test func contextSwitchesSweepTheirCPU() throws {
    var script = script()
    script.unmap(cpu: 0, task: 100, pfns: [0x10, 0x11], receivers: [users[1], users[2]])
    script.flush(cpu: 1, task: 101, reason: 0)
    script.allocate(cpu: 0, task: 100, pfn: 0x10)
    script.add(.pageFree, cpu: 2, task: 0, [0x999, 0])
    script.allocate(cpu: 0, task: 100, pfn: 0x11)
    let figures = try figures(script)
    #expect(figures.ledger.framesHeld == 1 && figures.ledger.absorbed == 1)
    #expect(figures.safety?.framesChecked == 1 && figures.safety?.violations == 0)
  }

  @Test func aFullTableInterruptsAsBefore() throws {
    var script = script()
    script.allocate(cpu: 0, task: 100, pfn: 0x999)
    for pfn in 0..<70 as Range<UInt64> {
      script.unmap(cpu: 0, task: 100, pfns: [0x100 + pfn], receivers: [users[1]])
    }
    script.unmap(cpu: 2, task: 102, pfns: [0x200], receivers: [users[1]])
    let full = try figures(script)
    #expect(full.tlbRow == [0, 6, 0, 0, 0])
    #expect(full.ledger.deferred == 65 && full.ledger.refused == 6)
    #expect(full.ledger.pending == 65)
    // Records that everybody swept make room.
    script.flush(cpu: 1, task: 101, reason: 0)
    script.unmap(cpu: 0, task: 100, pfns: [0x300], receivers: [users[1]])
    let swept = try figures(script)
    #expect(swept.tlbRow == [0, 6, 0, 0, 0] && swept.ledger.deferred == 66)
    #expect(swept.ledger.absorbed == 65 && swept.ledger.pending == 1)
  }

  @Test func whatStaysMappedIsFlushedAtOnce() throws {
    var script = script()
    script.shootdown(cpu: 0, task: 100, receivers: [users[1]], localReason: 3, pages: 1)
    script.allocate(cpu: 0, task: 100, pfn: 0x10)
    script.free(cpu: 0, task: 100, pfn: 0x10)
    #expect(try figures(script).tlbRow == [0, 1, 0, 0, 0])
    #expect(try figures(script).ledger.deferred == 0)
  }

  @Test(arguments: 1...60 as ClosedRange<UInt64>)
  func neverInterruptsMoreThanTheRecordedRun(_ seed: UInt64) throws {
    for script in [ReplayPropertyTests.unmapStream(seed), ReplayPropertyTests.stream(seed)] {
      let outcome = try CatalogReplay.checkBooks(script, "latr")
      let recorded = try #require(outcome.policies[0].figures)
      let figures = try #require(outcome.policies[1].figures)
      for cpu in 0..<5 { #expect(figures.tlbRow[cpu] <= recorded.tlbRow[cpu]) }
      #expect(figures.ledger.forcedFlushes == 0 && figures.ledger.deferred > 0)
    }
  }

  @Test func lettingFramesGoIsCaught() throws {
    var violations = 0
    for seed in 1...10 as ClosedRange<UInt64> {
      let script = ReplayPropertyTests.unmapStream(seed)
      let context = ReplayContext(cpuCount: 5, flushFunction: FunctionName.flushTLBFunction)
      var rules = LATR.Rules()
      rules.holdsFrames = false
      let careless = PolicyBlueprint(
        name: "careless", asksForPermissions: false
      ) { [rules] _, context in LATR(rules, context) }
      var session = ReplaySession(context, blueprints: [careless])
      script.forEachBatch { session.consume($0, directory: script.directory) }
      violations += try session.finish().policies[1].figures?.safety?.violations ?? 0
    }
    #expect(violations > 0)
  }
}
