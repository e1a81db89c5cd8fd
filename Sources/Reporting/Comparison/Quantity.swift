import Foundation

/// Numbers with a fraction as text.
enum Quantity {
  /// `value` as C's printf has it with `format`, whatever the locale.
  static func format(_ format: String, _ value: Double) -> String {
    String(format: format, value)
  }

  /// A value of a measure: counts in full with commas, fractions with the digits that matter.
  static func text(_ value: Double) -> String {
    guard value.isFinite else { return "-" }
    if let whole = Int64(exactly: value) { return whole.grouped }
    let size = abs(value)
    if size >= 1e15 { return format("%.6g", value) }
    if size < 1000 { return format("%.4g", value) }
    let cents = Int64((size * 100).rounded())
    let fraction = cents % 100
    return (value < 0 ? "-" : "") + (cents / 100).grouped + "."
      + (fraction < 10 ? "0" : "") + "\(fraction)"
  }

  /// A change: sign and two digits.
  static func percent(_ value: Double?) -> String {
    value.map { format("%+.2f%%", $0) } ?? "-"
  }

  /// A probability.
  static func probability(_ value: Double) -> String {
    value < 1e-12 ? "< 1e-12" : "= " + format("%.2g", value)
  }

  /// For JSON: null where there is no finite number.
  static func data(_ value: Double?) -> JSONValue {
    guard let value, value.isFinite else { return .null }
    return Int64(exactly: value).map(JSONValue.integer) ?? .number(value)
  }
}
