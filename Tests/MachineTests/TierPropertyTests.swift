import Testing
import TraceBuilding
import TraceEvents

@testable import Machine

/// The tracker against a plain twin that keeps everything and looks everything up.
@Suite struct TierPropertyTests {
  private struct Event {
    var time: UInt64
    var pfn: UInt64
    var isAllocation: Bool
  }

  /// Every frame's own list of events, and the level by asking all of them.
  private struct Twin {
    var events: [UInt64: [Event]] = [:]

    func isUsed(_ pfn: UInt64, at time: UInt64) -> Bool {
      let own = events[pfn] ?? []
      if let last = own.last(where: { $0.time <= time }) { return last.isAllocation }
      return own.first.map { !$0.isAllocation } ?? false
    }

    func used(_ range: Range<UInt64>, at time: UInt64) -> Int {
      events.keys.count { range.contains($0) && isUsed($0, at: time) }
    }
  }

  @Test(arguments: 0..<30) func residencyEqualsTheTwin(_ seed: UInt64) {
    var random = SplitMix64(seed: seed &+ 77)
    var script = BatchScript()
    var twin = Twin()
    var times: [UInt64] = []
    for _ in 0..<400 {
      let order = UInt64([0, 0, 0, 1, 3].randomElement(using: &random) ?? 0)
      let spread = UInt64.random(in: 0..<60, using: &random)
      let pfn = 9_970 + ((spread >> order) << order)
      let isAllocation = Bool.random(using: &random)
      if isAllocation {
        script.allocate(cpu: 0, task: 1, pfn: pfn, order: order)
      } else {
        script.free(cpu: 0, task: 1, pfn: pfn, order: order)
      }
      for frame in pfn..<(pfn + 1 << order) {
        twin.events[frame, default: []].append(
          Event(time: script.now, pfn: frame, isAllocation: isAllocation))
      }
      times.append(script.now)
      if Int.random(in: 0..<10, using: &random) == 0 {
        script.skip(UInt64.random(in: 0..<100_000, using: &random))
      }
    }
    let bounds = [times, times].compactMap { $0.randomElement(using: &random) }.sorted()
    let outcome = TierTrackerTests.track(script, from: bounds[0], to: bounds[1])
    for (index, range) in [UInt64(0)..<10_000, 10_000..<20_000].enumerated() {
      let node = outcome.nodes[index]
      // The window's first event lies inside: the level before it is the one at the start.
      let levels = times.filter { (bounds[0]...bounds[1]).contains($0) }.map {
        twin.used(range, at: $0)
      }
      let first = twin.used(range, at: bounds[0] - 1)
      #expect(node.framesSeen == twin.events.keys.count { range.contains($0) })
      #expect(node.usedAtStart == first)
      #expect(node.usedAtEnd == twin.used(range, at: bounds[1]))
      // Inside a block of several pages the tracker passes levels that no event ends at.
      #expect(node.usedMin <= min(first, levels.min() ?? first))
      #expect(node.usedMax >= max(first, levels.max() ?? first))
      #expect(node.usedMin >= 0)
      #expect(node.usedMax <= node.framesSeen)
      #expect(node.gains.reduce(0, +) == node.gain)
    }
  }

  /// Joining spans loses nothing, and each amount stays in the span that its time lies in.
  @Test(arguments: 0..<20) func timeTableKeepsEverySum(_ seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var table = TimeTable(quantities: 2)
    var all: [(time: UInt64, amount: Int)] = []
    var time = UInt64.random(in: 0...1 << 40, using: &random)
    for _ in 0..<300 {
      time += UInt64.random(
        in: 0...(1 << UInt64.random(in: 0...24, using: &random)), using: &random)
      let amount = Int.random(in: -5...5, using: &random)
      table.add(amount, to: 1, at: time)
      all.append((time, amount))
    }
    let sums = table.finished()
    let start = try #require(table.start)
    #expect(start == all[0].time)
    #expect(sums[1].count <= TimeTable.spansMax)
    for (span, sum) in sums[1].enumerated() {
      let from = start + UInt64(span) * table.width
      #expect(
        sum
          == all.filter { $0.time >= from && $0.time - from < table.width }
          .reduce(0) { $0 + $1.amount })
    }
    #expect(sums[0].allSatisfy { $0 == 0 })
  }

  @Test func timeTableBearsTheEndOfTime() {
    var table = TimeTable(quantities: 1)
    table.add(1, to: 0, at: 0)
    table.add(2, to: 0, at: .max)
    table.add(3, to: 0, at: .max)
    #expect(table.finished()[0].reduce(0, +) == 6)
  }
}
