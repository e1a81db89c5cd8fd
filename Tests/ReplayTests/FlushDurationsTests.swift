import Testing

@testable import Replay

/// How long flushes last in a run that has fewer of them.
@Suite struct FlushDurationsTests {
  @Test func theTypicalFlushRanAlone() {
    var durations = FlushDurations()
    #expect(durations.typical == 0)
    #expect(durations.record(0, 4) == 4)
    // Nothing is known to have run alone before the next one starts.
    #expect(durations.typical == 4)
    #expect(durations.record(100, 105) == 105)
    #expect(durations.typical == 4)
    // The third overlaps the second's successor, so it was slower than it would be alone.
    #expect(durations.record(200, 207) == 207)
    #expect(durations.record(203, 290) == 207)
    #expect(durations.typical == 4)
    // One that is shorter than the typical one stays as it is.
    #expect(durations.record(280, 282) == 282)
    #expect(durations.record(500, 506) == 506)
  }

  @Test func flushesThatAllOverlapGiveTheMedianOfAll() {
    var durations = FlushDurations()
    for start in stride(from: 0 as UInt64, to: 700, by: 5) {
      _ = durations.record(start, start + 7)
    }
    #expect(durations.typical == 7)
  }

  @Test func badTimesDoNotTrap() {
    var durations = FlushDurations()
    #expect(durations.record(.max, 0) == .max)
    #expect(durations.record(0, .max) == 0)
    #expect(durations.record(.max - 1, .max) == .max)
  }
}
