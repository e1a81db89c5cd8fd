import Machine
import Replay
import TraceEvents

/// The time that shootdowns take under each policy, from counts and costs with ranges.
struct TimeSection {
  private struct Row {
    var name: String
    var counts: CostCounts
    var fewest: CostCounts
    var most: CostCounts
  }

  private let trace: TraceDescription
  private let costs: CostTable
  private let estimate: TimeEstimate
  private let rows: [Row]
  private let missing: [String]
  private let migrated: Int?

  /// `walks` holds the page walks of policies by name, as far as a model of TLBs gives them.
  init(
    _ trace: TraceDescription, _ outcome: Outcome, _ costs: CostTable,
    walks: [String: WalkRange] = [:], migrated: Int? = nil
  ) {
    self.trace = trace
    // Where csd events do not show every receiver, a wait may end behind the last one seen.
    let isExact = outcome.policies.first?.rowUpper != nil
    let waits = isExact ? outcome.reconstruction.initiatorWaits : InitiatorWaits()
    self.costs = Self.fitted(costs, waits, trace.instanceFacts)
    self.migrated = migrated
    estimate = TimeEstimate(self.costs)
    let share = waits.waitingShare
    rows = outcome.policies.compactMap {
      Self.row($0, walks[$0.name], share: share, cpus: trace.cpus)
    }
    missing = outcome.policies.filter { $0.figures == nil }.map(\.name)
  }

  /// What the trace shows of waits is taken before what is chosen, and after what the user says.
  private static func fitted(
    _ costs: CostTable, _ waits: InitiatorWaits, _ instance: TraceInstance
  ) -> CostTable {
    guard case .nanoseconds = instance.timeUnit, !costs.isSet("send_base"),
      !costs.isSet("send_each"),
      let fit = WaitFit(
        count: waits.count, receivers: waits.receivers, receiversSquared: waits.receiversSquared,
        waits: waits.waits, waitsSquared: waits.waitsSquared, products: waits.products,
        receive: costs["receive"]?.upper ?? 0)
    else { return costs }
    var fitted = costs
    try? fitted.set("send_base", fit.base, .trace)
    try? fitted.set("send_each", fit.each, .trace)
    return fitted
  }

  /// A send is announced before lazy CPUs are left out, so not each one waits (Linux 6.12
  /// `flush_tlb_multi`): as many in a hundred as recorded ones, and never more than interrupts. Where
  /// that is not recorded, an interrupt each is the most, and all CPUs at once the fewest.
  private static func row(
    _ policy: PolicyOutcome, _ walks: WalkRange?, share: Double?, cpus: Int
  ) -> Row? {
    guard let figures = policy.figures else { return nil }
    let sends = Double(ReplayReport.total(figures, .remoteSendIPI))
    let total = figures.tlbRowTotal
    let waiting = min(sends * (share ?? 1), Double(total))
    /// Sends move with the interrupts: what is not shown of one is not shown of the other.
    func counts(_ interrupts: Int, _ sends: Double) -> CostCounts {
      var counts = CostCounts(
        sends: 0, interrupts: interrupts, broadcasts: figures.ledger.broadcasts, walks: walks)
      counts.sends = total > 0 ? sends * Double(interrupts) / Double(total) : sends
      return counts
    }
    let together = Double(total) / Double(max(cpus - 1, 1))
    return Row(
      name: policy.name, counts: counts(total, waiting),
      fewest: counts(
        min(policy.rowLower ?? total, total), share == nil ? min(together, waiting) : waiting),
      most: counts(max(policy.rowUpper ?? total, total), waiting))
  }

  /// CPU time of a policy's shootdowns, ns, as the table has it; nil where its counts are not known.
  func total(_ policy: String) -> TimeRange? {
    rows.first { $0.name == policy }.map { row in
      TimeRange(
        lower: estimate.total(row.fewest).lower, expected: estimate.total(row.counts).expected,
        upper: estimate.total(row.most).upper)
    }
  }

  // MARK: Text

  func section() -> Report.Section {
    var blocks: [Report.Block] = []
    if let before = rows.first {
      blocks.append(.table(times()))
      if rows.count > 1 { blocks.append(.table(savings(before))) }
    }
    if !missing.isEmpty {
      blocks.append(.note("Not observable in this trace: \(missing.joined(separator: ", "))."))
    }
    blocks.append(.note(explanation))
    blocks.append(.facts(parameters()))
    if let migrated, migrated > 0 {
      let range = estimate.migrations(migrated)
      blocks.append(
        .note(
          "Migrations, the same under every policy: \(ReplayReport.count(migrated)) pages, "
            + "\(Self.milliseconds(range.lower)) to \(Self.milliseconds(range.upper)) ms, "
            + "expected \(Self.milliseconds(range.expected)) ms [modelled]."))
    }
    return Report.Section("Time in shootdowns [modelled]", blocks)
  }

