/// A span of trace time as a user writes it: `12.5,13`, `,900ms`, `10%-20%`, `10%/2`.
///
/// The habit is that of `perf script --time` (perf 6.12 `tools/perf/util/time-utils.c`), but for one
/// thing: FROM belongs to the span and TO does not, so that spans that meet share no event.
public struct TimeSelection: Sendable, Equatable {
  private enum Form: Sendable, Equatable {
    case points(from: Point?, to: Point?)
    /// Of the whole span, in parts of ``TimeSelection/whole``.
    case share(from: UInt64, to: UInt64)
  }

  /// A moment: `value` in units of 10^-9 seconds; `ticks` where it is a whole number without unit.
  private struct Point: Sendable, Equatable {
    var nanoseconds: UInt64?
    var ticks: UInt64?
  }

  /// 100 %.
  private static let whole: UInt64 = 100_000_000
  /// As the user wrote it.
  public let text: String
  private let form: Form

  /// Parses `FROM,TO`, either end maybe left out, in seconds or with `s`, `ms`, `us` or `ns`;
  /// `A%-B%`; or `P%/N`, the N-th part of so many percent.
  public init(_ text: String) throws(FilterError) {
    self.text = text
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    if parts.count == 1, let share = try Self.share(text) {
      form = share
      return
    }
    guard parts.count == 2, !text.contains("%") else {
      throw FilterError(
        "\"\(text)\" is no span of time: FROM,TO in seconds (either may be left out), "
          + "or 10%-20%, or 10%/2")
    }
    let from = try Self.point(parts[0])
    let to = try Self.point(parts[1])
    if let start = from?.nanoseconds ?? from?.ticks, let end = to?.nanoseconds ?? to?.ticks,
      (from?.nanoseconds == nil) == (to?.nanoseconds == nil), end <= start
    {
      throw FilterError("\"\(text)\" ends before it begins, or is empty (TO is not included)")
    }
    form = .points(from: from, to: to)
  }

  private static func share(_ text: String) throws(FilterError) -> Form? {
    guard text.contains("%") else { return nil }
    let slices = text.split(separator: "/", omittingEmptySubsequences: false)
    if slices.count == 2, let size = percent(slices[0]), size > 0, let index = UInt64(slices[1]),
      index > 0, index <= whole / size + 1, size * (index - 1) < whole
    {
      return .share(from: size * (index - 1), to: min(size * index, whole))
    }
    let ends = text.split(separator: "-", omittingEmptySubsequences: false)
    if ends.count == 2, let from = percent(ends[0]), let to = percent(ends[1]), from < to {
      return .share(from: from, to: to)
    }
    throw FilterError(
      "\"\(text)\" is no share of the trace: 10%-20%, or 10%/2 for the second tenth")
  }

  /// `12.5%` in parts of ``whole``; nil if it is none, or above 100 %.
  private static func percent(_ text: Substring) -> UInt64? {
    guard text.last == "%", let value = decimal(text.dropLast(), digits: 6), value <= whole else {
      return nil
    }
    return value
  }

  private static func point(_ text: Substring) throws(FilterError) -> Point? {
    if text.isEmpty { return nil }
    let units: [(suffix: String, digits: Int)] = [("ns", 0), ("us", 3), ("ms", 6), ("s", 9)]
    for unit in units where text.hasSuffix(unit.suffix) {
      guard let value = decimal(text.dropLast(unit.suffix.count), digits: unit.digits) else {
        break
      }
      return Point(nanoseconds: value)
    }
    let ticks = text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) ? UInt64(text) : nil
    let seconds = decimal(text, digits: 9)
    guard ticks != nil || seconds != nil else {
      throw FilterError("\"\(text)\" is no time: 12.5 (seconds), 900ms, 250us or 17ns")
    }
    return Point(nanoseconds: seconds, ticks: ticks)
  }

  /// A decimal number times 10^`digits`; nil if it is none, has more decimals, or is too large.
  private static func decimal(_ text: Substring, digits: Int) -> UInt64? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= 2, !parts[0].isEmpty, parts.count == 1 || parts[1].count <= digits,
      text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2e })
    else { return nil }
    let fraction = parts.count == 2 ? String(parts[1]) : ""
    return UInt64(parts[0] + fraction + String(repeating: "0", count: digits - fraction.count))
  }

  /// First time that is in, and first that no longer is (nil: none), of a trace whose times go from
  /// `first` to `last` in `unit`.
  public func resolved(
    _ unit: TimeUnit, first: UInt64?, last: UInt64?
  ) throws(FilterError) -> (start: UInt64, end: UInt64?) {
    switch (form, unit) {
    case (_, .none): throw FilterError("this dialect shows no times")
    case (_, .relativeNanoseconds):
      throw FilterError("times are relative here: no moment can be named")
    case (.share(let from, let to), _):
      guard let first, let last else { return (0, nil) }
      func at(_ share: UInt64) -> UInt64 {
        let product = (last - first).multipliedFullWidth(by: share)
        return first + Self.whole.dividingFullWidth((product.high, product.low)).quotient
      }
      return (at(from), to == Self.whole ? nil : at(to))
    case (.points(let from, let to), .ticks):
      guard from == nil || from?.ticks != nil, to == nil || to?.ticks != nil else {
        throw FilterError(
          "times are ticks of an unknown rate here: give whole numbers without unit")
      }
      return (from?.ticks ?? 0, to?.ticks)
    case (.points(let from, let to), .nanoseconds):
      guard from == nil || from?.nanoseconds != nil, to == nil || to?.nanoseconds != nil else {
        throw FilterError("\"\(text)\" is beyond any time in nanoseconds")
      }
      return (from?.nanoseconds ?? 0, to?.nanoseconds)
    }
  }
}
