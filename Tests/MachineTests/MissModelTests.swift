import Machine
import Testing
import TraceEvents

struct MissModelTests {
  private static func profile(windows: UInt64 = 1 << 40) -> ReuseProfile {
    var recorder = ReuseRecorder(windowLength: windows)
    recorder.record(randomStream(50_000, pages: 4000, seed: 2))
    return recorder.finish(source: .accesses)
  }

  /// One access a nanosecond, nothing else.
  private static let rate = ParameterRange(
    1e9, lower: 1e9, upper: 1e9, source: "test", confidence: .high)

  private static func load(_ gaps: [(Double, Double)], pages: Int = 0) -> FlushLoad {
    FlushLoad(
      gaps: gaps.map { FlushLoad.Gap(nanoseconds: $0.0, flushes: $0.1) }, rangedPages: pages,
      cpuSeconds: 1e-4)
  }

  @Test func walksAreThoseOfTheCurveForEveryGap() {
    let profile = Self.profile()
    let model = MissModel(profile, entries: [512], accessesPerSecond: Self.rate)
    let curve = WalkCurve(FootprintCurve(profile.windows[0]), entries: 512)
    let walks = model.walks(.load, under: Self.load([(300, 5), (40_000, 2)], pages: 9))
    let exact = 5 * curve.flushWalks(.load, gap: 300) + 2 * curve.flushWalks(.load, gap: 40_000)
    #expect(abs(walks.flushMade.value - exact) < 1e-9)
    #expect(abs(walks.flushMade.upper - exact - 9) < 1e-9)
    #expect(walks.flushMade.lower == walks.flushMade.value)
    // 100,000 accesses in the CPU's tenth of a millisecond.
    #expect(abs(walks.base.value - 100_000 * curve.baseWalks(.load)) < 1e-6)
    #expect(model.source == .profile)
  }

  @Test func rangesTakeInEntriesRatesAndWindows() {
    let profile = Self.profile(windows: 10_000)
    #expect(profile.windows.count == 5)
    let wide = MissModel(profile, entries: [1024, 256])
    let load = Self.load([(3000, 10)])
    let found = wide.walks(.load, under: load).flushMade
    for entries in [1024, 256] {
      for rate in [0.2e9, 2e9, 10e9] {
        let fixed = ParameterRange(
          rate, lower: rate, upper: rate, source: "test", confidence: .high)
        for window in profile.windows {
          let one = ReuseProfile(source: .accesses, interval: 1, pages: 1, windows: [window])
          let value = MissModel(one, entries: [entries], accessesPerSecond: fixed)
            .walks(.load, under: load).flushMade.value
          #expect(found.lower <= value + 1e-9 && value - 1e-9 <= found.upper)
        }
      }
    }
    #expect(found.lower < found.value && found.value < found.upper)
  }

  @Test func noModelExceedsTheBound() {
    let load = Self.load([(50, 100), (3000, 20), (1e7, 3)], pages: 5)
    let bound = MissModel.bound(load, entries: [512, 256], accessesPerSecond: Self.rate)
    // min(512, accesses) a flush, and the pages: 50 accesses fit into the first gap.
    let expected: Double = 5000 + 10_240 + 1536 + 5
    #expect(bound == expected)
    let model = MissModel(Self.profile(), entries: [512, 256], accessesPerSecond: Self.rate)
    let unpaged = Self.load([(50, 100), (3000, 20), (1e7, 3)])
    var walks = 0.0
    for kind in AccessClass.allCases { walks += model.walks(kind, under: unpaged).flushMade.upper }
    #expect(walks <= bound)
  }

