import Replay
import TraceEvents

/// Who is interrupted: CPUs, tasks, quiet CPUs, bursts, and when.
enum VictimSections {
  /// A CPU with fewer context switches a second, or fewer changes of user task, is quiet.
  static let quietSwitches = 10
  /// See ``quietSwitches``.
  static let quietChanges = 1

  /// What is known of one CPU.
  struct Row {
    var cpu: Int
    var victim: CPUVictim
    var interrupts: Int
    var isIsolated: Bool
    var isQuiet: Bool?
  }

  static func sections(_ subject: WhoReport.Subject) -> [Report.Section] {
    let rows = rows(subject)
    return [cpus(subject, rows), tasks(subject), time(subject)].compactMap(\.self)
  }

  /// Nanoseconds that were counted; nil where times are none.
  static func span(_ trace: TraceDescription) -> UInt64? {
    guard trace.instanceFacts.timeUnit.isNanoseconds else { return nil }
    if let span = trace.window?.marks.span, span.end > span.start, span.end < .max {
      return span.end - span.start
    }
    guard let first = trace.whole.firstTime, let last = trace.whole.lastTime, last > first else {
      return nil
    }
    return last - first
  }

  static func rows(_ subject: WhoReport.Subject) -> [Row] {
    let isTraced = subject.trace.whole.total(Int(EventKind.schedSwitch.rawValue)) > 0
    let span = span(subject.trace)
    return subject.attribution.row.indices.map { cpu in
      let victim =
        cpu < subject.attribution.cpus.count ? subject.attribution.cpus[cpu] : CPUVictim()
      var isQuiet: Bool?
      if isTraced, let span {
        isQuiet =
          isBelow(victim.switches, quietSwitches, span)
          || isBelow(victim.userChanges, quietChanges, span)
      }
      return Row(
        cpu: cpu, victim: victim, interrupts: subject.attribution.row[cpu],
        isIsolated: subject.options.isolated.contains(cpu), isQuiet: isQuiet)
    }
  }

  /// Whether `count` events in `span` nanoseconds are fewer than `limit` a second.
  private static func isBelow(_ count: Int, _ limit: Int, _ span: UInt64) -> Bool {
    Double(count) * 1e9 < Double(limit) * Double(span)
  }

  private static let cpusShown = 16

  private static func cpus(_ subject: WhoReport.Subject, _ rows: [Row]) -> Report.Section {
    let hasSpans = subject.trace.instanceFacts.timeUnit.isNanoseconds
    let isNoted = rows.contains { $0.isIsolated || $0.isQuiet == true }
    let isTraced = rows.contains { $0.isQuiet != nil }
    let sorted = rows.sorted { ($1.interrupts, $0.cpu) < ($0.interrupts, $1.cpu) }
    let shown =
      rows.count <= cpusShown ? rows : Array(sorted.prefix(max(subject.options.top, 1)))
    var columns = ["CPU", "interrupts", "%"]
    if hasSpans { columns += ["p50/ms", "p99/ms", "max/ms"] }
    if isTraced { columns += ["switches"] }
    if isNoted { columns += [""] }
    var cells = shown.map { row -> [String] in
      var cells = [
        "CPU\(row.cpu)", WhoReport.count(row.interrupts),
        WhoReport.percent(row.interrupts, of: subject.interrupts),
      ]
      if hasSpans { cells += bursts(row.victim.bursts) }
      if isTraced { cells.append(WhoReport.count(row.victim.switches)) }
      if isNoted { cells.append(mark(row)) }
      return cells
    }
    if rows.count > shown.count {
      let rest = sorted.dropFirst(shown.count)
      let sum = rest.reduce(0) { $0 + $1.interrupts }
      var line = [
        "\(rest.count) more", WhoReport.count(sum), WhoReport.percent(sum, of: subject.interrupts),
      ]
      while line.count < columns.count { line.append("") }
      cells.append(line)
    }
    var machine = ["all", WhoReport.count(subject.interrupts), ""]
    if hasSpans { machine += bursts(subject.attribution.machine) }
    while machine.count < columns.count { machine.append("") }
    cells.append(machine)
    return Report.Section(
      "Who is interrupted, by CPU",
      [.table(Report.Table(columns: columns, rows: cells)), .note(legend(subject, rows))])
  }

