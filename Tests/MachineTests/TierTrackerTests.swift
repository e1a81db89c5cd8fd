import Testing
import TraceBuilding
import TraceEvents

@testable import Machine

/// Residency and migrations of scripts whose answer is known by hand.
@Suite struct TierTrackerTests {
  /// Node 0 has frames 0 to 9,999, node 1 those from 10,000 to 19,999.
  static let map = NodeMap(
    MemorySnapshot(zones: [
      NodeMapTests.zone(0, 0, 10_000), NodeMapTests.zone(1, 10_000, 10_000),
    ]))

  static func track(
    _ script: BatchScript, _ map: NodeMap = map, from: UInt64 = 0, to: UInt64 = .max
  ) -> TierOutcome {
    var tracker = TierTracker(map, from: from, to: to)
    script.forEachBatch { tracker.consume($0) }
    return tracker.finish()
  }

  private func start(_ script: inout BatchScript, _ task: Int32, _ reason: MigrationReason) {
    script.add(.migratePagesStart, cpu: 0, task: task, [0, UInt64(reason.rawValue)])
  }

  private func end(
    _ script: inout BatchScript, _ task: Int32, _ reason: MigrationReason, _ pages: UInt64,
    failed: UInt64 = 0
  ) {
    script.add(
      .migratePages, cpu: 0, task: task, [pages, failed, 0, 0, 0, 0, 0, UInt64(reason.rawValue)])
  }

  @Test func hindsightKnowsWhatWasThereBefore() {
    var script = BatchScript()
    script.free(cpu: 0, task: 1, pfn: 100)
    script.allocate(cpu: 0, task: 1, pfn: 200, order: 2)
    script.allocate(cpu: 0, task: 1, pfn: 100)
    script.add(.pagePCPDrain, cpu: 0, task: 1, [300, 0])
    script.free(cpu: 0, task: 1, pfn: 10_500)
    let outcome = Self.track(script)
    let first = outcome.nodes[0]
    #expect(first.framesSeen == 6)
    #expect(first.usedAtStart == 1)
    #expect(first.usedAtEnd == 5)
    #expect((first.usedMin, first.usedMax) == (0, 5))
    #expect((first.allocated, first.freed) == (5, 1))
    #expect(first.gains.reduce(0, +) == 4)
    #expect(outcome.nodes[1].usedAtStart == 1)
    #expect(outcome.nodes[1].usedAtEnd == 0)
    #expect(outcome.nodes.count == 2)
    #expect(outcome.contradictions == 0)
  }

  @Test func bothEventsOfOneFreeAreOne() {
    var script = BatchScript()
    script.free(cpu: 0, task: 1, pfn: 100)
    script.add(.pageFreeBatched, cpu: 0, task: 1, [100])
    #expect(Self.track(script).nodes[0].freed == 1)
    #expect(Self.track(script).contradictions == 0)
    #expect(Self.track(script.without([.pageFree])).nodes[0].freed == 1)
  }

  @Test func onlyTheWindowIsCounted() {
    var script = BatchScript()
    script.allocate(cpu: 0, task: 1, pfn: 1)
    let from = script.now + 1
    script.allocate(cpu: 0, task: 1, pfn: 2)
    script.free(cpu: 0, task: 1, pfn: 3)
    let to = script.now
    script.allocate(cpu: 0, task: 1, pfn: 4)
    let node = Self.track(script, from: from, to: to).nodes[0]
    #expect((node.usedAtStart, node.usedAtEnd) == (2, 2))
    #expect((node.usedMin, node.usedMax) == (2, 3))
    #expect((node.allocated, node.freed) == (1, 1))
    // A window that the trace does not reach ends as it began.
    let none = Self.track(script, from: script.now + 1).nodes[0]
    #expect((none.usedAtStart, none.usedAtEnd, none.allocated) == (3, 3, 0))
  }

