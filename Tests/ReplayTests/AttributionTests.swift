import Testing
import TraceBuilding
import TraceEvents

@testable import Replay

@Suite struct AttributionTests {
  /// A session over hand-made rows, with call chains that `names` knows.
  private func outcome(
    _ script: BatchScript, cpus: Int = 4, policies: [String] = [], batch: Int = EventBatch.capacity,
    names: [UInt64: String]? = nil
  ) throws -> Outcome {
    let context = ReplayContext(cpuCount: cpus, flushFunction: FunctionName.flushTLBFunction)
    var session = try ReplaySession(context, policies: policies)
    let paths = names.map { names in CallPathCauses(script.directory) { names[$0] } }
    session.attribute(by: .csdFunctionEntry, paths: paths)
    script.forEachBatch(of: batch) { session.consume($0, directory: script.directory) }
    return try session.finish()
  }

  @Test func initiatorsAndVictimsAreCounted() throws {
    var script = BatchScript()
    script.directory.name(task: 10, "one")
    script.directory.name(task: 20, "two")
    script.add(.sysEnterMunmap, cpu: 0, task: 10, [0x1000, 0x1000])
    script.shootdown(cpu: 0, task: 10, receivers: [(1, 20), (2, 30)], localReason: 3)
    script.add(.sysExitMunmap, cpu: 0, task: 10, [0])
    script.add(.sysEnterMprotect, cpu: 1, task: 20, [0x1000, 0x1000, 1])
    script.shootdown(cpu: 1, task: 20, receivers: [(2, 30)], localReason: 3)
    script.add(.sysExitMprotect, cpu: 1, task: 20, [0])
    let found = try #require(try outcome(script).attribution)
    #expect(found.total.shootdowns == 2)
    #expect(found.total.interrupts == 3)
    #expect(found.unattributed == 0)
    #expect(found.groups.map(\.task) == [10, 20])
    #expect(found.groups.map(\.cause) == [.munmap, .mprotect])
    #expect(found.groups[0].sums.cpus.cpus == [1, 2])
    #expect(found.matrix[0, 1] == 1 && found.matrix[0, 2] == 1 && found.matrix[1, 2] == 1)
    #expect(found.matrix.total == 3)
    #expect(found.victims.map(\.task) == [30, 20])
    #expect(found.victims.map(\.interrupts) == [2, 1])
    #expect(found.cpus.map(\.interrupts) == [0, 1, 2, 0])
    #expect(found.machine.greatest == 3)
  }

  @Test func callChainsBelongToTheShootdownThatTheirCPUBegan() throws {
    var script = BatchScript()
    let names: [UInt64: String] = [1: "migrate_pages", 2: "compact_zone", 3: "do_madvise"]
    let compaction = script.directory.chain(of: [1, 2])
    let madvise = script.directory.chain(of: [3])
    let user = script.directory.chain(of: [77])
    script.flush(cpu: 0, task: 10, reason: 4)
    script.flush(cpu: 1, task: 20, reason: 4)
    script.add(.kernelStack, cpu: 1, task: 20, [madvise])
    script.add(.kernelStack, cpu: 0, task: 10, [compaction])
    script.add(.userStack, cpu: 0, task: 10, [user])
    // The stack of a later event of the same shootdown says no more.
    script.add(.kernelStack, cpu: 0, task: 10, [madvise])
    script.add(.pageFaultUser, cpu: 0, task: 10)
    // A stack that follows no flush of its CPU belongs to nobody.
    script.add(.kernelStack, cpu: 0, task: 10, [madvise])
    script.add(.kernelStack, cpu: 3, task: 30, [EventBatch.absent])
    let found = try #require(try outcome(script, names: names).attribution)
    #expect(found.groups.map(\.cause) == [.compaction, .madvise])
    #expect(found.groups.map(\.evidence) == [.callPath, .callPath])
    #expect(found.groups.map { UInt64($0.kernelChain) } == [compaction, madvise])
    #expect(found.groups.map { UInt64($0.userChain) } == [user, 0])
    #expect(found.agreement.total == 2)
  }