  private static func bursts(_ bursts: BurstCounts) -> [String] {
    [bursts.percentile(50), bursts.percentile(99), bursts.greatest].map(WhoReport.count)
  }

  private static func mark(_ row: Row) -> String {
    if row.isIsolated { return "isolated" }
    return row.isQuiet == true ? "quiet" : ""
  }

  private static func legend(_ subject: WhoReport.Subject, _ rows: [Row]) -> String {
    var text = ""
    if subject.trace.instanceFacts.timeUnit.isNanoseconds {
      text = "p50/ms, p99/ms, max/ms: interrupts in a millisecond, of the milliseconds with any. "
    }
    if rows.contains(where: { $0.isQuiet != nil }) {
      text +=
        "quiet: fewer than \(quietSwitches) context switches a second, or fewer than \(quietChanges) "
        + "change a second from one user task to another [derived: sched_switch]. "
    } else {
      text += "Quiet CPUs are not observable: sched:sched_switch was not recorded. "
    }
    let quiet = rows.filter { $0.isQuiet == true }
    if !quiet.isEmpty {
      let hit = quiet.filter { $0.interrupts > 0 }
      text +=
        "Of \(WhoReport.number(quiet.count, "quiet CPU")) \(hit.count) got "
        + "\(WhoReport.number(hit.reduce(0) { $0 + $1.interrupts }, "interrupt")). "
    }
    let isolated = rows.filter(\.isIsolated)
    if !isolated.isEmpty {
      let hit = isolated.reduce(0) { $0 + $1.interrupts }
      text +=
        "isolated (\(subject.options.isolatedSource)): \(isolated.count) CPUs, "
        + "\(WhoReport.count(hit)) interrupts."
    } else {
      text += "No CPU is named as isolated (--isolated LIST)."
    }
    return text
  }

  private static func tasks(_ subject: WhoReport.Subject) -> Report.Section? {
    let victims = subject.attribution.victims
    guard !victims.isEmpty, subject.trace.facts.hasTaskColumn else { return nil }
    let names = subject.culprits.names
    var rows = victims.prefix(subject.options.top).map { victim in
      [
        label(names, victim.task), group(names, victim.task), WhoReport.count(victim.interrupts),
        WhoReport.percent(victim.interrupts, of: subject.interrupts),
      ]
    }
    let rest = victims.dropFirst(subject.options.top)
    if !rest.isEmpty {
      let sum = rest.reduce(0) { $0 + $1.interrupts }
      rows.append([
        "\(WhoReport.count(rest.count)) more", "", WhoReport.count(sum),
        WhoReport.percent(sum, of: subject.interrupts),
      ])
    }
    return Report.Section(
      "Who is interrupted, by task",
      [.table(Report.Table(columns: ["task", "process", "interrupts", "%"], rows: rows))])
  }

  private static func label(_ names: AttributionNames, _ task: Int32) -> String {
    if task == EventBatch.unknownTask { return "unknown" }
    return task == 0 ? "idle" : "\(names.comm(task))-\(task)"
  }

  private static func group(_ names: AttributionNames, _ task: Int32) -> String {
    names.group(task).map { "\($0)" } ?? "-"
  }

  private static func time(_ subject: WhoReport.Subject) -> Report.Section? {
    let series = subject.attribution.overTime
    guard let start = series.start, !series.counts.isEmpty,
      subject.trace.instanceFacts.timeUnit != .none
    else { return nil }
    let unit = subject.trace.instanceFacts.timeUnit
    let greatest = series.counts.max() ?? 0
    let caption =
      "\(unit.duration(series.width)) a character from \(unit.moment(start)), most "
      + "\(WhoReport.count(greatest)) in one"
    let plot = Plot(
      "Shootdown interrupts over time", summary: caption, grade: "derived",
      .lines(
        LinePlot(
          unit: "interrupts in \(unit.duration(series.width))",
          axis: unit.isNanoseconds ? "time since the first (ms)" : "ticks since the first",
          start: 0, step: unit.isNanoseconds ? Double(series.width) / 1e6 : Double(series.width),
          series: [("all CPUs", series.counts.map { Double($0) })])))
    return Report.Section(
      "When",
      [
        .series(Report.Series(name: "Interrupts", values: series.counts, caption: caption)),
        .plot(plot),
      ])
  }
}