  @Test func demotionsGoDownAndPromotionsUp() {
    var script = BatchScript()
    start(&script, 7, .demotion)
    for pfn in UInt64(0)..<3 { script.allocate(cpu: 0, task: 7, pfn: 11_000 + pfn) }
    // Another task, and an interrupt's memory, are none of it.
    script.allocate(cpu: 1, task: 8, pfn: 77)
    script.allocate(cpu: 0, task: 7, pfn: 78, isMovable: false)
    for pfn in UInt64(1)..<3 { script.free(cpu: 0, task: 7, pfn: 500 + pfn) }
    // The third could not be moved: its target is given back.
    script.free(cpu: 0, task: 7, pfn: 11_002)
    end(&script, 7, .demotion, 2, failed: 1)
    start(&script, 9, .numaMisplaced)
    script.allocate(cpu: 0, task: 9, pfn: 501)
    script.free(cpu: 0, task: 9, pfn: 11_000)
    end(&script, 9, .numaMisplaced, 1)
    let outcome = Self.track(script)
    #expect(outcome.flows.map(\.pages) == [2, 1])
    #expect(outcome.flows.map(\.source) == [0, 1])
    #expect(outcome.flows.map(\.reason) == [.demotion, .numaMisplaced])
    #expect(outcome.flows.map { $0.series.reduce(0, +) } == [2, 1])
    #expect(outcome.totals.map(\.failed) == [0, 1])
    #expect(outcome.totals.map(\.unplaced) == [0, 0])
    #expect(outcome.callsCut == 0)
    let tiers = MemoryTiers(outcome, RecordedMemory(), [])
    #expect(tiers.nodes.map(\.role) == [.top, .lower])
    #expect(tiers.pages(.demotion) == 2)
    #expect(tiers.pages(.promotion) == 1)
  }

  /// Sources on both nodes are told apart by what was freed; two unclear sides are not guessed.
  @Test func mixedCallsAreSplitOrLeftOpen() {
    var script = BatchScript()
    start(&script, 7, .syscall)
    for pfn in UInt64(0)..<3 { script.allocate(cpu: 0, task: 7, pfn: 11_000 + pfn) }
    script.free(cpu: 0, task: 7, pfn: 1)
    script.free(cpu: 0, task: 7, pfn: 2)
    script.free(cpu: 0, task: 7, pfn: 12_000)
    end(&script, 7, .syscall, 3)
    start(&script, 7, .syscall)
    script.allocate(cpu: 0, task: 7, pfn: 1)
    script.allocate(cpu: 0, task: 7, pfn: 12_000)
    script.free(cpu: 0, task: 7, pfn: 3)
    script.free(cpu: 0, task: 7, pfn: 11_000)
    end(&script, 7, .syscall, 2)
    let outcome = Self.track(script)
    #expect(outcome.flows.map { "\($0.source)>\($0.target) \($0.pages)" } == ["0>1 2", "1>1 1"])
    #expect(outcome.totals.map(\.unplaced) == [2])
    #expect(outcome.totals.map(\.succeeded) == [5])
  }

  /// Compaction's targets have no event but their new entry, and what it gives back was free.
  @Test func compactionStaysInItsNode() {
    var script = BatchScript()
    start(&script, 7, .compaction)
    script.setEntry(cpu: 0, task: 7, pfn: 10_001, type: 28)
    script.add(.removeMigrationPTE, cpu: 0, task: 7, [0x1000, 10_900 << 12 | 1, 0])
    script.free(cpu: 0, task: 7, pfn: 10_001)
    end(&script, 7, .compaction, 1)
    script.free(cpu: 0, task: 7, pfn: 10_901)
    let outcome = Self.track(script)
    #expect(outcome.flows.map { "\($0.source)>\($0.target) \($0.pages)" } == ["1>1 1"])
    let node = outcome.nodes[1]
    #expect((node.usedAtStart, node.usedAtEnd) == (1, 1))
    #expect(node.takenUnseen == 1)
    #expect(outcome.contradictions == 0)
  }

