import Machine
import Testing
import TraceEvents

@testable import Replay
@testable import Reporting

/// What the time section says of outcomes made by hand: 300 interrupts and 50 sends are recorded, the
/// policy leaves 30 and 5.
@Suite struct TimeSectionTests {
  private func data(
    _ costs: CostTable = .standard, walks: [String: WalkRange] = [:], waits: InitiatorWaits? = nil,
    unit: TimeUnit = SampleOutcome.unit
  ) -> [String: JSONValue] {
    var reconstruction = ReconstructionCounts()
    if let waits { reconstruction.initiatorWaits = waits }
    let outcome = Outcome(
      policies: [SampleOutcome.recorded(), SampleOutcome.policy("luf-v10", nil)],
      reconstruction: reconstruction)
    let section = TimeSection(SampleOutcome.trace(unit), outcome, costs, walks: walks)
    guard case .object(let members) = section.data() else { return [:] }
    return members
  }

  private func policy(_ data: [String: JSONValue], _ index: Int) -> [String: JSONValue] {
    guard case .array(let policies)? = data["policies"], index < policies.count,
      case .object(let members) = policies[index]
    else { return [:] }
    return members
  }

  private func number(_ value: JSONValue?, _ name: String) -> Double? {
    guard case .object(let members)? = value else { return nil }
    switch members[name] {
    case .integer(let number): return Double(number)
    case .number(let number): return number
    default: return nil
    }
  }

  @Test func timesAreCountsTimesCosts() {
    let all = data()
    let recorded = policy(all, 0)
    #expect(number(recorded["receivers"], "expected") == 360_000)
    #expect(number(recorded["receivers"], "upper") == 634_800)
    #expect(number(recorded["initiators"], "expected") == 105_000)
    let luf = policy(all, 1)
    // 3 flushes without interrupts are in the sample's ledger.
    // 5 * 1500 + 30 * 100 + 3 * 1000, and 45 * 1500 + 270 * (100 + 1200) - 3 * 1000.
    #expect(number(luf["initiators"], "expected") == 13_500)
    #expect(number(luf["saved"], "expected") == 415_500)
    #expect(luf["refills"] == .null)
  }

  /// A send without a receiver does not wait: of four recorded ones, one had none.
  @Test func sendsThatInterruptNobodyCostNothing() {
    var waits = InitiatorWaits()
    for _ in 0..<3 { waits.note(start: 0, answered: 10, receivers: 2) }
    waits.note(start: 0, answered: 0, receivers: 0)
    #expect(waits.waitingShare == 0.75)
    #expect(policy(data(waits: waits), 0)["sends"] == .number(37.5))
  }

  @Test func walksComeInWhereTheyAreKnown() {
    let walks = [
      "recorded": WalkRange(lower: 900, expected: 1000, upper: 1100),
      "luf-v10": WalkRange(lower: 100, expected: 200, upper: 300),
    ]
    let luf = policy(data(walks: walks), 1)
    #expect(number(luf["refills"], "lower") == 2000)
    #expect(number(luf["refills"], "expected") == 8000)
    #expect(number(luf["refills"], "upper") == 30_000)
  }

  /// Forty waits of 1 us and 50 ns a receiver replace what is chosen, unless the user knows better.
  @Test func recordedWaitsReplaceChosenCosts() throws {
    var waits = InitiatorWaits()
    for index in 0..<40 {
      let receivers = index % 4 + 1
      waits.note(start: 100, answered: 1100 + UInt64(50 * receivers), receivers: receivers)
    }
    let fitted = policy(data(waits: waits), 0)
    #expect(number(fitted["initiators"], "expected") == 65_000)
    var own = CostTable.standard
    try own.set("send_base=7")
    let given = policy(data(own, waits: waits), 0)
    #expect(number(given["initiators"], "expected") == 30_350)
    // Ticks of an unknown rate are no nanoseconds.
    let ticks = policy(data(waits: waits, unit: .ticks), 0)
    #expect(number(ticks["initiators"], "expected") == 105_000)
    #expect(ticks["share_of_cpu_time"] == .null)
  }

  @Test(arguments: [
    (0.0, "0.000"), (999.4, "0.001"), (1_234_567, "1.23"), (45_678_901, "45.7"),
    (-45_678_901, "-45.7"), (9_876_543_210, "9,877"), (1e30, "very long"),
  ]) func timesAreReadable(_ nanoseconds: Double, _ text: String) {
    #expect(TimeSection.milliseconds(nanoseconds) == text)
  }
}