  private var hasWalks: Bool { rows.contains { $0.counts.walks != nil } }

  private func times() -> Report.Table {
    var columns = ["policy", "sends", "waiting", "handling"]
    if hasWalks { columns.append("refills") }
    columns += ["all, ms", "range"]
    if cpuTime != nil { columns.append("CPU %") }
    let cells = rows.map { row -> [String] in
      let low = estimate.total(row.fewest).lower
      let high = estimate.total(row.most).upper
      let all = estimate.total(row.counts).expected
      var cells = [
        row.name, ReplayReport.count(Int(row.counts.sends.rounded())),
        Self.milliseconds(estimate.initiators(row.counts).expected),
        Self.milliseconds(estimate.receivers(row.counts).expected),
      ]
      if hasWalks {
        cells.append(estimate.refills(row.counts).map { Self.milliseconds($0.expected) } ?? "-")
      }
      cells += [Self.milliseconds(all), "\(Self.milliseconds(low))..\(Self.milliseconds(high))"]
      if let cpuTime { cells.append(Self.decimals(all / cpuTime * 100, 3)) }
      return cells
    }
    return Report.Table(columns: columns, rows: cells)
  }

  private func savings(_ before: Row) -> Report.Table {
    let swings = rows.dropFirst().map {
      estimate.swings(before.counts, $0.counts, fewest: $0.fewest, most: $0.most)
    }
    var names: [String] = []
    for swing in swings.joined() where !names.contains(swing.name) { names.append(swing.name) }
    let cells = zip(rows.dropFirst(), swings).map { row, swings -> [String] in
      let saved = estimate.saved(
        before.counts, row.counts, fewest: row.fewest, most: row.most)
      return [
        row.name, Self.milliseconds(saved.expected),
        "\(Self.milliseconds(saved.lower))..\(Self.milliseconds(saved.upper))",
      ]
        + names.map { name in
          swings.first { $0.name == name }.map { Self.milliseconds($0.size) } ?? ""
        }
    }
    return Report.Table(
      columns: ["saved by", "ms", "range"] + names.map { "by \($0)" }, rows: cells)
  }

  private var explanation: String {
    var text =
      "Milliseconds of all CPUs together. sends: those that wait for somebody; waiting: "
      + "initiators, sends * send_base + interrupts * send_each; handling: receivers, interrupts * receive. range: every cost at its worst end, "
      + "and the TLB row at its bounds. by NAME: how far what is saved moves while NAME alone goes "
      + "from its lower to its upper end; row is the bounds of the TLB row. "
    if !hasWalks {
      text += "Refills of the TLB are not in it: misses are not known from this trace. "
    }
    if cpuTime != nil { text += "CPU %: of the window's time on all CPUs. " }
    text += "Time saved is CPU time, not run time: what waits for what is not modelled."
    if costs.parameters.contains(where: { $0.origin == .trace }) {
      text +=
        " Costs of origin trace are in the trace's clock [derived]: an emulator's may count "
        + "instructions."
    }
    return text
  }

  private func parameters() -> [(name: String, value: String)] {
    costs.parameters.filter { isUsed($0.name) }.map { parameter in
      let range = parameter.range
      return (
        parameter.name,
        "\(Self.decimals(range.expected, 0)) \(parameter.unit) "
          + "(\(Self.decimals(range.lower, 0))..\(Self.decimals(range.upper, 0))), "
          + "\(parameter.origin.rawValue), confidence \(range.confidence.rawValue): "
          + "\(parameter.meaning); \(range.source)"
      )
    }
  }

  private func isUsed(_ name: String) -> Bool {
    switch name {
    case "walk": hasWalks
    case "broadcast": rows.contains { $0.counts.broadcasts > 0 }
    case "migrate_page": migrated ?? 0 > 0
    default: true
    }
  }

  /// The window's time on all CPUs, ns; nil where times are no nanoseconds.
  private var cpuTime: Double? {
    guard trace.instanceFacts.timeUnit.isNanoseconds, trace.cpus > 0 else { return nil }
    let span: (UInt64, UInt64)
    if let window = trace.countedSpan {
      span = (window.start, window.end)
    } else if let first = trace.whole.firstTime, let last = trace.whole.lastTime {
      span = (first, last)
    } else {
      return nil
    }
    return span.1 > span.0 ? Double(span.1 - span.0) * Double(trace.cpus) : nil
  }

