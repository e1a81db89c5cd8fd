import Machine
import Replay
import TraceEvents

/// Which node has how many pages in use over time, and which migrations moved them.
struct MemoryTierSection {
  let trace: TraceDescription
  let tiers: MemoryTiers

  init(_ trace: TraceDescription, _ outcome: TierOutcome) {
    self.trace = trace
    tiers = MemoryTiers(outcome, trace.memory, trace.facts.nodes)
  }

  var outcome: TierOutcome { tiers.outcome }
  var unit: TimeUnit { trace.instanceFacts.timeUnit }
  /// x86-64's base page where the trace does not tell.
  private var pageSize: Int { trace.facts.pageSize ?? 4096 }
  var hasFrameEvents: Bool { outcome.hasAllocations && outcome.hasFrees }

  // MARK: Text

  func section() -> Report.Section {
    var blocks: [Report.Block] = []
    if hasFrameEvents {
      blocks += residency()
    } else {
      blocks.append(
        .note(
          "Residency: not observable in this trace. Record kmem:mm_page_alloc and "
            + "kmem:mm_page_free."))
    }
    blocks += traffic()
    blocks += plots()
    blocks += agreement()
    for problem in trace.memory.problems { blocks.append(.note("Not used: \(problem).")) }
    return Report.Section("Memory tiers\(TLBRowSection.windowLabel(trace))", blocks)
  }

  private func residency() -> [Report.Block] {
    var blocks: [Report.Block] = []
    if tiers.nodes.contains(where: { $0.managed != nil }) {
      let rows = tiers.nodes.filter { $0.managed != nil }.map { node -> [String] in
        let base = (node.usedBefore ?? 0) - node.residency.usedAtStart
        return [
          name(node), node.role.rawValue, count(node.managed), count(node.usedBefore),
          count(node.usedAfter), count(node.residency.usedMin + base),
          count(node.residency.usedMax + base),
        ]
      }
      blocks.append(
        .table(
          Report.Table(
            columns: ["node", "tier", "pages", "in use before", "after", "least", "most"],
            rows: rows)))
    }
    let rows = tiers.nodes.map { node -> [String] in
      let seen = node.residency
      return [
        name(node), count(seen.usedAtStart), count(seen.framesSeen - seen.usedAtStart),
        count(node.framesUnseen), count(seen.allocated), count(seen.freed),
      ]
    }
    blocks.append(
      .table(
        Report.Table(
          columns: ["frames", "known used", "known free", "not named", "allocated", "freed"],
          rows: rows)))
    blocks.append(.note(explanation))
    let facts = tiers.nodes.filter { $0.residency.node != nil }.map {
      (name: name($0), value: "\($0.role.rawValue): \($0.evidence)")
    }
    if !facts.isEmpty { blocks.append(.facts(facts)) }
    for node in tiers.nodes {
      if let series = series(node) { blocks.append(.series(series)) }
    }
    return blocks
  }

  private var explanation: String {
    let snapshot =
      tiers.nodes.contains { $0.managed != nil }
      ? "pages, in use before: /proc/zoneinfo before the window, managed less free [measured]; "
        + "after, least, most: with the trace's allocations and frees [derived]. "
      : "Which frame belongs to which node is not observable in this trace: put copies of "
        + "/proc/zoneinfo before and after beside it (zoneinfo.before, zoneinfo.after). "
    return snapshot
      + "known used, known free: when the window began, of the frames that the trace names "
      + "[derived, by hindsight]; not named: may be either, all the time. allocated, freed: pages "
      + "in the window [measured]."
  }

  /// The level above its least, since most of memory does not change in a window.
  private func series(_ node: TierNode) -> Report.Series? {
    guard let start = outcome.start, node.residency.gains.count > 1 else { return nil }
    let base = (node.usedBefore ?? node.residency.usedAtStart)
    let levels = Self.levels(from: base, node.residency.gains)
    let least = levels.min() ?? 0
    guard let most = levels.max(), most > least else { return nil }
    return plotted(
      name: name(node), values: levels.map { $0 - least },
      caption: "pages in use, from \(count(least)) to \(count(most)), at the end of each "
        + "\(unit.duration(outcome.width)) from \(unit.moment(start)) on [derived]")
  }

  static func levels(from start: Int, _ gains: [Int]) -> [Int] {
    var level = start
    return gains.map {
      level &+= $0
      return level
    }
  }

