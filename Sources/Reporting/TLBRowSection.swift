import Replay
import TraceEvents

/// The TLB row three times: as recorded, as the trace tells it, and the difference.
enum TLBRowSection {
  static func section(_ trace: TraceDescription, _ row: DerivedTLBRow?) -> Report.Section {
    var rows: [InterruptTable.Row] = []
    var notes: [String] = []
    if let recorded = trace.recordedRow {
      rows.append(
        InterruptTable.Row(
          caption: "recorded [measured: /proc/interrupts, after - before]",
          counts: signed(padded(recorded.perCPU, trace.cpus)), text: "TLB shootdowns"))
    } else {
      notes.append(
        trace.snapshotProblem.map { "Recorded row: \($0)." }
          ?? "Recorded row: this input has no /proc/interrupts snapshots beside it.")
    }
    if let perCPU = row?.perCPU {
      rows.append(
        InterruptTable.Row(
          caption: "derived [\(row?.source ?? "")]", counts: signed(padded(perCPU, trace.cpus)),
          text: "TLB shootdowns"))
    }
    if let residual = residual(trace, row) {
      rows.append(
        InterruptTable.Row(
          caption: "residual [recorded - derived]", counts: residual, text: "TLB shootdowns"))
    }
    var blocks: [Report.Block] = []
    if !rows.isEmpty {
      blocks.append(
        .interrupts(
          InterruptTable(
            labelWidth: trace.recordedRow?.labelWidth ?? 3, cpus: trace.cpus, rows: rows)))
    }
    notes += explanations(trace, row)
    if let recognised = recognition(row) { notes.append(recognised) }
    blocks += notes.map { .note($0) }
    return Report.Section("TLB row of /proc/interrupts\(windowLabel(trace))", blocks)
  }

  static func windowLabel(_ trace: TraceDescription) -> String {
    trace.window.map { " between \($0.marks.startLabel) and \($0.marks.endLabel)" } ?? ""
  }

  /// What explains, or bounds, the difference between the rows.
  static func explanations(_ trace: TraceDescription, _ row: DerivedTLBRow?) -> [String] {
    guard let row else {
      if let hidden = trace.filtered?.hiddenRow(trace) { return [hidden] }
      return [
        "Derived row: not observable in this trace. Record tlb:tlb_flush, and csd:csd_function_entry "
          + "(kernel 6.5 and later) for an exact row."
      ]
    }
    var notes: [String] = []
    if row.perCPU == nil {
      notes.append(
        "Derived total: \(row.total.grouped) [\(row.source)]; this dialect has no CPU column.")
    }
    if row.isLowerBound {
      notes.append(
        "A lower bound: a handler that finds another mm loaded, init_mm, a lazy CPU or a generation "
          + "already reached returns without an event, yet is counted in /proc/interrupts "
          + "(flush_tlb_func, arch/x86/mm/tlb.c, Linux 6.12). Record csd:csd_function_entry for an "
          + "exact row.")
    }
    if let residual = residual(trace, row) {
      let isComplete = trace.statistics.lost.isEmpty && !trace.statistics.isDamaged
      notes.append(explain(residual, row, isComplete: isComplete))
    }
    if trace.recordedRow != nil, trace.filtered != nil {
      notes.append(
        "The snapshots count everything, the filters do not: the rows are not compared.")
    } else if trace.recordedRow != nil, trace.window == nil {
      notes.append(
        "The trace has no marks: the snapshots may cover more or less time than it does.")
    }
    return notes
  }

  /// How `flush_tlb_func` was found. Not in `explanation`: it depends on the dialect, which must not
  /// change what `stat --json` says beside `input`.
  static func recognition(_ row: DerivedTLBRow?) -> String? {
    row?.functionIsInferred == true
      ? "flush_tlb_func was recognised by the remote-shootdown events that came while it ran: the "
        + "trace has no symbol for it." : nil
  }

