import TraceEvents
import TraceWriting

/// The traces that are measured: the same events in four formats.
struct Inputs {
  let folder: String
  let events: Int
  let seed: UInt64

  /// Events of each CPU: all have the same number.
  private var perCPU: Int { max(1, events / EventMix.cpus) }

  private func path(_ name: String) -> String { "\(folder)/\(name)" }

  /// Writes a `trace.dat`, CPU by CPU.
  func traceDat(_ name: String, _ version: TraceDatVersion) throws -> (path: String, MixCounts) {
    var options = TraceDatOptions(cpus: EventMix.cpus, version: version)
    options.names = EventMix.names
    var writer = try TraceDatWriter.create(path(name), options)
    var counts = MixCounts(cpus: EventMix.cpus)
    for cpu in 0..<EventMix.cpus {
      var mix = EventMix(seed: seed, cpu: cpu)
      try writer.begin(cpu: cpu)
      for _ in 0..<perCPU {
        let row = mix.next()
        counts.count(row)
        try writer.append(row)
      }
    }
    try writer.finish()
    return (path(name), counts)
  }

  /// Writes a `perf.data` in rounds of 10 ms, as `perf record` empties its buffers.
  func perfData(_ name: String) throws -> (path: String, MixCounts) {
    var options = PerfDataOptions(cpus: EventMix.cpus)
    options.names = EventMix.names
    options.formats = EventFormat.builtIn.filter { EventMix.kinds.contains($0.kind) }
    var writer = try PerfDataWriter.create(path(name), options)
    var counts = MixCounts(cpus: EventMix.cpus)
    var mixes = (0..<EventMix.cpus).map { EventMix(seed: seed, cpu: $0) }
    var left = [Int](repeating: perCPU, count: EventMix.cpus)
    var horizon = mixes.indices.map { mixes[$0].nextTime() }.min() ?? 0
    while left.contains(where: { $0 > 0 }) {
      horizon += 10_000_000
      for cpu in mixes.indices {
        while left[cpu] > 0, mixes[cpu].nextTime() < horizon {
          let row = mixes[cpu].next()
          left[cpu] -= 1
          counts.count(row)
          try writer.append(row)
        }
      }
      try writer.endRound()
    }
    try writer.finish()
    return (path(name), counts)
  }

  /// Writes ftrace text: all CPUs merged by time.
  func ftraceText(_ name: String) throws -> (path: String, MixCounts) {
    var writer = try FtraceTextWriter.create(
      path(name), cpus: EventMix.cpus, events: UInt64(perCPU * EventMix.cpus),
      names: EventMix.names)
    var counts = MixCounts(cpus: EventMix.cpus)
    var mixes = (0..<EventMix.cpus).map { EventMix(seed: seed, cpu: $0) }
    var left = [Int](repeating: perCPU, count: EventMix.cpus)
    var times = mixes.indices.map { mixes[$0].nextTime() }
    for _ in 0..<perCPU * EventMix.cpus {
      var earliest = 0
      for cpu in 1..<EventMix.cpus where times[cpu] < times[earliest] { earliest = cpu }
      let row = mixes[earliest].next()
      left[earliest] -= 1
      times[earliest] = left[earliest] == 0 ? .max : mixes[earliest].nextTime()
      counts.count(row)
      try writer.append(row)
    }
    try writer.finish()
    return (path(name), counts)
  }
}
