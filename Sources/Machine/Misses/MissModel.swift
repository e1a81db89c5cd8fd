public import TraceEvents

/// What a run's flushes mean for TLBs: how many, and how far apart on each CPU.
public struct FlushLoad: Sendable, Equatable {
  /// Full flushes that dropped something, by the time until the CPU's next one.
  public struct Gap: Sendable, Equatable {
    /// Nanoseconds until the next full flush of the same CPU.
    public var nanoseconds: Double
    /// How many flushes have that gap.
    public var flushes: Double

    /// Flushes with one gap.
    public init(nanoseconds: Double, flushes: Double) {
      self.nanoseconds = max(nanoseconds, 0)
      self.flushes = max(flushes, 0)
    }
  }

  /// Full flushes by gap.
  public var gaps: [Gap]
  /// Pages that flushes of single pages took, over all of them; a flush of no page counts nothing.
  public var rangedPages: Int
  /// CPUs times seconds of the window: what the base walks are for.
  public var cpuSeconds: Double

  /// A load.
  public init(gaps: [Gap], rangedPages: Int, cpuSeconds: Double) {
    self.gaps = gaps
    self.rangedPages = max(rangedPages, 0)
    self.cpuSeconds = max(cpuSeconds, 0)
  }

  /// Joins gaps that differ by less than 3 %, of which a run on many CPUs has many.
  mutating func joinGaps() {
    var joined: [Gap] = []
    for gap in gaps.sorted(by: { ($0.nanoseconds, $0.flushes) < ($1.nanoseconds, $1.flushes) }) {
      guard var last = joined.last, gap.nanoseconds <= last.nanoseconds * 1.03 else {
        joined.append(gap)
        continue
      }
      let flushes = last.flushes + gap.flushes
      if flushes > 0 {
        last.nanoseconds +=
          (gap.nanoseconds - last.nanoseconds) * (gap.flushes / flushes)
      }
      last.flushes = flushes
      joined[joined.count - 1] = last
    }
    gaps = joined
  }

  /// Full flushes.
  public var flushes: Double { gaps.reduce(0) { $0 + $1.flushes } }
}

/// Where the walks per flush come from; everything but an exact simulation is a model.
public enum WalkSource: String, Sendable, CaseIterable {
  /// Reuse times of all accesses of a memory trace.
  case profile
  /// Reuse times of some pages.
  case sampled
  /// Popularity of sampled pages, accesses taken as independent.
  case independent = "IRM"
  /// Walks per flush fitted to counters of a measured run.
  case calibrated
  /// Nothing is known of accesses.
  case none
}

/// A count of walks with its range.
public struct WalkEstimate: Sendable, Equatable {
  /// With the expected parameters.
  public var value: Double
  /// The least and the greatest, over the ranges of the parameters and the phases of the profile.
  public var lower: Double
  /// See ``lower``.
  public var upper: Double

  /// An estimate; the range takes the value in.
  public init(_ value: Double, lower: Double, upper: Double) {
    self.value = value
    self.lower = min(lower, value)
    self.upper = max(upper, value)
  }

  /// Both together.
  public static func + (a: WalkEstimate, b: WalkEstimate) -> WalkEstimate {
    WalkEstimate(a.value + b.value, lower: a.lower + b.lower, upper: a.upper + b.upper)
  }
}

/// Walks of one class in a run.
public struct ClassWalks: Sendable, Equatable {
  /// Walks that would not be without the flushes.
  public var flushMade: WalkEstimate
  /// Walks that happen without any flush.
  public var base: WalkEstimate

  /// All walks; their range can be narrower than both together, where they were measured together.
  public var total: WalkEstimate

  /// Walks of two kinds that are known apart from each other.
  public init(flushMade: WalkEstimate, base: WalkEstimate) {
    self.flushMade = flushMade
    self.base = base
    total = flushMade + base
  }

  /// Walks with `flushes` instead of those of the measured run.
  public init(_ calibration: RefillCalibration, flushes: Double) {
    let perFlush = calibration.walksPerFlush
    flushMade = WalkEstimate(
      perFlush.value * flushes, lower: perFlush.lower * flushes, upper: perFlush.upper * flushes)
    base = calibration.base
    total = calibration.walks(flushes: flushes)
  }
}

/// What is known of a run's flushes when it is not known when each of them happens: three loads
/// between which it lies.
///
/// A policy's flushes are counted for each CPU, their moments are not. The walks of a flush grow with
/// the gap behind it, ever more slowly, so as many flushes make the most when they are evenly spaced,
/// and no fewer than with the shorter gaps of the recorded run, out of which they were thinned.
public struct FlushLoadRange: Sendable, Equatable {
  /// The recorded run's gaps, all longer by the same factor.
  public var expected: FlushLoad
  /// The recorded run's gaps.
  public var lower: FlushLoad
  /// Even gaps.
  public var upper: FlushLoad

