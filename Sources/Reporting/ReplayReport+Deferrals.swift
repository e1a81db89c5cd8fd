import Replay
import TraceEvents

/// What became of the flushes that a policy put off.
extension ReplayReport {
  /// The books of one policy; nil for one that this trace cannot show.
  static func deferrals(_ policy: PolicyOutcome, _ unit: TimeUnit) -> Report.Section? {
    guard let figures = policy.figures else { return nil }
    let ledger = figures.ledger
    let heading = "Deferred flushes under \(policy.name) [modelled]"
    guard ledger.deferred > 0 || ledger.forcedFlushes > 0 else {
      let outright = outright(ledger)
      return Report.Section(
        heading,
        [.note("No unmap batch was deferred.")] + (outright.isEmpty ? [] : [.facts(outright)]))
    }
    var blocks: [Report.Block] = [.table(fates(ledger))]
    blocks.append(.facts(facts(figures, unit)))
    if let series = pending(figures.pending, unit) { blocks.append(.series(series)) }
    blocks += pendingPlot(policy, figures.pending, unit)
    return Report.Section(heading, blocks)
  }

  /// Fates as an account: the last row is the sum of those above it.
  private static func fates(_ ledger: Ledger) -> Report.Table {
    // Few policies know all of them; what did not happen is left out.
    let shown = DeferralFate.allCases.filter { fate in
      ledger.fates[fate.rawValue] + ledger.flushes[fate.rawValue] > 0
    }
    var rows = shown.map { fate in
      [fate.label, count(ledger.fates[fate.rawValue]), count(ledger.flushes[fate.rawValue])]
    }
    rows.append(["pending at the window's end", count(ledger.pending), ""])
    rows.append(["sum: deferred", count(ledger.deferred), count(ledger.forcedFlushes)])
    return Report.Table(columns: ["unmap batches by fate", "batches", "flushes added"], rows: rows)
  }

  private static func facts(
    _ figures: CaseFigures, _ unit: TimeUnit
  ) -> [(name: String, value: String)] {
    var facts = outright(figures.ledger)
    let payers = TaskClass.allCases.compactMap { payer -> String? in
      let payment = payment(figures, payer)
      guard payment.flushes > 0 else { return nil }
      return "\(payer.label) \(counted(payment.flushes, "flush", "flushes")), "
        + "\(counted(payment.interrupts, "interrupt", "interrupts"))"
    }
    if !payers.isEmpty { facts.append(("paid by", payers.joined(separator: "; "))) }
    let ages = figures.ages
    if ages.count > 0 {
      facts.append(
        (
          "age",
          "p50 \(unit.duration(ages.median)), p90 \(unit.duration(ages.percentile90)), p99 "
            + "\(unit.duration(ages.percentile99)) (up to 12.5 % more), longest "
            + "\(unit.duration(ages.longest)), of \(count(ages.count)) that ended"
        ))
    }
    if let bursts = bursts(figures.bursts, unit) { facts.append(("bursts", bursts)) }
    let mean =
      figures.pending.framesMean.map { mean in
        ", \(mean > 0 ? count(mean) : "less than 1") on average"
      } ?? ""
    facts.append(
      (
        "pending",
        "at most \(counted(figures.pending.framesMax, "frame", "frames")) free with a flush owed"
          + mean
      ))
    return facts
  }

  /// Shootdowns that were neither deferred nor done as recorded.
  private static func outright(_ ledger: Ledger) -> [(name: String, value: String)] {
    var facts: [(name: String, value: String)] = []
    if ledger.refused > 0 {
      facts.append(
        (
          "refused",
          "\(counted(ledger.refused, "batch", "batches")) flushed at once: another flush was "
            + "running, or no place was left"
        ))
    }
    if ledger.broadcasts > 0 {
      facts.append(
        ("silent", "\(counted(ledger.broadcasts, "flush", "flushes")) done without interrupts"))
    }
    if ledger.framesHeld > 0 {
      facts.append(
        (
          "held",
          "\(counted(ledger.framesHeld, "frame", "frames")) taken that would not be free yet"
        ))
    }
    if ledger.framesRecycled > 0 {
      facts.append(
        (
          "recycled",
          "\(counted(ledger.framesRecycled, "frame", "frames")) went back to their process"
        ))
    }
    return facts
  }