  // MARK: JSON

  func data() -> JSONValue {
    .object([
      "unit": .string("ns"), "grade": .string(Grade.modelled.rawValue),
      "cpu_time": cpuTime.map { Self.number($0) } ?? .null,
      "parameters": .array(costs.parameters.map(Self.parameter)),
      "policies": .array(rows.indices.map(policyData)),
      "migrations": migrated.map { Self.range(estimate.migrations($0)) } ?? .null,
      "not_observable": .array(missing.map { .string($0) }),
    ])
  }

  private func policyData(_ index: Int) -> JSONValue {
    let row = rows[index]
    var total = estimate.total(row.counts)
    total.lower = estimate.total(row.fewest).lower
    total.upper = estimate.total(row.most).upper
    var members: [String: JSONValue] = [
      "name": .string(row.name), "sends": Self.number(row.counts.sends),
      "interrupts": Self.number(row.counts.interrupts),
      "broadcasts": Self.number(row.counts.broadcasts),
      "initiators": Self.range(estimate.initiators(row.counts)),
      "receivers": Self.range(estimate.receivers(row.counts)),
      "refills": estimate.refills(row.counts).map(Self.range) ?? .null,
      "total": Self.range(total), "grade": .string(Grade.modelled.rawValue),
      "saved": .null, "sensitivity": .array([]),
    ]
    members["share_of_cpu_time"] =
      cpuTime.map { time in
        Self.range(
          TimeRange(
            lower: total.lower / time, expected: total.expected / time, upper: total.upper / time))
      } ?? .null
    guard index > 0 else { return .object(members) }
    members["saved"] = Self.range(
      estimate.saved(rows[0].counts, row.counts, fewest: row.fewest, most: row.most))
    let swings = estimate.swings(
      rows[0].counts, row.counts, fewest: row.fewest, most: row.most)
    members["sensitivity"] = .array(
      swings.map {
        .object([
          "parameter": .string($0.name), "saved_at_lower": Self.number($0.atLower),
          "saved_at_upper": Self.number($0.atUpper), "swing": Self.number($0.size),
        ])
      })
    return .object(members)
  }

  private static func parameter(_ parameter: CostParameter) -> JSONValue {
    let range = parameter.range
    return .object([
      "name": .string(parameter.name), "meaning": .string(parameter.meaning),
      "unit": .string(parameter.unit), "expected": number(range.expected),
      "lower": number(range.lower), "upper": number(range.upper),
      "source": .string(range.source), "confidence": .string(range.confidence.rawValue),
      "origin": .string(parameter.origin.rawValue),
      "grade": .string((parameter.origin == .trace ? Grade.derived : .modelled).rawValue),
    ])
  }

  private static func range(_ range: TimeRange) -> JSONValue {
    .object([
      "lower": number(range.lower), "expected": number(range.expected),
      "upper": number(range.upper), "grade": .string(Grade.modelled.rawValue),
    ])
  }

  /// A thousandth of a nanosecond says nothing; whole numbers stay whole.
  private static func number(_ value: Double) -> JSONValue {
    guard value.magnitude < 1e15 else { return value.isFinite ? .number(value) : .null }
    let isShare = value.magnitude < 10
    let scale = isShare ? 1e9 : 1e3
    let rounded = (value * scale).rounded() / scale
    return rounded == rounded.rounded() ? .integer(Int64(rounded)) : .number(rounded)
  }

  // MARK: Words

  /// Nanoseconds as milliseconds: three digits that mean something.
  static func milliseconds(_ nanoseconds: Double) -> String {
    let value = nanoseconds / 1e6
    let size = value.magnitude
    return decimals(value, size < 1 ? 3 : size < 10 ? 2 : size < 100 ? 1 : 0)
  }

  /// A number with so many decimals, rounded to nearest, grouped.
  static func decimals(_ value: Double, _ places: Int) -> String {
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    let scaled = (value.magnitude * scale).rounded()
    guard scaled < 1e18 else { return value < 0 ? "-very long" : "very long" }
    let whole = UInt64(scaled)
    let unit = UInt64(scale)
    let sign = value < 0 && whole > 0 ? "-" : ""
    guard places > 0 else { return sign + whole.grouped }
    let fraction = String(whole % unit)
    let zeros = String(repeating: "0", count: places - fraction.count)
    return "\(sign)\((whole / unit).grouped).\(zeros)\(fraction)"
  }
}