  private func traffic() -> [Report.Block] {
    guard outcome.hasMigrations else {
      return [
        .note(
          "Migrations: none, or not observable in this trace: no migrate:mm_migrate_pages event. "
            + "Record it and migrate:mm_migrate_pages_start.")
      ]
    }
    var blocks: [Report.Block] = []
    var rows = outcome.flows.map { flow in
      [
        "\(flow.source) to \(flow.target)", label(flow.reason),
        tiers.direction(flow).rawValue, count(flow.pages), mebibytes(flow.pages),
        count(flow.calls),
      ]
    }
    rows += outcome.totals.filter { $0.unplaced > 0 }.map { total in
      // The kernel demotes to lower tiers only, but takes what it gets when those are full.
      [
        "?", label(total.reason), total.reason == .demotion ? "by reason" : "not told",
        count(total.unplaced), mebibytes(total.unplaced), "",
      ]
    }
    if !rows.isEmpty {
      blocks.append(
        .table(
          Report.Table(
            columns: ["nodes", "reason", "direction", "pages", "MiB", "calls"], rows: rows)))
    }
    let failed = outcome.totals.reduce(0) { $0 &+ $1.failed }
    blocks.append(
      .note(
        "pages: succeeded by mm_migrate_pages [measured]; nodes: of the frames that each call "
          + "took and freed [derived]; \(count(failed)) failed."
          + (outcome.callsCut > 0
            ? " Calls without a beginning or an end in the trace: \(count(outcome.callsCut))."
            : "")))
    for direction in [MigrationDirection.promotion, .demotion] {
      if let series = series(direction) { blocks.append(.series(series)) }
    }
    return blocks
  }

  private func series(_ direction: MigrationDirection) -> Report.Series? {
    let values = total(direction)
    guard let start = outcome.start, values.count > 1, values.contains(where: { $0 > 0 }) else {
      return nil
    }
    return plotted(
      name: direction.rawValue, values: values,
      caption:
        "\(count(tiers.pages(direction))) pages, at most \(count(values.max() ?? 0)) in each "
        + "\(unit.duration(outcome.width)) from \(unit.moment(start)) on [derived]")
  }

  private func plotted(name: String, values: [Int], caption: String) -> Report.Series {
    var series = Report.Series(name: name, values: values, caption: caption)
    series.isPlotted = true
    return series
  }

  func total(_ direction: MigrationDirection) -> [Int] {
    var sums: [Int] = []
    for flow in outcome.flows where tiers.direction(flow) == direction {
      if sums.isEmpty { sums = Array(repeating: 0, count: flow.series.count) }
      for index in sums.indices where index < flow.series.count {
        sums[index] &+= flow.series[index]
      }
    }
    return sums
  }

  private func agreement() -> [Report.Block] {
    var rows = tiers.counters.map { counter in
      [
        counter.name, count(counter.counted), count(counter.traced),
        signed(counter.counted - counter.traced), count(counter.lag),
      ]
    }
    if hasFrameEvents {
      rows += tiers.nodes.compactMap { node -> [String]? in
        guard let gained = node.freeGained, let difference = node.difference else { return nil }
        return [
          "node \(node.residency.node ?? 0) free", signed(gained), signed(-node.residency.gain),
          signed(difference), count(node.counterLag ?? 0),
        ]
      }
    }
    guard !rows.isEmpty else { return [] }
    return [
      .table(
        Report.Table(columns: ["counter", "snapshots", "trace", "difference", "lag"], rows: rows)),
      .note(
        "snapshots: after less before, /proc/vmstat and /proc/zoneinfo [measured]; lag: by what the "
          + "kernel's own counter may be late in them. What differs by more lies between the "
          + "snapshots and the window's edges, a call under way there included, or is lost."),
    ]
  }

  // MARK: JSON

  func data() -> JSONValue {
    .object([
      "nodes": .array(tiers.nodes.map(nodeData)),
      "flows": .array(outcome.flows.map(flowData)),
      "migrations": .array(outcome.totals.map(totalData)),
      "promoted": pagesData(.promotion), "demoted": pagesData(.demotion),
      "series_start": outcome.start.map { JSONValue($0) } ?? .null,
      "series_width": JSONValue(outcome.width), "unit": .string(unit.durationUnit),
      "agreement": .array(tiers.counters.map(counterData)),
      "page_size": JSONValue(pageSize),
      "calls_cut": JSONValue(outcome.callsCut),
      "contradictions": JSONValue(outcome.contradictions),
      "frames_untracked": JSONValue(outcome.framesUntracked),
      "frames_ambiguous": JSONValue(outcome.framesAmbiguous),
      "problems": .array(trace.memory.problems.map { .string($0) }),
    ])
  }

