import Testing
import TraceBuilding
import TraceEvents

@testable import Replay

private let kswapd: Int32 = 40
private let users: [(cpu: Int, task: Int32)] = [(0, 100), (1, 101), (2, 102)]

@Suite struct ReplaySessionTests {
  static func replay(
    _ script: BatchScript, cpus: Int = 4, window: TimeWindow? = nil,
    rules: [LazyFlushRules] = [.v10], batch: Int = EventBatch.capacity
  ) throws -> Outcome {
    var context = ReplayContext(
      cpuCount: cpus, window: window, flushFunction: FunctionName.flushTLBFunction)
    context.checksEveryCase = true
    var session = ReplaySession(context, rules: rules)
    script.forEachBatch(of: batch) { session.consume($0, directory: script.directory) }
    return try session.finish()
  }

  private func script() -> BatchScript {
    let script = BatchScript()
    script.directory.name(task: kswapd, "kswapd0")
    for user in users { script.directory.name(task: user.task, "app") }
    return script
  }

  private func luf(_ outcome: Outcome, _ assumption: ReplayAssumption = .expected) throws
    -> CaseFigures
  {
    try #require(outcome.policies[1].cases.first { $0.assumption == assumption })
  }

  @Test func deferredReclaimIsFlushedOnceWhenAFrameIsTaken() throws {
    var script = script()
    script.reclaim(cpu: 3, task: kswapd, pfns: [0x100, 0x101], receivers: users)
    script.skip(1000)
    script.reclaim(cpu: 3, task: kswapd, pfns: [0x102], receivers: [users[1]])
    script.skip(1000)
    script.allocate(cpu: 0, task: 100, pfn: 0x102)
    script.allocate(cpu: 1, task: 101, pfn: 0x100)
    let outcome = try Self.replay(script)
    #expect(outcome.policies[0].figures?.tlbRow == [1, 2, 1, 0])
    #expect(outcome.policies[0].rowGrade == .derived)
    let expected = try luf(outcome)
    // CPU 0 allocates: its own flush is no interrupt.
    #expect(expected.tlbRow == [0, 1, 1, 0])
    #expect(expected.tlbFlush.map { $0.reduce(0, +) } == [0, 2, 1, 0, 1, 0])
    #expect(expected.ledger.deferred == 2)
    #expect(expected.ledger.forcedByAllocation == 2)
    #expect(expected.ledger.forcedFlushes == 1)
    #expect(expected.pending.framesMax == 3)
    #expect(expected.safety?.framesChecked == 2 && expected.safety?.violations == 0)
    // Reclaim does not show its page-table entries: nothing is proven, so the bounds are wide.
    #expect(try luf(outcome, .onlyProven).tlbRow == [1, 2, 1, 0])
    // Other ends of deferral, and whether pages were read-only, are not in the trace.
    #expect(outcome.policies[1].rowLower == 0 && outcome.policies[1].rowUpper == 4)
    #expect(outcome.policies[1].ipisAvoided == 2)
    #expect(outcome.reconstruction.batchShootdowns == [0, 0, 2, 0, 0])
    #expect(outcome.reconstruction.interruptsMatchedExactly == 4)
  }

  @Test func migrationEntriesDecideExactly() throws {
    var script = script()
    script.migrate(cpu: 3, task: kswapd, pfns: [0x10, 0x11], type: 28, receivers: users)
    script.skip(1000)
    script.migrate(cpu: 3, task: kswapd, pfns: [0x20], type: 30, receivers: [users[0]])
    script.skip(1000)
    script.allocate(cpu: 3, task: kswapd, pfn: 0x11)
    let blind = try Self.replay(script)
    // Nothing else that ends deferral is in the trace; were it, the bounds would be one figure.
    #expect(blind.policies[1].rowLower == 1 && blind.policies[1].rowUpper == 4)
    script.add(.pageAllocZoneLocked, cpu: 3, task: kswapd, [0x999, 0, 1, 1])
    script.add(.pageFaultUser, cpu: 0, task: 100, [0x7000, 0x4000, 4])
    script.add(.rawSysEnter, cpu: 0, task: 100, [39, 0, 0, 0, 0])
    let outcome = try Self.replay(script)
    // The writable batch is flushed and pays for CPU 0; the allocation for CPUs 1 and 2.
    for assumption in ReplayAssumption.allCases {
      #expect(try luf(outcome, assumption).tlbRow == [1, 1, 1, 0])
      #expect(try luf(outcome, assumption).ledger.deferred == 1)
    }
    #expect(outcome.policies[1].rowLower == 3 && outcome.policies[1].rowUpper == 3)
    #expect(outcome.reconstruction.batchShootdowns == [1, 1, 0, 0, 0])
  }

