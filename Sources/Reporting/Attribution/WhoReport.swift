public import Machine
public import Replay
import TraceEvents

/// `who`: who causes the shootdowns, who is interrupted, and what could remove them.
public enum WhoReport {
  /// What the reader wants to see.
  public struct Options: Sendable {
    /// Rows of each table.
    public var top = 10
    /// The ways to put shootdowns together, in order; empty for those that the trace has something
    /// for.
    public var groupings: [CulpritGrouping] = []
    /// CPUs that must not be interrupted, and who says so.
    public var isolated: [Int] = []
    /// See ``isolated``.
    public var isolatedSource = ""
    /// What an interrupt costs.
    public var costs = CostTable.standard

    /// The usual.
    public init() {}
  }

  /// What is needed for all sections.
  struct Subject {
    var trace: TraceDescription
    var outcome: Outcome
    var attribution: ShootdownAttribution
    var culprits: Culprits
    var options: Options

    var interrupts: Int { attribution.row.reduce(0, +) }
  }

  /// The report on one input; nil if `outcome` was made without attribution.
  public static func build(
    _ trace: TraceDescription, _ outcome: Outcome, _ names: AttributionNames,
    _ options: Options = Options()
  ) -> Report? {
    guard let attribution = outcome.attribution else { return nil }
    var options = options
    options.groupings = groupings(attribution, names, options)
    let subject = Subject(
      trace: trace, outcome: outcome, attribution: attribution,
      culprits: Culprits(
        attribution, names, by: options.groupings + [.cause, .kernelPath]), options: options)
    var report = Report(title: "tlbreplay who: \(AttributionNames.printable(trace.name))")
    report.sections = [TraceOverview.section(trace), summary(subject)]
    for grouping in subject.options.groupings {
      report.sections.append(culprits(subject, grouping))
    }
    report.sections += VictimSections.sections(subject)
    report.sections.append(MatrixSection.section(subject))
    report.sections += [RemovalSection.section(subject)].compactMap(\.self)
    report.sections += [agreement(subject)].compactMap(\.self)
    report.sections += [otherCalls(subject)].compactMap(\.self)
    report.sections.append(basis(subject))
    report.data = WhoReportData.document(subject)
    return report
  }

  /// All stacks in the form that flame graph tools read (``Culprits/folded()``).
  public static func folded(_ outcome: Outcome, _ names: AttributionNames) -> String {
    outcome.attribution.map { Culprits($0, names, by: []).folded() } ?? ""
  }

  /// The ways that were asked for, else those that the trace has something for.
  private static func groupings(
    _ attribution: ShootdownAttribution, _ names: AttributionNames, _ options: Options
  ) -> [CulpritGrouping] {
    if !options.groupings.isEmpty { return options.groupings }
    let groups = attribution.groups
    return CulpritGrouping.allCases.filter { grouping in
      switch grouping {
      case .cause, .task: true
      case .process: groups.contains { $0.task > 0 && names.group($0.task) != nil }
      case .kernelPath: groups.contains { $0.kernelChain != CallChains.none }
      case .userPath: groups.contains { $0.userChain != CallChains.none }
      case .comm, .cpu: false
      }
    }
  }

  // MARK: Summary

  private static func summary(_ subject: Subject) -> Report.Section {
    let attribution = subject.attribution
    let total = attribution.total
    var facts: [(name: String, value: String)] = [
      (
        "Shootdowns",
        "\(count(total.shootdowns)), of them \(count(total.sends)) announced to other CPUs "
          + "[measured]"
      ),
      (
        "Interrupts",
        "\(count(subject.interrupts)) received [derived: \(attribution.method.rawValue)"
          + (attribution.method == .flushEvents ? ", a lower bound]" : "]")
      ),
    ]
    if attribution.unattributed != 0 {
      facts.append(
        ("", "\(count(attribution.unattributed)) of them from senders that are not in the trace"))
    }
    facts.append(("Causes", evidence(subject)))
    if let pending = pendingBatches(subject) { facts.append(("Pending", pending)) }
    facts.append(("Receivers", receiverTime(subject)))
    return Report.Section("Shootdowns\(TLBRowSection.windowLabel(subject.trace))", [.facts(facts)])
  }

