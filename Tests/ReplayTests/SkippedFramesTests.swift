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
    var session = try ReplaySession(context, policies: policies)
    script.forEachBatch { session.consume($0, directory: script.directory) }
    return try session.finish()
  }

  @Test(arguments: 1...30 as ClosedRange<UInt64>)
  func changesNothing(_ seed: UInt64) throws {
    let policies = [
      "unbatched", "batch-4", "migrc-v3", "migrc-v8", "migrc-v9", "luf-v10", "luf-v10-as-posted",
      "luf-v11", "luf-v12", "luf-v12r", "luf-ideal", "invlpgb", "no-inaccessible-skip", "fpr",
      "latr",
    ]
    for script in [ReplayPropertyTests.stream(seed), ReplayPropertyTests.unmapStream(seed)] {
      let fast = try outcome(script, policies, skips: true)
      let slow = try outcome(script, policies, skips: false)
      for (a, b) in zip(fast.policies, slow.policies) {
        #expect(a.name == b.name && a.rowLower == b.rowLower && a.rowUpper == b.rowUpper)
        for (x, y) in zip(
          a.cases + [a.figures].compactMap(\.self), b.cases + [b.figures].compactMap(\.self))
        {
          #expect(x.tlbRow == y.tlbRow && x.tlbFlush == y.tlbFlush, "\(a.name)")
          #expect(x.ledger == y.ledger && x.pending == y.pending, "\(a.name)")
          #expect(x.ages == y.ages && x.payers == y.payers && x.bursts == y.bursts, "\(a.name)")
          #expect(x.safety == y.safety, "\(a.name)")
        }
      }
    }
  }
}