  @Test func flushesOfOneMMStay() throws {
    var script = script()
    script.shootdown(cpu: 0, task: 100, receivers: [users[1]], localReason: 3)
    script.shootdown(cpu: 0, task: 100, receivers: [users[2]], localReason: 3, pages: 4)
    let outcome = try Self.replay(script)
    #expect(try luf(outcome, .allPossible).tlbRow == [0, 1, 1, 0])
    #expect(outcome.reconstruction.mmShootdowns == 2)
  }

  @Test func aLocalFlushRightBehindAShootdownIsItsOwn() throws {
    var script = script()
    script.shootdown(cpu: 0, task: 100, receivers: [users[1]], localReason: 3)
    script.setEntry(cpu: 0, task: 100, pfn: 0x10, type: 28)
    script.shootdown(cpu: 0, task: 100, receivers: [users[1]], localReason: 3)
    script.flush(cpu: 0, task: 100, reason: 2)
    script.free(cpu: 0, task: 100, pfn: 0x10)
    script.allocate(cpu: 2, task: 102, pfn: 0x10)
    let outcome = try Self.replay(script)
    #expect(outcome.reconstruction.mmShootdowns == 2)
    #expect(outcome.reconstruction.batchShootdowns == [1, 0, 0, 0, 0])
    // The batch of CPU 0 alone is put off, and CPU 2 has to interrupt it.
    #expect(try luf(outcome).tlbRow == [1, 2, 0, 0])
    #expect(try luf(outcome).tlbFlush.map { $0.reduce(0, +) } == [0, 3, 0, 2, 3, 0])
  }

  @Test func lazyCPUsAreLeftOut() throws {
    var script = script()
    script.reclaim(cpu: 3, task: kswapd, pfns: [0x10], receivers: users)
    script.add(.schedSwitch, cpu: 1, task: 101, [101, 0])
    script.allocate(cpu: 0, task: 100, pfn: 0x10)
    #expect(try luf(Self.replay(script)).tlbRow == [0, 0, 1, 0])
  }

  @Test func aLazyCPUThatStillHoldsTheMMIsOwedTheFlush() throws {
    var script = script()
    script.reclaim(cpu: 3, task: kswapd, pfns: [0x10], receivers: users)
    script.allocate(cpu: 0, task: 100, pfn: 0x10)
    script.add(.schedSwitch, cpu: 1, task: 101, [101, 0])
    script.skip(1000)
    script.reclaim(cpu: 3, task: kswapd, pfns: [0x11], receivers: [users[2]])
    script.add(.schedSwitch, cpu: 1, task: 0, [0, 101])
    script.allocate(cpu: 0, task: 100, pfn: 0x11)
    // CPUs 1 and 2 at the first flush, both again at the second, though only 2 was interrupted then.
    #expect(try luf(Self.replay(script)).tlbRow == [0, 2, 2, 0])
  }

  @Test func permissionChangesForce() throws {
    var script = script()
    script.allocate(cpu: 2, task: 102, pfn: 0x999)
    script.reclaim(cpu: 3, task: kswapd, pfns: [0x10], receivers: users)
    script.add(.pageFaultUser, cpu: 2, task: 102, [0x7000, 0x4000, 7])
    script.skip(1000)
    script.reclaim(cpu: 3, task: kswapd, pfns: [0x11], receivers: users)
    script.add(.rawSysEnter, cpu: 2, task: 102, [9, 0, 4096, 3, 0x22])
    script.skip(1000)
    script.reclaim(cpu: 3, task: kswapd, pfns: [0x12], receivers: users)
    script.add(.pageFaultUser, cpu: 2, task: 102, [0x7000, 0x4000, 6])
    script.add(.rawSysEnter, cpu: 2, task: 102, [9, 0, 4096, 1, 0x22])
    let expected = try luf(Self.replay(script))
    #expect(expected.tlbRow == [2, 2, 0, 0])
    #expect(expected.ledger.forcedByPermission == 2 && expected.ledger.pending == 1)
  }