  /// A run whose gaps are known.
  public init(_ known: FlushLoad) {
    var known = known
    known.joinGaps()
    expected = known
    lower = known
    upper = known
  }

  /// The run with `changes` of the full flushes of each CPU of `recorded`, over `nanoseconds`.
  public init(
    recorded: [[FlushLoad.Gap]], changes: [Int], rangedPages: Int, nanoseconds: Double
  ) {
    var loads = (0..<3).map { _ in
      FlushLoad(
        gaps: [], rangedPages: rangedPages,
        cpuSeconds: nanoseconds * Double(recorded.count) / 1e9)
    }
    for (cpu, gaps) in recorded.enumerated() {
      let before = gaps.reduce(0) { $0 + $1.flushes }
      let after = max(0, before + Double(cpu < changes.count ? changes[cpu] : 0))
      guard after > 0 else { continue }
      let even = FlushLoad.Gap(nanoseconds: nanoseconds / after, flushes: after)
      loads[2].gaps.append(even)
      guard before > 0 else {
        loads[0].gaps.append(even)
        loads[1].gaps.append(even)
        continue
      }
      let (kept, longer) = (after / before, before / after)
      for gap in gaps {
        // Where flushes were added, it is the new gaps that are the shorter ones.
        loads[0].gaps.append(
          FlushLoad.Gap(nanoseconds: gap.nanoseconds * longer, flushes: gap.flushes * kept))
        loads[1].gaps.append(
          FlushLoad.Gap(
            nanoseconds: gap.nanoseconds * min(1, longer), flushes: gap.flushes * kept))
      }
    }
    for index in loads.indices { loads[index].joinGaps() }
    (expected, lower, upper) = (loads[0], loads[1], loads[2])
  }
}

/// Predicts walks of runs from a reuse profile: the same curves, another list of flushes.
///
/// Takes all CPUs as running the profiled workload all the time, in windows that flushes meet in
/// proportion to their length. A flush of single pages (``FlushLoad/rangedPages``) counts nothing in
/// the value, since what munmap takes is not touched again, and a walk a page in the upper end.
public struct MissModel: Sendable {
  /// Where the curves come from.
  public let source: WalkSource
  /// Entries of the last-level TLB, the expected first; more than one makes a range.
  public let entries: [Int]
  /// Accesses of one CPU to a second.
  public let accessesPerSecond: ParameterRange
  private let curves: [[WalkCurve]]
  private let weights: [Double]

  /// Entries that 4 KiB pages have in a machine, and half of that with a busy sibling.
  public static func entries(_ total: Int, isShared: Bool) -> [Int] {
    isShared && total > 1 ? [total, total / 2] : [total]
  }

  /// What a busy CPU does when nobody measured it: 1.3 accesses to an instruction (lackey on sort and
  /// gzip), 0.05 to 2.2 instructions to a cycle, 3.5 GHz.
  public static let accessesPerSecondDefault = ParameterRange(
    2e9, lower: 0.2e9, upper: 10e9,
    source: "1.3 accesses an instruction, 0.05 to 2.2 instructions a cycle at 3.5 GHz: chosen",
    confidence: .low)

  /// How good a profile's curves are.
  public static func source(of profile: ReuseProfile) -> WalkSource {
    if profile.source == .independent { return .independent }
    return profile.interval > 1 ? .sampled : .profile
  }

  /// A model of `profile`.
  public init(
    _ profile: ReuseProfile, entries: [Int],
    accessesPerSecond: ParameterRange = accessesPerSecondDefault
  ) {
    source = Self.source(of: profile)
    self.entries = entries.isEmpty ? [2048, 1024] : entries
    self.accessesPerSecond = accessesPerSecond
    let all = Double(max(profile.accesses, 1))
    weights = profile.windows.map { Double($0.accesses) / all }
    curves = profile.windows.map { window in
      let curve = FootprintCurve(window)
      return (entries.isEmpty ? [2048, 1024] : entries).map { WalkCurve(curve, entries: $0) }
    }
  }

  /// Walks of `class` under `load`.
  public func walks(_ class: AccessClass, under load: FlushLoad) -> ClassWalks {
    let rates = [accessesPerSecond.expected, accessesPerSecond.lower, accessesPerSecond.upper]
    var flushMade: [Double] = []
    var base: [Double] = []
    for index in entries.indices {
      for rate in rates {
        let made = curves.map { Self.flushMade($0[index], `class`, load, rate) }
        let steady = curves.map { $0[index].baseWalks(`class`) * rate * load.cpuSeconds }
        flushMade += spread(made)
        base += spread(steady)
      }
    }
    let ranged = Double(load.rangedPages)
    return ClassWalks(
      flushMade: WalkEstimate(
        flushMade.first ?? 0, lower: flushMade.min() ?? 0, upper: (flushMade.max() ?? 0) + ranged),
      base: WalkEstimate(base.first ?? 0, lower: base.min() ?? 0, upper: base.max() ?? 0))
  }

