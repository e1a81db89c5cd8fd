import Testing
import TraceBuilding
import TraceEvents

@testable import Replay

/// Every rule's verdict, on captured runs and on small ones made by hand.
@Suite struct SafetyVerdictTests {
  /// Puts off every flush, of one mm too, and does the first one's mask at every hand-over.
  private struct Clumsy: FlushPolicy {
    var mask = CPUMask()
    static var putsOffMMFlushes: Bool { true }

    mutating func growTo(tasks: Int, frames: Int) {}

    mutating func batchFlush(
      _ shootdown: borrowing Shootdown, mayDefer: Bool, until end: UInt64, as deferral: UInt32,
      _ now: Situation, _ actions: inout [FlushAction]
    ) -> FlushDecision {
      mask = shootdown.mask
      return .putOff
    }

    mutating func mmFlush(
      _ shootdown: borrowing Shootdown, as deferral: UInt32, _ now: Situation,
      _ actions: inout [FlushAction]
    ) -> FlushDecision { .putOff }

    mutating func allocated(
      with deferral: UInt32, _ passage: BuddyPassage, _ now: Situation,
      _ actions: inout [FlushAction]
    ) { actions.append(.flush(mask, .allocation)) }
  }

  private static let page: UInt64 = 0x7000_0000_0000 + 0x10 << 12
  private static let users: [(cpu: Int, task: Int32)] = [(0, 100), (1, 101)]

  private func verdicts(_ script: BatchScript, _ name: String) throws -> SafetyVerdict {
    let blueprint =
      name == "clumsy"
      ? PolicyBlueprint(name: name, asksForPermissions: false) { _, _ in Clumsy() }
      : try #require(PolicyCatalog.blueprint(named: name))
    var session = ReplaySession(
      ReplayContext(cpuCount: 4, flushFunction: FunctionName.flushTLBFunction),
      blueprints: [blueprint])
    script.forEachBatch { session.consume($0, directory: script.directory) }
    return try #require(try session.finish().policies[1].figures?.safety)
  }

