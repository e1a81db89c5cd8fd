public import Replay
import TraceEvents

/// `report`: the recorded run beside what other flush policies would have made of it.
public enum ReplayReport {
  /// The report on one input; `showsBounds` adds every case that was run.
  public static func build(
    _ trace: TraceDescription, _ outcome: Outcome, showsBounds: Bool
  ) -> Report {
    var report = Report(title: "tlbreplay report: \(trace.name)")
    report.sections.append(TraceOverview.section(trace))
    report.sections.append(beforeAfter(trace, outcome))
    report.sections.append(totals(outcome))
    if let flushes = flushes(outcome) { report.sections.append(flushes) }
    report.sections += outcome.policies.dropFirst().compactMap { ledger($0) }
    if showsBounds { report.sections += outcome.policies.dropFirst().compactMap { cases($0) } }
    report.sections.append(snapshots(trace, outcome))
    report.sections.append(grades(outcome))
    report.data = ReplayReportData.document(trace, outcome)
    return report
  }

  // MARK: The rows

  private static func beforeAfter(_ trace: TraceDescription, _ outcome: Outcome) -> Report.Section {
    let labelWidth = trace.recordedRow?.labelWidth ?? 3
    var blocks: [Report.Block] = []
    for (index, policy) in outcome.policies.enumerated() {
      let heading = (index == 0 ? "BEFORE" : "AFTER") + " (\(policy.name)) [\(rowSource(policy))]"
      guard let figures = policy.figures else {
        blocks.append(.note("\(heading): not observable in this trace."))
        continue
      }
      blocks.append(.note(heading))
      blocks.append(
        .interrupts(
          InterruptTable(
            labelWidth: labelWidth, cpus: trace.cpus,
            rows: [
              InterruptTable.Row(
                counts: padded(figures.tlbRow, trace.cpus), text: "TLB shootdowns")
            ])))
    }
    return Report.Section(
      "TLB shootdowns received by each CPU\(TLBRowSection.windowLabel(trace))", blocks)
  }

  private static func rowSource(_ policy: PolicyOutcome) -> String {
    switch policy.rowGrade {
    case .measured: "measured"
    case .derived:
      policy.rowUpper == nil
        ? "derived: tlb_flush reasons 1 and 5, a lower bound"
        : "derived: csd events of flush_tlb_func, exact"
    case .modelled: "modelled: \(policy.name) replayed on this trace"
    }
  }

  private static func padded(_ counts: [Int], _ cpus: Int) -> [Int64] {
    (0..<max(cpus, counts.count)).map { $0 < counts.count ? Int64(counts[$0]) : 0 }
  }

  // MARK: Totals

  private static func totals(_ outcome: Outcome) -> Report.Section {
    let before = outcome.policies.first?.figures
    let rows = outcome.policies.map { policy -> [String] in
      guard let figures = policy.figures else {
        return [policy.name, "-", "-", "-", "-", "-", "-"]
      }
      let isRecorded = policy.name == PolicyCatalog.recordedName
      return [
        policy.name, count(figures.tlbRowTotal), policy.rowLower.map(count) ?? "-",
        policy.rowUpper.map(count) ?? "not known",
        isRecorded ? "" : change(figures.tlbRowTotal, before?.tlbRowTotal),
        count(figures.tlbFlushTotal),
        isRecorded ? "" : change(figures.tlbFlushTotal, before?.tlbFlushTotal),
      ]
    }
    return Report.Section(
      "Totals",
      [
        .table(
          Report.Table(
            columns: ["policy", "TLB row", "lower", "upper", "change", "tlb_flush", "change"],
            rows: rows)),
        .note(
          "lower and upper: the least and the greatest TLB row over what this trace cannot show: "
            + "which reclaimed pages were mapped read-only, and how long a flush keeps others from "
            + "being deferred. Deferring more does not always flush less, so each case is replayed."
        ),
      ])
  }

  static func count(_ value: Int) -> String { Int64(value).grouped }

  /// The change in per cent with two decimals, without floating point: `-95.45 %`.
  static func change(_ after: Int, _ before: Int?) -> String {
    guard let before, before > 0 else { return "-" }
    let difference = after - before
    let (scaled, overflow) = difference.magnitude.multipliedReportingOverflow(by: 100_000)
    guard !overflow else { return "-" }
    let hundredths = (scaled / before.magnitude + 5) / 10
    let fraction = hundredths % 100
    let sign = difference < 0 && hundredths > 0 ? "-" : "+"
    return "\(sign)\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) %"
  }

  // MARK: Flushes by reason

  private static func flushes(_ outcome: Outcome) -> Report.Section? {
    let shown = outcome.policies.filter { $0.figures != nil }
    guard !shown.isEmpty else { return nil }
    let columns = ["reason"] + shown.map(\.name)
    let rows = FlushReason.allCases.compactMap { reason -> [String]? in
      let totals = shown.map { policy in
        policy.figures.map { total($0, reason) } ?? 0
      }
      guard totals.contains(where: { $0 != 0 }) else { return nil }
      return ["\(reason.rawValue) \(reason.label)"] + totals.map(count)
    }
    return Report.Section(
      "tlb_flush events by reason",
      [
        .table(Report.Table(columns: columns, rows: rows)),
        .note("recorded [measured]; the others [modelled]."),
      ])
  }