  /// Flushes that are there only because an unmap batch of the same mm may still be unflushed.
  private static func pendingBatches(_ subject: Subject) -> String? {
    var sums = ShootdownSums()
    for group in subject.culprits.groups(by: .kernelPath)
    where subject.culprits.has("flush_tlb_batched_pending", group) {
      sums.add(group.sums)
    }
    guard sums.shootdowns > 0 else { return nil }
    return
      "\(number(sums.shootdowns, "shootdown")) with \(number(sums.interrupts, "interrupt")) only because "
      + "an unmap batch of the same mm might not have been flushed (flush_tlb_batched_pending, "
      + "Linux 6.12 mm/rmap.c) [derived]"
  }

  /// By what the causes are known, in shootdowns.
  private static func evidence(_ subject: Subject) -> String {
    var counts = Array(repeating: 0, count: CauseEvidence.allCases.count)
    var unknown = 0
    for group in subject.attribution.groups {
      counts[Int(group.evidence.rawValue)] += group.sums.shootdowns
      if group.cause == .unknown { unknown += group.sums.shootdowns }
    }
    let all = subject.attribution.total.shootdowns
    var parts: [String] = []
    for evidence in CauseEvidence.allCases where counts[Int(evidence.rawValue)] > 0 {
      parts.append("\(percent(counts[Int(evidence.rawValue)], of: all)) % \(words(evidence))")
    }
    if unknown > 0 { parts.append("\(percent(unknown, of: all)) % unknown among them") }
    return parts.isEmpty ? "no shootdowns" : parts.joined(separator: ", ")
  }

  static func words(_ evidence: CauseEvidence) -> String {
    switch evidence {
    case .callPath: "from call paths [derived]"
    case .event: "named by events around them [derived]"
    case .concluded: "concluded from events around them [derived, less sure]"
    }
  }

  private static func receiverTime(_ subject: Subject) -> String {
    let range = TimeEstimate(subject.options.costs).receivers(
      CostCounts(sends: 0, interrupts: subject.interrupts))
    let each = subject.options.costs["receive"]
    let cost = each.map {
      " at \(milliseconds($0.expected * 1000)) us each (\(milliseconds($0.lower * 1000)) to "
        + "\(milliseconds($0.upper * 1000)))"
    }
    return "\(milliseconds(range.expected)) ms in handlers, \(milliseconds(range.lower)) to "
      + "\(milliseconds(range.upper)) ms\(cost ?? "") [modelled]"
  }

  /// Milliseconds of a number of nanoseconds, with three decimals.
  static func milliseconds(_ nanoseconds: Double) -> String {
    guard nanoseconds.isFinite, nanoseconds.magnitude < 1e18 else { return "-" }
    let thousandths = UInt64((nanoseconds.magnitude / 1000).rounded())
    let fraction = String(thousandths % 1000)
    return (nanoseconds < 0 && thousandths > 0 ? "-" : "") + (thousandths / 1000).grouped + "."
      + String(repeating: "0", count: 3 - fraction.count) + fraction
  }

  static func count(_ value: Int) -> String { Int64(value).grouped }

  /// A share in per cent with one decimal; `-` of nothing.
  static func percent(_ part: Int, of whole: Int) -> String {
    guard whole > 0 else { return "-" }
    return tenths(Double(part) * 1000 / Double(whole))
  }

  /// A number of tenths with one decimal.
  static func tenths(_ value: Double) -> String {
    guard value.isFinite, value.magnitude < 1e15 else { return "-" }
    let rounded = UInt64(value.magnitude.rounded())
    return (value < 0 && rounded > 0 ? "-" : "") + "\((rounded / 10).grouped).\(rounded % 10)"
  }

  // MARK: Culprits

  private static func culprits(_ subject: Subject, _ grouping: CulpritGrouping) -> Report.Section {
    let groups = subject.culprits.groups(by: grouping)
    let heading = "Who causes them, by \(grouping.title)"
    guard !groups.isEmpty else {
      return Report.Section(heading, [.note("No shootdowns in what was counted.")])
    }
    switch grouping {
    case .kernelPath, .userPath:
      return Report.Section(
        "\(heading) [derived]", paths(subject, groups, grouping) + flames(subject, grouping))
    default: break
    }
    var blocks: [Report.Block] = [.table(table(subject, grouping))]
    if grouping == .cause {
      blocks.append(
        .note(
          "interrupts: those that the TLB row counts, sent by these shootdowns; CPUs hit: different "
            + "CPUs; ms: time of the receivers [modelled]. What the columns leave of the totals "
            + "stands in the last rows."))
    }
    return Report.Section(heading, blocks)
  }

