import Testing
import TraceBuilding
import TraceEvents

@testable import Replay

/// Cases of a policy that do not differ so far are one replay: that must change nothing.
@Suite struct JoinedCasesTests {
  private static let policies = [
    "migrc-v3", "migrc-v8", "luf-v10", "luf-v10-as-posted", "luf-v11", "luf-v12", "luf-v12r",
    "luf-ideal", "invlpgb", "fpr",
  ]

  private func outcome(_ script: BatchScript, joins: Bool) throws -> Outcome {
    var context = ReplayContext(cpuCount: 5, flushFunction: FunctionName.flushTLBFunction)
    context.visitsEveryFrame = !joins
    // So few that doubts come up in the middle.
    context.momentsAtOnce = 64
    #expect(context.joinsCases == joins)
    var session = try ReplaySession(context, policies: Self.policies)
    script.forEachBatch(of: 32) { session.consume($0, directory: script.directory) }
    return try session.finish()
  }

  /// Batches that the trace tells all of, and in the second half what `doubts` ask for.
  private static func stream(_ seed: UInt64, _ doubts: ReplayDoubts) -> BatchScript {
    var random = SplitMix64(seed: seed)
    var script = BatchScript()
    script.directory.name(task: 40, "kswapd0")
    for cpu in 0..<4 { script.directory.name(task: Int32(100 + cpu), "app") }
    var free = Set<UInt64>()
    for step in 0..<600 {
      let cpu = Int(random.next() % 4)
      let task = Int32(100 + cpu)
      let pfn = 0x1000 + random.next() % 64
      let pfns = (0..<4).map { 0x1000 + (pfn + $0) % 64 }
      let mask = random.next()
      let inDoubt = step < 300 ? [] : doubts
      let receivers = ReplayPropertyTests.receivers(mask, but: cpu)
      script.skip(random.next() % 4000)
      switch random.next() % 12 {
      case 0, 1, 2:
        ReplayPropertyTests.use(pfns, of: &free, cpu: cpu, &script)
        script.reclaim(cpu: 4, task: 40, pfns: pfns, receivers: receivers)
      case 3:
        ReplayPropertyTests.use(pfns, of: &free, cpu: cpu, &script)
        script.migrate(
          cpu: cpu, task: task, pfns: pfns, type: 30, receivers: receivers, localReason: 2)
      case 4 where inDoubt.contains(.eligibility):
        script.shootdown(cpu: 4, task: 40, receivers: receivers, localReason: 2, pages: -1)
        for pfn in pfns where free.insert(pfn).inserted { script.free(cpu: 4, task: 40, pfn: pfn) }
      case 4, 5:
        script.shootdown(cpu: cpu, task: task, receivers: receivers, localReason: 3, pages: -1)
      case 6: script.add(.pageFaultUser, cpu: cpu, task: task, [0x7000, 0, mask >> 8 & 7])
      default:
        // Flag bit 10 is `___GFP_DIRECT_RECLAIM`.
        let cannotWait = inDoubt.contains(.atomicAllocation) && mask >> 8 & 7 == 0
        let flags: UInt64 = cannotWait ? 0 : 0x400
        script.add(.pageAlloc, cpu: cpu, task: task, [pfn, 0, flags, 1])
        _ = free.remove(pfn)
      }
    }
    return script
  }

  @Test(
    arguments: 1...20 as ClosedRange<UInt64>,
    [[], .eligibility, .atomicAllocation] as [ReplayDoubts])
  func changesNothing(_ seed: UInt64, _ doubts: ReplayDoubts) throws {
    let script = Self.stream(seed, doubts)
    let joined = try outcome(script, joins: true)
    let apart = try outcome(script, joins: false)
    ReplayPropertyTests.expectSame(joined, apart)
    // The doubts do make a difference, or nothing was tested.
    func differs(_ name: String) throws -> Bool {
      let luf = try #require(joined.policies.first { $0.name == name })
      let shown = try #require(luf.cases.first { $0.assumption == .expected })
      let possible = try #require(luf.cases.first { $0.assumption == .allPossible })
      return shown.ledger != possible.ledger
    }
    #expect(try differs("luf-v10") == doubts.contains(.eligibility))
    // An allocation that cannot wait seldom meets a frame that owes a flush.
    if doubts != .atomicAllocation || seed == 1 {
      #expect(try differs("luf-v12") == !doubts.isEmpty)
    }
  }
}
