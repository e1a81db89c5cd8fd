import Statistics

/// `--style ministat`: for each measure what FreeBSD's ministat prints for two files with the means of
/// the repetitions, `MEASURE.before` and `MEASURE.after`.
///
/// Equal to Debian's ministat 20150715 (`usr.bin/ministat` of FreeBSD 10), its habits included: the
/// "median" of an even number of values is the upper one of the middle two, Student's t has three
/// decimals, from 101 degrees of freedom on that of the normal distribution, and the plot is as high
/// as the second file needs.
public enum MinistatStyle: ComparisonStyle {
  /// See ``ComparisonStyle``.
  public static let name = "ministat"

  /// Values that ministat wants of each file.
  static let valuesMin = 3

  /// See ``ComparisonStyle``.
  public static func render(_ comparison: RunComparison) throws(StyleError) -> String {
    let shown = comparison.measures.filter {
      min($0.comparison.before.count, $0.comparison.after.count) >= valuesMin
    }
    guard !shown.isEmpty else {
      throw StyleError(
        description: "--style ministat needs at least 3 repetitions a side, and no measure has them"
      )
    }
    return shown.map(block).joined()
  }

  private static func block(_ measure: ComparedMeasure) -> String {
    let sets = [measure.comparison.before, measure.comparison.after].map(MinistatSet.init)
    var text = "x \(measure.name).before\n+ \(measure.name).after\n"
    text += MinistatPlot(sets).text
    text += "    N           Min           Max        Median           Avg        Stddev\n"
    for (symbol, set) in zip(["x", "+"], sets) {
      let count = padded("\(set.values.count)", left: 3)
      let figures = [set.minimum, set.maximum, set.median, set.mean, set.deviation]
      text +=
        "\(symbol) \(count) "
        + figures.map { Quantity.format("%13.8g", $0) }.joined(separator: " ") + "\n"
    }
    return text + verdict(sets[1], against: sets[0])
  }

  /// Student's t at 95% as ministat's table has it.
  static func quantile(degrees: Int) -> Double {
    let exact =
      degrees > 100
      ? Normal.quantile(confidence: 0.95)
      : StudentT.quantile(confidence: 0.95, degrees: Double(degrees))
    return (exact * 1000).rounded() / 1000
  }

  private static func verdict(_ set: MinistatSet, against base: MinistatSet) -> String {
    let (n, m) = (Double(set.values.count), Double(base.values.count))
    let pooled = (((n - 1) * set.variance + (m - 1) * base.variance) / (n + m - 2)).squareRoot()
    let half =
      quantile(degrees: set.values.count + base.values.count - 2) * pooled
      * (1 / n + 1 / m).squareRoot()
    let difference = set.mean - base.mean
    guard abs(difference) > half else { return "No difference proven at 95.0% confidence\n" }
    func figure(_ value: Double) -> String { Quantity.format("%g", value) }
    return "Difference at 95.0% confidence\n"
      + "\t\(figure(difference)) +/- \(figure(half))\n"
      + "\t\(figure(difference * 100 / base.mean))% +/- \(figure(half * 100 / base.mean))%\n"
      + "\t(Student's t, pooled s = \(figure(pooled)))\n"
  }
}

/// Values as ministat counts with them: sums in the order of the file, no second pass.
struct MinistatSet {
  var values: [Double]
  var sorted: [Double]
  var mean: Double
  var variance: Double

  init(_ sample: Sample) {
    values = sample.values
    sorted = sample.sorted
    let count = Double(values.count)
    let sum = values.reduce(0, +)
    mean = sum / count
    variance = (values.reduce(0) { $0 + $1 * $1 } - sum * sum / count) / (count - 1)
  }

  var minimum: Double { sorted.first ?? .nan }
  var maximum: Double { sorted.last ?? .nan }
  var median: Double { sorted.isEmpty ? .nan : sorted[sorted.count / 2] }
  var deviation: Double { variance.squareRoot() }
}

/// ministat's plot: a column of symbols for each place, and below them mean, median and deviation.
private struct MinistatPlot {
  private static let width = 74
  /// Nothing, the first set, the second, both.
  private static let symbols: [Character] = [" ", "x", "+", "*"]

  private var start = 0.0
  private var step = 0.0
  /// By height above the bottom, from 1.
  private var rows: [[Int]] = []
  private var height = 0
  private var bar = [Character](repeating: " ", count: width)
  private let isFlat: Bool

  init(_ sets: [MinistatSet]) {
    var (low, high) = (999e99, -999e99)
    for set in sets {
      for value in [
        set.minimum, set.maximum, set.mean - set.deviation, set.mean + set.deviation,
      ] {
        if value < low { low = value }
        if value > high { high = value }
      }
    }
    let span = high - low
    step = span / Double(Self.width - 1)
    start = low - 0.5 * step
    // Where the span is beyond all numbers there are no places either.
    isFlat = span == 0 || !span.isFinite || step == 0
    guard !isFlat else { return }
    for (index, set) in sets.enumerated() { add(set, flag: 1 << index) }
  }

  private func place(_ value: Double) -> Int {
    let place = (value - start) / step
    guard place.isFinite else { return 0 }
    return Int(max(0, min(Double(Self.width - 1), place)))
  }

  private mutating func add(_ set: MinistatSet, flag: Int) {
    var (last, level, highest) = (-1, 0, 1)
    for value in set.sorted {
      let place = place(value)
      level = place == last ? level + 1 : 1
      last = place
      highest = max(highest, level)
      while rows.count < highest { rows.append([Int](repeating: 0, count: Self.width)) }
      rows[level - 1][place] |= flag
    }
    height = highest
    if !set.deviation.isNaN {
      let (left, right) = (place(set.mean - set.deviation), place(set.mean + set.deviation))
      bar[right] = "|"
      bar[left] = "|"
      for index in left..<max(left, right) where bar[index] == " " { bar[index] = "_" }
    }
    bar[place(set.median)] = "M"
    bar[place(set.mean)] = "A"
  }

  var text: String {
    guard !isFlat else { return "[no plot, span is zero width]\n" }
    let edge = "+" + String(repeating: "-", count: Self.width) + "+\n"
    let lines = rows.prefix(height).reversed().map { row in
      "|" + String(row.map { Self.symbols[$0] }) + "|\n"
    }
    return edge + lines.joined() + "|" + String(bar) + "|\n" + edge
  }
}
