import Machine
import Replay
import TraceEvents

/// The drawings of `report`.
extension ReplayReport {
  /// Policies that are drawn one by one; the tables hold all of them.
  private static let policiesDrawn = 5

  /// The recorded run and the first policies, as far as they have figures.
  private static func drawn(_ outcome: Outcome) -> [(policy: PolicyOutcome, figures: CaseFigures)] {
    outcome.policies.compactMap { policy in policy.figures.map { (policy, $0) } }
      .prefix(policiesDrawn + 1).map { (policy: $0.0, figures: $0.1) }
  }

  static func grade(_ policy: PolicyOutcome) -> String {
    policy.rowGrade == .modelled
      ? "\(policy.rowGrade.rawValue): \(policy.name)" : policy.rowGrade.rawValue
  }

  private static func grades(_ policies: [PolicyOutcome]) -> String {
    let recorded = policies.first.map { "\($0.name) \($0.rowGrade.rawValue)" } ?? ""
    let others = policies.dropFirst().map(\.name).joined(separator: ", ")
    return others.isEmpty
      ? policies.first?.rowGrade.rawValue ?? "" : "modelled: \(others); \(recorded)"
  }

  // MARK: The headlines

  /// What each of the first policies makes of the row, and whether it is safe.
  static func headlines(_ outcome: Outcome) -> [Report.Headline] {
    drawn(outcome).prefix(4).enumerated().map { index, element -> Report.Headline in
      let (policy, figures) = element
      let before = outcome.policies.first?.figures?.tlbRowTotal
      guard index > 0 else {
        return Report.Headline(
          name: "TLB shootdowns, \(policy.name)", value: count(figures.tlbRowTotal), detail: "",
          grade: grade(policy))
      }
      let safety =
        switch figures.safety?.violations {
        case .none: "safety not checked"
        case .some(0): "no safety violation found"
        case .some(let violations):
          "safety rules violated \(counted(violations, "time", "times"))"
        }
      return Report.Headline(
        name: "under \(policy.name)",
        value: "\(count(figures.tlbRowTotal)) (\(change(figures.tlbRowTotal, before)) %)",
        detail: "bounds \(range(policy.leastRow, policy.greatestRow)); \(safety)",
        grade: grade(policy))
    }
  }

  // MARK: The row

  /// Totals of all policies with their bounds.
  static func totalsPlot(_ outcome: Outcome) -> [Report.Block] {
    let shown = outcome.policies.filter { $0.figures != nil }
    guard shown.count > 1 else { return [] }
    let amounts = shown.map { policy -> BarPlot.Amount? in
      policy.figures.map {
        let isExact = policy.leastRow == policy.greatestRow
        return BarPlot.Amount(
          Double($0.tlbRowTotal), lower: isExact ? nil : policy.leastRow.map { Double($0) },
          upper: isExact ? nil : policy.greatestRow.map { Double($0) })
      }
    }
    let recorded = shown[0].figures?.tlbRowTotal ?? 0
    let words = shown.dropFirst().prefix(policiesDrawn).compactMap { policy in
      policy.figures.map {
        "\(policy.name) \(count($0.tlbRowTotal)) (\(change($0.tlbRowTotal, recorded)) %, bounds "
          + "\(range(policy.leastRow, policy.greatestRow)))"
      }
    }
    return [
      .plot(
        Plot(
          "TLB shootdowns received, all CPUs",
          summary:
            "\(shown[0].name) \(count(recorded)); \(words.joined(separator: "; ")). Whiskers: "
            + "the bounds; an arrow where there is no upper one.",
          grade: grades(shown),
          .bars(
            BarPlot(
              unit: "TLB shootdowns", categories: shown.map(\.name),
              series: [(name: "TLB row", amounts: amounts)]))))
    ]
  }

  /// Each CPU's row before and after, with the range of the cases.
  static func rowPlots(_ trace: TraceDescription, _ outcome: Outcome) -> [Report.Block] {
    let shown = drawn(outcome)
    guard let (recorded, before) = shown.first, trace.cpus > 0 else { return [] }
    return shown.dropFirst().map { policy, figures -> Report.Block in
      let cpus = figures.tlbRow.indices
      let after = cpus.map { cpu -> BarPlot.Amount? in
        let cases = policy.cases.compactMap {
          cpu < $0.tlbRow.count ? Double($0.tlbRow[cpu]) : nil
        }
        let value = Double(figures.tlbRow[cpu])
        return BarPlot.Amount(
          value, lower: cases.min().map { min($0, value) },
          upper: cases.max().map { max($0, value) })
      }
      let most = cpus.max { figures.tlbRow[$0] < figures.tlbRow[$1] } ?? 0
      let busiest = before.tlbRow.indices.max { before.tlbRow[$0] < before.tlbRow[$1] } ?? 0
      let whiskers =
        policy.cases.isEmpty
        ? "" : " Whiskers: the least and the greatest of the cases that --bounds lists."
      var plot = BarPlot(
        unit: "TLB shootdowns received", categories: cpus.map { "CPU\($0)" },
        series: [
          (name: recorded.name, amounts: before.tlbRow.map { BarPlot.Amount(Double($0)) }),
          (name: policy.name, amounts: after),
        ])
      plot.boundsName = "least and greatest case"
      return .plot(
        Plot(
          "Each CPU before and after: \(recorded.name) and \(policy.name)",
          summary: "Most before: CPU\(busiest) with \(count(before.tlbRow[busiest])); most after: "
            + "CPU\(most) with \(count(figures.tlbRow[most])).\(whiskers)",
          grade: grades([recorded, policy]),
          .bars(plot)))
    }
  }

