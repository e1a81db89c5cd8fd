import TraceEvents

/// What the kernel's trace clocks count (Linux 6.12 `kernel/trace/trace.c`, `trace_clocks[]`).
enum TraceClock {
  /// The unit of times recorded with `clock`; an untold clock is taken for the default, `local`.
  static func unit(of clock: String?) -> TimeUnit {
    switch clock {
    case "counter", "x86-tsc", "uptime": .ticks
    default: .nanoseconds(resolution: 1)
    }
  }
}
