import ArgumentParser
import Machine
import Scenarios

/// A file that describes a machine and what runs on it; see `Traces/scenarios`.
///
/// Sizes are in MB of 2^20 bytes and are multiplied by `scale`, as are counts of accesses.
enum ScenarioFile {
  private static let countMax = 1_000_000_000
  private static let megabytesMax = 1 << 20

  /// The scenario of a file; `scale` in the place of its own.
  static func scenario(_ path: String, scale: Double?, seed: UInt64?) throws -> Scenario {
    let file = try TOMLFile(path, kind: "scenario file")
    let source = ScenarioTable.Source(path: path, text: file.text)
    let table = ScenarioTable(file.table, heading: "", source: source)
    try table.allow(["name", "summary", "scale", "seed", "machine", "costs", "file", "process"])
    let own = try table.number("scale", 1e-6...1000) ?? 1
    let factor = scale ?? own
    guard let machineTable = try table.subtable("machine") else {
      throw table.refusal("[machine] is missing", "machine")
    }
    let machine = try machine(machineTable, factor)
    var scenario = Scenario(
      name: try table.text("name") ?? file.name, machine: machine)
    scenario.summary = try table.text("summary") ?? ""
    let ownSeed = try table.integer("seed", 0...Int.max, else: 1)
    scenario.seed = seed ?? UInt64(ownSeed)
    if let costs = try table.subtable("costs") { scenario.costs = try costTable(costs) }
    for file in try table.tables("file") {
      scenario.files.append(try Self.file(file, scenario, factor))
    }
    guard scenario.files.reduce(0, { $0 + $1.pages }) <= Scenario.pagesMax else {
      throw table.refusal("all files together are larger than 256 GiB: lower scale", "scale")
    }
    for process in try table.tables("process") {
      scenario.processes.append(contentsOf: try processes(process, scenario, factor))
    }
    guard !scenario.processes.isEmpty else {
      throw table.refusal("there is no [[process]]", "process")
    }
    guard scenario.processes.reduce(0, { $0 + $1.threads }) <= Scenario.threadsMax else {
      throw table.refusal("there are more than \(Scenario.threadsMax) threads", "process")
    }
    let mapped = scenario.processes.reduce(0) { sum, process in
      process.mappings.reduce(sum) { $0 + $1.pages }
    }
    guard mapped <= Scenario.pagesMax else {
      throw table.refusal("all mappings together are larger than 256 GiB: lower scale", "scale")
    }
    return scenario
  }

  private static func pages(_ megabytes: Double, _ factor: Double) -> Int {
    max(Int((megabytes * factor * 256).rounded()), 1)
  }

  // MARK: The machine

  private static func machine(
    _ table: ScenarioTable, _ factor: Double
  ) throws -> ScenarioMachine {
    try table.allow([
      "cpus", "min_free_kbytes", "watermark_scale_factor", "turn_ns",
      "turn_overhead_ns", "node", "balancing",
    ])
    guard let cpus = try table.integer("cpus", 1...Scenario.cpusMax) else {
      throw table.refusal("cpus = N is missing, 1 to \(Scenario.cpusMax)", "cpus")
    }
    let shapes = try table.tables("node")
    guard (1...8).contains(shapes.count) else {
      throw table.refusal("a machine has 1 to 8 [[machine.node]]", "node")
    }
    var machine = ScenarioMachine(
      cpus: cpus, nodes: try shapes.map { try node($0, cpus, shapes.count, factor) })
    guard machine.nodes.reduce(0, { $0 + $1.pages }) <= Scenario.pagesMax else {
      throw table.refusal("all nodes together are larger than 256 GiB: lower scale", "node")
    }
    machine.minFreeKilobytes = try table.integer("min_free_kbytes", 4...countMax)
    machine.watermarkScaleFactor = try table.integer("watermark_scale_factor", 1...3000, else: 10)
    machine.turn = try table.integer("turn_ns", 100...1_000_000_000).map(UInt64.init)
    machine.turnOverhead = UInt64(
      try table.integer("turn_overhead_ns", 0...Int(max(machine.turn ?? 1, 1)) - 1, else: 0))
    machine.balancing = try table.subtable("balancing").map(balancing)
    return machine
  }