  private static func explain(
    _ residual: [Int64], _ row: DerivedTLBRow, isComplete: Bool
  ) -> String {
    let sum = residual.reduce(0, +)
    if residual.allSatisfy({ $0 == 0 }) { return "Residual 0 on every CPU: the rows agree." }
    if row.isLowerBound, residual.allSatisfy({ $0 >= 0 }) {
      return "Residual \(sum.grouped): the early returns named above, and interrupts between a "
        + "snapshot and the window's edge."
    }
    if residual.allSatisfy({ (-1...1).contains($0) }) {
      return "Residual \(sum.grouped), at most 1 on a CPU: interrupts between a snapshot and the "
        + "window's edge."
    }
    if isComplete, residual.allSatisfy({ $0 >= 0 }) {
      return
        "Residual \(sum.grouped), none negative, and no event is known to be lost: the snapshots "
        + "cover more time than the trace's window."
    }
    return "Residual \(sum.grouped), more than the window's edges explain: events were lost, or "
      + "the snapshots and the trace cover different times."
  }

  static func residual(_ trace: TraceDescription, _ row: DerivedTLBRow?) -> [Int64]? {
    guard trace.filtered == nil, let recorded = trace.recordedRow?.perCPU,
      let derived = row?.perCPU
    else { return nil }
    let cpus = max(trace.cpus, recorded.count, derived.count)
    return zip(padded(recorded, cpus), padded(derived, cpus)).map { Int64($0) - Int64($1) }
  }

  static func data(_ trace: TraceDescription, _ row: DerivedTLBRow?) -> JSONValue {
    .object([
      "recorded": recordedData(trace), "derived": derivedData(trace, row),
      "residual": residualData(trace, row),
    ])
  }

  private static func recordedData(_ trace: TraceDescription) -> JSONValue {
    var members: [String: JSONValue] = ["grade": .string(Grade.measured.rawValue)]
    members["per_cpu"] = .null
    members["total"] = .null
    if let recorded = trace.recordedRow?.perCPU {
      members["per_cpu"] = JSONValue(padded(recorded, trace.cpus))
      members["total"] = JSONValue(recorded.reduce(0, +))
    }
    return .object(members)
  }

  private static func derivedData(_ trace: TraceDescription, _ row: DerivedTLBRow?) -> JSONValue {
    var members: [String: JSONValue] = ["grade": .string(Grade.derived.rawValue)]
    for key in ["per_cpu", "total", "method", "bound", "lower", "upper"] { members[key] = .null }
    guard let row else { return .object(members) }
    if let perCPU = row.perCPU { members["per_cpu"] = JSONValue(padded(perCPU, trace.cpus)) }
    members["total"] = JSONValue(row.total)
    members["method"] = .string(row.method.rawValue)
    members["bound"] = .string(row.isLowerBound ? "lower" : "exact")
    members["lower"] = JSONValue(row.total)
    if !row.isLowerBound { members["upper"] = JSONValue(row.total) }
    return .object(members)
  }

  private static func residualData(_ trace: TraceDescription, _ row: DerivedTLBRow?) -> JSONValue {
    var members: [String: JSONValue] = ["grade": .string(Grade.derived.rawValue)]
    members["per_cpu"] = .null
    members["total"] = .null
    if let residual = residual(trace, row) {
      members["per_cpu"] = .array(residual.map { JSONValue.integer($0) })
      members["total"] = .integer(residual.reduce(0, +))
    }
    members["explanation"] = .array(explanations(trace, row).map { JSONValue.string($0) })
    return .object(members)
  }

  private static func padded(_ counts: [UInt64], _ cpus: Int) -> [UInt64] {
    (0..<max(cpus, counts.count)).map { $0 < counts.count ? counts[$0] : 0 }
  }

  private static func signed(_ counts: [UInt64]) -> [Int64] { counts.map { Int64(clamping: $0) } }
}

extension DerivedTLBRow {
  /// Where it comes from, for a caption.
  var source: String {
    switch method {
    case .csdFunctionEntry: "derived: csd_function_entry of flush_tlb_func with a csd"
    case .csdQueueCPU: "derived: csd_queue_cpu of flush_tlb_func, by target"
    case .flushEvents: "derived: tlb_flush reasons 1 and 5, a lower bound"
    }
  }
}
