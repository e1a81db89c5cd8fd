import Statistics

/// `--style mmtests`: the table of mmtests' `compare-kernels`.
///
/// Layout of gormanm/mmtests `Compare.pm` and `PrintGeneric.pm`: values in 12 columns, changes in 7
/// between parentheses, or between asterisks where the difference is significant. A change is the
/// gain: positive where less came after. Whether a difference is significant is our verdict.
public enum MmtestsStyle: ComparisonStyle {
  /// See ``ComparisonStyle``.
  public static let name = "mmtests"
  /// Columns of a value; more where one does not fit, so that a blank stays before it.
  private static let fieldWidthMin = 12
  private static let changeWidth = 7

  /// See ``ComparisonStyle``.
  public static func render(_ comparison: RunComparison) throws(StyleError) -> String {
    let operations = comparison.measures.map { $0.name.count }.max() ?? 0
    let statistics = figures(nil).map { $0.name.count }.max() ?? 0
    let margin = String(repeating: " ", count: statistics + 1 + operations)
    let names = [comparison.names.before, comparison.names.after].map(split)
    let values = comparison.measures.flatMap { measure in
      (figures(measure.comparison.before) + figures(measure.comparison.after)).compactMap(\.value)
    }
    let longest = values.map { Quantity.format("%.2f", $0).count }.max() ?? 0
    let field = max(fieldWidthMin, longest + 1)
    let width = field + changeWidth + 4
    var text = margin + names.map { padded($0.0, left: width) }.joined() + "\n"
    text += margin + names.map { padded($0.1, left: width) }.joined() + "\n"
    for measure in comparison.measures {
      let tested = measure.comparison
      let isProven = tested.verdict == .lower || tested.verdict == .higher
      for (before, after) in zip(figures(tested.before), figures(tested.after)) {
        guard let one = before.value, let two = after.value else { continue }
        text += padded(before.name, right: statistics) + " "
        text += padded(measure.name, right: operations)
        text += cell(one, field, gain: 0, isProven: false)
        text +=
          cell(
            two, field, gain: gain(one, two), isProven: isProven && before.name == "Amean") + "\n"
      }
    }
    return text
  }

  /// Run names break at the first `-` that no release candidate follows: `5.3-rc1-vanilla`.
  static func split(_ name: String) -> (String, String) {
    var index = name.startIndex
    while let dash = name[index...].firstIndex(of: "-") {
      let rest = name[name.index(after: dash)...]
      if !rest.hasPrefix("rc") { return (String(name[..<dash]), String(rest)) }
      index = name.index(after: dash)
    }
    return (name, "")
  }

  private static func figures(_ sample: Sample?) -> [(name: String, value: Double?)] {
    let deviation = sample?.standardDeviation
    let variation = sample.flatMap { sample in
      sample.mean != 0 ? deviation.map { $0 / abs(sample.mean) * 100 } : nil
    }
    return [
      ("Min", sample?.minimum), ("Amean", sample?.mean), ("Stddev", deviation),
      ("CoeffVar", variation), ("Max", sample?.maximum),
    ]
  }

  private static func gain(_ before: Double, _ after: Double) -> Double {
    let percent = (before - after) / abs(before) * 100
    return percent.isFinite ? percent : 0
  }

  private static func cell(_ value: Double, _ field: Int, gain: Double, isProven: Bool) -> String {
    let (left, right) = isProven ? ("*", "*") : ("(", ")")
    return padded(Quantity.format("%.2f", value), left: field) + " \(left)"
      + Quantity.format("%7.2f%%", gain) + right
  }
}
