import Testing
import TraceBuilding
import TraceEvents

@testable import Replay

/// Which moments end deferral, version by version (facts: the table of triggers in the posted
/// series).
@Suite struct DeferralTriggersTests {
  private static func moment(_ kind: Moment.Kind) -> Moment {
    Moment(
      time: 1, kind: kind, payer: .user, cpu: 0, subject: 0, batch: 0, task: 0, event: 0,
      isAtomic: false)
  }

  private func fates(_ rules: LazyFlushRules, _ kinds: [Moment.Kind]) -> [DeferralFate?] {
    let source = Reconstruction(ReplayContext(cpuCount: 1))
    let triggers = DeferralTriggers(rules, .expected)
    return kinds.map { triggers.fate(Self.moment($0), source) }
  }

  @Test func everyVersionListensToItsOwn() {
    let kinds: [Moment.Kind] = [
      .writeProtectFault, .writableMapping, .fileWriteEnd, .pageCacheRemoved, .kswapdWakeup,
    ]
    #expect(fates(.v10, kinds) == [.permission, .permission, nil, nil, nil])
    #expect(fates(.v11, kinds) == [nil, nil, .fileWrite, nil, nil])
    #expect(fates(.v12, kinds) == [nil, nil, nil, .fileWrite, nil])
    #expect(fates(.v12Rules, kinds) == [nil, nil, nil, .fileWrite, nil])
    #expect(fates(.migrc8, kinds) == [.permission, nil, nil, nil, .pressure])
    #expect(fates(.migrc9, kinds) == [.permission, nil, nil, nil, nil])
  }

  @Test func faultsInMappingsThatMayBeWritten() throws {
    func interrupts(_ error: UInt64, _ assumption: ReplayAssumption) throws -> Int {
      var script = BatchScript()
      script.directory.name(task: 40, "kswapd0")
      for cpu in 0..<3 { script.directory.name(task: Int32(100 + cpu), "app") }
      script.allocate(cpu: 0, task: 100, pfn: 0x999)
      script.reclaim(
        cpu: 3, task: 40, pfns: [0x10], receivers: [(0, 100), (1, 101), (2, 102)])
      script.add(.pageFaultUser, cpu: 0, task: 100, [0x7000_0000, 0x4000, error])
      let outcome = try ReplaySessionTests.replay(script, rules: [.v12Rules])
      let figures = outcome.policies[1].cases.first { $0.assumption == assumption }
      return try #require(figures).tlbRowTotal
    }
    // A write fault always, a read fault only where nothing is known and the case takes the worst;
    // there, nothing is deferred either.
    #expect(try interrupts(6, .expected) == 2)
    #expect(try interrupts(4, .expected) == 0)
    #expect(try interrupts(4, .onlyProven) == 3)
  }
}
