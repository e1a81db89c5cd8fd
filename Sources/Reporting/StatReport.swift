import Replay
import TraceEvents

/// `stat`: what the trace itself says, without any model.
public enum StatReport {
  /// The report on one input.
  public static func build(_ trace: TraceDescription) -> Report {
    let row = trace.derivedRow
    var report = Report(title: "tlbreplay stat: \(trace.name)")
    report.sections = [
      TraceOverview.section(trace), TLBRowSection.section(trace, row), events(trace),
    ]
    if let flushes = flushes(trace) { report.sections.append(flushes) }
    if let orders = orders(trace) { report.sections.append(orders) }
    report.sections += instances(trace)
    report.data = data(trace, row)
    return report
  }

  // MARK: Text

  /// Tables by CPU are printed up to this many CPUs; the JSON form always has them.
  private static let cpusShown = 16

  private static func events(_ trace: TraceDescription) -> Report.Section {
    let survey = trace.counted
    let seen = trace.eventNames.indices.filter { survey.total($0) > 0 }.sorted {
      (survey.total($0), trace.eventNames[$1].full) > (survey.total($1), trace.eventNames[$0].full)
    }
    return Report.Section(
      "Events [measured]",
      [.table(table(trace, survey, seen.map { ($0, trace.eventNames[$0].full) }))]
    )
  }

  private static func table(
    _ trace: TraceDescription, _ survey: InstanceSurvey, _ rows: [(Int, String)]
  ) -> Report.Table {
    let showsCPUs = trace.facts.hasCPUColumn && trace.cpus <= cpusShown
    var columns = ["event", "total"]
    if showsCPUs { columns += (0..<trace.cpus).map { "CPU\($0)" } }
    return Report.Table(
      columns: columns,
      rows: rows.map { index, name in
        [name, survey.total(index).grouped]
          + (showsCPUs ? survey.perCPU(index, cpus: trace.cpus).map(\.grouped) : [])
      })
  }

  private static func flushes(_ trace: TraceDescription) -> Report.Section? {
    let survey = trace.counted
    let reasons = survey.flushReasonsSeen
    guard !reasons.isEmpty || !survey.otherFlushReasons.isEmpty else { return nil }
    let showsCPUs = trace.facts.hasCPUColumn && trace.cpus <= cpusShown
    var columns = ["reason", "total", "full", "none", "range"]
    if showsCPUs { columns += (0..<trace.cpus).map { "CPU\($0)" } }
    var rows = reasons.map { reason -> [String] in
      let classes: [FlushedPages] = [.full, .none, .range]
      let counts = classes.map { survey.flushes(reason, $0) }
      var row = ["\(reason) \(FlushReason(rawValue: reason)?.label ?? "unknown")"]
      row += ([counts.reduce(0, +)] + counts).map(\.grouped)
      if showsCPUs {
        row += (0..<trace.cpus).map { cpu in
          classes.reduce(0) { $0 + survey.flushes(reason, $1, cpu: cpu) }.grouped
        }
      }
      return row
    }
    for (reason, count) in survey.otherFlushReasons.sorted(by: { $0.key < $1.key }).prefix(8) {
      let label = isUntold(reason) ? "untold" : "\(reason) no kernel has it"
      var row = [label, count.grouped]
      while row.count < columns.count { row.append("") }
      rows.append(row)
    }
    return Report.Section(
      "tlb_flush by reason and pages [measured]",
      [
        .table(Report.Table(columns: columns, rows: rows)),
        .note(
          "full = everything of an address space, none = nothing was left to flush, range = some "
            + "pages. Reason 4 is written once a shootdown, before lazy CPUs are left out: it is no "
            + "count of interrupts."),
      ])
  }

  private static func orders(_ trace: TraceDescription) -> Report.Section? {
    let counts = trace.counted.allocationsByOrder
    let seen = counts.indices.filter { counts[$0] > 0 }
    guard !seen.isEmpty else { return nil }
    return Report.Section(
      "mm_page_alloc by order [measured]",
      [
        .table(
          Report.Table(
            columns: ["order", "allocations", "pages"],
            rows: seen.map {
              [
                "\($0)", counts[$0].grouped,
                counts[$0].multipliedReportingOverflow(by: 1 << $0).0.grouped,
              ]
            }))
      ])
  }

