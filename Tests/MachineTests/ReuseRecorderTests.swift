import Machine
import Testing
import TraceEvents

/// The slow twin: reuse times by searching back through the stream.
private func plainReuses(_ stream: [PageAccess], _ range: Range<Int>) -> ReuseCounts {
  var counts = ReuseCounts()
  for index in range {
    let kind = stream[index].class
    var back = index - 1
    while back >= 0, stream[back].page != stream[index].page { back -= 1 }
    if back < 0 {
      counts.firstTouches[kind, default: 0] += 1
    } else {
      counts.bins[Key(kind: kind, bin: ReuseBins.index(of: UInt64(index - back))), default: 0] += 1
    }
  }
  return counts
}

private struct Key: Hashable {
  var kind: AccessClass
  var bin: Int
}

private struct ReuseCounts: Equatable {
  var bins: [Key: UInt64] = [:]
  var firstTouches: [AccessClass: UInt64] = [:]

  init() {}

  init(_ window: ReuseWindow) {
    for kind in AccessClass.allCases {
      for bin in 0..<ReuseBins.count where window.reuses(kind, bin: bin) > 0 {
        bins[Key(kind: kind, bin: bin)] = window.reuses(kind, bin: bin)
      }
      let first = window.firstTouches[Int(kind.rawValue)]
      if first > 0 { firstTouches[kind] = first }
    }
  }
}

/// Accesses to hot and cold pages, some of them far up in the address space.
func randomStream(_ count: Int, pages: Int, seed: UInt64) -> [PageAccess] {
  var state = seed
  func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state >> 33
  }
  return (0..<count).map { _ in
    let isHot = next() % 4 != 0
    let page = isHot ? next() % UInt64(max(pages / 16, 1)) : next() % UInt64(pages)
    let kind = AccessClass.allCases[Int(next() % 3)]
    return PageAccess(page: page &* 0x1_0000_0001 &+ (page % 3 == 0 ? 1 << 51 : 0), class: kind)
  }
}

struct ReuseRecorderTests {
  @Test(arguments: [(1, 1), (500, 3), (5000, 700), (20_000, 6000)])
  func reuseTimesAreThoseOfASearchBack(count: Int, pages: Int) {
    let stream = randomStream(count, pages: pages, seed: UInt64(count))
    var recorder = ReuseRecorder(windowLength: 1 << 40)
    // Batches of odd sizes: where they end must not matter.
    var start = 0
    while start < count {
      let end = min(count, start + 997)
      recorder.record(Array(stream[start..<end]))
      start = end
    }
    let profile = recorder.finish(source: .accesses)
    #expect(profile.windows.count == 1)
    #expect(profile.windows.first.map { ReuseCounts($0) } == plainReuses(stream, 0..<count))
    #expect(profile.pages == Set(stream.map(\.page)).count)
  }

  @Test func aWindowCountsItsOwnAccessesWithReusesFromBefore() {
    let stream = randomStream(4000, pages: 300, seed: 5)
    var recorder = ReuseRecorder(windowLength: 1500)
    recorder.record(stream)
    let profile = recorder.finish(source: .accesses)
    let ranges = [0..<1500, 1500..<3000, 3000..<4000]
    #expect(profile.windows.map { ReuseCounts($0) } == ranges.map { plainReuses(stream, $0) })
  }

  @Test func aShortLastWindowJoinsTheOneBefore() {
    let stream = randomStream(2100, pages: 50, seed: 6)
    var recorder = ReuseRecorder(windowLength: 1000)
    recorder.record(stream)
    #expect(recorder.finish(source: .accesses).windows.map(\.accesses) == [1000, 1100])
  }

  @Test func windowsAreJoinedWhenThereAreTooMany() {
    let stream = randomStream(60_000, pages: 50, seed: 7)
    var recorder = ReuseRecorder(windowLength: 100)
    recorder.record(stream)
    let profile = recorder.finish(source: .accesses)
    #expect(profile.accesses == 60_000)
    #expect(profile.windows.count < ReuseRecorder.windowsMax)
    #expect(profile.windows.dropLast().allSatisfy { $0.accesses == 200 })
    #expect(profile.windows.count == 300)
  }

  @Test func followedPagesStandForAll() {
    let stream = randomStream(200_000, pages: 40_000, seed: 8)
    var all = ReuseRecorder()
    var some = ReuseRecorder(interval: 8)
    all.record(stream)
    some.record(stream)
    let (exact, sampled) = (all.finish(source: .accesses), some.finish(source: .accesses))
    #expect(sampled.pages < exact.pages / 6 && sampled.pages > exact.pages / 10)
    // Sampling must not change how many accesses there are of each class.
    for kind in AccessClass.allCases {
      #expect(sampled.windows[0].accesses(kind) == exact.windows[0].accesses(kind))
    }
    let curves = [exact, sampled].map { WalkCurve(FootprintCurve($0.windows[0]), entries: 2048) }
    for gap: UInt64 in [3000, 30_000] {
      let (a, b) = (curves[0].flushWalks(gap: gap), curves[1].flushWalks(gap: gap))
      #expect(abs(b / a - 1) < 0.1, "gap \(gap): exact \(a), sampled \(b)")
    }
  }

  @Test func aBatchOfNothingChangesNothing() {
    var recorder = ReuseRecorder()
    recorder.record([])
    #expect(recorder.finish(source: .accesses).windows.isEmpty)
  }
}

struct ReuseBinsTests {
  @Test func binsCoverAllTimesInOrder() {
    for bin in 1..<ReuseBins.count {
      let lower = ReuseBins.lowerBound(of: bin)
      let upper = ReuseBins.lowerBound(of: bin + 1)
      #expect(lower < upper)
      #expect(ReuseBins.index(of: lower) == bin)
      #expect(ReuseBins.index(of: upper - 1) == bin)
    }
    #expect(ReuseBins.index(of: .max) == ReuseBins.count - 1)
  }

  @Test func binningCostsLittleAccuracy() {
    // Walks per flush from unbinned reuse times, by their definition: the u-th access behind a flush
    // walks if its page was last touched before the flush.
    let stream = randomStream(60_000, pages: 3000, seed: 9)
    var last: [UInt64: Int] = [:]
    var times: [UInt64] = []
    for (index, access) in stream.enumerated() {
      times.append(last[access.page].map { UInt64(index - $0) } ?? .max)
      last[access.page] = index
    }
    var recorder = ReuseRecorder()
    recorder.record(stream)
    let curve = FootprintCurve(recorder.finish(source: .accesses).windows[0])
    for gap: UInt64 in [1, 2, 63, 64, 65, 100, 333, 1000, 3333, 10_000, 54_321] {
      let exact = times.reduce(0) { $0 + Double(min($1, gap)) } / Double(stream.count)
      let binned = curve.footprint(in: gap)
      #expect(abs(binned / exact - 1) < 0.002, "gap \(gap): exact \(exact), binned \(binned)")
    }
  }
}