  // MARK: Time

  private static func axis(_ trace: TraceDescription, _ timeline: ShootdownTimeline) -> TimeAxis {
    TimeAxis(
      trace.instanceFacts.timeUnit, from: timeline.start, name: startName(trace),
      length: (timeline.end ?? .max) - timeline.start)
  }

  static func startName(_ trace: TraceDescription) -> String {
    trace.window.map { $0.marks.startLabel } ?? "the first event"
  }

  /// Sections of their own: shootdowns over time, and from whom to whom. Empty unless recorded.
  static func timelineSections(_ trace: TraceDescription, _ outcome: Outcome) -> [Report.Section] {
    let shown = drawn(outcome)
    let over = overTime(trace, shown)
    let matrices = senders(shown)
    var sections: [Report.Section] = []
    if !over.isEmpty { sections.append(Report.Section("TLB shootdowns over time", over)) }
    if !matrices.isEmpty {
      sections.append(Report.Section("Who interrupts whom", matrices))
    }
    return sections
  }

  private static func overTime(
    _ trace: TraceDescription, _ shown: [(policy: PolicyOutcome, figures: CaseFigures)]
  ) -> [Report.Block] {
    guard let first = shown.first?.figures.timeline, first.spanCount > 0 else { return [] }
    let unit = trace.instanceFacts.timeUnit
    let axis = axis(trace, first)
    let lines = shown.compactMap { policy, figures in
      figures.timeline.map { timeline in
        (policy: policy, timeline: timeline, total: timeline.series)
      }
    }
    // All have one width unless times ran on beyond what was announced.
    let width = lines.map(\.timeline.width).max() ?? first.width
    let same = lines.filter { $0.timeline.width == width }
    let words = same.map {
      "\($0.policy.name) at most \(count($0.total.max() ?? 0)) in \(unit.duration(width)), "
        + "\(count($0.total.reduce(0, +))) in all"
    }
    var plot = LinePlot(
      unit: "TLB shootdowns received in \(unit.duration(width)), all CPUs", axis: axis.title,
      start: 0, step: axis.length(width),
      series: same.map { (name: $0.policy.name, values: $0.total.map { Double($0) }) })
    plot.end = first.end.map { axis.position($0) }
    plot.hasReference = true
    var blocks: [Report.Block] = [
      .plot(
        Plot(
          "Before and after on one axis",
          summary: words.joined(separator: "; ") + ". Time 0 is \(unit.moment(first.start)).",
          grade: grades(same.map(\.policy)), .lines(plot)))
    ]
    let greatest = same.map { line in
      (0..<line.timeline.spanCount).reduce(0) { most, span in
        (0..<line.timeline.cpuCount).reduce(most) {
          max($0, line.timeline.count(ofCPU: $1, inSpan: span))
        }
      }
    }.max()
    for line in same { blocks.append(heatMap(line.policy, line.timeline, axis, unit, greatest)) }
    return blocks
  }

  private static func heatMap(
    _ policy: PolicyOutcome, _ timeline: ShootdownTimeline, _ axis: TimeAxis, _ unit: TimeUnit,
    _ greatest: Int?
  ) -> Report.Block {
    let cpus = 0..<timeline.cpuCount
    let spans = 0..<timeline.spanCount
    let totals = timeline.series
    let most = spans.max { totals[$0] < totals[$1] } ?? 0
    let step = axis.length(timeline.width)
    var grid = GridPlot(
      unit: "in \(unit.duration(timeline.width))", rowTitle: "receiving CPU",
      columnTitle: axis.title, rows: cpus.map { "CPU\($0)" },
      columns: spans.map { PlotNumber.tick(Double($0) * step, step: step) },
      values: cpus.map { cpu in timeline.series(ofCPU: cpu).map { Double($0) } })
    grid.greatest = greatest.map { Double($0) }
    let summary =
      totals.isEmpty
      ? "No shootdown."
      : "Most at \(grid.columns[most]) \(axis.symbol): \(count(totals[most])) on all CPUs in "
        + "\(unit.duration(timeline.width)). All maps have one scale of tones."
    return .plot(
      Plot(
        "CPU by time: \(policy.name)", summary: summary, grade: grade(policy), .grid(grid)))
  }

  // MARK: Senders

