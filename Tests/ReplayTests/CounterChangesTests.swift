import Testing
import TraceBuilding

@testable import Replay

@Suite struct CounterChangesTests {
  /// Counting CPU by CPU does the same, slowly.
  @Test(arguments: [1, 8, 64, 65, 200] as [Int])
  func equalsItsPlainTwin(_ cpus: Int) {
    var random = SplitMix64(seed: UInt64(cpus))
    var changes = CounterChanges(cpuCount: cpus)
    var interrupts = Array(repeating: 0, count: cpus)
    var flushes = Array(repeating: interrupts, count: 6)
    for step in 0..<300 {
      let cpu = Int(random.next() % UInt64(cpus))
      if random.next() % 4 == 0 {
        let mask = Self.some(cpus, &random)
        let sent = changes.add(CPUMask(mask), from: cpu, lazy: CPUMask(), times: 2)
        let others = mask.subtracting([cpu])
        #expect(sent == 2 * others.count)
        for other in others {
          interrupts[other] += 2
          flushes[1][other] += 2
        }
        if !others.isEmpty { flushes[4][cpu] += 2 }
        if mask.contains(cpu) { flushes[2][cpu] += 2 }
      } else {
        let (interrupted, seen) = (Self.some(cpus, &random), Self.some(cpus, &random))
        changes.remove(Self.shootdown(cpu, interrupted, seen))
        for other in interrupted { interrupts[other] -= 1 }
        for other in seen { flushes[1][other] -= 1 }
        flushes[3][cpu] -= 1
      }
      guard step % 7 == 0 || step == 299 else { continue }
      #expect(changes.interrupts == interrupts)
      #expect(changes.flushes == flushes)
    }
  }

  private static func some(_ cpus: Int, _ random: inout SplitMix64) -> Set<Int> {
    Set((0..<cpus).filter { _ in random.next() % 3 == 0 })
  }

  private static func shootdown(
    _ cpu: Int, _ interrupted: Set<Int>, _ seen: Set<Int>
  ) -> Shootdown {
    let unknown = CauseFound(cause: .unknown, isRecorded: false)
    var shootdown = Shootdown(
      initiator: cpu, taskIndex: 0, start: 1, end: 2, pages: -1, ifMM: unknown, ifBatch: unknown,
      position: 0)
    shootdown.isLocalCounted = true
    shootdown.countedInterrupts = CPUMask(interrupted)
    shootdown.countedRemoteEvents = CPUMask(seen)
    return shootdown
  }
}