  @Test func aPolicysWalksLieBetweenRecordedAndEvenGaps() {
    let model = MissModel(Self.profile(), entries: [2048], accessesPerSecond: Self.rate)
    // 90 flushes in a burst, 10 far apart; the policy leaves 10 on one CPU and none on the other.
    let gaps = Self.load([(100, 90), (5000, 10)]).gaps
    let range = FlushLoadRange(
      recorded: [gaps, gaps], changes: [-90, -100], rangedPages: 0, nanoseconds: 59_000)
    #expect(range.expected.flushes == 10 && range.upper.flushes == 10 && range.lower.flushes == 10)
    #expect(range.upper.gaps == [FlushLoad.Gap(nanoseconds: 5900, flushes: 10)])
    #expect(range.expected.gaps.map(\.nanoseconds) == [1000, 50_000])
    #expect(abs(range.expected.cpuSeconds - 2 * 59e-6) < 1e-12)
    let walks = model.walks(.load, under: range).flushMade
    #expect(walks.lower < walks.value && walks.value < walks.upper)
    // More flushes than recorded: gaps get shorter.
    let more = FlushLoadRange(
      recorded: [gaps], changes: [100], rangedPages: 0, nanoseconds: 59_000)
    #expect(more.expected.flushes == 200 && more.lower.gaps[0].nanoseconds == 50)
    // A CPU that the recorded run never flushed.
    let new = FlushLoadRange(recorded: [[]], changes: [4], rangedPages: 0, nanoseconds: 1000)
    #expect(new.expected.gaps == [FlushLoad.Gap(nanoseconds: 250, flushes: 4)])
  }

  @Test func damagedNumbersGiveFiniteWalks() {
    let model = MissModel(Self.profile(), entries: [512])
    let walks = model.walks(.load, under: Self.load([(.greatestFiniteMagnitude, 1e300)]))
    #expect(!walks.flushMade.value.isNaN && walks.flushMade.value > 0)
    let empty = ReuseProfile(source: .accesses, interval: 1, pages: 0, windows: [ReuseWindow()])
    #expect(
      MissModel(empty, entries: [512]).walks(.load, under: Self.load([(1, 1)])).total.value == 0)
  }
}

struct RefillCalibrationTests {
  /// The letter's dTLB-load walks and tlb_flush events per run, without and with lazy unmap flush.
  private static let before = RefillCalibration.Run(walks: 3_163_679_332, flushes: 1_357_543_886)
  private static let after = RefillCalibration.Run(walks: 2_394_694_609, flushes: 69_175_002)

  @Test func twoRunsGiveTheLettersWalksPerFlush() throws {
    let fit = try #require(RefillCalibration(Self.before, Self.after))
    #expect(abs(fit.walksPerFlush.value - 0.5969) < 0.00005)
    #expect(abs(fit.base.value / 2.353e9 - 1) < 0.001)
    #expect(abs(fit.walks(flushes: Self.after.flushes).value / Self.after.walks - 1) < 1e-9)
  }

  @Test func oneRunGivesARangeThatHoldsTheOther() throws {
    let fit = try #require(RefillCalibration(Self.before))
    let walks = fit.walks(flushes: Self.after.flushes)
    #expect(walks.lower < Self.after.walks && Self.after.walks < walks.upper)
    #expect(walks.upper == Self.before.walks)
    #expect(abs(fit.walks(flushes: 0).lower) < 1)
  }

  @Test func noFlushMakesMoreWalksThanTheTLBHasEntries() throws {
    let run = RefillCalibration.Run(walks: 1000, flushes: 10)
    let fit = try #require(RefillCalibration(run, walksMax: 30))
    #expect(fit.walksPerFlush == WalkEstimate(15, lower: 0, upper: 30))
    #expect(fit.base == WalkEstimate(850, lower: 700, upper: 1000))
    #expect(fit.walks(flushes: 0) == WalkEstimate(850, lower: 700, upper: 1000))
    // The measured run has the walks that were measured.
    #expect(ClassWalks(fit, flushes: 10).total == WalkEstimate(1000, lower: 1000, upper: 1000))
  }

  @Test func nonsenseGivesNoFit() {
    typealias Run = RefillCalibration.Run
    #expect(RefillCalibration(Run(walks: 5, flushes: 0)) == nil)
    #expect(RefillCalibration(Run(walks: 5, flushes: 3), Run(walks: 4, flushes: 3)) == nil)
    #expect(RefillCalibration(Run(walks: 5, flushes: 3), Run(walks: 9, flushes: 1)) == nil)
  }
}