  /// The heaviest groups, and what is left of the totals.
  static func table(_ subject: Subject, _ grouping: CulpritGrouping) -> Report.Table {
    let groups = subject.culprits.groups(by: grouping)
    var rows = groups.prefix(subject.options.top).map { row(subject, $0, grouping) }
    rows += remainder(subject, Array(groups.dropFirst(subject.options.top)), grouping)
    let isCause = grouping == .cause || grouping == .cpu
    return Report.Table(
      columns: [grouping.title, "shootdowns", "interrupts", "%", "CPUs hit", "ms"]
        + (isCause ? [] : ["mostly for"]), rows: rows)
  }

  private static func row(
    _ subject: Subject, _ group: Culprits.Group, _ grouping: CulpritGrouping
  ) -> [String] {
    let cells = cells(subject, group.name, group.sums)
    return grouping == .cause || grouping == .cpu ? cells : cells + [group.cause.label]
  }

  static func cells(_ subject: Subject, _ name: String, _ sums: ShootdownSums) -> [String] {
    let time = TimeEstimate(subject.options.costs).receivers(
      CostCounts(sends: 0, interrupts: sums.interrupts))
    return [
      String(name.prefix(32)), count(sums.shootdowns), count(sums.interrupts),
      percent(sums.interrupts, of: subject.interrupts), count(sums.cpus.count),
      milliseconds(time.expected),
    ]
  }

  private static func remainder(
    _ subject: Subject, _ rest: [Culprits.Group], _ grouping: CulpritGrouping
  ) -> [[String]] {
    let isCause = grouping == .cause || grouping == .cpu
    var rows: [[String]] = []
    if !rest.isEmpty {
      var sums = ShootdownSums()
      for group in rest { sums.add(group.sums) }
      rows.append(cells(subject, "\(count(rest.count)) more", sums) + (isCause ? [] : [""]))
    }
    let missing = subject.attribution.unattributed
    if missing != 0 {
      rows.append(
        [
          "sender not in the trace", "-", count(missing), percent(missing, of: subject.interrupts),
          "-", "-",
        ] + (isCause ? [] : [""]))
    }
    return rows
  }

  // MARK: Paths

  private static func paths(
    _ subject: Subject, _ groups: [Culprits.Group], _ grouping: CulpritGrouping
  ) -> [Report.Block] {
    var facts: [(name: String, value: String)] = []
    for group in groups.prefix(subject.options.top) {
      let functions = subject.culprits.functions(group)
      let path = functions.isEmpty ? group.name : shortened(functions)
      facts.append(
        (
          "\(percent(group.sums.interrupts, of: subject.interrupts)) %",
          "\(number(group.sums.shootdowns, "shootdown")), "
            + "\(number(group.sums.interrupts, "interrupt")) (\(group.cause.label)): \(path)"
        ))
    }
    let rest = groups.dropFirst(subject.options.top)
    if !rest.isEmpty {
      var sums = ShootdownSums()
      for group in rest { sums.add(group.sums) }
      facts.append(
        (
          "\(percent(sums.interrupts, of: subject.interrupts)) %",
          "\(number(sums.shootdowns, "shootdown")), \(number(sums.interrupts, "interrupt")) on "
            + "\(count(rest.count)) more"
        ))
    }
    return [
      .facts(facts),
      .note(
        "From the function that flushes outwards; what every path has in common is left out "
          + "(--json and --folded have it all)."),
    ]
  }

  /// Functions that say nothing about why: the flush itself and what samples it, and the entry.
  private static let commonplace: Set<String> = [
    "flush_tlb_func", "flush_tlb_mm_range", "flush_tlb_multi", "native_flush_tlb_multi",
    "on_each_cpu_cond_mask", "smp_call_function_many_cond", "arch_tlbbatch_flush",
    "try_to_unmap_flush", "entry_SYSCALL_64_after_hwframe", "do_syscall_64", "asm_exc_page_fault",
    "exc_page_fault", "do_user_addr_fault", "kthread", "ret_from_fork", "ret_from_fork_asm",
    "__flush_tlb_multi", "x64_sys_call", "do_one_initcall",
  ]
  private static let framesShown = 14

  private static func shortened(_ functions: [String]) -> String {
    let told = functions.filter {
      !commonplace.contains($0) && !$0.hasPrefix("trace_event_raw_event_")
    }
    let shown = told.isEmpty ? functions : told
    let text = shown.prefix(framesShown).joined(separator: " < ")
    return shown.count > framesShown ? text + " < ..." : text
  }

  // MARK: The rest