  @Test func refillFlushesAtTheNextAllocation() throws {
    var script = script()
    script.reclaim(cpu: 3, task: kswapd, pfns: [0x10], receivers: users)
    script.add(.pageAllocZoneLocked, cpu: 0, task: 100, [0x10, 0, 1, 1])
    script.allocate(cpu: 0, task: 100, pfn: 0x999)
    #expect(try luf(Self.replay(script)).tlbRow == [0, 1, 1, 0])
  }

  @Test func largeBlocksTakeTheirFrames() throws {
    var script = script()
    script.reclaim(cpu: 3, task: kswapd, pfns: [0x105], receivers: users)
    script.allocate(cpu: 3, task: kswapd, pfn: 0x100, order: 3)
    #expect(try luf(Self.replay(script)).tlbRow == [1, 1, 1, 0])
  }

  @Test func windowLimitsWhatIsCountedButNotWhatIsFollowed() throws {
    var script = script()
    script.reclaim(cpu: 3, task: kswapd, pfns: [0x10], receivers: users)
    script.skip(1000)
    let start = script.now
    script.allocate(cpu: 0, task: 100, pfn: 0x10)
    script.skip(1000)
    script.reclaim(cpu: 3, task: kswapd, pfns: [0x20], receivers: [users[1]])
    let end = script.now
    script.allocate(cpu: 0, task: 100, pfn: 0x20)
    let outcome = try Self.replay(script, window: TimeWindow(start: start, end: end))
    #expect(outcome.policies[0].figures?.tlbRow == [0, 1, 0, 0])
    let expected = try luf(outcome)
    // The flush put off before the window is done inside it; the one put off inside stays pending.
    #expect(expected.tlbRow == [0, 1, 1, 0])
    #expect(expected.ledger.deferred == 1 && expected.ledger.pending == 1)
    #expect(expected.ledger.forcedByAllocation == 0)
  }

  @Test func withoutRequestsReceiversAreThoseThatAnswerDuringTheWait() throws {
    var script = script()
    script.reclaim(cpu: 3, task: kswapd, pfns: [0x10], receivers: users, hasCSD: false)
    script.allocate(cpu: 0, task: 100, pfn: 0x10)
    let outcome = try Self.replay(script)
    #expect(outcome.policies[0].figures?.tlbRow == [1, 1, 1, 0])
    #expect(outcome.policies[0].rowGrade == .derived && outcome.policies[0].rowUpper == nil)
    #expect(try luf(outcome).tlbRow == [0, 1, 1, 0])
    #expect(outcome.policies[1].rowUpper == nil)
    #expect(outcome.reconstruction.receiversInWaitWindow == 3)
  }

  @Test func saysWhatIsMissingInsteadOfNumbers() throws {
    var script = script()
    for pfn in [0x10, 0x11] as [UInt64] {
      script.add(.filemapDelete, cpu: 3, task: kswapd, [pfn, 1, pfn, 0, 0])
    }
    script.shootdown(cpu: 3, task: kswapd, receivers: users)
    let outcome = try Self.replay(script)
    #expect(outcome.policies[0].figures?.tlbRow == [1, 1, 1, 0])
    #expect(outcome.policies[1].figures == nil && outcome.policies[1].rowLower == nil)
    #expect(outcome.policies[1].notes.contains { $0.contains("mm_page_alloc") })
    #expect(outcome.policies[1].notes.contains { $0.contains("mm_page_free") })
  }

  @Test func aPolicyThatForgetsToFlushIsCaught() throws {
    var script = script()
    script.reclaim(cpu: 3, task: kswapd, pfns: [0x10], receivers: users)
    script.allocate(cpu: 0, task: 100, pfn: 0x10)
    var rules = LazyFlushRules.v10
    rules.flushesBeforeReuse = false
    let safety = try #require(try luf(Self.replay(script, rules: [rules])).safety)
    #expect(safety.violations == 1)
    #expect(safety.first?.pfn == 0x10 && safety.first?.cpu == 0 && safety.first?.rule == "I1")
  }

  @Test func unknownPolicyIsAnError() {
    #expect(throws: ReplayError.unknownPolicy("luf-v99")) {
      _ = try ReplaySession(ReplayContext(cpuCount: 1), policies: ["luf-v99"])
    }
  }
}