  private static func senders(
    _ shown: [(policy: PolicyOutcome, figures: CaseFigures)]
  ) -> [Report.Block] {
    let matrices = shown.compactMap { policy, figures in
      figures.senders.map { (policy: policy, figures: figures, matrix: $0) }
    }
    guard matrices.contains(where: { $0.matrix.total > 0 }) else { return [] }
    let greatest = matrices.map { element in
      (0..<element.matrix.groupCount).reduce(0) { most, from in
        (0..<element.matrix.groupCount).reduce(most) {
          max($0, element.matrix.count(from: from, to: $1))
        }
      }
    }.max()
    return matrices.map { policy, figures, matrix in
      let groups = 0..<matrix.groupCount
      let names = groups.map { group -> String in
        guard matrix.cpusPerGroup > 1 else { return "CPU\(group)" }
        let last = min((group + 1) * matrix.cpusPerGroup, matrix.cpuCount) - 1
        return "CPU\(group * matrix.cpusPerGroup)\u{2013}\(last)"
      }
      var grid = GridPlot(
        unit: "TLB shootdowns", rowTitle: "sending CPU", columnTitle: "receiving CPU",
        rows: names, columns: names,
        values: groups.map { from in groups.map { Double(matrix.count(from: from, to: $0)) } })
      grid.greatest = greatest.map { Double($0) }
      return .plot(
        Plot(
          "Sender by receiver: \(policy.name)", summary: words(matrix, names, figures),
          grade: grade(policy), .grid(grid)))
    }
  }

  private static func words(
    _ matrix: SenderMatrix, _ names: [String], _ figures: CaseFigures
  ) -> String {
    guard figures.tlbRowTotal > 0 else { return "No shootdown." }
    let groups = 0..<matrix.groupCount
    let sent = groups.map { from in
      groups.reduce(0) { $0 + matrix.count(from: from, to: $1) }
    }
    let most = groups.max { sent[$0] < sent[$1] } ?? 0
    let unknown = figures.interruptsOfUnknownSenders ?? 0
    let busiest =
      matrix.total > 0
      ? "\(names[most]) sends most: \(count(sent[most])) of \(count(matrix.total)) matched to their "
        + "sender" : "None is matched to its sender"
    return busiest
      + (unknown > 0
        ? "; \(count(unknown)) more whose sender is not in the trace." : ", which are all.")
  }

  // MARK: Deferrals

  /// What became of the flushes that each policy put off, as parts of a whole.
  static func fatesSection(_ outcome: Outcome) -> [Report.Section] {
    let shown = outcome.policies.compactMap { policy in
      policy.figures.map { (policy: policy, ledger: $0.ledger) }
    }.filter { $0.ledger.deferred > 0 }
    guard !shown.isEmpty else { return [] }
    var parts: [(name: String, amounts: [BarPlot.Amount?])] = []
    for fate in DeferralFate.allCases {
      let counts = shown.map { $0.ledger.fates[fate.rawValue] }
      guard counts.contains(where: { $0 > 0 }) else { continue }
      parts.append((name: fate.label, amounts: counts.map { BarPlot.Amount(Double($0)) }))
    }
    if shown.contains(where: { $0.ledger.pending > 0 }) {
      parts.append(
        (
          name: "pending at the window's end",
          amounts: shown.map { BarPlot.Amount(Double($0.ledger.pending)) }
        ))
    }
    let words = shown.prefix(policiesDrawn).map { policy, ledger -> String in
      let forced = ledger.deferred - ledger.absorbed - ledger.pending
      return
        "\(policy.name): of \(count(ledger.deferred)) deferred, \(count(ledger.absorbed)) were "
        + "absorbed by another flush, \(count(forced)) ended otherwise and \(count(ledger.pending)) "
        + "were pending at the end"
    }
    let plot = Plot(
      "What ended each deferral", summary: words.joined(separator: "; ") + ".",
      grade: "modelled: " + shown.map(\.policy.name).joined(separator: ", "),
      .bars(
        BarPlot(
          unit: "unmap batches", categories: shown.map(\.policy.name), series: parts,
          isStacked: true)))
    return [Report.Section("Fates of deferred flushes", [.plot(plot)])]
  }

  /// Frames that were free with a flush owed, over time.
  static func pendingPlot(
    _ policy: PolicyOutcome, _ pending: PendingFrames, _ unit: TimeUnit
  ) -> [Report.Block] {
    guard let start = pending.start, pending.series.count > 1 else { return [] }
    let axis = TimeAxis(
      unit, from: start, name: "the first of them",
      length: pending.width &* UInt64(pending.series.count))
    let mean = pending.framesMean.map { ", \(count($0)) on average" } ?? ""
    return [
      .plot(
        Plot(
          "Frames pending over time",
          summary:
            "At most \(count(pending.framesMax)) frames free with a flush owed\(mean); a step "
            + "is the most in \(unit.duration(pending.width)). Time 0 is \(unit.moment(start)).",
          grade: grade(policy),
          .lines(
            LinePlot(
              unit: "frames free with a flush owed", axis: axis.title, start: 0,
              step: axis.length(pending.width),
              series: [
                (name: "frames pending", values: pending.series.map { Double($0) })
              ]))))
    ]
  }
}