  /// Far more tasks and stacks than a report shows: sums and the heaviest are those of a plain
  /// count.
  @Test(arguments: [1, 2, 3] as [UInt64])
  func manyTasksAndStacksAreCountedLikeByHand(_ seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var script = BatchScript()
    var byTask: [Int32: Int] = [:]
    var byChain: [UInt32: Int] = [:]
    for number in 0..<6000 {
      // A few are heavy, most come once.
      let isHeavy = random.next() % 4 == 0
      let task = Int32(1 + (isHeavy ? random.next() % 5 : 100 + UInt64(number)))
      let tail = isHeavy ? random.next() % 3 : UInt64(number)
      let chain = script.directory.chain(of: [7, 6, 0x1000 + tail, 5, 4])
      let cpu = Int(random.next() % 4)
      let receivers = (0..<4).filter { $0 != cpu && random.next() % 2 == 0 }
      script.flush(cpu: cpu, task: task, reason: 4)
      script.add(.kernelStack, cpu: cpu, task: task, [chain])
      for receiver in receivers {
        script.add(
          .csdQueueCPU, cpu: cpu, task: task,
          [UInt64(receiver), 0, FunctionName.flushTLBFunction, UInt64(64 + number * 4 + receiver)])
      }
      for receiver in receivers {
        script.add(
          .csdFunctionEntry, cpu: receiver, task: 9000,
          [FunctionName.flushTLBFunction, UInt64(64 + number * 4 + receiver)])
      }
      script.add(.pageFaultUser, cpu: cpu, task: task)
      byTask[task, default: 0] += receivers.count
      byChain[UInt32(chain), default: 0] += receivers.count
    }
    let found = try #require(try outcome(script, names: [:]).attribution)
    var ownTasks: [Int32: Int] = [:]
    var ownChains: [UInt32: Int] = [:]
    for group in found.groups {
      ownTasks[group.task, default: 0] += group.sums.interrupts
      ownChains[group.kernelChain, default: 0] += group.sums.interrupts
    }
    #expect(ownTasks == byTask)
    #expect(ownChains == byChain)
    #expect(found.total.shootdowns == 6000)
    #expect(found.total.interrupts == found.row.reduce(0, +))
    #expect(found.matrix.total == found.total.interrupts)
    #expect(found.agreement.unexplained == 6000)
    let cut = try #require(try outcome(script, batch: 17, names: [:]).attribution)
    #expect(cut.groups.map(\.sums) == found.groups.map(\.sums))
  }

  /// What policies avoid, by cause, is what they change of the row: whatever they do later is
  /// charged.
  @Test(arguments: PolicyCatalog.sampleNames.dropFirst())
  func avoidedByCauseIsTheChangeOfTheRow(_ policy: String) throws {
    for seed in 1...4 as ClosedRange<UInt64> {
      let script = ReplayPropertyTests.stream(seed)
      let outcome = try outcome(script, cpus: 5, policies: [policy])
      let before = try #require(outcome.policies[0].figures).tlbRowTotal
      let after = try #require(outcome.policies[1].figures)
      let avoided = FlushCause.allCases.reduce(0.0) { $0 + after.byCause.avoided($1) }
      #expect((avoided - Double(before - after.tlbRowTotal)).magnitude < 1e-6)
      let attribution = try #require(outcome.attribution)
      for cause in FlushCause.allCases {
        let own = attribution.groups.filter { $0.cause == cause }
          .reduce(0) { $0 + $1.sums.interrupts }
        #expect(after.byCause.removed[Int(cause.rawValue)] <= own)
      }
    }
  }

  @Test func burstsAndTimesAreCounted() {
    var bursts = BurstCounts()
    for span in [1, 1, 1, 2, 5, 5, 9] as [UInt64] { bursts.note(span) }
    bursts.close()
    #expect(bursts.interrupts == 7 && bursts.greatest == 3 && bursts.spanCount == 4)
    #expect(bursts.percentile(50) == 1 && bursts.percentile(75) == 2 && bursts.percentile(99) == 3)
    #expect(BurstCounts().percentile(99) == 0)
    var series = CountsOverTime()
    for time in stride(from: 5 as UInt64, to: 1_000_000, by: 999) { series.note(time) }
    #expect(series.counts.reduce(0, +) == 1001)
    #expect(series.counts.count <= 64 && series.width == 1 << 14 && series.start == 5)
    series.note(.max)
    series.note(0)
    #expect(series.counts.reduce(0, +) == 1003)
  }

  @Test func largeMachinesKeepOnlyPairsThatOccur() {
    var small = InterruptMatrix(cpuCount: 16)
    var large = InterruptMatrix(cpuCount: 4096)
    for (sender, receivers) in [(1, [2, 3]), (15, [1]), (1, [3])] {
      small.add(from: sender, to: CPUMask(receivers))
      large.add(from: sender, to: CPUMask(receivers))
    }
    #expect(small.total == 4 && large.total == 4)
    #expect(small[1, 3] == 2 && large[1, 3] == 2 && large[4095, 0] == 0)
    #expect(small.pairs.map(\.receiver) == [3, 2, 1])
    #expect(large.pairs.map(\.receiver) == [3, 2, 1])
  }
}