  private static func agreement(_ subject: Subject) -> Report.Section? {
    let agreement = subject.attribution.agreement
    guard agreement.total > 0 else { return nil }
    var rows: [[String]] = []
    var same = 0
    var coarser = 0
    var silent = 0
    for events in FlushCause.allCases {
      for path in FlushCause.allCases {
        let number = agreement.shootdowns[Int(events.rawValue)][Int(path.rawValue)]
        guard number > 0 else { continue }
        let verdict: String
        if events == path {
          same += number
          verdict = "same"
        } else if events == .unknown {
          silent += number
          verdict = "not told"
        } else if path.seenFromOutside == events {
          coarser += number
          verdict = "coarser"
        } else {
          verdict = "differs"
        }
        rows.append([events.label, path.label, count(number), verdict])
      }
    }
    let explained = agreement.total - agreement.unexplained
    return Report.Section(
      "Causes from events against causes from call paths",
      [
        .table(
          Report.Table(columns: ["events say", "path says", "shootdowns", ""], rows: rows)),
        .note(
          "Of \(count(agreement.total)) shootdowns with a call path the rules know "
            + "\(count(explained)) (\(percent(explained, of: agreement.total)) %). Events alone say "
            + "the same for \(percent(same, of: explained)) % of these, something coarser for "
            + "\(percent(coarser, of: explained)) %, nothing for \(percent(silent, of: explained)) %"
            + ", and something else for \(percent(explained - same - coarser - silent, of: explained))"
            + " %. Tables take the path's word where there is one."),
      ])
  }

  private static func otherCalls(_ subject: Subject) -> Report.Section? {
    let calls = subject.attribution.otherCalls
    guard !calls.isEmpty else { return nil }
    let names = subject.culprits.names
    let rows = calls.prefix(subject.options.top).map { call in
      [AttributionNames.printable(names.kernel(call.function)), count(call.runs)]
    }
    return Report.Section(
      "Other functions that CPUs interrupt each other for [measured: csd_function_entry]",
      [
        .table(Report.Table(columns: ["function", "runs"], rows: rows)),
        .note(
          "The TLB row does not count these. do_kernel_range_flush and do_flush_tlb_all are flushes "
            + "of the kernel's own mappings (vfree, module loading; Linux 6.12 arch/x86/mm/tlb.c): "
            + "they interrupt every CPU, lazy or not."),
      ])
  }

  /// More would be thinner than a line.
  private static let stacksDrawn = 2000

  private static func flames(_ subject: Subject, _ grouping: CulpritGrouping) -> [Report.Block] {
    guard grouping == .kernelPath, subject.culprits.hasKernelPaths else { return [] }
    let stacks = subject.culprits.stacks(max: stacksDrawn)
    guard !stacks.isEmpty else { return [] }
    let summary =
      "Interrupts by task name, user functions and kernel functions (_[k]) of the initiator; the list "
      + "of call paths has the heaviest."
    return [
      .plot(
        Plot(
          "Interrupts by call path of the initiator", summary: summary, grade: "derived",
          .flames(FlamePlot(unit: "interrupts", stacks: stacks))))
    ]
  }

  /// `1 shootdown`, `2 shootdowns`.
  static func number(_ count: Int, _ noun: String) -> String {
    "\(self.count(count)) \(noun)\(count == 1 ? "" : "s")"
  }

  private static func basis(_ subject: Subject) -> Report.Section {
    var notes: [(name: String, value: String)] = []
    let culprits = subject.culprits
    if culprits.hasKernelPaths {
      notes.append(
        (
          "causes",
          "by the kernel functions on the initiator's call path, by rules that name the file and "
            + "version they rely on (Sources/Replay/Attribution/KernelPathRules.swift)."
        ))
    } else {
      notes.append(
        (
          "causes",
          "this trace has no call chains of flushes: causes come from the events around each "
            + "shootdown (migrations, reclaim, system calls, faults, what is freed next). Record "
            + "with perf record -g, or trace-cmd record -T, to have them from call paths."
        ))
    }
    if !culprits.hasProcesses {
      notes.append(
        (
          "processes",
          "not observable: the trace does not tell thread groups (perf.data does, ftrace with "
            + "options/record-tgid)."
        ))
    }
    for source in culprits.names.sources() { notes.append(("symbols", source)) }
    if culprits.names.chains.cut + culprits.names.chains.crowdedOut > 0 {
      notes.append(
        (
          "chains",
          "\(count(culprits.names.chains.cut)) were deeper than \(CallChains.depthMax) frames and "
            + "lost their outermost; \(count(culprits.names.chains.crowdedOut)) found no room for "
            + "all of their frames."
        ))
    }
    return Report.Section("What these numbers rest on", [.facts(notes)])
  }
}
