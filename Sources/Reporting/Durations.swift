import TraceEvents

extension TimeUnit {
  /// Whether a number of this unit is a number of nanoseconds.
  var isNanoseconds: Bool {
    switch self {
    case .nanoseconds, .relativeNanoseconds: true
    case .ticks, .none: false
    }
  }

  /// The unit of durations in JSON.
  var durationUnit: String { isNanoseconds ? "ns" : "ticks" }

  /// A span of time for people: `805 ns`, `11.5 us`, `1,048.6 ms`; ticks where that is all there is.
  func duration(_ length: UInt64) -> String {
    guard isNanoseconds else { return "\(length.grouped) ticks" }
    if length < 1000 { return "\(length) ns" }
    let (scale, name): (UInt64, String) = length < 1_000_000 ? (100, "us") : (100_000, "ms")
    let tenths = length / scale + (length % scale * 2 >= scale ? 1 : 0)
    let fraction = tenths % 10 == 0 ? "" : ".\(tenths % 10)"
    return "\((tenths / 10).grouped)\(fraction) \(name)"
  }

  /// A moment for people, exact, so that it can be looked up in the trace.
  func moment(_ time: UInt64) -> String {
    isNanoseconds ? "\(TraceOverview.seconds(time)) s" : "\(time.grouped) ticks"
  }
}
