import Testing

@testable import Replay

@Suite struct StaleTranslationOracleTests {
  @Test func findsTheCPUThatWasNotFlushed() {
    var oracle = StaleTranslationOracle(cpuCount: 4)
    let first = oracle.deferred(CPUMask([1, 2]))
    let second = oracle.deferred(CPUMask([3]))
    #expect(oracle.staleCPU(first) == 1)
    oracle.flushed(CPUMask([1]))
    #expect(oracle.staleCPU(first) == 2)
    oracle.flushed(CPUMask([2, 0]))
    #expect(oracle.staleCPU(first) == nil)
    #expect(oracle.staleCPU(second) == 3)
    // A later deferral makes a CPU stale again for its own frames only.
    let third = oracle.deferred(CPUMask([1]))
    #expect(oracle.staleCPU(first) == nil)
    #expect(oracle.staleCPU(third) == 1)
    #expect(oracle.staleCPU(0) == nil)
  }
}