  private func nodeData(_ node: TierNode) -> JSONValue {
    let seen = node.residency
    let base = node.usedBefore ?? seen.usedAtStart
    var members: [String: JSONValue] = [
      "node": JSONValue(orNull: seen.node.map { JSONValue($0) }),
      "tier": .string(node.role.rawValue), "evidence": .string(node.evidence),
      "tier_grade": .string(Grade.derived.rawValue),
      "allocated": JSONValue(seen.allocated), "freed": JSONValue(seen.freed),
      "events_grade": .string(Grade.measured.rawValue),
      "taken_unseen": JSONValue(seen.takenUnseen),
      "gains": .array(seen.gains.map { JSONValue($0) }),
    ]
    members["managed"] = JSONValue(orNull: node.managed.map { JSONValue($0) })
    members["known"] = .object([
      "used_before": JSONValue(seen.usedAtStart),
      "free_before": JSONValue(seen.framesSeen - seen.usedAtStart),
      "used_after": JSONValue(seen.usedAtEnd),
      "free_after": JSONValue(seen.framesSeen - seen.usedAtEnd),
      "not_named": JSONValue(orNull: node.framesUnseen.map { JSONValue($0) }),
      "grade": .string(Grade.derived.rawValue),
    ])
    members["in_use"] =
      node.usedBefore == nil
      ? .null
      : .object([
        "before": JSONValue(base), "after": JSONValue(base + seen.gain),
        "least": JSONValue(base + seen.usedMin - seen.usedAtStart),
        "most": JSONValue(base + seen.usedMax - seen.usedAtStart),
        "before_grade": .string(Grade.measured.rawValue),
        "grade": .string(Grade.derived.rawValue),
      ])
    members["free_change"] =
      node.freeGained.map { gained in
        .object([
          "snapshots": JSONValue(gained), "trace": JSONValue(-seen.gain),
          "difference": JSONValue(gained + seen.gain), "lag": JSONValue(node.counterLag ?? 0),
        ])
      } ?? .null
    return .object(members)
  }

  private func flowData(_ flow: MigrationFlow) -> JSONValue {
    .object([
      "from": JSONValue(flow.source), "to": JSONValue(flow.target),
      "reason": .string(label(flow.reason)), "direction": .string(tiers.direction(flow).rawValue),
      "pages": JSONValue(flow.pages), "bytes": JSONValue(bytes(flow.pages)),
      "calls": JSONValue(flow.calls), "series": .array(flow.series.map { JSONValue($0) }),
      "grade": .string(Grade.derived.rawValue),
    ])
  }

  private func totalData(_ total: MigrationTotal) -> JSONValue {
    .object([
      "reason": .string(label(total.reason)), "calls": JSONValue(total.calls),
      "succeeded": JSONValue(total.succeeded), "failed": JSONValue(total.failed),
      "unplaced": JSONValue(total.unplaced), "grade": .string(Grade.measured.rawValue),
    ])
  }

  private func pagesData(_ direction: MigrationDirection) -> JSONValue {
    let pages = tiers.pages(direction)
    return .object([
      "pages": JSONValue(pages), "bytes": JSONValue(bytes(pages)),
      "series": .array(total(direction).map { JSONValue($0) }),
      "grade": .string(Grade.derived.rawValue),
    ])
  }

  private func counterData(_ counter: CounterAgreement) -> JSONValue {
    .object([
      "counter": .string(counter.name), "snapshots": JSONValue(counter.counted),
      "trace": JSONValue(counter.traced),
      "difference": JSONValue(counter.counted - counter.traced), "lag": JSONValue(counter.lag),
    ])
  }

  // MARK: Words

  func name(_ node: TierNode) -> String {
    node.residency.node.map { "node \($0)" } ?? (tiers.isPlaced ? "elsewhere" : "all nodes")
  }

  private func label(_ reason: MigrationReason?) -> String { reason?.label ?? "unknown" }
  private func count(_ value: Int?) -> String { value.map { ReplayReport.count($0) } ?? "-" }
  private func signed(_ value: Int) -> String { (value > 0 ? "+" : "") + ReplayReport.count(value) }

  private func bytes(_ pages: Int) -> Int {
    let (bytes, overflow) = pages.multipliedReportingOverflow(by: pageSize)
    return overflow ? .max : bytes
  }

  /// With one decimal, rounded to nearest.
  private func mebibytes(_ pages: Int) -> String {
    let tenths = (UInt64(clamping: bytes(pages)) / (1 << 15) &* 10 &+ 16) / 32
    return "\((tenths / 10).grouped).\(tenths % 10)"
  }
}
