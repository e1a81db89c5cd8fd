import Testing

@testable import Replay

@Suite struct SafetyTranslationsTests {
  @Test func findsTheCPUThatWasNotFlushed() {
    var stale = StaleTranslations(cpuCount: 4)
    let first = stale.unmap(CPUMask([1, 2]))
    let second = stale.unmap(CPUMask([3]))
    #expect(stale.staleCPU(first) == 1 && stale.staleCPU(first, except: 1) == 2)
    stale.flush(CPUMask([1]))
    #expect(stale.staleCPU(first) == 2)
    stale.flush(CPUMask([2, 0]), forced: 1)
    #expect(stale.staleCPU(first) == nil)
    #expect(stale.staleCPU(second) == 3)
    // A later unmap makes a CPU stale again for what it unmapped only.
    let third = stale.unmap(CPUMask([1]))
    #expect(stale.staleCPU(first) == nil)
    #expect(stale.staleCPU(third) == 1)
    #expect(stale.staleCPU(0) == nil)
    #expect(stale.policyFlushes(since: second) == 1 && stale.policyFlushes(since: third) == 0)
    #expect(stale.owing == CPUMask([1, 3]))
  }

  @Test func aLazyCPUUsesNothingAndWakesClean() {
    var stale = StaleTranslations(cpuCount: 2)
    let unmap = stale.unmap(CPUMask([0]))
    stale.beginLazy(0)
    #expect(stale.staleCPU(unmap) == nil && !stale.owing.isEmpty)
    let later = stale.unmap(CPUMask([0, 1]))
    #expect(stale.staleCPU(later) == 1)
    stale.endLazy(0)
    #expect(stale.staleCPU(unmap) == nil && stale.staleCPU(later, except: 1) == nil)
  }

  @Test func onlyWhatIsHeldIsKept() {
    var stale = StaleTranslations(cpuCount: 2)
    var held: [UInt32] = []
    for round in 0..<1000 {
      let unmap = stale.unmap(CPUMask([round & 1]))
      stale.hold(unmap)
      stale.release(unmap)
      held.append(unmap)
      if held.count > 5 { stale.release(held.removeFirst()) }
      #expect(stale.heldCount <= 6)
    }
    #expect(held.allSatisfy { $0 <= 6 })
  }
}