  /// The mean over windows, and where they lie but for a tenth of the accesses at either end: which
  /// phase the flushes met is not known.
  private func spread(_ values: [Double]) -> [Double] {
    let mean = zip(values, weights).reduce(0) { $0 + $1.0 * $1.1 }
    let sorted = zip(values, weights).sorted { $0.0 < $1.0 }
    var ends: [Double] = []
    for share in [0.1, 0.9] {
      var below = 0.0
      let found = sorted.first {
        below += $0.1
        return below >= share
      }
      ends.append((found ?? sorted.last)?.0 ?? mean)
    }
    return [mean] + ends
  }

  /// Walks of `class` in a run whose flushes are known as a range.
  public func walks(_ class: AccessClass, under range: FlushLoadRange) -> ClassWalks {
    let expected = walks(`class`, under: range.expected)
    guard range.lower != range.expected || range.upper != range.expected else { return expected }
    let lower = walks(`class`, under: range.lower)
    let upper = walks(`class`, under: range.upper)
    return ClassWalks(
      flushMade: WalkEstimate(
        expected.flushMade.value, lower: min(lower.flushMade.lower, expected.flushMade.lower),
        upper: max(upper.flushMade.upper, expected.flushMade.upper)),
      base: expected.base)
  }

  private static func flushMade(
    _ curve: WalkCurve, _ class: AccessClass, _ load: FlushLoad, _ rate: Double
  ) -> Double {
    load.gaps.reduce(0) { sum, gap in
      sum + gap.flushes * curve.flushWalks(`class`, gap: Self.accesses(gap, rate))
    }
  }

  private static func accesses(_ gap: FlushLoad.Gap, _ rate: Double) -> UInt64 {
    let accesses = gap.nanoseconds * rate / 1e9
    return accesses < Double(1 << 60) ? UInt64(accesses.rounded()) : 1 << 60
  }

  /// Walks of all classes together that `load` can make at the most, whatever the workload does: a
  /// flush costs min(entries, accesses until the next), and a flushed page one.
  public static func bound(
    _ load: FlushLoad, entries: [Int],
    accessesPerSecond: ParameterRange = accessesPerSecondDefault
  ) -> Double {
    let most = Double(entries.max() ?? 2048)
    return load.gaps.reduce(Double(load.rangedPages)) { sum, gap in
      let accesses = (gap.nanoseconds * accessesPerSecond.upper / 1e9).rounded(.up)
      return sum + gap.flushes * min(most, max(accesses, 0))
    }
  }
}

/// Walks per flush fitted to counters: M = B + R F for each class, without any curve.
///
/// Two measured runs with different numbers of flushes give B and R; a single one gives a range of R,
/// from 0 (all walks are base) to M / F (none are). It holds for gaps like the measured ones only: R
/// grows with the gap.
public struct RefillCalibration: Sendable, Equatable {
  /// One measured run: perf stat's walks of one class, and the flush events of the same time.
  public struct Run: Sendable, Equatable {
    /// Completed walks.
    public var walks: Double
    /// Flushes.
    public var flushes: Double

    /// A run.
    public init(walks: Double, flushes: Double) {
      self.walks = walks
      self.flushes = flushes
    }
  }

  /// R: walks per flush.
  public let walksPerFlush: WalkEstimate
  /// B: walks without flushes.
  public let base: WalkEstimate
  private let measured: Run

  /// From one run; nil without flushes or walks. No flush makes more than `walksMax` walks.
  public init?(_ run: Run, walksMax: Double = .infinity) {
    guard run.flushes > 0, run.walks >= 0 else { return nil }
    let most = min(run.walks / run.flushes, walksMax)
    measured = run
    walksPerFlush = WalkEstimate(most / 2, lower: 0, upper: most)
    let least = run.walks - most * run.flushes
    base = WalkEstimate((run.walks + least) / 2, lower: least, upper: run.walks)
  }

  /// From two runs of the same work; nil if their flushes are equal or the fit makes no sense.
  public init?(_ first: Run, _ second: Run) {
    guard first.flushes != second.flushes else { return nil }
    let slope = (first.walks - second.walks) / (first.flushes - second.flushes)
    let intercept = first.walks - slope * first.flushes
    guard slope >= 0, intercept >= 0, slope.isFinite else { return nil }
    measured = first
    walksPerFlush = WalkEstimate(slope, lower: slope, upper: slope)
    base = WalkEstimate(intercept, lower: intercept, upper: intercept)
  }

  /// Walks of the measured run with `flushes` instead of its own.
  public func walks(flushes: Double) -> WalkEstimate {
    let change = flushes - measured.flushes
    let ends = [walksPerFlush.lower, walksPerFlush.upper].map { measured.walks + $0 * change }
    return WalkEstimate(
      max(0, measured.walks + walksPerFlush.value * change), lower: max(0, ends.min() ?? 0),
      upper: max(0, ends.max() ?? 0))
  }
}
