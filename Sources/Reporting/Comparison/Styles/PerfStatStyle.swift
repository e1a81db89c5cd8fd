import Replay
import Statistics

#if canImport(Glibc)
  import Glibc
#endif

/// `--style perf-stat`: both sides as `perf stat` prints counts, and both TLB rows as the kernel does.
///
/// Layout of `tools/perf/util/stat-display.c`, checked against perf 6.1: counts in 18 columns, a unit
/// in 4, names in 32, a metric in 35 (perf 6.12 has 38), then the standard error of the mean.
public enum PerfStatStyle: ComparisonStyle {
  /// See ``ComparisonStyle``.
  public static let name = "perf-stat"

  /// Units that a second has so many of.
  private static let parts = ["s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9]

  /// See ``ComparisonStyle``.
  public static func render(_ comparison: RunComparison) throws(StyleError) -> String {
    var text = ""
    let elapsed = comparison.measures.first { parts[$0.unit] != nil && $0.grade == .measured }
    // What perf counts are events: no ratios, and the row stands below.
    let counters = comparison.measures.filter { $0.unit == "events" }
    for (name, pick) in [
      (comparison.names.before, { (measure: ComparedMeasure) in measure.comparison.before }),
      (comparison.names.after, { (measure: ComparedMeasure) in measure.comparison.after }),
    ] {
      let shown = counters.map { (name: event($0.name), sample: pick($0)) }
      text += block(name, shown, elapsed: elapsed.map { (pick($0), parts[$0.unit] ?? 1) })
    }
    if let rows = comparison.rows {
      let width = comparison.labelWidth
      text += interrupts("BEFORE", rows.before, width)
      text += "\n" + interrupts("AFTER", rows.after, width)
    }
    guard !counters.isEmpty || comparison.rows != nil || elapsed != nil else {
      throw StyleError(description: "--style perf-stat shows counted events, and there are none")
    }
    return text
  }

  static func event(_ name: String) -> String {
    name == "tlb_flush" ? "tlb:tlb_flush" : name
  }

  static func block(
    _ name: String, _ counters: [(name: String, sample: Sample)], elapsed: (Sample, Double)?
  ) -> String {
    let runs = (counters.map(\.sample.count) + [elapsed?.0.count ?? 1]).max() ?? 1
    var text = "\n Performance counter stats for '\(name)'\(runs > 1 ? " (\(runs) runs)" : ""):\n\n"
    for counter in counters { text += line(counter.name, counter.sample) + "\n" }
    text += "\n"
    if let elapsed { text += footer(elapsed.0, parts: elapsed.1) + "\n\n" }
    return text
  }

  static func line(_ name: String, _ sample: Sample) -> String {
    // perf adds the runs' counts up and divides them as integers before it relates the error to them.
    let mean = sample.mean.rounded(.towardZero)
    return count(name, mean) + String(repeating: " ", count: 35) + noise(error(sample), mean)
  }

  /// The columns of a line up to the event's name.
  static func count(_ name: String, _ count: Double) -> String {
    Quantity.format("%18.0f", count) + " " + String(repeating: " ", count: 4) + " "
      + padded(name, right: 32)
  }

  /// The standard error of the mean.
  private static func error(_ sample: Sample) -> Double {
    (sample.standardDeviation ?? 0) / Double(sample.count).squareRoot()
  }

  private static func noise(_ error: Double, _ mean: Double) -> String {
    let percent = mean != 0 ? 100 * error / mean : 0
    return percent != 0 ? Quantity.format("  ( +-%6.2f%% )", percent) : ""
  }

  static func footer(_ sample: Sample, parts: Double) -> String {
    let mean = sample.mean / parts
    guard sample.count > 1 else {
      return Quantity.format(" %17.9f", mean) + " seconds time elapsed"
    }
    let error = error(sample) / parts
    // Two digits more than the error's first; 9 digits are nanoseconds.
    let digits = error > 1 ? 0 : error > 0 ? Int(min(9, (-log10(error)).rounded(.up))) : 9
    return Quantity.format(" %17.\(digits + 2)f", mean) + " +- "
      + Quantity.format("%.\(digits + 2)f", error) + " seconds time elapsed"
      + noise(error, mean)
  }

  private static func interrupts(_ title: String, _ counts: [UInt64], _ labelWidth: Int) -> String {
    let table = InterruptTable(labelWidth: labelWidth, cpus: counts.count, rows: [])
    let row = InterruptTable.Row(
      counts: counts.map { Int64(clamping: $0) }, text: "TLB shootdowns")
    return "\(title)\n" + String(repeating: "-", count: title.count) + "\n" + table.header + "\n"
      + table.line(row) + "\n"
  }
}
