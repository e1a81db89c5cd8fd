import Machine
import Testing
import TraceEvents

/// Fully associative LRU with flushes, as a textbook has it: a list, the latest page first.
private struct PlainLRU {
  let entries: Int
  var pages: [UInt64] = []
  var walks: [AccessClass: Int] = [:]

  init(_ entries: Int) { self.entries = entries }

  mutating func access(_ access: PageAccess) {
    if let place = pages.firstIndex(of: access.page) {
      pages.remove(at: place)
    } else {
      walks[access.class, default: 0] += 1
      if pages.count == entries { pages.removeLast() }
    }
    pages.insert(access.page, at: 0)
  }
}

struct FootprintCurveTests {
  private static func curve(_ stream: [PageAccess]) -> FootprintCurve {
    var recorder = ReuseRecorder()
    recorder.record(stream)
    return FootprintCurve(recorder.finish(source: .accesses).windows[0])
  }

  @Test(arguments: 1...4)
  func footprintGrowsEverMoreSlowly(seed: UInt64) {
    let curve = Self.curve(randomStream(20_000, pages: 2000, seed: seed))
    #expect(curve.footprint(in: 0) == 0)
    #expect(abs(curve.footprint(in: 1) - 1) < 1e-12)
    var (before, growth) = (0.0, Double.infinity)
    for time: UInt64 in 1...30_000 {
      let now = curve.footprint(in: time)
      #expect(now - before >= -1e-9 && now - before <= growth + 1e-9, "t \(time)")
      (before, growth) = (now, now - before)
    }
  }

  @Test func missSharesAreTheSlopeOfTheFootprint() {
    let curve = Self.curve(randomStream(20_000, pages: 2000, seed: 9))
    for time: UInt64 in [0, 1, 10, 64, 100, 1000, 5000] {
      let shares = AccessClass.allCases.map { curve.missShare($0, after: time) }.reduce(0, +)
      let slope = curve.footprint(in: time + 1) - curve.footprint(in: time)
      #expect(abs(shares - slope) < 1e-9, "t \(time)")
    }
  }

  @Test func residenceIsWhereTheFootprintFillsTheTLB() throws {
    let curve = Self.curve(randomStream(50_000, pages: 2000, seed: 3))
    let residence = try #require(curve.residence(entries: 500))
    #expect(curve.footprint(in: residence) >= 500)
    #expect(curve.footprint(in: residence - 1) < 500)
    // 40 pages, all touched early: 500 entries never fill up, but first touches count on for ever.
    let small = Self.curve(Array(repeating: PageAccess(page: 7, class: .load), count: 100))
    #expect(small.residence(entries: 3) != nil)
    #expect(WalkCurve(small, entries: 3).baseWalks(.load) == 0.01)
  }

  @Test func withoutFlushesTheBaseIsThatOfPlainLRU() {
    // 64 entries against 400 pages: capacity misses; the formula takes reuses as independent of what
    // lies between them, which a random stream is.
    let stream = randomStream(60_000, pages: 400, seed: 4)
    var plain = PlainLRU(64)
    stream.forEach { plain.access($0) }
    let walks = WalkCurve(Self.curve(stream), entries: 64)
    for kind in AccessClass.allCases {
      let exact = Double(plain.walks[kind] ?? 0)
      let base = walks.baseWalks(kind) * Double(stream.count)
      #expect(exact > 1000)
      #expect(abs(base / exact - 1) < 0.01, "\(kind): exact \(exact), base \(base)")
    }
  }

  @Test func whereEverythingFitsTheBaseIsFirstTouches() {
    let stream = randomStream(5000, pages: 30, seed: 5)
    var plain = PlainLRU(64)
    stream.forEach { plain.access($0) }
    let walks = WalkCurve(Self.curve(stream), entries: 64)
    for kind in AccessClass.allCases {
      let base = walks.baseWalks(kind) * 5000
      #expect(abs(base - Double(plain.walks[kind] ?? 0)) < 1e-6)
    }
  }

  @Test func walksPerFlushHaveTheirLimits() {
    let walks = WalkCurve(Self.curve(randomStream(50_000, pages: 2000, seed: 6)), entries: 256)
    // No access between two flushes, no walk; one access, one walk less the base share.
    #expect(walks.flushWalks(gap: 0) == 0)
    let base = AccessClass.allCases.map { walks.baseWalks($0) }.reduce(0, +)
    #expect(abs(walks.flushWalks(gap: 1) - (1 - base)) < 1e-12)
    // A flush loses no more than there is, and beyond T_C nothing more.
    var before = 0.0
    for gap: UInt64 in [1, 3, 10, 100, 1000, 10_000, 100_000, .max] {
      let now = walks.flushWalks(gap: gap)
      #expect(now >= before && now <= 256.000001)
      before = now
    }
    let residence = walks.residence ?? 0
    #expect(residence > 256)
    #expect(walks.flushWalks(gap: residence) == walks.flushWalks(gap: .max))
  }
}
