import Machine
import MissChecking
import Testing
import TraceEvents

/// The formula against the exact simulator, on streams that Valgrind makes here: gaps up to a tenth
/// of T_C within 2 %, longer ones within 10 % while a run holds at least 60 flushes.
@Suite(.enabled(if: AccessCapture.isPossible, "valgrind is not there: Tools/setup --test"))
struct MissFormulaTests {
  /// Few enough for a simulator without optimisation; Tools/validate-misses takes ten million.
  private static let accesses = 1_000_000

  @Test(arguments: AccessCapture.all)
  func formulaAgreesWithExactSimulation(capture: AccessCapture) throws {
    let machine = try #require(MachineCatalog.machine(named: "sapphire-rapids"))
    let accesses = try capture.accesses(Self.accesses)
    try #require(accesses.count == Self.accesses, "the program ended too early")
    // The second is so small that working sets do not fit: gaps reach T_C there.
    for (geometry, entries) in [(machine.geometry, 2048), (.small(64), 64)] {
      let check = FormulaCheck(
        accesses, geometry: geometry, entries: entries,
        windowLength: ReuseRecorder.windowLengthDefault)
      #expect(check.profile.accesses == UInt64(Self.accesses))
      for (gap, pattern) in [
        (300, GapPattern.periodic), (3000, .periodic), (3000, .poisson), (15_000, .periodic),
      ] {
        let runs = pattern == .poisson ? 3 : 1
        try Self.hold(
          check.compare(gap: gap, pattern: pattern, runs: runs), check.residence, entries)
      }
      for kind in AccessClass.allCases where check.residence.map({ $0 > 1 << 20 }) ?? true {
        // Nothing is ever replaced, so that the base is first touches: equal, not close.
        #expect(abs(check.predictedBase(kind) - Double(check.base[kind])) < 1e-3)
      }
    }
  }

  /// What programs do, and not only chance, with the first hundred thousand accesses of each and a flush
  /// every two thousand.
  @Test(arguments: AccessCapture.all)
  func countsOfProgramsAreTheTextbooks(capture: AccessCapture) throws {
    let accesses = try capture.accesses(100_000)
    for name in ["sapphire-rapids", "zen-4"] {
      let machine = try #require(MachineCatalog.machine(named: name))
      var tlb = TranslationBuffers(machine.geometry)
      var twin = TextbookTLB(machine.geometry, threads: 1, isKernelGlobal: true)
      for start in stride(from: 0, to: accesses.count, by: 2000) {
        let part = Array(accesses[start..<min(start + 2000, accesses.count)])
        tlb.access(part)
        for access in part { twin.access(access, thread: 0, pages: PageMap()) }
        tlb.flushNonGlobal()
        twin.flushNonGlobal(nil, 0)
      }
      #expect(tlb.counts == twin.threads[0].counts, "\(capture.name) on \(name)")
      #expect(tlb.counts.walks.total > 0)
    }
  }

  private static func hold(_ found: FormulaComparison, _ residence: UInt64?, _ entries: Int) throws
  {
    try #require(found.flushes >= 60 && found.exact > 0.5)
    let isShort = residence.map { UInt64(found.gap) <= $0 / 10 } ?? true
    #expect(
      abs(found.error) < (isShort ? 0.02 : 0.1),
      """
      \(entries) entries, gap \(found.gap) \(found.pattern), T_C \(residence ?? 0): \
      \(found.flushes) flushes, exact \(found.exact), formula \(found.predicted)
      """)
  }
}
