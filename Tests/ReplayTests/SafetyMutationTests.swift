import Synchronization
import Testing
import TraceBuilding
import TraceEvents

@testable import Replay

/// Takes the forced flushes out of a policy's run, one at a time: the oracle has to notice wherever
/// it mattered.
@Suite struct SafetyMutationTests {
  private struct Score {
    var injected = 0
    var caught = 0
    /// Mutants that the oracle lets live, by why the missing flush would have been done.
    var survivors: [DeferralFate: Int] = [:]
    /// Those in which a frame goes to a new owner while a TLB still holds it.
    var missed = 0
  }

  private static let names =
    PolicyCatalog.entries.map(\.sampleName).filter {
      $0 != "luf-v10-as-posted" && !policiesThatHoldFrames.contains($0)
    } + ["batch-3"]
  private static let flushesMax = 60

  @Test(arguments: names)
  func everyMissingFlushThatMattersIsNoticed(_ name: String) throws {
    var score = Score()
    for seed in 1...8 as ClosedRange<UInt64> {
      try mutate(name, ReplayPropertyTests.stream(seed), &score)
    }
    // Survivors are harmless, entry by entry: no TLB holds a frame that goes to a new owner.
    #expect(score.missed == 0, "\(score)")
    // Where a policy flushes only because it must, many of its flushes matter.
    if name.hasPrefix("luf") { #expect(score.caught * 4 > score.injected, "\(score)") }
  }

  private func mutate(_ name: String, _ script: BatchScript, _ score: inout Score) throws {
    let original = try #require(PolicyCatalog.blueprint(named: name))
    let untouched = try run(script, [original])
    let figures = try #require(untouched[0].figures)
    #expect(figures.safety?.violations == 0)
    let policy = original.policy(.expected, ReplayContext(cpuCount: 5))
    let omissions = (0..<min(figures.ledger.forcedFlushes, Self.flushesMax)).map { _ in Omission() }
    let mutants = omissions.indices.map { Self.mutant(of: policy, dropping: $0, omissions[$0]) }
    for (outcome, omission) in zip(try run(script, mutants), omissions) {
      let fate = try #require(omission.fate.withLock { $0 })
      let rules = try #require(outcome.figures?.safety?.rules)
      let verdicts = rules.filter { $0.rule == .staleFrame }
      try #require(verdicts.count == 2)
      score.injected += 1
      // What the sets say is what the oracle says, frame by frame.
      if verdicts[0].violations != verdicts[1].violations { score.missed += 1 }
      if verdicts[0].violations > 0 {
        score.caught += 1
      } else {
        score.survivors[fate, default: 0] += 1
      }
    }
  }

  private func run(_ script: BatchScript, _ blueprints: [PolicyBlueprint]) throws
    -> [PolicyOutcome]
  {
    var context = ReplayContext(cpuCount: 5, flushFunction: FunctionName.flushTLBFunction)
    context.safetyChecks = [FullTLBs()]
    var session = ReplaySession(context, blueprints: blueprints)
    script.forEachBatch { session.consume($0, directory: script.directory) }
    return Array(try session.finish().policies.dropFirst())
  }

  private static func mutant<Policy: FlushPolicy>(
    of policy: Policy, dropping dropped: Int, _ omission: Omission
  ) -> PolicyBlueprint {
    PolicyBlueprint(name: "mutant", asksForPermissions: false) { _, _ in
      Mutant(policy, dropping: dropped, omission)
    }
  }
}
