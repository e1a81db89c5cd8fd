import TraceEvents
import TraceWriting

/// The traces that are measured: the same events in four formats.
struct Inputs {
  let folder: String
  let events: Int
  let seed: UInt64

  private func path(_ name: String) -> String { "\(folder)/\(name)" }

  /// Writes a `trace.dat`, CPU by CPU.
  func traceDat(_ name: String, _ version: TraceDatVersion) throws -> (path: String, MixCounts) {
    var options = TraceDatOptions(cpus: EventMix.cpus, version: version)
    options.names = EventMix.names
    var writer = try TraceDatWriter.create(path(name), options)
    var counts = MixCounts(cpus: EventMix.cpus)
    for cpu in 0..<EventMix.cpus {
      // The file wants CPU by CPU: the machine runs once for each, which costs less than the memory
      // to keep what it did.
      var mix = EventMix(seed: seed)
      try writer.begin(cpu: cpu)
      for _ in 0..<events {
        let row = mix.next()
        guard row.cpu == cpu else { continue }
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
    var mix = EventMix(seed: seed)
    var round = [[TraceRow]](repeating: [], count: EventMix.cpus)
    var left = events
    while left > 0 {
      let horizon = mix.nextTime + 10_000_000
      while left > 0, mix.nextTime < horizon {
        let row = mix.next()
        round[Int(row.cpu)].append(row)
        left -= 1
      }
      for cpu in round.indices {
        for row in round[cpu] {
          counts.count(row)
          try writer.append(row)
        }
        round[cpu].removeAll(keepingCapacity: true)
      }
      try writer.endRound()
    }
    try writer.finish()
    return (path(name), counts)
  }

  /// Events that the text writer can print; the others are left out, as if not recorded.
  private static let textKinds: Set<EventKind> = [
    .tlbFlush, .migratePages, .migratePagesStart, .setMigrationPTE, .removeMigrationPTE, .pageAlloc,
    .pageFree, .pageFreeBatched, .pagePCPDrain, .pageFaultUser, .csdQueueCPU, .csdFunctionEntry,
    .ipiSendCPU, .schedSwitch, .sysEnterMunmap, .sysExitMunmap,
  ]

  /// Writes ftrace text: all CPUs merged by time.
  func ftraceText(_ name: String) throws -> (path: String, MixCounts) {
    var writer = try FtraceTextWriter.create(
      path(name), cpus: EventMix.cpus, events: UInt64(events),
      names: EventMix.names)
    var counts = MixCounts(cpus: EventMix.cpus)
    var mix = EventMix(seed: seed)
    var left = events
    while left > 0 {
      let row = mix.next()
      guard Self.textKinds.contains(row.kind) else { continue }
      left -= 1
      counts.count(row)
      try writer.append(row)
    }
    try writer.finish()
    return (path(name), counts)
  }
}
