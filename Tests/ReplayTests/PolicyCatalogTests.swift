import Testing
import TraceBuilding
import TraceEvents

@testable import Replay

/// Policies by name, several in one pass, and the orders that hold between them.
@Suite struct PolicyCatalogTests {
  private static let all = [
    "luf-v10", "luf-v10-as-posted", "luf-v11", "luf-ideal", "unbatched", "batch-1", "batch-64",
    "luf-v12", "luf-v12r", "migrc-v3", "migrc-v8", "migrc-v9",
  ]

  private func replay(_ script: BatchScript, _ names: [String], cpus: Int = 5) throws -> [String:
    PolicyOutcome]
  {
    var context = ReplayContext(cpuCount: cpus, flushFunction: FunctionName.flushTLBFunction)
    context.checksEveryCase = true
    var session = try ReplaySession(context, policies: names)
    script.forEachBatch { session.consume($0, directory: script.directory) }
    return Dictionary(uniqueKeysWithValues: try session.finish().policies.map { ($0.name, $0) })
  }

  @Test func namesAreKnownAsListed() {
    for entry in PolicyCatalog.entries where !entry.name.hasSuffix("-N") {
      #expect(PolicyCatalog.isKnown(entry.name))
    }
    for name in ["batch-1", "batch-31", "batch-1048576"] { #expect(PolicyCatalog.isKnown(name)) }
    for name in ["batch-N", "batch-0", "batch--1", "batch-", "batch-1048577", "luf", ""] {
      #expect(!PolicyCatalog.isKnown(name))
    }
    #expect(PolicyCatalog.sampleNames.allSatisfy(PolicyCatalog.isKnown))
    #expect(PolicyCatalog.defaultNames.allSatisfy(PolicyCatalog.isKnown))
  }

  @Test(arguments: 1...40 as ClosedRange<UInt64>)
  func onePassIsAsGoodAsMany(_ seed: UInt64) throws {
    let script = ReplayPropertyTests.stream(seed)
    let together = try replay(script, Self.all + Self.all)
    // A policy that is asked for twice is run once; the recorded run is always there.
    #expect(together.count == Self.all.count + 1)
    for name in Self.all {
      let alone = try replay(script, [name])
      #expect(alone[name]?.figures?.tlbRow == together[name]?.figures?.tlbRow)
      #expect(alone[name]?.figures?.tlbFlush == together[name]?.figures?.tlbFlush)
      #expect(alone[name]?.figures?.ledger == together[name]?.figures?.ledger)
      #expect(alone[name]?.figures?.safety == together[name]?.figures?.safety)
    }
  }

  @Test(arguments: 1...60 as ClosedRange<UInt64>)
  func noSafePolicyInterruptsLessThanTheIdeal(_ seed: UInt64) throws {
    let outcomes = try replay(ReplayPropertyTests.stream(seed), Self.all)
    let ideal = try #require(outcomes["luf-ideal"])
    for name in ["luf-v10", "luf-v11", "luf-v12", "luf-v12r", "migrc-v3", "migrc-v8", "migrc-v9"] {
      for figures in try #require(outcomes[name]).cases {
        // How long flushes last makes no difference to the ideal.
        let assumption =
          figures.assumption == .allPossibleAtOnce ? .allPossible : figures.assumption
        let bound = try #require(ideal.cases.first { $0.assumption == assumption })
        #expect(figures.safety?.violations == 0, "\(name)")
        #expect(figures.ledger.isBalanced, "\(name)")
        // With another frame to take, a policy that holds or skips frames may do without the flush.
        if ["migrc-v3", "migrc-v8", "luf-v12"].contains(name),
          figures.assumption == .allPossible
            || figures.assumption == .allPossibleAtOnce
        {
          continue
        }
        #expect(bound.tlbRowTotal <= figures.tlbRowTotal, "\(name)")
        for cpu in 0..<5 {
          #expect(
            bound.tlbRow[cpu] <= figures.tlbRow[cpu],
            "\(name) \(figures.assumption.map(\.rawValue) ?? -1) CPU \(cpu)")
        }
        #expect(figures.safety?.violations == 0)
      }
    }
    for figures in ideal.cases {
      #expect(figures.safety?.violations == 0)
      #expect(figures.ledger.isBalanced && figures.ledger.refused == 0)
    }
  }

  @Test(arguments: 1...40 as ClosedRange<UInt64>)
  func batchesOfOneAreUnbatchedAndLargerOnesCostNoMore(_ seed: UInt64) throws {
    let script = ReplayPropertyTests.stream(seed)
    let unbatched = try #require(try replay(script, ["unbatched"])["unbatched"]?.figures)
    let one = try #require(try replay(script, ["batch-1"])["batch-1"]?.figures)
    #expect(one.tlbRow == unbatched.tlbRow && one.tlbFlush == unbatched.tlbFlush)
    #expect(one.safety?.violations == 0 && one.ledger.isBalanced && one.ledger.pending == 0)
    let many = try #require(try replay(script, ["batch-64"])["batch-64"]?.figures)
    #expect(many.ledger.forcedFlushes <= one.ledger.forcedFlushes)
    #expect(many.safety?.violations == 0 && many.ledger.isBalanced)
  }

  @Test func framesThatPassThroughBuddyAreCaughtInThePostedText() throws {
    var script = BatchScript()
    script.directory.name(task: 40, "kswapd0")
    for cpu in 0..<3 { script.directory.name(task: Int32(100 + cpu), "app") }
    script.reclaim(
      cpu: 3, task: 40, pfns: [0x10, 0x11], receivers: [(0, 100), (1, 101), (2, 102)])
    script.add(.pagePCPDrain, cpu: 3, task: 40, [0x10, 0, 1])
    script.allocate(cpu: 0, task: 100, pfn: 0x10)
    let outcomes = try replay(script, Self.all, cpus: 4)
    let posted = try #require(outcomes["luf-v10-as-posted"]?.figures)
    #expect(posted.tlbRow == [0, 0, 0, 0])
    #expect(posted.safety?.violations == 1)
    #expect(posted.safety?.first?.pfn == 0x10 && posted.safety?.first?.rule == "I1")
    #expect(posted.safety?.first?.cpu == 0)
    for name in ["luf-v10", "luf-v11", "luf-ideal"] {
      let figures = try #require(outcomes[name]?.figures)
      #expect(figures.tlbRow == [0, 1, 1, 0] && figures.safety?.violations == 0, "\(name)")
    }
    // A frame that stays on the per-CPU list keeps its generation.
    script.allocate(cpu: 1, task: 101, pfn: 0x11)
    let second = try replay(script, ["luf-v10-as-posted"], cpus: 4)
    #expect(second["luf-v10-as-posted"]?.figures?.tlbRow == [1, 0, 1, 0])
    #expect(second["luf-v10-as-posted"]?.figures?.safety?.violations == 1)
  }

  @Test func theOrderOfABuddyBlockStandsForAGenerationInThePostedText() throws {
    var script = BatchScript()
    script.directory.name(task: 40, "kswapd0")
    for cpu in 0..<3 { script.directory.name(task: Int32(100 + cpu), "app") }
    script.reclaim(
      cpu: 3, task: 40, pfns: [0x10, 0x11, 0x12], receivers: [(0, 100), (1, 101), (2, 102)])
    for pfn in [0x10, 0x11, 0x12] as [UInt64] {
      script.add(.pagePCPDrain, cpu: 3, task: 40, [pfn, 0, 1])
    }
    func row() throws -> [Int]? {
      try replay(script, ["luf-v10-as-posted"], cpus: 4)["luf-v10-as-posted"]?.figures?.tlbRow
    }
    // Alone in its block: order 0 reads as "no generation".
    script.allocate(cpu: 0, task: 100, pfn: 0x12)
    #expect(try row() == [0, 0, 0, 0])
    // The first generation is open, and the two others form a block of order 1.
    script.add(.pageAllocZoneLocked, cpu: 0, task: 100, [0x11, 0, 1])
    script.allocate(cpu: 0, task: 100, pfn: 0x11)
    #expect(try row() == [0, 1, 1, 0])
    // Later generations are beyond it.
    script.skip(1_000_000)
    script.reclaim(
      cpu: 3, task: 40, pfns: [0x20, 0x21], receivers: [(0, 100), (1, 101), (2, 102)])
    for pfn in [0x20, 0x21] as [UInt64] {
      script.add(.pagePCPDrain, cpu: 3, task: 40, [pfn, 0, 1])
    }
    script.allocate(cpu: 0, task: 100, pfn: 0x20)
    #expect(try row() == [0, 1, 1, 0])
  }

  @Test func endsOfWritesForceUnderV11Only() throws {
    for kind in [EventKind.rawSysExit, .sysExitWrite, .sysExitPwrite64] {
      var script = BatchScript()
      script.directory.name(task: 40, "kswapd0")
      script.directory.name(task: 102, "app")
      script.allocate(cpu: 2, task: 102, pfn: 0x999)
      script.reclaim(cpu: 3, task: 40, pfns: [0x10], receivers: [(0, 100), (2, 102)])
      script.skip(1000)
      script.add(.pageFaultUser, cpu: 2, task: 102, [0x7000, 0x4000, 7])
      script.add(.rawSysEnter, cpu: 2, task: 102, [9, 0, 4096, 3, 0x22])
      script.add(.rawSysExit, cpu: 2, task: 102, [0, 4096])
      script.add(kind, cpu: 2, task: 102, kind == .rawSysExit ? [18, 4096] : [4096])
      let v11 = try #require(try replay(script, ["luf-v11"])["luf-v11"]?.figures)
      #expect(v11.tlbRow == [1, 0, 0, 0, 0])
      #expect(v11.ledger.forcedByFileWrite == 1 && v11.ledger.forcedByPermission == 0)
      let v10 = try #require(try replay(script, ["luf-v10"])["luf-v10"]?.figures)
      #expect(v10.ledger.forcedByFileWrite == 0 && v10.ledger.forcedByPermission == 1)
    }
  }

  @Test func theIdealOwesNothingAfterAFullFlushOrASwitch() throws {
    var script = BatchScript()
    script.directory.name(task: 40, "kswapd0")
    for cpu in 0..<3 { script.directory.name(task: Int32(100 + cpu), "app") }
    script.reclaim(
      cpu: 3, task: 40, pfns: [0x10], receivers: [(0, 100), (1, 101), (2, 102)])
    script.shootdown(cpu: 0, task: 100, receivers: [(1, 101)], localReason: 3)
    script.flush(cpu: 2, task: 102, reason: 0)
    script.allocate(cpu: 3, task: 40, pfn: 0x10)
    let outcomes = try replay(script, ["luf-v10", "luf-ideal"], cpus: 4)
    #expect(outcomes["luf-v10"]?.figures?.tlbRow == [1, 2, 1, 0])
    #expect(outcomes["luf-ideal"]?.figures?.tlbRow == [0, 1, 0, 0])
    #expect(outcomes["luf-ideal"]?.figures?.ledger.absorbed == 1)
    // A flush of a few pages leaves others stale.
    var ranged = BatchScript()
    ranged.directory.name(task: 40, "kswapd0")
    ranged.reclaim(cpu: 3, task: 40, pfns: [0x10], receivers: [(0, 100), (1, 101)])
    ranged.shootdown(cpu: 2, task: 102, receivers: [(1, 101)], localReason: 3, pages: 2)
    ranged.allocate(cpu: 3, task: 40, pfn: 0x10)
    let owed = try replay(ranged, ["luf-ideal"], cpus: 4)
    #expect(owed["luf-ideal"]?.figures?.tlbRow == [1, 2, 0, 0])
    #expect(owed["luf-ideal"]?.figures?.ledger.forcedByAllocation == 1)
  }

  @Test func batchesAreCutAndPutTogether() throws {
    var script = BatchScript()
    script.directory.name(task: 40, "kswapd0")
    script.allocate(cpu: 2, task: 102, pfn: 0x999)
    script.reclaim(cpu: 3, task: 40, pfns: [0x10, 0x11, 0x12], receivers: [(0, 100)])
    script.reclaim(cpu: 3, task: 40, pfns: [0x20], receivers: [(1, 101)])
    let outcomes = try replay(script, ["unbatched", "batch-2", "batch-4", "batch-9"], cpus: 4)
    #expect(outcomes["recorded"]?.figures?.tlbRow == [1, 1, 0, 0])
    #expect(outcomes["unbatched"]?.figures?.tlbRow == [3, 1, 0, 0])
    // Two pages, then one of each batch.
    #expect(outcomes["batch-2"]?.figures?.tlbRow == [2, 1, 0, 0])
    #expect(outcomes["batch-4"]?.figures?.tlbRow == [1, 1, 0, 0])
    #expect(outcomes["batch-4"]?.figures?.ledger.forcedFlushes == 1)
    // What is left at the end is flushed then.
    #expect(outcomes["batch-9"]?.figures?.tlbRow == [1, 1, 0, 0])
    #expect(outcomes["batch-9"]?.figures?.ledger.absorbed == 2)
    // A frame that is needed before its batch is full ends the batch.
    script.allocate(cpu: 2, task: 102, pfn: 0x10)
    let forced = try #require(try replay(script, ["batch-9"], cpus: 4)["batch-9"]?.figures)
    #expect(forced.ledger.forcedByAllocation == 2 && forced.safety?.violations == 0)
  }
}
