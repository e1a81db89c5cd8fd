public import Machine
public import TraceEvents

#if canImport(Glibc)
  import Glibc
#endif

extension TLBGeometry {
  /// A TLB of `entries`, so small that working sets do not fit: one level in effect, for an entry in
  /// front of it is nothing.
  public static func small(_ entries: Int) -> TLBGeometry {
    let single = TLBArray(1, .small, source: "chosen")
    return TLBGeometry(
      fetch: [single], load: [single], store: [single],
      second: [TLBArray(entries, .small, source: "chosen")], pagingStructures: [])
  }
}

/// How flushes follow each other.
public enum GapPattern: String, Sendable {
  /// Always the same gap.
  case periodic
  /// Gaps of a Poisson process.
  case poisson
}

/// Walks that flushes make: exactly simulated, and by the formula.
public struct FormulaComparison: Sendable {
  /// Mean gap, in accesses.
  public let gap: Int
  /// How gaps vary around it.
  public let pattern: GapPattern
  /// Full flushes in the run.
  public let flushes: Int
  /// Walks per flush beyond those of the same stream without flushes.
  public let exact: Double
  /// The formula's.
  public let predicted: Double

  /// (predicted - exact) / exact.
  public var error: Double { exact == 0 ? (predicted == 0 ? 0 : 1) : predicted / exact - 1 }
}

/// A stream with its profile and its exact walks, ready for comparisons.
public struct FormulaCheck: Sendable {
  /// The stream.
  public let accesses: [PageAccess]
  /// Its reuse times.
  public let profile: ReuseProfile
  /// Of each window, its walks by the formula.
  public let curves: [WalkCurve]
  /// Walks without flushes.
  public let base: ClassCounts
  private let geometry: TLBGeometry

  /// Profiles `accesses` in windows of `windowLength`; all 4 KiB entries of the second level count.
  public init(
    _ accesses: [PageAccess], geometry: TLBGeometry, entries: Int, windowLength: UInt64
  ) {
    self.accesses = accesses
    self.geometry = geometry
    var recorder = ReuseRecorder(windowLength: windowLength)
    recorder.record(accesses)
    profile = recorder.finish(source: .accesses)
    curves = profile.windows.map { WalkCurve(FootprintCurve($0), entries: entries) }
    var buffers = TranslationBuffers(geometry)
    buffers.access(accesses)
    base = buffers.counts.walks
  }

  /// The least residence time of all windows, in accesses; nil if everything fits.
  public var residence: UInt64? { curves.compactMap(\.residence).min() }

  /// Walks of `class` without flushes by the formula.
  public func predictedBase(_ class: AccessClass) -> Double {
    zip(curves, profile.windows).reduce(0) { sum, part in
      sum + part.0.baseWalks(`class`) * Double(part.1.accesses)
    }
  }

  /// Simulates flushes every `gap` accesses and compares; the sum of `runs` runs with gaps of their
  /// own, since where a few hundred flushes fall in a short stream is chance.
  public func compare(gap: Int, pattern: GapPattern, runs: Int = 1) -> FormulaComparison {
    let all = (0..<max(runs, 1)).map { compare(gap, pattern, seed: UInt64(gap + $0)) }
    let flushes = all.map(\.flushes).reduce(0, +)
    func mean(_ figure: (FormulaComparison) -> Double) -> Double {
      all.reduce(0) { $0 + figure($1) * Double($1.flushes) } / Double(max(flushes, 1))
    }
    return FormulaComparison(
      gap: gap, pattern: pattern, flushes: flushes, exact: mean(\.exact),
      predicted: mean(\.predicted))
  }

  private func compare(_ gap: Int, _ pattern: GapPattern, seed: UInt64) -> FormulaComparison {
    var generator = Generator(state: seed)
    var buffers = TranslationBuffers(geometry)
    var predicted = 0.0
    var flushes = 0
    accesses.withUnsafeBufferPointer { accesses in
      var at = 0
      // Up to the first flush both runs are the same.
      while at < accesses.count {
        let length = min(pattern == .periodic ? gap : generator.gap(gap), accesses.count - at)
        buffers.access(UnsafeBufferPointer(rebasing: accesses[at..<at + length]))
        if at > 0 { predicted += walks(gap: length, at: at) }
        at += length
        guard at < accesses.count else { break }
        buffers.flushNonGlobal()
        flushes += 1
      }
    }
    let extra = Double(buffers.counts.walks.total) - Double(base.total)
    let count = Double(max(flushes, 1))
    return FormulaComparison(
      gap: gap, pattern: pattern, flushes: flushes, exact: extra / count,
      predicted: predicted / count)
  }

  /// What a flush at access `at` adds: by the window that it lies in.
  private func walks(gap: Int, at: Int) -> Double {
    var start: UInt64 = 0
    for (window, curve) in zip(profile.windows, curves) {
      start += window.accesses
      if UInt64(at) < start { return curve.flushWalks(gap: UInt64(gap)) }
    }
    return curves.last?.flushWalks(gap: UInt64(gap)) ?? 0
  }

  private struct Generator {
    var state: UInt64

    /// The next gap of a Poisson process, at least 1.
    mutating func gap(_ mean: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let uniform = (Double(state >> 11) + 0.5) / Double(1 << 53)
      return max(1, Int((-log(uniform) * Double(mean)).rounded()))
    }
  }
}