  private static func instances(_ trace: TraceDescription) -> [Report.Section] {
    trace.survey.instances.indices.filter {
      $0 != trace.instance && trace.counts(ofInstance: $0).eventTotal > 0
    }.map { index in
      let survey = trace.counts(ofInstance: index)
      let facts = trace.facts.instances[index]
      let seen = trace.eventNames.indices.filter { survey.total($0) > 0 }
      return Report.Section(
        "Events of instance \(facts.name.isEmpty ? "(top)" : facts.name) [measured]",
        [
          .table(table(trace, survey, seen.map { ($0, trace.eventNames[$0].full) })),
          .note(
            "Counted apart: the same occurrence can stand in two buffers, and clocks may differ "
              + "(this one: \(facts.clock ?? "not told"))."),
        ])
    }
  }

  // MARK: JSON

  private static func data(_ trace: TraceDescription, _ row: DerivedTLBRow?) -> JSONValue {
    let survey = trace.counted
    var instances: [String: JSONValue] = [:]
    for index in trace.survey.instances.indices where index != trace.instance {
      let other = trace.counts(ofInstance: index)
      guard other.eventTotal > 0 else { continue }
      let facts = trace.facts.instances[index]
      let times = trace.absoluteTimes(other, facts.timeUnit)
      instances[facts.name] = .object([
        "events": trace.eventsData(other), "clock": JSONValue(facts.clock),
        "first_ns": times.map { JSONValue($0.0) } ?? .null,
        "last_ns": times.map { JSONValue($0.1) } ?? .null,
      ])
    }
    return .object([
      "schema": .string("tlbreplay.stat/1"), "input": trace.inputData,
      "events": trace.eventsData(survey), "instances": .object(instances),
      "tlb_flush": .object(["by_reason": reasonsData(trace, survey)]),
      "page_alloc": .object(["by_order": ordersData(survey)]),
      "tlb_row": TLBRowSection.data(trace, row), "window": trace.windowData,
    ])
  }

  /// Whether the events say no reason at all (perf script without the trace field).
  private static func isUntold(_ reason: Int64) -> Bool {
    UInt64(bitPattern: reason) == EventBatch.absent
  }

  static func reasonsData(_ trace: TraceDescription, _ survey: InstanceSurvey) -> JSONValue {
    var members: [String: JSONValue] = [:]
    for reason in survey.flushReasonsSeen {
      func total(_ pages: FlushedPages) -> JSONValue { JSONValue(survey.flushes(reason, pages)) }
      let perCPU = (0..<trace.cpus).map { cpu in
        FlushedPages.allCases.reduce(0) { $0 + survey.flushes(reason, $1, cpu: cpu) }
      }
      members["\(reason)"] = .object([
        "per_cpu": JSONValue(trace.facts.hasCPUColumn ? perCPU : nil),
        "total": JSONValue(FlushedPages.allCases.reduce(0) { $0 + survey.flushes(reason, $1) }),
        "full": total(.full), "none": total(.none), "range": total(.range),
        "per_cpu_pages": perCPUPages(trace, survey, reason),
      ])
    }
    for (reason, count) in survey.otherFlushReasons {
      let key = isUntold(reason) ? "unknown" : "\(reason)"
      members[key] = .object(["total": JSONValue(count), "per_cpu": .null])
    }
    return .object(members)
  }

  private static func perCPUPages(
    _ trace: TraceDescription, _ survey: InstanceSurvey, _ reason: Int
  ) -> JSONValue {
    guard trace.facts.hasCPUColumn else { return .null }
    func row(_ pages: FlushedPages) -> JSONValue {
      JSONValue((0..<trace.cpus).map { survey.flushes(reason, pages, cpu: $0) })
    }
    return .object(["full": row(.full), "none": row(.none), "range": row(.range)])
  }

  private static func ordersData(_ survey: InstanceSurvey) -> JSONValue {
    var members: [String: JSONValue] = [:]
    for (order, count) in survey.allocationsByOrder.enumerated() where count > 0 {
      members["\(order)"] = JSONValue(count)
    }
    return .object(members)
  }
}
