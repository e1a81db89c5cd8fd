import Testing
import TraceBuilding
import TraceEvents

@testable import Replay

/// Replays of one policy of the catalogue, every case of it watched by the safety check.
enum CatalogReplay {
  static func outcome(
    _ script: BatchScript, _ policy: String, cpus: Int = 5, batch: Int = EventBatch.capacity
  ) throws -> Outcome {
    var context = ReplayContext(cpuCount: cpus, flushFunction: FunctionName.flushTLBFunction)
    context.checksEveryCase = true
    var session = try ReplaySession(context, policies: [policy])
    script.forEachBatch(of: batch) { session.consume($0, directory: script.directory) }
    return try session.finish()
  }

  static func policy(
    _ script: BatchScript, _ policy: String, cpus: Int = 5
  ) throws -> PolicyOutcome {
    try #require(try outcome(script, policy, cpus: cpus).policies.last)
  }

  /// What holds of every safe policy over any stream.
  static func checkBooks(_ seed: UInt64, _ policy: String) throws -> Outcome {
    try checkBooks(ReplayPropertyTests.stream(seed), policy)
  }

  /// See ``checkBooks(_:_:)``.
  static func checkBooks(_ script: BatchScript, _ policy: String) throws -> Outcome {
    let outcome = try outcome(script, policy)
    let policy = try #require(outcome.policies.last)
    let recorded = try #require(outcome.policies[0].figures)
    let shown = try #require(policy.figures)
    for figures in policy.cases + [shown] {
      #expect(figures.ledger.isBalanced)
      #expect(figures.safety?.violations == 0)
      #expect(figures.tlbRow.allSatisfy { $0 >= 0 })
      #expect(figures.tlbFlush.allSatisfy { $0.allSatisfy { $0 >= 0 } })
      // No policy changes what a task switch does.
      #expect(figures.tlbFlush[0] == recorded.tlbFlush[0])
    }
    if let lower = policy.rowLower { #expect(lower <= shown.tlbRowTotal) }
    if let upper = policy.rowUpper { #expect(upper >= shown.tlbRowTotal) }
    let cut = try Self.outcome(script, policy.name, batch: 7)
    for (a, b) in zip(cut.policies[1].cases, policy.cases) {
      #expect(a.tlbRow == b.tlbRow && a.tlbFlush == b.tlbFlush && a.ledger == b.ledger)
    }
    #expect(cut.policies[1].figures?.tlbRow == shown.tlbRow)
    return outcome
  }
}
