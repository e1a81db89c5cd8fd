import Statistics

/// `--style benchstat`: lines of the Go benchmark format, for `benchstat -col side FILE`.
///
/// Each repetition is a line and each measure a unit, so that benchstat makes a table of each. The
/// statistics are benchstat's. Format: https://go.dev/design/14313-benchmark-format
public enum BenchstatStyle: ComparisonStyle {
  /// See ``ComparisonStyle``.
  public static let name = "benchstat"

  /// See ``ComparisonStyle``.
  public static func render(_ comparison: RunComparison) throws(StyleError) -> String {
    var text = ""
    for (side, pick) in [
      (comparison.names.before, { (measure: ComparedMeasure) in measure.comparison.before }),
      (comparison.names.after, { (measure: ComparedMeasure) in measure.comparison.after }),
    ] {
      text += "side: \(side)\n\n"
      for measure in comparison.measures {
        let unit = unit(measure.name)
        for value in pick(measure).values { text += "BenchmarkRun 1 \(number(value)) \(unit)\n" }
      }
      text += "\n"
    }
    return text
  }

  /// A unit is one word; of some units ("ns", "MB/s") benchstat has an opinion, of ours none.
  private static func unit(_ name: String) -> String {
    String(name.map { $0.isWhitespace ? "_" : $0 })
  }

  private static func number(_ value: Double) -> String {
    Int64(exactly: value).map { "\($0)" } ?? "\(value)"
  }
}