  @Test func entriesStandInForAllocations() {
    var script = BatchScript()
    start(&script, 7, .numaMisplaced)
    script.setEntry(cpu: 0, task: 7, pfn: 10_001, type: 28)
    script.add(.removeMigrationPTE, cpu: 0, task: 7, [0x1000, 5 << 12 | 1, 0])
    end(&script, 7, .numaMisplaced, 1)
    let outcome = Self.track(script)
    #expect(outcome.flows.map { "\($0.source)>\($0.target) \($0.pages)" } == ["1>0 1"])
    #expect(!outcome.hasAllocations)
  }

  @Test func withoutNodesOrStartsNothingIsGuessed() {
    var script = BatchScript()
    script.allocate(cpu: 0, task: 7, pfn: 5)
    script.free(cpu: 0, task: 7, pfn: 10_001)
    end(&script, 7, .demotion, 1)
    let outcome = Self.track(script, .unknown)
    #expect(outcome.flows.isEmpty)
    #expect(outcome.totals.map(\.unplaced) == [1])
    #expect(outcome.nodes.map(\.node) == [nil])
    #expect(outcome.nodes[0].framesSeen == 2)
    let tiers = MemoryTiers(outcome, RecordedMemory(), [])
    #expect(!tiers.isPlaced)
    #expect(tiers.nodes[0].role == .unknown)
  }

  @Test func damageIsNoMemory() {
    var script = BatchScript()
    script.allocate(cpu: 0, task: 1, pfn: .max)
    script.allocate(cpu: 0, task: 1, pfn: 0)
    script.allocate(cpu: 0, task: 1, pfn: 1 << 40)
    script.allocate(cpu: 0, task: 1, pfn: 5, order: 11)
    script.allocate(cpu: 0, task: 1, pfn: (1 << 40) - 1, order: 10)
    script.free(cpu: 0, task: 1, pfn: EventBatch.absent, order: .max)
    script.add(.removeMigrationPTE, cpu: 0, task: 1, [0, .max, 0])
    script.add(.setMigrationPTE, cpu: 0, task: 1, [0, 0, 0])
    script.add(.migratePages, cpu: 0, task: 1, [.max, .max, 0, 0, 0, 0, 0, .max])
    for task in Int32(0)..<200 { start(&script, task, .demotion) }
    let outcome = Self.track(script)
    #expect(outcome.nodes[0].framesSeen == 0)
    #expect(outcome.totals.map(\.succeeded) == [0])
    #expect(outcome.callsCut == 200)
    #expect(outcome.framesUntracked > 0)
  }

  @Test func aFullTableSaysSo() {
    var frames = FrameStates(.unknown, chunksMax: 2)
    #expect(frames.index(of: 1) == 1)
    #expect(frames.index(of: 5000) != nil)
    #expect(frames.index(of: 9000) == nil)
    #expect(frames.untracked == 1)
  }

  @Test func rolesFollowTheBestEvidence() {
    var script = BatchScript()
    script.allocate(cpu: 0, task: 1, pfn: 1)
    let outcome = Self.track(script)
    var top = NodeMapTests.zone(0, 0, 10_000)
    var lower = NodeMapTests.zone(1, 10_000, 10_000)
    func roles(_ facts: [NodeFacts] = []) -> [TierRole] {
      let snapshot = MemorySnapshot(zones: [top, lower])
      return MemoryTiers(outcome, RecordedMemory(before: snapshot, after: snapshot), facts)
        .nodes.map(\.role)
    }
    #expect(roles() == [.unknown, .unknown])
    (top.localAllocations, lower.localAllocations) = (0, 0)
    #expect(roles() == [.unknown, .unknown], "a kernel that does not count says nothing")
    top.localAllocations = 12
    #expect(roles() == [.top, .lower])
    let facts = [
      NodeFacts(number: 0, memoryKiB: nil, cpuList: ""),
      NodeFacts(number: 1, memoryKiB: nil, cpuList: "0-3"),
    ]
    #expect(roles(facts) == [.lower, .top])
  }
}
