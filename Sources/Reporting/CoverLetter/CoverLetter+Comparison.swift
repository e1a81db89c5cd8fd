import Replay
import Statistics

extension CoverLetter {
  /// What is said of a measure, in the order of a letter: its name and how a claim calls it.
  private static let subjects: [(measure: String, subject: String)] = [
    ("tlb_row", "tlb shootdown interrupts are"),
    ("tlb_row.per_reclaimed_page", "tlb shootdown interrupts per reclaimed page are"),
    ("tlb_row.per_migrated_page", "tlb shootdown interrupts per migrated page are"),
    ("tlb_row.per_second", "tlb shootdown interrupts per second are"),
    ("tlb:tlb_flush", "tlb flushes are"), ("tlb_flush", "tlb flushes are"),
    ("tlb_flush.without_switches", "tlb flushes but those of task switches are"),
    ("iTLB-load-misses", "tlb misses(itlb) are"),
    ("dTLB-store-misses", "tlb misses(dtlb store) are"),
    ("dTLB-load-misses", "tlb misses(dtlb load) are"),
  ]

  /// The letter of two sets of runs; nil where nothing was measured that a letter has.
  init?(_ comparison: RunComparison) {
    self.init()
    let times = comparison.measures.filter(Self.isTime)
    let shown: [(measure: ComparedMeasure, subject: String)] =
      Self.subjects.compactMap { name, subject in comparison[name].map { ($0, subject) } }
      + times.map { ($0, "The run time (\($0.name)) is") }
    claims = shown.compactMap {
      Self.claim($0.subject, $0.measure.comparison.percent, Self.evidence($0.measure.comparison))
    }
    environment = comparison.environment.map { ($0.name, $0.value) }
    testSet = comparison.testSet
    blocks += times.map(Self.times)
    if let rows = comparison.rows {
      func side(_ counts: [UInt64]) -> Side {
        Side(
          content: .row(counts, labelWidth: comparison.labelWidth), source: [comparison.rowSource])
      }
      blocks.append(
        Block(
          title: "tlb shootdowns from 'cat /proc/interrupts'", before: side(rows.before),
          after: side(rows.after)))
    }
    let counters = comparison.measures.filter { $0.unit == "events" }.sorted { $0.name < $1.name }
    if !counters.isEmpty { blocks.append(Self.counters(counters)) }
    guard !blocks.isEmpty else { return nil }
    let untested = shown.contains { $0.measure.comparison.verdict == .untested }
    if untested {
      notes.append(
        "Where no interval is named, a side has one value: the change is not tested and may be "
          + "chance.")
    }
    notes += comparison.notes
  }

  private static func isTime(_ measure: ComparedMeasure) -> Bool {
    ["s", "ms", "us", "ns"].contains(measure.unit) && measure.grade == .measured
      // How long was traced is no run time.
      && measure.name != "window"
  }

  /// The interval where the tests prove a difference, else that they do not; nothing is said of what
  /// was not tested.
  private static func evidence(_ tested: SampleComparison) -> [String] {
    let runs = "n = \(tested.before.count)+\(tested.after.count)"
    switch tested.verdict {
    case .untested: return []
    case .unproven: return ["no difference proven", runs]
    case .disputed: return ["the tests disagree", runs]
    case .lower, .higher:
      guard let interval = tested.percentInterval else { return [runs] }
      return [
        "95% interval \(Quantity.percent(interval.lowerBound)) to "
          + Quantity.percent(interval.upperBound), runs,
      ]
    }
  }

  /// Repetitions in the order of the input.
  private static func times(_ measure: ComparedMeasure) -> Block {
    func side(_ sample: Sample, _ values: [Double]) -> Side {
      let deviation = sample.standardDeviation.map {
        ", standard deviation \(Quantity.format("%.2f", $0))"
      }
      let repetitions = sample.count == 1 ? "1 run" : "\(sample.count) runs"
      let instances =
        values.count == sample.count ? "" : ", each the mean of its \(values.count / sample.count)"
      return Side(
        content: .lines([
          "mean \(Quantity.format("%.2f", sample.mean)) \(measure.unit)" + (deviation ?? ""),
          sample.values.map { Quantity.format("%.2f", $0) }.joined(separator: " "),
        ]), source: ["measured: \(repetitions)\(instances)"])
    }
    return Block(
      title: "run time (\(measure.name))",
      before: side(measure.comparison.before, measure.values.before),
      after: side(measure.comparison.after, measure.values.after))
  }

  private static func counters(_ measures: [ComparedMeasure]) -> Block {
    func side(_ pick: (ComparedMeasure) -> Sample) -> Side {
      let counters = measures.map {
        (name: PerfStatStyle.event($0.name), count: pick($0).mean.rounded(.towardZero))
      }
      let runs = measures.map { pick($0).count }.max() ?? 1
      return Side(
        content: .counters(counters),
        source: ["measured" + (runs > 1 ? ": mean of \(runs) runs" : "")])
    }
    return Block(
      title: "tlb numbers as 'perf stat' prints them", before: side(\.comparison.before),
      after: side(\.comparison.after))
  }
}

extension RunComparison {
  /// What the letter says of the runs: the captures of each side, and the time that they cover.
  static func testSet(_ before: [CapturedRun], _ after: [CapturedRun]) -> [String] {
    func side(_ name: String, _ runs: [CapturedRun]) -> String {
      "\(name): \(runs.count) \(runs.count == 1 ? "run" : "runs"), "
        + runs.map { run in
          let span = run["window"].map { ", \(Quantity.format("%.3f", $0.value)) s" } ?? ""
          return "\(run.name) (\(run.windowName)\(span))"
        }.joined(separator: ", ")
    }
    return [side("before", before), side("after", after)]
  }
}
