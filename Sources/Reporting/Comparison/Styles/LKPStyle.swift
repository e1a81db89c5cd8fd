import Statistics

/// `--style lkp`: the table of the kernel test robot's `ncompare`.
///
/// Layout of intel/lkp-tests `lib/compare.rb`: values in 10 columns, changes in 10, deviations above
/// 2% of the mean in 6. Ruby's `%d` cuts fractions off, downwards.
public enum LKPStyle: ComparisonStyle {
  /// See ``ComparisonStyle``.
  public static let name = "lkp"
  private static let valueWidth = 10
  private static let errorWidth = 6

  /// See ``ComparisonStyle``.
  public static func render(_ comparison: RunComparison) throws(StyleError) -> String {
    let (first, width) = (valueWidth + errorWidth, valueWidth + errorWidth + 11)
    let names = comparison.names
    var text = String(repeating: "=", count: 89) + "\n"
    text += "testcase:\n  tlbreplay\n\n"
    text += "commit: \n  \(names.before)\n  \(names.after)\n\n"
    text += padded(String(names.before.prefix(first)), left: first) + " "
    text += padded(String(names.after.prefix(width)), left: width) + " \n"
    text +=
      String(repeating: "-", count: first) + " " + String(repeating: "-", count: width) + " \n"
    text += "         %stddev     %change         %stddev\n"
    text += "             \\          |                \\  \n"
    for measure in comparison.measures { text += row(measure) + "\n" }
    for line in perCPU(comparison) { text += line + "\n" }
    return text + "\n"
  }

  /// The name that lkp-tests' `programs/interrupts/parse` gives the row, and ours for all else.
  static func key(_ name: String) -> String {
    name == "tlb_row" ? "interrupts.TLB:TLB_shootdowns" : "tlbreplay.\(name)"
  }

  static func row(_ measure: ComparedMeasure) -> String {
    let tested = measure.comparison
    return value(tested.before) + change(tested.before.mean, tested.after.mean)
      + value(tested.after) + "  " + key(measure.name)
  }

  private static func perCPU(_ comparison: RunComparison) -> [String] {
    guard let rows = comparison.rows, rows.before.count == rows.after.count,
      comparison["tlb_row"] != nil
    else { return [] }
    return zip(rows.before, rows.after).enumerated().map { cpu, counts in
      let (before, after) = (Double(counts.0), Double(counts.1))
      let blanks = String(repeating: " ", count: errorWidth)
      return number(before) + blanks + change(before, after) + number(after) + blanks
        + "  interrupts.CPU\(cpu).TLB:TLB_shootdowns"
    }
  }

  private static func value(_ sample: Sample) -> String {
    let deviation = sample.standardDeviation ?? -1
    let percent = sample.mean != 0 ? 100 * deviation / sample.mean : deviation
    let error =
      percent > 2
      ? " ±" + Quantity.format("%3.0f", percent.rounded(.down)) + "%"
      : String(repeating: " ", count: errorWidth)
    return number(sample.mean) + error
  }

  private static func number(_ value: Double) -> String {
    let size = abs(value)
    if size < 1000 { return Quantity.format("%10.2f", value) }
    if size > 100_000_000 { return Quantity.format("%10.4g", value) }
    return Quantity.format("%10.0f", value.rounded(.down))
  }

  private static func change(_ before: Double, _ after: Double) -> String {
    // ncompare's own way around a division by nothing.
    let base = before == 0 ? 1e-100 : before
    let percent = 100 * (after - base) / base
    return Quantity.format(abs(percent) < 100_000 ? "%+10.1f%% " : "%+10.2g%% ", percent)
  }
}