  private static func bursts(_ bursts: FlushBursts, _ unit: TimeUnit) -> String? {
    guard let span = bursts.span, bursts.flushesMax > 0 else { return nil }
    let spans = bursts.spansByFlushes.enumerated().compactMap { power, spans -> String? in
      guard spans > 0 else { return nil }
      let low = 1 << power
      return "\(low == 1 ? "1" : "\(count(low)) to \(count(low * 2 - 1))"): \(count(spans))"
    }
    return "at most \(counted(bursts.flushesMax, "flush", "flushes")) in \(unit.duration(span)); "
      + "spans with \(spans.joined(separator: ", "))"
  }

  private static func pending(_ pending: PendingFrames, _ unit: TimeUnit) -> Report.Series? {
    guard let start = pending.start, pending.series.count > 1 else { return nil }
    var series = Report.Series(
      name: "", values: pending.series,
      caption: "frames pending, the most in each \(unit.duration(pending.width)) from "
        + "\(unit.moment(start)) on")
    series.isPlotted = true
    return series
  }

  static func payment(
    _ figures: CaseFigures, _ payer: TaskClass
  ) -> (flushes: Int, interrupts: Int) {
    let index = Int(payer.rawValue)
    guard index < figures.payers.count else { return (0, 0) }
    return (figures.payers[index].flushes, figures.payers[index].interrupts)
  }

  /// `1 flush`, `2 flushes`.
  static func counted(_ value: Int, _ one: String, _ many: String) -> String {
    "\(count(value)) \(value == 1 ? one : many)"
  }

  // MARK: Bounds

  /// Every case that the bounds come from; nil for the recorded run, which has none.
  static func cases(_ policy: PolicyOutcome) -> Report.Section? {
    guard !policy.cases.isEmpty else { return nil }
    var rows: [[String]] = []
    for figures in policy.cases {
      let counts = [
        count(figures.tlbRowTotal),
        figures.anotherRun.map { range($0.lowerBound, $0.upperBound) } ?? "-",
        count(figures.ledger.deferred), count(figures.ledger.refused),
        count(figures.ledger.forcedFlushes),
      ]
      // Not all policies ask how long a flush lasts.
      let isSame = rows.last.map { Array($0.dropFirst()) == counts } ?? false
      guard figures.assumption != .allPossibleAtOnce || !isSame else { continue }
      rows.append([figures.assumption?.label ?? "the only one"] + counts)
    }
    let open =
      policy.rowUpper == policy.rowLower
      ? "What this trace does not show makes no difference here."
      : "What this trace does not show leaves \(policy.rowLower.map(count) ?? "-") to "
        + "\(policy.rowUpper.map(count) ?? "not known"): the cases, and every mixture of them. "
        + "What they assume stands in the notes at the end."
    return Report.Section(
      "Bounds of \(policy.name) [modelled]",
      [
        .table(
          Report.Table(
            columns: ["case", "TLB row", "another run", "deferred", "refused", "forced"],
            rows: rows)),
        .note(open),
      ])
  }
}

extension DeferralFate {
  /// What ended the deferral, for people.
  var label: String {
    switch self {
    case .absorbed: "absorbed by another flush"
    case .allocation: "allocation of one of its frames"
    case .permission: "permission change"
    case .fileWrite: "write to a file"
    case .pressure: "memory pressure"
    case .unmap: "unmap that the recorded run did not flush"
    case .recycled: "frames that stayed in their process"
    }
  }

  /// Its name in JSON.
  var name: String {
    switch self {
    case .absorbed: "absorbed"
    case .allocation: "allocation"
    case .permission: "permission"
    case .fileWrite: "file_write"
    case .pressure: "pressure"
    case .unmap: "unmap"
    case .recycled: "recycled"
    }
  }
}

extension ReplayAssumption {
  /// What the case assumes, in a few words that fit policies that ask how pages were mapped, and
  /// those that ask which threads are one process.
  var label: String {
    switch self {
    case .onlyProven: "by what is proven"
    case .expected: "expected (shown above)"
    case .allPossible: "all that is not ruled out"
    case .allPossibleAtOnce: "same, flushes take no time"
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