  private static func node(
    _ table: ScenarioTable, _ cpus: Int, _ nodes: Int, _ factor: Double
  ) throws -> MemoryNode {
    try table.allow(["mb", "kernel_mb", "free_mb", "cpus", "page_read_ns", "demotes_to"])
    guard let megabytes = try table.number("mb", 0.1...Double(megabytesMax)) else {
      throw table.refusal("mb = N is missing: the node's memory", "mb")
    }
    let own = try table.range("cpus", below: cpus) ?? 0..<0
    // Four DDR5 channels read a page in some 0.4 us for one of many CPUs, a CXL device in 0.8.
    let time = try table.number("page_read_ns", 1...1e6) ?? (own.isEmpty ? 800 : 400)
    var node = MemoryNode(
      pages: pages(megabytes, factor), cpus: own,
      pageRead: ParameterRange(
        time, lower: time / 2, upper: time * 2, source: "chosen: page by page at 5 to 10 GB/s",
        confidence: .low),
      demotionTarget: try table.integer("demotes_to", 0...nodes - 1))
    let kernel = try table.number("kernel_mb", 0...megabytes * 0.95) ?? 0
    node.kernelPages = kernel > 0 ? min(Self.pages(kernel, factor), node.pages - 1) : 0
    node.freePages = try table.number("free_mb", 0...megabytes).map { Self.pages($0, factor) }
    return node
  }

  private static func balancing(_ table: ScenarioTable) throws -> TierBalancing {
    try table.allow([
      "scan_delay_ms", "scan_period_min_ms", "scan_period_max_ms", "scan_size_mb",
      "hot_threshold_ms", "promote_rate_limit_mbps",
    ])
    var balancing = TierBalancing()
    let times = 1...10_000_000
    balancing.scanDelayMilliseconds = try table.integer(
      "scan_delay_ms", times, else: balancing.scanDelayMilliseconds)
    balancing.scanPeriodMinMilliseconds = try table.integer(
      "scan_period_min_ms", times, else: balancing.scanPeriodMinMilliseconds)
    balancing.scanPeriodMaxMilliseconds = try table.integer(
      "scan_period_max_ms", times, else: balancing.scanPeriodMaxMilliseconds)
    balancing.scanSizeMegabytes = try table.integer(
      "scan_size_mb", times, else: balancing.scanSizeMegabytes)
    balancing.hotThresholdMilliseconds = try table.integer(
      "hot_threshold_ms", times, else: balancing.hotThresholdMilliseconds)
    balancing.promoteRateLimitMegabytesPerSecond = try table.integer(
      "promote_rate_limit_mbps", times, else: balancing.promoteRateLimitMegabytesPerSecond)
    return balancing
  }

  private static func costTable(_ table: ScenarioTable) throws -> ScenarioCosts {
    try table.allow(ScenarioCosts.names.map(\.name))
    var costs = ScenarioCosts()
    for (name, path) in ScenarioCosts.names {
      guard let value = try table.number(name, 0...1e9) else { continue }
      costs[keyPath: path] = ParameterRange(
        value, lower: value, upper: value, source: "the scenario file", confidence: .low)
    }
    return costs
  }

  // MARK: What runs on it

  private static func file(
    _ table: ScenarioTable, _ scenario: Scenario, _ factor: Double
  ) throws -> ScenarioFileShape {
    try table.allow(["name", "mb"])
    guard let name = try table.text("name"), !name.isEmpty else {
      throw table.refusal("name = \"...\" is missing", "name")
    }
    guard !scenario.files.contains(where: { $0.name == name }) else {
      throw table.refusal("another [[file]] is called \"\(name)\" too", "name")
    }
    guard let megabytes = try table.number("mb", 0.01...Double(megabytesMax)) else {
      throw table.refusal("mb = N is missing: the file's size", "mb")
    }
    let pages = min(pages(megabytes, factor), Scenario.pagesMax + 1)
    return ScenarioFileShape(name: name, pages: pages)
  }

  private static func processes(
    _ table: ScenarioTable, _ scenario: Scenario, _ factor: Double
  ) throws -> [ScenarioProcess] {
    try table.allow(["name", "count", "threads", "first_cpu", "mapping", "phase"])
    guard let name = try table.text("name"), !name.isEmpty, name.utf8.allSatisfy({ $0 > 0x20 })
    else { throw table.refusal("name = \"...\" is missing, without spaces", "name") }
    let threads = try table.integer("threads", 1...1024, else: 1)
    let count = try table.integer("count", 1...256, else: 1)
    let first = try table.integer("first_cpu", 0...scenario.machine.cpus - 1, else: 0)
    var process = ScenarioProcess(name: name, threads: threads, firstCPU: first)
    process.mappings = try table.tables("mapping").map { try mapping($0, scenario, factor) }
    process.phases = try table.tables("phase").map { try phase($0, process, factor) }
    guard !process.phases.isEmpty else {
      throw table.refusal("there is no [[process.phase]]: the process does nothing", "phase")
    }
    let firstReal = process.phases.firstIndex { !$0.isWarmUp } ?? process.phases.count
    guard process.phases[firstReal...].allSatisfy({ !$0.isWarmUp }) else {
      throw table.refusal("phases with warm_up = true come before the others", "phase")
    }
    return (0..<count).map { index in
      var copy = process
      if count > 1 { copy.name = "\(name)\(index)" }
      copy.firstCPU = (first + index * threads) % scenario.machine.cpus
      return copy
    }
  }

