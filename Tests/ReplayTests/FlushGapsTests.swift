import Testing
import TraceEvents

@testable import Replay

struct FlushGapsTests {
  @Test func gapsAreThoseBetweenEffectiveFlushesOfOneCPU() {
    var gaps = FlushGaps()
    let full = UInt64.max
    gaps.note(0, 100, reason: 1, pages: full)
    gaps.note(3, 150, reason: 1, pages: full)
    gaps.note(0, 104, reason: 3, pages: full)
    gaps.note(0, 105, reason: 1, pages: 0)
    gaps.note(0, 106, reason: 4, pages: full)
    gaps.note(0, 107, reason: 2, pages: 7)
    gaps.note(0, 108, reason: 0, pages: full)
    gaps.note(0, 109, reason: 5, pages: full)
    #expect(gaps.gaps(cpu: 0, until: 1108).map(\.time) == [4, 1000])
    #expect(gaps.gaps(cpu: 0, until: 1108).map(\.flushes) == [2, 1])
    #expect(gaps.gaps(cpu: 3, until: 160).map(\.time) == [10])
    #expect(gaps.gaps(cpu: 1, until: 160).isEmpty && gaps.gaps(cpu: 900, until: 160).isEmpty)
    #expect(gaps.rangedPages == 7)
  }

  @Test func everyGapLiesInItsBin() {
    for exponent in 0..<64 {
      for offset in [0, 1, 3, 7] {
        let gap = (UInt64(1) << UInt64(exponent)) | UInt64(offset) << UInt64(max(exponent - 3, 0))
        let bin = FlushGaps.bin(gap)
        #expect(bin < FlushGaps.binsPerCPU)
        #expect(abs(FlushGaps.middle(bin) / Double(gap) - 1) < 0.07, "gap \(gap)")
      }
    }
    #expect(FlushGaps.bin(0) == 0 && FlushGaps.bin(.max) < FlushGaps.binsPerCPU)
  }

  @Test func timesThatGoBackAndHugePagesDoNoHarm() {
    var gaps = FlushGaps()
    gaps.note(0, 100, reason: 1, pages: .max)
    gaps.note(0, 50, reason: 1, pages: .max)
    for _ in 0..<3 { gaps.note(0, 60, reason: 1, pages: UInt64(Int64.max)) }
    gaps.note(0, 60, reason: 1, pages: UInt64(bitPattern: -2))
    #expect(gaps.gaps(cpu: 0, until: 40).map(\.flushes) == [1, 1])
    #expect(gaps.rangedPages == 3 << 20)
  }
}
