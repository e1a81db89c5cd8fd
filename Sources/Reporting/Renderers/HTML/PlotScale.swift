/// Round numbers along an axis.
struct PlotScale {
  let lower: Double
  let upper: Double
  let step: Double
  /// Beyond this, nothing that is counted or timed lies.
  private static let limit = 1e18

  /// A scale over `values` and zero, with about `ticks` steps of 1, 2 or 5 times a power of ten.
  /// `isWhole`: between whole numbers nothing can lie.
  init(_ values: some Sequence<Double>, ticks: Int = 5, isWhole: Bool = false) {
    var least = 0.0
    var greatest = 0.0
    for value in values where value.isFinite {
      least = max(min(least, value), -Self.limit)
      greatest = min(max(greatest, value), Self.limit)
    }
    var step = Self.roundStep((greatest - least) / Double(max(ticks, 1)))
    if isWhole { step = max(step, 1) }
    self.step = step
    lower = (least / step).rounded(.down) * step
    let top = (greatest / step).rounded(.up) * step
    upper = top > lower ? top : lower + step
  }

  /// The least of 1, 2, 5 times a power of ten that is no less than `step`.
  static func roundStep(_ step: Double) -> Double {
    guard step.isFinite, step > 0, step < 1e300 else { return step > 0 ? 1e300 : 1 }
    var power = 1.0
    while power * 10 <= step { power *= 10 }
    while power > step, power > 1e-12 { power /= 10 }
    for digit in [1.0, 2, 5] where power * digit >= step * 0.999_999 { return power * digit }
    return power * 10
  }

  /// The numbers, ascending.
  var ticks: [Double] {
    let count = min(Int(((upper - lower) / step).rounded()), 64)
    return (0...max(count, 1)).map { lower + Double($0) * step }
  }

  /// Where `value` lies from 0 to 1.
  func share(_ value: Double) -> Double {
    guard value.isFinite else { return value > 0 ? 1 : 0 }
    return min(max((value - lower) / (upper - lower), 0), 1)
  }
}

/// Numbers of a drawing for people, without locale.
enum PlotNumber {
  /// Grouped digits, with at most `decimals` behind the point and no zeros at the end.
  static func text(_ value: Double, decimals: Int = 2) -> String {
    guard value.isFinite else { return value.isNaN ? "-" : value > 0 ? "infinite" : "-infinite" }
    guard abs(value) < 1e15 else { return "\(value)" }
    var scale: Int64 = 1
    for _ in 0..<min(decimals, abs(value) < 1e9 ? 6 : 2) { scale *= 10 }
    let scaled = Int64((abs(value) * Double(scale)).rounded())
    var text = UInt64(scaled / scale).grouped
    var fraction = scaled % scale
    if fraction > 0 {
      var digits = ""
      var width = scale
      while width > 1 {
        width /= 10
        digits += "\(fraction / width)"
        fraction %= width
      }
      while digits.hasSuffix("0") { digits.removeLast() }
      text += ".\(digits)"
    }
    return value < 0 && scaled > 0 ? "-\(text)" : text
  }

  /// A number of an axis whose steps are `step`.
  static func tick(_ value: Double, step: Double) -> String {
    var decimals = 0
    var unit = step
    while unit < 0.999_999, decimals < 6 {
      unit *= 10
      decimals += 1
    }
    return text(value, decimals: decimals)
  }

  /// A coordinate with one decimal.
  static func coordinate(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e9 else { return "0" }
    let tenths = Int((value * 10).rounded())
    let whole = tenths.magnitude / 10
    let fraction = tenths.magnitude % 10
    let sign = tenths < 0 ? "-" : ""
    if fraction == 0 { return "\(sign)\(whole)" }
    return whole == 0 ? "\(sign).\(fraction)" : "\(sign)\(whole).\(fraction)"
  }

  /// `part` of `whole` in per cent, with one decimal.
  static func percent(_ part: Double, of whole: Double) -> String {
    whole > 0 ? "\(text(part / whole * 100, decimals: 1)) %" : "-"
  }
}