  private static func mapping(
    _ table: ScenarioTable, _ scenario: Scenario, _ factor: Double
  ) throws -> ScenarioMapping {
    try table.allow(["file", "mb", "offset_mb", "shared", "writable"])
    var mapping = ScenarioMapping(file: nil, pages: 0)
    var room = Int.max
    if let name = try table.text("file") {
      guard let file = scenario.files.firstIndex(where: { $0.name == name }) else {
        throw table.refusal("no [[file]] is called \"\(name)\"", "file")
      }
      mapping.file = file
      mapping.offset =
        try table.number("offset_mb", 0...Double(megabytesMax)).map {
          Int(($0 * factor * 256).rounded())
        } ?? 0
      room = scenario.files[file].pages - mapping.offset
    }
    guard let size = try table.number("mb", 0.001...Double(megabytesMax)) else {
      guard mapping.file != nil else {
        throw table.refusal("mb = N is missing: the mapping's size", "mb")
      }
      mapping.pages = room
      guard room > 0 else { throw table.refusal("it begins behind the file's end", "offset_mb") }
      return try flags(mapping, table)
    }
    mapping.pages = pages(size, factor)
    // Rounding may make it a page too long.
    guard mapping.pages - 1 <= room, room > 0 else {
      throw table.refusal("it ends behind the file's end", "mb")
    }
    mapping.pages = min(mapping.pages, room)
    return try flags(mapping, table)
  }

  private static func flags(
    _ mapping: ScenarioMapping, _ table: ScenarioTable
  ) throws -> ScenarioMapping {
    var mapping = mapping
    mapping.isShared = try table.flag("shared")
    mapping.isWritable = try table.flag("writable")
    guard !(mapping.isShared && mapping.isWritable) else {
      throw table.refusal(
        "a mapping that is shared and writable needs writeback, which is not modelled", "writable")
    }
    return mapping
  }

  private static func phase(
    _ table: ScenarioTable, _ process: ScenarioProcess, _ factor: Double
  ) throws -> ScenarioPhase {
    try table.allow([
      "pattern", "mapping", "threads", "passes", "accesses", "unit_pages", "layers",
      "compute_ns",
      "write_percent", "barrier", "spin", "warm_up",
    ])
    let patterns = ScenarioPhase.Pattern.allCases.map(\.rawValue).joined(separator: ", ")
    guard let name = try table.text("pattern"),
      let pattern = ScenarioPhase.Pattern(rawValue: name)
    else { throw table.refusal("pattern is one of \(patterns)", "pattern") }
    var phase = ScenarioPhase(pattern)
    let needsMapping = pattern != .churn && pattern != .write
    phase.mapping = try table.integer("mapping", 0...1023, else: 0)
    guard !needsMapping || phase.mapping < process.mappings.count else {
      throw table.refusal("the process has no mapping \(phase.mapping)", "mapping")
    }
    let needsFile = pattern == .read || pattern == .remap
    guard !needsFile || process.mappings[phase.mapping].file != nil else {
      throw table.refusal("\(name) needs a mapping of a file", "mapping")
    }
    phase.threads = try table.range("threads", below: process.threads)
    phase.passes = try table.integer("passes", 0...countMax, else: 1)
    phase.accesses = Int(Double(try table.integer("accesses", 0...countMax, else: 0)) * factor)
    phase.unitPages = try table.integer("unit_pages", 1...(1 << 24), else: 64)
    if let layers = try table.integer("layers", 1...(1 << 20)) {
      guard needsMapping, !table.has("unit_pages") else {
        throw table.refusal("layers cuts a mapping up; it excludes unit_pages", "layers")
      }
      phase.unitPages = max(process.mappings[phase.mapping].pages / layers, 1)
    }
    phase.compute = UInt64(try table.integer("compute_ns", 0...countMax, else: 0))
    phase.writePercent = try table.integer("write_percent", 0...100, else: 0)
    phase.hasBarrier = try table.flag("barrier")
    phase.spins = try table.flag("spin")
    phase.isWarmUp = try table.flag("warm_up")
    if phase.writePercent > 0, needsMapping, !process.mappings[phase.mapping].isWritable {
      throw table.refusal("write_percent needs a mapping with writable = true", "write_percent")
    }
    return phase
  }
}
