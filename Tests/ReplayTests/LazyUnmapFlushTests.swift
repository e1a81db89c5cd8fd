import Testing

@testable import Replay

/// Hand traces with the exact actions that LUF v10's rules give.
@Suite struct LazyUnmapFlushTests {
  private func deferred(_ policy: inout LazyUnmapFlush, _ cpus: [Int], at time: UInt64 = 0)
    -> LazyUnmapFlush.BatchAction
  {
    policy.unmapBatch(on: CPUMask(cpus), isEligible: true, from: time, to: time + 10)
  }

  @Test func batchesShareAGenerationAndOneFlush() {
    var policy = LazyUnmapFlush(.v10)
    #expect(deferred(&policy, [1, 2]) == .deferred(generation: 1, isSettled: false))
    #expect(deferred(&policy, [2, 70]) == .deferred(generation: 1, isSettled: false))
    let forced = policy.taken(1, at: 100, flushLasting: 5)
    #expect(forced == LazyUnmapFlush.ForcedFlush(mask: CPUMask([1, 2, 70]), settled: 2))
    #expect(policy.done == 1)
    #expect(policy.taken(1, at: 101, flushLasting: 5) == nil)
    #expect(deferred(&policy, [3], at: 200) == .deferred(generation: 2, isSettled: false))
  }

  @Test func frameWithoutGenerationFlushesNothing() {
    var policy = LazyUnmapFlush(.v10)
    _ = deferred(&policy, [1])
    #expect(policy.taken(0, at: 1, flushLasting: 1) == nil)
    #expect(policy.pendingBatches == 1)
  }

  @Test func ineligibleBatchIsFlushedAndCreditsItsCPUs() {
    var policy = LazyUnmapFlush(.v10)
    _ = deferred(&policy, [1, 2])
    let partly = policy.unmapBatch(on: CPUMask([1]), isEligible: false, from: 20, to: 30)
    #expect(partly == .flush(isRefused: false, settled: 0))
    #expect(policy.pending == CPUMask([2]))
    let wholly = policy.unmapBatch(on: CPUMask([0, 2]), isEligible: false, from: 40, to: 50)
    #expect(wholly == .flush(isRefused: false, settled: 1))
    // Nothing is owed, so taking the frame is free and the generation stays open.
    #expect(policy.taken(1, at: 60, flushLasting: 1) == nil)
    #expect(policy.done == 0)
    #expect(deferred(&policy, [3], at: 70) == .deferred(generation: 1, isSettled: false))
  }

  @Test func refusesWhileAFlushRuns() {
    var policy = LazyUnmapFlush(.v10)
    _ = policy.unmapBatch(on: CPUMask([1]), isEligible: false, from: 0, to: 100)
    #expect(deferred(&policy, [2], at: 99) == .flush(isRefused: true, settled: 0))
    // The refused batch's own flush runs until 109.
    #expect(deferred(&policy, [2], at: 108) == .flush(isRefused: true, settled: 0))
    #expect(deferred(&policy, [2], at: 118) == .deferred(generation: 1, isSettled: false))
    #expect(policy.taken(1, at: 200, flushLasting: 50) != nil)
    #expect(deferred(&policy, [2], at: 249) == .flush(isRefused: true, settled: 0))
    var patient = LazyFlushRules.v10
    patient.givesUpWhileFlushing = false
    var other = LazyUnmapFlush(patient)
    _ = other.unmapBatch(on: CPUMask([1]), isEligible: false, from: 0, to: 100)
    #expect(deferred(&other, [2], at: 50) == .deferred(generation: 1, isSettled: false))
  }

  @Test func theEndOfDeferralFlushesEverything() {
    var policy = LazyUnmapFlush(.v10)
    #expect(policy.end(at: 1, flushLasting: 1) == nil)
    _ = deferred(&policy, [1])
    #expect(policy.isOwed(1) && !policy.isOwed(0))
    #expect(policy.end(at: 50, flushLasting: 1)?.mask == CPUMask([1]))
    #expect(!policy.isOwed(1))
    _ = deferred(&policy, [2], at: 60)
    #expect(policy.end(at: 80, flushLasting: 1)?.mask == CPUMask([2]))
    #expect(policy.done == 2)
  }

  @Test func batchThatNobodyOwesIsSettledAtOnce() {
    var policy = LazyUnmapFlush(.v10)
    #expect(deferred(&policy, []) == .deferred(generation: 1, isSettled: true))
    #expect(policy.taken(1, at: 20, flushLasting: 1) == nil)
  }
}