  private func verdict(
    _ rule: SafetyRule, _ script: BatchScript, _ name: String
  ) throws -> RuleVerdict {
    let safety = try verdicts(script, name)
    let verdict = try #require(safety.rules.first { $0.rule == rule })
    if verdict.kind == .violated {
      #expect(verdict.first?.rule == rule.rawValue && verdict.violations > 0)
    }
    #expect(
      (safety.violations > 0)
        == safety.rules.contains { $0.rule.isMemorySafety && $0.violations > 0 })
    return verdict
  }

  private func script(mmIsKnown: Bool = true) -> BatchScript {
    var script = BatchScript()
    script.directory.name(task: 40, "kswapd0")
    for user in Self.users {
      script.directory.name(task: user.task, "app")
      script.allocate(cpu: user.cpu, task: user.task, pfn: 0x900 + UInt64(user.cpu))
      if mmIsKnown { script.add(.rssStat, cpu: user.cpu, task: user.task, [7, 1, 0, 4096]) }
    }
    return script
  }

  /// A read-only page moves from frame 0x10 to 0x20, and its flush is put off.
  private func migrated(mmIsKnown: Bool = true) -> BatchScript {
    var script = script(mmIsKnown: mmIsKnown)
    script.migrate(cpu: 3, task: 40, pfns: [0x10], type: 28, receivers: Self.users)
    script.add(.removeMigrationPTE, cpu: 3, task: 40, [Self.page, 0x20 << 12 | 5, 0])
    script.skip(1000)
    return script
  }

  private func isUnseen(_ verdict: RuleVerdict, _ word: String) -> Bool {
    if case .notObservable(let record) = verdict.kind { return record.contains(word) }
    return false
  }

  @Test(arguments: ["burst-16", "small-4"])
  func capturedRunsAreJudgedAsTheyShould(_ name: String) throws {
    let names = ["luf-v10", "luf-v11", "luf-ideal", "luf-v10-as-posted"]
    let outcome = try CapturedPair.replay(
      CapturedPair.bundled + "/\(name)/0.1", policies: names)
    for policy in outcome.policies.dropFirst() {
      let safety = try #require(policy.figures?.safety)
      #expect(safety.rules.map(\.rule) == SafetyRule.allCases)
      let broken = Set(safety.rules.filter { $0.kind == .violated }.map(\.rule))
      switch policy.name {
      case "luf-v10-as-posted":
        #expect(broken == [.staleFrame] && safety.violations > 1000)
        #expect(safety.first?.rule == "I1" && safety.first?.pfn != 0)
      case "luf-ideal":
        // It interrupts nobody where a CPU can flush itself, which costs full flushes.
        #expect(safety.violations == 0 && broken.isSubset(of: [.fullFlushes, .amitFullFlushes]))
      default: #expect(broken.isEmpty && safety.violations == 0)
      }
    }
  }

  @Test func aWriteThatReusesAMigratedPageNeedsAFlush() throws {
    var script = migrated()
    script.add(.pageFaultUser, cpu: 0, task: 100, [Self.page + 8, 0x4000, 7])
    var copied = script
    copied.shootdown(cpu: 0, task: 100, receivers: [Self.users[1]], localReason: 3, pages: 1)
    for next in [0x1000, 0x2000] as [UInt64] {
      script.add(.pageFaultUser, cpu: 0, task: 100, [next, 0x4000, 4])
      copied.add(.pageFaultUser, cpu: 0, task: 100, [next, 0x4000, 4])
    }
    let broken = try verdict(.replacedEntry, script, "luf-v11")
    #expect(broken.violations == 1 && broken.first?.cpu == 1 && broken.first?.pfn == 0x10)
    #expect(try verdict(.amitNewEntry, script, "luf-v11").kind == .violated)
    // v10 flushes at such faults, and a copy flushes the page.
    #expect(try verdict(.replacedEntry, script, "luf-v10").kind == .holds)
    #expect(try verdict(.replacedEntry, copied, "luf-v11").kind == .holds)
    // Whose page it is has to be known: another process may use the same address.
    var unknown = migrated(mmIsKnown: false)
    unknown.add(.pageFaultUser, cpu: 0, task: 100, [Self.page, 0x4000, 7])
    unknown.add(.pageFaultUser, cpu: 0, task: 100, [0x1000, 0x4000, 4])
    #expect(isUnseen(try verdict(.replacedEntry, unknown, "luf-v11"), "rss_stat"))
    var other = migrated()
    other.add(.rssStat, cpu: 0, task: 100, [8, 1, 0, 4096])
    other.add(.pageFaultUser, cpu: 0, task: 100, [Self.page, 0x4000, 7])
    other.add(.pageFaultUser, cpu: 0, task: 100, [0x1000, 0x4000, 4])
    #expect(try verdict(.replacedEntry, other, "luf-v11").kind == .holds)
  }

  @Test func whatAWriteBringsBackNeedsAFlush() throws {
    for isInWrite in [true, false] {
      var script = script()
      script.reclaim(cpu: 3, task: 40, pfns: [0x10], receivers: Self.users)
      script.skip(1000)
      if isInWrite { script.add(.rawSysEnter, cpu: 0, task: 100, [1, 4, 0x5000, 64]) }
      script.add(.filemapAdd, cpu: 0, task: 100, [0x30, 1, 0x10, 0, 0])
      if !isInWrite { script.add(.rawSysEnter, cpu: 0, task: 100, [1, 4, 0x5000, 64]) }
      script.add(.rawSysExit, cpu: 0, task: 100, [1, 64])
      let v10 = try verdict(.staleFileContent, script, "luf-v10")
      if isInWrite {
        #expect(v10.violations == 1 && v10.first?.pfn == 0x10)
      } else {
        #expect(isUnseen(v10, "writeback_dirty_folio"))
      }
      #expect(try verdict(.staleFileContent, script, "luf-v11").kind == .holds)
      // v11 pays for it: every write interrupts.
      #expect(try verdict(.writeScalability, script, "luf-v11").violations == 1)
      #expect(try verdict(.writeScalability, script, "luf-v10").kind == .holds)
    }
  }

  @Test func unmappedRangesNeedTheirFlush() throws {
    for (isFlushed, name, expected) in [
      (true, "luf-v10", RuleVerdict.Kind.holds), (false, "luf-v10", .violated),
      (true, "clumsy", .violated), (true, "luf-ideal", .holds),
    ] {
      var script = migrated()
      script.add(.rawSysEnter, cpu: 0, task: 100, [11, Self.page, 4096])
      if isFlushed {
        script.shootdown(cpu: 0, task: 100, receivers: [Self.users[1]], localReason: 3)
      }
      script.add(.rawSysExit, cpu: 0, task: 100, [11, 0])
      #expect(try verdict(.unmappedRange, script, name).kind == expected, "\(name) \(isFlushed)")
    }
    var reclaimed = script()
    reclaimed.reclaim(cpu: 3, task: 40, pfns: [0x10], receivers: Self.users)
    #expect(isUnseen(try verdict(.unmappedRange, reclaimed, "luf-v10"), "try_to_unmap"))
    #expect(isUnseen(try verdict(.otherReferences, reclaimed, "luf-v10"), "page_ref"))
  }

  @Test func flushesOfAFewPagesBecomeFull() throws {
    var script = script()
    script.reclaim(cpu: 3, task: 40, pfns: [0x11], receivers: Self.users)
    script.shootdown(cpu: 2, task: 102, receivers: Self.users, localReason: 3, pages: 2)
    let before = try verdict(.fullFlushes, script, "luf-v10")
    #expect(before.kind == .holds && before.detail.contains("2 become full; 0 full"))
    script.allocate(cpu: 3, task: 40, pfn: 0x11)
    let after = try verdict(.fullFlushes, script, "luf-v10")
    #expect(after.kind == .violated && after.violations == 2)
    #expect(try verdict(.amitFullFlushes, script, "luf-v10").violations == 2)
    // The CPUs that the policy then interrupts were clean, but by no flush of a batch.
    let repeated = try verdict(.flushedTwice, script, "luf-v10")
    #expect(repeated.kind == .holds && repeated.detail.contains("; 2 more"))
    // A frame of theirs is safe: the oracle knows that they flushed everything.
    #expect(try verdicts(script, "luf-v10").violations == 0)
  }

  @Test func whoIsInterruptedTwiceAndWhoCannotWait() throws {
    var script = script()
    script.reclaim(cpu: 3, task: 40, pfns: [0x11, 0x12], receivers: Self.users)
    // GFP_ATOMIC is 0x820: no __GFP_DIRECT_RECLAIM.
    script.add(.pageAlloc, cpu: 2, task: 102, [0x11, 0, 0x820, 1])
    script.add(.pageAlloc, cpu: 2, task: 102, [0x12, 0, 0x820, 1])
    #expect(try verdict(.flushedTwice, script, "clumsy").violations == 2)
    #expect(try verdict(.flushedTwice, script, "luf-v10").kind == .holds)
    let atomic = try verdict(.atomicAllocation, script, "luf-v10")
    #expect(!atomic.rule.isMemorySafety)
    #expect(atomic.violations == 1, "\(atomic)")
    #expect(atomic.checked == 2, "\(atomic)")
    #expect(try verdict(.allocationLatency, script, "luf-v10").detail.contains("1 (2 interrupts)"))
  }

  @Test func twoMigrationsInARowAreToldApart() throws {
    var script = migrated()
    let entry: UInt64 = 28 << 59 | (~0x20 & (1 << 50 - 1)) << 9
    script.add(.migratePagesStart, cpu: 3, task: 40, [0, 8])
    script.add(.setMigrationPTE, cpu: 3, task: 40, [Self.page, entry, 0])
    script.shootdown(cpu: 3, task: 40, receivers: Self.users)
    script.free(cpu: 3, task: 40, pfn: 0x20)
    script.add(.migratePages, cpu: 3, task: 40, [1, 0, 0, 0, 0, 0, 0, 8])
    script.allocate(cpu: 2, task: 102, pfn: 0x10)
    script.allocate(cpu: 2, task: 102, pfn: 0x20)
    let kept = try verdict(.migratedTwice, script, "luf-v10")
    #expect(kept.kind == .holds && kept.checked == 2)
    var rules = LazyFlushRules.v10
    rules.flushesBeforeReuse = false
    var session = ReplaySession(
      ReplayContext(cpuCount: 4, flushFunction: FunctionName.flushTLBFunction), rules: [rules])
    script.forEachBatch { session.consume($0, directory: script.directory) }
    let safety = try #require(try session.finish().policies[1].figures?.safety)
    #expect(safety.rules.first { $0.rule == .migratedTwice }?.violations == 2)
    #expect(safety.violations == 2)
  }

  @Test func generationsThatSleepTooLongAreOccasions() {
    var wrap = GenerationWrap()
    var stale = StaleTranslations(cpuCount: 1)
    let moment = Moment(
      time: 1, kind: .frameAllocated, payer: .user, cpu: 0, subject: 0, batch: 0, task: 0, event: 1)
    for (flushes, cpu) in [(32767, nil), (32768, nil), (40000, 0)] as [(UInt64, Int?)] {
      wrap.handedOut(
        FrameHandout(frame: 0, pfn: 5, staleCPU: cpu, flushesSince: flushes), moment, &stale)
    }
    let verdict = wrap.verdicts(SafetyCounts())[0]
    #expect(verdict.checked == 2 && verdict.violations == 1 && verdict.first?.pfn == 5)
  }

  @Test func tablesAreBoundedAndSayWhatTheyLeaveOut() throws {
    var stale = StaleTranslations(cpuCount: 2)
    var table = HeldTable()
    let unmap = stale.unmap(CPUMask([0]))
    for key in 1...200_000 as ClosedRange<UInt64> { table.insert(key, unmap, frame: 1, &stale) }
    #expect(table.unchecked >= 200_000 - HeldTable.entriesMax && table.find(7) != nil)
    // What is clean makes room.
    stale.flush(0)
    let later = stale.unmap(CPUMask([1]))
    for key in 1...50_000 as ClosedRange<UInt64> {
      table.insert(key << 20, later, frame: 2, &stale)
    }
    #expect(table.find(7) == nil)
    let slot = try #require(table.find(50_000 << 20))
    #expect(table[slot].frame == 2)
    let near = table.slots(in: 50_000 << 20..<(50_000 << 20) + 2)
    #expect(near == [slot])
    table.remove(slot, &stale)
    #expect(table.find(50_000 << 20) == nil)
    var open = UnmappedPages()
    for page in 0..<UInt64(UnmappedPages.openMax) + 1 { open.add(page, frame: nil, by: 1) }
    #expect(open.leftOut == UnmappedPages.openMax / 2)
  }
}
