public import Machine
public import Replay
import TraceEvents

/// `report`: the recorded run beside what other flush policies would have made of it.
public enum ReplayReport {
  /// The report on one input; `showsBounds` adds every case that was run, all of every safety
  /// verdict, and how the operations were put together in full. `tiers` is what followed the frames,
  /// `costs` what things cost, `names` what threads are called, `walks` the page walks of policies by name, where they are known.
  public static func build(
    _ trace: TraceDescription, _ outcome: Outcome, showsBounds: Bool, tiers: TierOutcome? = nil,
    costs: CostTable = .standard, walks: [String: WalkRange] = [:],
    misses request: MissRequest = .standard, names: AttributionNames? = nil
  ) -> Report {
    let misses = MissPrediction(trace, outcome, request)
    var report = Report(title: "tlbreplay report: \(trace.name)")
    report.headlines = headlines(outcome)
    report.sections.append(TraceOverview.section(trace))
    let filterNotes = FilteredFigures.notes(trace)
    if !filterNotes.isEmpty {
      report.sections.append(Report.Section("Filters", filterNotes.map { .note($0) }))
    }
    if trace.filtered?.hidesRow(trace) != true {
      report.sections.append(beforeAfter(trace, outcome))
      report.sections.append(totals(outcome))
      report.sections += timelineSections(trace, outcome)
    }
    if trace.filtered?.hidesFlushes(trace) != true, let flushes = flushes(outcome) {
      report.sections.append(flushes)
    }
    report.sections += fatesSection(outcome)
    for policy in outcome.policies.dropFirst() {
      report.sections += [deferrals(policy, trace.instanceFacts.timeUnit)].compactMap(\.self)
      if showsBounds, let cases = cases(policy) { report.sections.append(cases) }
      report.sections += [
        safety(policy, trace.instanceFacts.timeUnit, isDetailed: showsBounds)
      ].compactMap(\.self)
    }
    let who = WhoSection(trace, outcome, names, costs)
    report.sections += [who?.section()].compactMap(\.self)
    report.sections.append(
      reconstruction(outcome.reconstruction, trace.eventNames, isDetailed: showsBounds))
    let tierSection = tiers.map { MemoryTierSection(trace, $0) }
    report.sections += [tierSection?.section()].compactMap(\.self)
    let migrated = tiers.map { $0.totals.reduce(0) { $0 &+ $1.succeeded } }
    let time = TimeSection(
      trace, outcome, costs, walks: walks.isEmpty ? misses.flushWalks(outcome) : walks,
      migrated: migrated)
    report.sections.append(time.section())
    report.sections.append(snapshots(trace, outcome))
    report.sections.append(misses.section(outcome))
    report.sections.append(grades(outcome))
    report.data = ReplayReportData.document(
      trace, outcome, misses,
      ["tiers": tierSection?.data(), "time": time.data(), "who": who?.data()])
    report.coverLetter = CoverLetter(trace, outcome, misses)
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
      "TLB shootdowns received by each CPU\(TLBRowSection.windowLabel(trace))",
      blocks + rowPlots(trace, outcome))
  }

  static func rowSource(_ policy: PolicyOutcome) -> String {
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
    let rows = outcome.policies.enumerated().map { index, policy -> [String] in
      guard let figures = policy.figures else { return [policy.name, "-", "-", "-", "-", "-"] }
      return [
        policy.name, count(figures.tlbRowTotal),
        index == 0 ? "" : change(figures.tlbRowTotal, before?.tlbRowTotal),
        figures.anotherRun.map { range($0.lowerBound, $0.upperBound) } ?? "",
        range(policy.leastRow, policy.greatestRow),
        index == 0 ? "" : figures.safety.map { count($0.violations) } ?? "-",
      ]
    }
    // Widths are those of counts with six digits, so that all columns fit beside a long name.
    return Report.Section(
      "Totals of the TLB row",
      [
        .table(
          Report.Table(
            columns: ["policy", "TLB row", "%change", "another run", "bounds", "unsafe"], rows: rows
          )
        ),
        .note(
          "another run: where one more run of the workload lies, 95 times in 100, if what is assumed "
            + "for the row holds. bounds: the same, whatever holds of what this trace does not show "
            + "(--bounds). Neither knows what a workload does with the time that it saves. unsafe: "
            + "times that memory safety is violated; rules about cost do not count. recorded "
            + "[\(outcome.policies.first?.rowGrade.rawValue ?? "derived")]; the others [modelled]."
        ),
      ] + totalsPlot(outcome))
  }

  static func count(_ value: Int) -> String { Int64(value).grouped }

  /// `761-1,053`, or one count where both are the same.
  static func range(_ least: Int?, _ greatest: Int?) -> String {
    guard let least else { return "-" }
    guard let greatest else { return "\(count(least)) or more" }
    return least == greatest ? count(least) : "\(count(least))-\(count(greatest))"
  }

  /// The change in per cent with two decimals, without floating point: `-95.45`. What is ten times
  /// as much or more needs none: `+1363`.
  static func change(_ after: Int, _ before: Int?) -> String {
    guard let before, before > 0 else { return "-" }
    let difference = after - before
    let (scaled, overflow) = difference.magnitude.multipliedReportingOverflow(by: 100_000)
    guard !overflow else { return "-" }
    let hundredths = (scaled / before.magnitude + 5) / 10
    let fraction = hundredths % 100
    let sign = difference < 0 && hundredths > 0 ? "-" : "+"
    if hundredths >= 100_000 { return "\(sign)\((hundredths + 50) / 100)" }
    return "\(sign)\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)"
  }

  // MARK: Flushes by reason

  /// A row for each policy: there can be more of them than a terminal has columns for.
  private static func flushes(_ outcome: Outcome) -> Report.Section? {
    let shown = outcome.policies.filter { $0.figures != nil }
    let reasons = FlushReason.allCases.filter { reason in
      shown.contains { $0.figures.map { total($0, reason) != 0 } ?? false }
    }
    guard !reasons.isEmpty else { return nil }
    let before = outcome.policies.first?.figures?.tlbFlushTotal
    let rows = shown.enumerated().map { index, policy -> [String] in
      let all = policy.figures?.tlbFlushTotal ?? 0
      return [policy.name, count(all), index == 0 ? "" : change(all, before)]
        + reasons.map { reason in count(policy.figures.map { total($0, reason) } ?? 0) }
    }
    let legend = reasons.map { "\($0.rawValue) \($0.label)" }.joined(separator: ", ")
    return Report.Section(
      "tlb_flush events by reason",
      [
        .table(
          Report.Table(
            columns: ["policy", "all", "%change"]
              + reasons.map { "\($0.rawValue) \($0.shortLabel)" },
            rows: rows)),
        .note("Reasons: \(legend). recorded [measured]; the others [modelled]."),
      ])
  }

  static func total(_ figures: CaseFigures, _ reason: FlushReason) -> Int {
    reason.rawValue < figures.tlbFlush.count ? figures.tlbFlush[reason.rawValue].reduce(0, +) : 0
  }

  // MARK: Evidence

  private static func snapshots(_ trace: TraceDescription, _ outcome: Outcome) -> Report.Section {
    guard trace.filtered == nil, let recorded = trace.recordedRow,
      let figures = outcome.policies.first?.figures
    else {
      let why =
        trace.filtered.map { _ in "Snapshots count everything, the filters do not." }
        ?? trace.snapshotProblem.map { "\($0)." }
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
          ("trace", "\(count(figures.tlbRowTotal)) in the window [derived]"),
          ("difference", "\(difference.grouped) (see tlbreplay stat for each CPU)"),
        ])
      ])
  }

  private static func grades(_ outcome: Outcome) -> Report.Section {
    // Most notes hold for several policies and are said once.
    var notes: [(text: String, policies: [String])] = []
    for policy in outcome.policies {
      for note in policy.notes {
        if let known = notes.firstIndex(where: { $0.text == note }) {
          notes[known].policies.append(policy.name)
        } else {
          notes.append((note, [policy.name]))
        }
      }
    }
    let facts = notes.map { note -> (name: String, value: String) in
      if let only = note.policies.first, note.policies.count == 1 { return (only, "\(note.text).") }
      let isCommon = note.policies.count >= outcome.policies.count - 1
      let names = isCommon ? "" : note.policies.joined(separator: ", ") + ": "
      return (isCommon ? "all" : "several", "\(names)\(note.text).")
    }
    return Report.Section("What these numbers rest on", [.facts(facts)])
  }
}

extension FlushReason {
  /// A word for the head of a column.
  var shortLabel: String {
    switch self {
    case .taskSwitch: "switch"
    case .remoteShootdown: "remote"
    case .localShootdown: "local"
    case .localMMShootdown: "mm"
    case .remoteSendIPI: "send"
    case .remoteWrongCPU: "wrong"
    }
  }
}
