import TraceEvents
import TraceWriting

#if canImport(Glibc)
  import Glibc
#endif

/// Writes tiny traces of a few events: a fuzzer changes their parts faster than those of real ones.
@main struct MakeSeeds {
  private static let kinds: [EventKind] = [
    .tlbFlush, .pageFree, .pageAlloc, .csdQueueCPU, .csdFunctionEntry, .schedSwitch,
    .setMigrationPTE, .ipiSendCPUMask, .sysEnterMunmap, .print,
  ]

  static func main() throws {
    guard CommandLine.arguments.count == 2 else {
      print("usage: MakeSeeds DIRECTORY")
      exit(2)
    }
    let top = CommandLine.arguments[1]
    let versions: [(String, TraceDatVersion)] = [
      ("v6", .six), ("v7", .seven(.none)), ("v7-zlib", .seven(.zlib)), ("v7-zstd", .seven(.zstd)),
    ]
    for (name, version) in versions {
      try traceDat("\(top)/FuzzTraceDat/tiny-\(name).dat", version, instances: [])
      try traceDat("\(top)/FuzzTraceDat/tiny-\(name)-2inst.dat", version, instances: ["other"])
    }
    try perfData("\(top)/FuzzPerfData/tiny.data", isCompressed: false)
    try perfData("\(top)/FuzzPerfData/tiny-z.data", isCompressed: true)
  }

  private static let names = TraceNames(
    tasks: [(7, "a b")], symbols: [], texts: ["X_BEGIN", "X_END"])

  private static func row(_ index: Int, _ cpu: UInt16, of kinds: [EventKind]) -> TraceRow {
    let kind = kinds[index % kinds.count]
    var row = TraceRow(kind, cpu: cpu, task: 7, time: 5_000 + UInt64(index) * 100 + UInt64(cpu))
    for (slot, field) in Tracepoint.of(kind).fields.enumerated() {
      switch field.form {
      case .text: row.words[slot] = UInt64(index / kinds.count % 2)
      case .cpuMask: row.words[slot] = 3
      default: row.words[slot] = UInt64(index % 5)
      }
    }
    return row
  }

  private static func traceDat(
    _ path: String, _ version: TraceDatVersion, instances: [String]
  ) throws {
    var options = TraceDatOptions(cpus: 2, version: version)
    options.instances = instances
    options.names = names
    options.formats = EventFormat.builtIn.filter { kinds.contains($0.kind) }
    let written = options.formats.map(\.kind)
    var writer = try TraceDatWriter.create(path, options)
    for buffer in 0...instances.count {
      if buffer > 0 { try writer.beginNextInstance() }
      for cpu in 0..<2 {
        try writer.begin(cpu: cpu)
        for index in 0..<40 { try writer.append(row(index, UInt16(cpu), of: written)) }
      }
    }
    try writer.finish()
  }

  private static func perfData(_ path: String, isCompressed: Bool) throws {
    var options = PerfDataOptions(cpus: 2)
    options.isCompressed = isCompressed
    options.names = names
    options.formats = options.formats.filter { kinds.contains($0.kind) }
    let written = options.formats.map(\.kind)
    var writer = try PerfDataWriter.create(path, options)
    for index in 0..<40 {
      for cpu in 0..<2 { try writer.append(row(index, UInt16(cpu), of: written)) }
      if index == 20 {
        try writer.noteLost(3, cpu: 1, time: 7_050)
        try writer.endRound()
      }
    }
    try writer.finish()
  }
}
