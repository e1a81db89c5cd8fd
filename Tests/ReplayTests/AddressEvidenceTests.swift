import Testing
import TraceBuilding

@testable import Replay

@Suite struct AddressEvidenceTests {
  /// A dictionary of pages does the same, slowly, as long as nothing overflows.
  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func equalsItsPlainTwin(_ seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var evidence = AddressEvidence()
    // By process and page: what a call said. By process and region: pages proven, the last one first.
    var mapped: [[UInt64: MayWrite]] = [[:], [:], [:]]
    var proven: [[UInt64: UInt64]] = [[:], [:], [:]]
    for _ in 0..<4000 {
      let process = Int(random.next() % 3)
      let page = 0x7_0000_0000 + random.next() % 3000
      let count = 1 + random.next() % (random.next() % 8 == 0 ? 1200 : 12)
      let address = page << 12
      switch random.next() % 5 {
      case 0:
        let mayWrite: MayWrite = random.next() & 1 == 0 ? .recorded : .sharedReadOnly
        evidence.map(address, count << 12, in: UInt32(process), mayWrite)
        for page in page..<page + count { mapped[process][page] = mayWrite }
      case 1:
        evidence.unmap(address, count << 12, in: UInt32(process))
        for page in page..<page + count { mapped[process][page] = nil }
        for region in proven[process].keys
        where region << 9 >= page && (region + 1) << 9 <= page + count {
          proven[process][region] = nil
        }
      case 2 where mapped[process][page] == nil:
        evidence.prove(address, in: UInt32(process))
        proven[process][page >> 9] = page
      default: break
      }
      let probe = 0x7_0000_0000 + random.next() % 5000
      for process in 0..<3 {
        func region(_ process: Int) -> MayWrite? {
          proven[process][probe >> 9].map { $0 == probe ? .recorded : .concluded }
        }
        let expected =
          mapped[process][probe] ?? mapped[0][probe] ?? region(process) ?? region(0) ?? .unknown
        #expect(evidence.mayWrite(probe << 12, in: UInt32(process)) == expected)
      }
    }
    #expect(evidence.ranges.count > 20)
  }

  @Test func tablesAreBounded() {
    var evidence = AddressEvidence()
    for number in 0..<10_000 as Range<UInt64> {
      evidence.map(number << 20, 4096, in: 1, .recorded)
      evidence.prove(number << 30, in: 2)
    }
    #expect(evidence.ranges.count == AddressEvidence.rangesMax)
    // Impossible ranges are no ranges.
    evidence.map(.max, .max, in: 1, .recorded)
    evidence.unmap(0, 0, in: 1)
    evidence.unmap(0, 1 << 57, in: 1)
    #expect(evidence.ranges.isEmpty)
  }

  @Test func aWriteThatWorkedOverrulesTheCall() {
    var evidence = AddressEvidence()
    evidence.map(0x1000, 0x4000, in: 0, .sharedReadOnly)
    #expect(evidence.mayWrite(0x2000, in: 0) == .sharedReadOnly)
    evidence.prove(0x3000, in: 0)
    #expect(evidence.mayWrite(0x2000, in: 0) == .recorded)
    #expect(evidence.mayWrite(0x5000, in: 0) == .unknown)
  }
}
