import Testing
import TraceBuilding

@testable import Replay

/// How far another draw of a workload may lie from the one recorded.
@Suite struct DrawIntervalTests {
  /// The definition, from all events at once.
  private func slowError(
    _ events: [(time: UInt64, count: Int)], start: UInt64, end: UInt64
  ) -> Double {
    var width: UInt64 = 1
    while (end - start) / width >= UInt64(DrawInterval.slicesMax) { width *= 2 }
    var slices = Array(repeating: 0, count: Int((end - start) / width) + 1)
    for event in events { slices[Int((event.time - start) / width)] += event.count }
    slices.removeLast()
    let pairs = zip(slices, slices.dropFirst()).filter { $0 + $1 > 0 }
    guard !pairs.isEmpty else { return 0 }
    let sum = pairs.reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) / Double($1.0 + $1.1) }
    let total = events.reduce(0) { $0 + $1.count }
    return (Double(total) * sum / Double(pairs.count)).squareRoot()
  }

  /// Events of `size` interrupts that come independently, `rate` of them in 1000 units at `time`.
  private func draw(
    _ seed: UInt64, size: Int, rate: (UInt64) -> UInt64
  ) -> [(time: UInt64, count: Int)] {
    var random = SplitMix64(seed: seed)
    return (0 as UInt64..<20_000).compactMap { time in
      random.next() % 1000 < rate(time) ? (time, size) : nil
    }
  }

  private func interval(_ events: [(time: UInt64, count: Int)], end: UInt64) -> DrawInterval {
    var interval = DrawInterval()
    interval.advance(to: 0)
    for event in events { interval.add(event.count, at: event.time) }
    interval.advance(to: end)
    return interval
  }

  @Test func nothingHasNoError() {
    var interval = DrawInterval()
    #expect(interval.standardError == 0)
    #expect(interval.range(around: 0) == 0...0)
    interval.add(5, at: 77)
    #expect(interval.standardError == 0)
    #expect(interval.range(around: 5) == 5...5)
  }

  @Test func neighboursTellHowMuchCountsScatter() {
    var interval = DrawInterval()
    // Slices of one unit with 1, 3, 1, 3 interrupts, and one that has just begun.
    for (time, count) in [1, 3, 1, 3, 50].enumerated() { interval.add(count, at: UInt64(time)) }
    // Each pair tells (3 - 1)^2 / (3 + 1) = 1, so the variance is the total.
    #expect(interval.total == 58)
    #expect(interval.standardError == (58.0).squareRoot())
    // 2 * sqrt(2) * sqrt(58) = 21.5.
    #expect(interval.range(around: 58) == 36...80)
    #expect(interval.range(around: 10) == 0...32)
  }

  @Test(arguments: [3 as UInt64, 9, 27])
  func longerSlicesAreThoseOfTheWholeTime(_ seed: UInt64) {
    let events = draw(seed, size: 7) { $0 < 7_000 ? 40 : 5 }
    for end in [19_999 as UInt64, 32_767, 32_768, 1 << 40] {
      let fast = interval(events, end: end)
      #expect(fast.total == events.count * 7)
      #expect(fast.standardError == slowError(events, start: 0, end: end))
    }
  }

  @Test(arguments: [1, 12])
  func theErrorIsThatOfManyDraws(_ size: Int) {
    // Steady at first, then three times as busy: the step is no scatter.
    let draws = (0 as UInt64..<200).map { seed in
      interval(draw(seed, size: size) { $0 < 10_000 ? 20 : 60 }, end: 20_000)
    }
    let totals = draws.map { Double($0.total) }
    let mean = totals.reduce(0, +) / 200
    let spread = (totals.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 199).squareRoot()
    let estimate = draws.reduce(0) { $0 + $1.standardError } / 200
    #expect(abs(estimate / spread - 1) < 0.15)
    // Each draw says where the next one lies.
    let hits = zip(draws, draws.dropFirst()).filter { first, second in
      first.range(around: first.total).contains(second.total)
    }
    #expect(hits.count >= 180 && hits.count < 199)
  }

  @Test func burstsWeighMoreThanTheirInterrupts() {
    // About as many flushes alone as in groups of five, one close behind the other.
    let alone = draw(5, size: 3) { _ in 20 }
    let groups = draw(6, size: 3) { _ in 4 }
    let bursts = groups.flatMap { first in
      (0 as UInt64..<5).map { (time: first.time + $0 * 10, count: first.count) }
    }
    let few = interval(alone, end: 20_100).standardError
    #expect(interval(bursts, end: 20_100).standardError > 1.5 * few)
  }

  @Test func whatDoesNotHappenIsTakenAway() {
    var interval = DrawInterval()
    for time in 0 as UInt64..<10 { interval.add(4, at: time) }
    for time in 0 as UInt64..<10 { interval.add(-4, at: time) }
    #expect(interval.total == 0)
    #expect(interval.standardError == 0)
  }

  @Test func badTimesDoNotTrap() {
    var interval = DrawInterval()
    interval.add(1, at: 5)
    interval.add(1, at: 0)
    interval.add(.max, at: .max)
    interval.add(.max, at: 0)
    interval.advance(to: 3)
    #expect(interval.standardError >= 0)
    #expect(interval.range(around: .max).upperBound == .max)
    interval.add(9, at: 0)
    interval.add(9, at: 1 << 63)
    #expect(interval.standardError > 0)
    #expect(interval.range(around: .min).lowerBound == .min)
  }
}