  static func total(_ figures: CaseFigures, _ reason: FlushReason) -> Int {
    reason.rawValue < figures.tlbFlush.count ? figures.tlbFlush[reason.rawValue].reduce(0, +) : 0
  }

  // MARK: Books

  private static func ledger(_ policy: PolicyOutcome) -> Report.Section? {
    guard let figures = policy.figures else { return nil }
    let ledger = figures.ledger
    var facts: [(name: String, value: String)] = [
      ("deferred", "\(count(ledger.deferred)) unmap batches"),
      ("absorbed", "\(count(ledger.absorbed)) paid for by another flush"),
      ("forced", "\(count(ledger.forcedByAllocation)) by an allocation of one of their frames"),
      ("", "\(count(ledger.forcedByPermission)) by a write-protect fault or a writable mapping"),
      ("", "\(count(ledger.forcedByPressure)) by memory pressure"),
      ("pending", "\(count(ledger.pending)) at the end of the window"),
      ("refused", "\(count(ledger.refused)) flushed at once: another flush was running"),
      ("flushes", "\(count(ledger.forcedFlushes)) forced flushes paid for them"),
      ("frames", "at most \(count(figures.pending.framesMax)) free with a flush owed"),
    ]
    if ledger.forcedByFileWrite > 0 {
      let position = facts.count - 5
      facts.insert(
        ("", "\(count(ledger.forcedByFileWrite)) by the end of a write to a file"), at: position)
    }
    if let safety = figures.safety {
      facts.append(
        (
          "safety",
          safety.violations == 0
            ? "no violation of I1 in \(count(safety.framesChecked)) frames handed out again"
            : violation(safety)
        ))
    }
    return Report.Section("Deferred flushes under \(policy.name) [modelled]", [.facts(facts)])
  }

  private static func violation(_ safety: SafetyVerdict) -> String {
    guard let first = safety.first else { return "\(count(safety.violations)) violations" }
    return "\(count(safety.violations)) violations; the first of \(first.rule): frame "
      + "0x\(String(first.pfn, radix: 16)) handed out at \(first.time) (event \(first.eventIndex)) while CPU \(first.cpu) may "
      + "still use it"
  }

  private static func cases(_ policy: PolicyOutcome) -> Report.Section? {
    guard !policy.cases.isEmpty else { return nil }
    return Report.Section(
      "Bounds of \(policy.name)",
      [
        .table(
          Report.Table(
            columns: ["case", "TLB row", "tlb_flush", "deferred", "refused", "forced flushes"],
            rows: policy.cases.map { figures in
              [
                figures.assumption?.label ?? "", count(figures.tlbRowTotal),
                count(figures.tlbFlushTotal), count(figures.ledger.deferred),
                count(figures.ledger.refused), count(figures.ledger.forcedFlushes),
              ]
            }))
      ])
  }

  // MARK: Evidence

  private static func snapshots(_ trace: TraceDescription, _ outcome: Outcome) -> Report.Section {
    guard let recorded = trace.recordedRow, let figures = outcome.policies.first?.figures else {
      let why =
        trace.snapshotProblem.map { "\($0)." }
        ?? "This input has no /proc/interrupts snapshots beside it."
      return Report.Section("Against /proc/interrupts", [.note(why)])
    }
    let total = recorded.perCPU.reduce(0, +)
    let difference = Int64(clamping: total) - Int64(figures.tlbRowTotal)
    return Report.Section(
      "Against /proc/interrupts",
      [
        .facts([
          ("snapshots", "\(total.grouped) TLB shootdowns, after - before [measured]"),
          ("trace", "\(count(figures.tlbRowTotal)) in the window"),
          ("difference", "\(difference.grouped) (see tlbreplay stat for each CPU)"),
        ])
      ])
  }

  private static func grades(_ outcome: Outcome) -> Report.Section {
    var blocks: [Report.Block] = []
    for policy in outcome.policies {
      for note in policy.notes { blocks.append(.facts([(policy.name, "\(note).")])) }
    }
    blocks.append(
      .facts([
        (
          "TLB misses",
          "not predictable from this trace: no event shows memory accesses. Give an access stream "
            + "or a reuse profile of the workload."
        )
      ]))
    return Report.Section("What these numbers rest on", blocks)
  }
}

extension ReplayAssumption {
  /// What the case assumes, in a few words.
  var label: String {
    switch self {
    case .onlyProven: "only proven read-only"
    case .expected: "expected: and clean file pages"
    case .allPossible: "all that may be read-only"
    case .allPossibleAtOnce: "the same, and no flush takes time"
    }
  }

  /// Its name in JSON.
  var name: String {
    switch self {
    case .onlyProven: "only_proven"
    case .expected: "expected"
    case .allPossible: "all_possible"
    case .allPossibleAtOnce: "all_possible_at_once"
    }
  }
}
