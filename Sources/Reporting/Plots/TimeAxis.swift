import TraceEvents

/// A direction of time in a drawing: from where, and in which unit.
struct TimeAxis {
  let origin: UInt64
  private let divisor: Double
  /// What lies along it: `time since TB_BEGIN (ms)`.
  let title: String

  /// Its unit: `ms`.
  let symbol: String

  /// Time since `origin`, which `name` says what it is, in a unit for spans of `length`.
  init(_ unit: TimeUnit, from origin: UInt64, name: String, length: UInt64) {
    self.origin = origin
    let (divisor, symbol): (Double, String) =
      switch length {
      case _ where !unit.isNanoseconds: (1, "ticks")
      case 10_000_000_000...: (1e9, "s")
      case 10_000_000...: (1e6, "ms")
      case 10_000...: (1e3, "us")
      default: (1, "ns")
      }
    self.divisor = divisor
    self.symbol = symbol
    title = "time since \(name) (\(symbol))"
  }

  /// Of a moment.
  func position(_ time: UInt64) -> Double {
    time >= origin ? Double(time - origin) / divisor : -Double(origin - time) / divisor
  }

  /// Of a span of time.
  func length(_ span: UInt64) -> Double { Double(span) / divisor }
}
