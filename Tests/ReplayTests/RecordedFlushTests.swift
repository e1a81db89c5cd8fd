import Testing
import TraceBuilding
import TraceEvents

@testable import Replay

/// What `sweep` sorts anew of the recorded run's own flushes.
@Suite struct RecordedFlushTests {
  private static let function: UInt64 = 0x77

  @Test func ceilingsCountEachFlushOnceAndLeaveSendsOut() {
    var script = BatchScript()
    for pages in [-1, -1, 0, 1, 2, 2, 33, 40] as [Int64] {
      script.flush(cpu: 0, task: 1, reason: 2, pages: pages)
      script.flush(cpu: 0, task: 1, reason: 4, pages: pages)
    }
    var sizes = FlushSizes(window: nil)
    script.forEachBatch { sizes.absorb($0) }
    #expect(sizes.under(33) == (full: 3, ranged: 4, pages: 38))
    #expect(sizes.under(2) == (full: 4, ranged: 3, pages: 5))
    #expect(sizes.under(0) == (full: 7, ranged: 0, pages: 0))
    var none = FlushSizes(window: TimeWindow(start: 0, end: 5))
    script.forEachBatch { none.absorb($0) }
    #expect(none.under(33) == (full: 0, ranged: 0, pages: 0))
  }

  /// Against a fold written down the plain way, over random shootdowns.
  @Test(arguments: 0..<10)
  func foldingInterruptsACPUOnceAndNeverItsOwn(_ seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let cpus = Int.random(in: 2...70, using: &random)
    let counts = [1, 2, cpus / 2 + 1, cpus]
    var script = BatchScript()
    var rows = counts.map { Array(repeating: 0, count: $0) }
    for _ in 0..<50 {
      let sender = Int.random(in: 0..<cpus, using: &random)
      let receivers = (0..<cpus).filter { $0 != sender && Bool.random(using: &random) }
      script.flush(cpu: sender, task: 1, reason: 4)
      for receiver in receivers {
        script.add(.csdQueueCPU, cpu: sender, task: 1, [UInt64(receiver), 0, Self.function])
        // Another CPU's request in between, and a call of something else.
        script.add(.csdQueueCPU, cpu: sender, task: 1, [UInt64(receiver), 0, 0x99])
      }
      for (index, count) in counts.enumerated() {
        for folded in Set(receivers.map { $0 % count }) where folded != sender % count {
          rows[index][folded] += 1
        }
      }
    }
    var folded = FoldedShootdowns(
      counts, ReplayContext(cpuCount: cpus, flushFunction: Self.function))
    script.forEachBatch(of: 7) { folded.absorb($0) }
    #expect(folded.rows == rows)
    #expect(folded.rows[3].reduce(0, +) == folded.requests)
  }

  @Test func generationsAreAsWideAsAskedFor() {
    for (bits, flushes) in [(16, 32767), (8, 127), (2, 1), (64, UInt64(Int64.max))]
      as [(Int, UInt64)]
    {
      #expect(GenerationWrap(bits: bits).flushesMax == flushes)
    }
  }
}
