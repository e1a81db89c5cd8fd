import Statistics

/// Which way a metric must not move.
public enum MetricDirection: String, Sendable, CaseIterable {
  /// More is worse.
  case more
  /// Less is worse.
  case less
  /// Every change is one.
  case any
}

/// How far a metric may move from its baseline: the greatest of its parts.
///
/// As text: `0`, `10` (in the metric's unit), `5%` (of the baseline), `spread` (what repetitions
/// scatter), several with `or` between them, or `any` for a metric that is only shown.
public struct MetricTolerance: Sendable, Equatable {
  /// In the metric's unit.
  public var absolute: Double?
  /// In per cent of the baseline's value.
  public var percent: Double?
  /// Whether it may move as far as another run does.
  public var usesSpread = false
  /// Whether it may move without limit.
  public var isUnlimited = false

  /// No change at all.
  public static let exact = MetricTolerance(absolute: 0)
  /// Whatever it may be.
  public static let unlimited = MetricTolerance(isUnlimited: true)

  init(
    absolute: Double? = nil, percent: Double? = nil, usesSpread: Bool = false,
    isUnlimited: Bool = false
  ) {
    self.absolute = absolute
    self.percent = percent
    self.usesSpread = usesSpread
    self.isUnlimited = isUnlimited
  }

  /// The tolerance that `text` says; nil if it says none.
  public init?(_ text: String) {
    self.init()
    if text == "any" {
      isUnlimited = true
      return
    }
    let words = text.split(separator: " ", omittingEmptySubsequences: true)
    guard words.count % 2 == 1 else { return nil }
    for (index, word) in words.enumerated() {
      if index % 2 == 1 {
        guard word == "or" else { return nil }
      } else if word == "spread", !usesSpread {
        usesSpread = true
      } else if word.hasSuffix("%"), percent == nil, let amount = Self.amount(word.dropLast()) {
        percent = amount
      } else if absolute == nil, let amount = Self.amount(word) {
        absolute = amount
      } else {
        return nil
      }
    }
  }

  private static func amount(_ text: Substring) -> Double? {
    guard let first = text.utf8.first, (0x30...0x39).contains(first), let value = Double(text),
      value.isFinite
    else { return nil }
    return value
  }

  /// As it stands in a baseline.
  public var text: String {
    if isUnlimited { return "any" }
    let parts = [
      usesSpread ? "spread" : nil, percent.map { "\(Self.number($0))%" },
      absolute.map(Self.number),
    ].compactMap(\.self)
    return parts.joined(separator: " or ")
  }

  static func number(_ value: Double) -> String {
    Int64(exactly: value).map { "\($0)" } ?? "\(value)"
  }

  /// How far a metric may move; nil without limit. `runs` new runs stand against the baseline's, the
  /// mean of each side is compared.
  func amount(_ metric: BaselineMetric, confidence: Double, runs: Int) -> Double? {
    guard !isUnlimited else { return nil }
    var most = absolute ?? 0
    if let percent { most = max(most, abs(metric.value) * percent / 100) }
    if usesSpread, let deviation = metric.deviation, metric.runs > 1 {
      // The mean of new runs lies so far from that of the old ones if nothing has changed (prediction
      // interval for normal values).
      let spread =
        StudentT.quantile(confidence: confidence, degrees: Double(metric.runs - 1)) * deviation
        * (1 / Double(max(runs, 1)) + 1 / Double(metric.runs)).squareRoot()
      most = max(most, spread)
    }
    return most
  }
}
