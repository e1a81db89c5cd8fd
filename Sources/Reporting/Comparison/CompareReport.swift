import Statistics

/// `compare`: two sets of runs, and what may be said about their difference.
public enum CompareReport {
  /// The report on `comparison`.
  public static func build(_ comparison: RunComparison) -> Report {
    var report = Report(title: "tlbreplay compare")
    report.sections = [sides(comparison), measures(comparison), verdicts(comparison)]
    if let rows = rows(comparison) { report.sections.append(rows) }
    if !comparison.notes.isEmpty {
      report.sections.append(Report.Section("Limits", comparison.notes.map { .note($0) }))
    }
    report.data = data(comparison)
    report.coverLetter = CoverLetter(comparison)
    return report
  }

  private static func sides(_ comparison: RunComparison) -> Report.Section {
    let (before, after) = comparison.inputs
    if before == after {
      return Report.Section("Runs", [.facts([("both", before.joined(separator: " "))])])
    }
    return Report.Section(
      "Runs",
      [
        .facts([
          ("before", before.joined(separator: " ")), ("after", after.joined(separator: " ")),
        ])
      ])
  }

  private static func measures(_ comparison: RunComparison) -> Report.Section {
    let rows = comparison.measures.map { measure -> [String] in
      let tested = measure.comparison
      return [
        measure.name, "\(tested.before.count)+\(tested.after.count)",
        Quantity.text(tested.before.mean), Quantity.text(tested.after.mean),
        Quantity.percent(tested.percent), spread(tested),
      ]
    }
    // A column of nothing is no column.
    let columns = ["measure", "n", "before", "after", "change", "SD"].prefix(
      rows.allSatisfy { $0.last == "" } ? 5 : 6)
    return Report.Section(
      "Means over repetitions, and standard deviations in per cent of them",
      [
        .table(
          Report.Table(
            columns: Array(columns), rows: rows.map { Array($0.prefix(columns.count)) }))
      ])
  }

  /// Both sides' standard deviations in per cent of their means.
  private static func spread(_ tested: SampleComparison) -> String {
    let sides = [tested.before, tested.after].map { sample -> String in
      guard let deviation = sample.standardDeviation, sample.mean != 0 else { return "-" }
      return Quantity.format("%.1f%%", deviation / abs(sample.mean) * 100)
    }
    return sides == ["-", "-"] ? "" : sides.joined(separator: "/")
  }

  private static func verdicts(_ comparison: RunComparison) -> Report.Section {
    let tested = comparison.measures.filter { $0.comparison.verdict != .untested }
    var blocks = tested.map { Report.Block.note("\($0.name): \(sentence($0))") }
    if tested.contains(where: { $0.comparison.isRankTestBlind }) {
      blocks.append(
        .note(
          "With so few repetitions the rank test cannot see any difference, whatever the values: "
            + "where it is blind, the verdict is Welch's alone, who takes values to be normal."))
    }
    if tested.contains(where: { $0.comparison.repetitions.origin == .none }) {
      blocks.append(
        .note(
          "Where no grouping is named, each value counts as a repetition of its own."))
    }
    let untested = comparison.measures.filter { $0.comparison.verdict == .untested }
    if !untested.isEmpty {
      blocks.append(
        .note(
          "Not tested: \(untested.map(\.name).joined(separator: ", ")). A side has one value only, "
            + "so the change may be chance; at least two repetitions a side are needed."))
    }
    return Report.Section("Verdicts at 95% confidence", blocks)
  }

  /// The verdict in words, with the evidence.
  static func sentence(_ measure: ComparedMeasure) -> String {
    let tested = measure.comparison
    let change = Quantity.percent(tested.percent)
    let words =
      switch tested.verdict {
      case .lower: "lower after, \(change)"
      case .higher: "higher after, \(change)"
      case .unproven: "no difference proven, \(change)"
      case .disputed: "the tests disagree, so nothing is proven, \(change)"
      case .untested: "not tested, \(change)"
      }
    return words + evidence(tested) + grouping(tested.repetitions, measure)
  }

  private static func evidence(_ tested: SampleComparison) -> String {
    guard let welch = tested.welch, let ranks = tested.mannWhitney else { return "." }
    var text = ""
    if let interval = tested.percentInterval {
      text +=
        " (95% interval \(Quantity.percent(interval.lowerBound)) to "
        + "\(Quantity.percent(interval.upperBound)))"
    }
    text += ". "
    text +=
      welch.t.isFinite
      ? "Welch t = \(Quantity.format("%.2f", welch.t)), df "
        + "\(Quantity.format("%.1f", welch.degrees)), p "
        + "\(Quantity.probability(welch.probability)); "
      : "No value varies within its side; "
    text += "Mann-Whitney U = \(Quantity.format("%g", ranks.u)) of \(ranks.pairs), p "
    text += Quantity.probability(ranks.probability) + (ranks.isExact ? " (exact)." : ".")
    return text
  }

  /// Which values were taken together, and why.
  private static func grouping(_ repetitions: Repetitions, _ measure: ComparedMeasure) -> String {
    let (before, after) = (measure.comparison.before.count, measure.comparison.after.count)
    switch repetitions.origin {
    case .none: return ""
    case .stated:
      let instances = repetitions.instances > 0 ? "\(repetitions.instances)" : "several"
      return " The input states \(before)+\(after) repetitions of \(instances) values; each counts "
        + "once, with its mean."
    case .found:
      return " Found \(before)+\(after) repetitions of \(repetitions.instances) values: lines k, k+"
        + "\(before)\(repetitions.instances > 2 ? ", ..." : "") are near-copies (intraclass "
        + "correlation \(Quantity.format("%.4f", repetitions.correlation ?? 0)), p "
        + "\(Quantity.probability(repetitions.probability ?? 1))), so each repetition counts once, "
        + "with its mean; \(measure.values.before.count)+\(measure.values.after.count) values taken "
        + "as independent would pretend to know more."
    }
  }

  private static func rows(_ comparison: RunComparison) -> Report.Section? {
    guard let rows = comparison.rows else { return nil }
    func block(_ counts: [UInt64]) -> Report.Block {
      .interrupts(
        InterruptTable(
          labelWidth: comparison.labelWidth, cpus: counts.count,
          rows: [
            InterruptTable.Row(counts: counts.map { Int64(clamping: $0) }, text: "TLB shootdowns")
          ]))
    }
    return Report.Section(
      "TLB row of /proc/interrupts [\(comparison.rowSource)]",
      [.note("BEFORE"), block(rows.before), .note("AFTER"), block(rows.after)])
  }
}
