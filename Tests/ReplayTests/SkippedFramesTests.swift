import Testing
import TraceBuilding
import TraceEvents

@testable import Replay

/// Replays skip the frames of batches that they are done with: that must change nothing.
@Suite struct SkippedFramesTests {
  private func outcome(_ script: BatchScript, _ policies: [String], skips: Bool) throws -> Outcome {
    var context = ReplayContext(cpuCount: 5, flushFunction: FunctionName.flushTLBFunction)
    context.checksEveryCase = true
    context.visitsEveryFrame = !skips
    // What is skipped must not depend on where the stream is cut.
    if skips { context.momentsAtOnce = 100 }
    var session = try ReplaySession(context, policies: policies)
    script.forEachBatch(of: skips ? 40 : EventBatch.capacity) {
      session.consume($0, directory: script.directory)
    }
    return try session.finish()
  }

  @Test(arguments: 1...30 as ClosedRange<UInt64>)
  func changesNothing(_ seed: UInt64) throws {
    let policies = [
      "unbatched", "batch-4", "migrc-v3", "migrc-v8", "migrc-v9", "luf-v10", "luf-v10-as-posted",
      "luf-v11", "luf-v12", "luf-v12r", "luf-ideal", "invlpgb", "no-inaccessible-skip", "fpr",
      "latr",
    ]
    for script in [
      ReplayPropertyTests.stream(seed), ReplayPropertyTests.unmapStream(seed),
      Self.busyStream(seed),
    ] {
      let fast = try outcome(script, policies, skips: true)
      let slow = try outcome(script, policies, skips: false)
      ReplayPropertyTests.expectSame(fast, slow)
    }
  }

  /// Batches of many frames that go through buddy, and everything else at which some policy acts or some
  /// check looks: changes of mm, idle CPUs, faults, calls, pages that come back.
  private static func busyStream(_ seed: UInt64) -> BatchScript {
    var random = SplitMix64(seed: seed)
    var script = BatchScript()
    script.directory.name(task: 40, "kswapd0")
    for cpu in 0..<4 { script.directory.name(task: Int32(100 + cpu), "app") }
    var free = Set<UInt64>()
    for _ in 0..<600 {
      let cpu = Int(random.next() % 4)
      let task = Int32(100 + cpu)
      let pfn = 0x1000 + random.next() % 64
      let pfns = (0..<8).map { 0x1000 + (pfn + $0) % 64 }
      let mask = random.next()
      let receivers = ReplayPropertyTests.receivers(mask, but: cpu)
      let address = 0x7000_0000_0000 + pfn << 12
      script.skip(random.next() % 4000)
      switch random.next() % 20 {
      case 0, 1:
        ReplayPropertyTests.use(pfns, of: &free, cpu: cpu, &script)
        script.reclaim(cpu: 4, task: 40, pfns: pfns, receivers: receivers)
      case 2:
        ReplayPropertyTests.use(Array(pfns.prefix(3)), of: &free, cpu: cpu, &script)
        script.migrate(
          cpu: cpu, task: task, pfns: Array(pfns.prefix(3)), type: 30, receivers: receivers,
          localReason: 2)
        script.add(
          .removeMigrationPTE, cpu: cpu, task: task,
          [address, (pfn + 64) << 12 | 1 | (mask >> 9 & 2), 0])
      case 3:
        ReplayPropertyTests.use(Array(pfns.prefix(2)), of: &free, cpu: cpu, &script)
        script.add(.sysEnterMunmap, cpu: cpu, task: task, [address, 0x2000])
        script.unmap(cpu: cpu, task: task, pfns: Array(pfns.prefix(2)), receivers: receivers)
        script.add(.sysExitMunmap, cpu: cpu, task: task, [0])
      case 4, 5, 6: script.add(.pagePCPDrain, cpu: cpu, task: task, [pfn, 0, 1])
      case 7, 8: script.add(.pageAllocZoneLocked, cpu: cpu, task: task, [pfn, 0, 1, 1])
      case 9: script.flush(cpu: cpu, task: task, reason: 0)
      case 10: script.add(.pageFaultUser, cpu: cpu, task: 0, [0x7000, 0, 0])
      case 11: script.add(.pageFaultUser, cpu: cpu, task: task, [address, 0, mask >> 8 & 7])
      case 12: script.add(.filemapAdd, cpu: cpu, task: task, [pfn, 1, pfn, 0, 0])
      case 13:
        script.shootdown(
          cpu: cpu, task: task, receivers: receivers, localReason: 3,
          pages: mask >> 8 & 1 == 0 ? 3 : -1)
      case 14: script.add(.wakeupKswapd, cpu: cpu, task: task, [0, 0, 0])
      default:
        script.allocate(cpu: cpu, task: task, pfn: pfn, isMovable: mask >> 8 & 7 != 0)
        _ = free.remove(pfn)
      }
    }
    return script
  }
}
