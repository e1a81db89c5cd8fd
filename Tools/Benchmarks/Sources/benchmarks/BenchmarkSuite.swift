import Foundation
import Machine
import TraceWriting

/// One line of the result.
struct Measurement {
  let name: String
  let events: UInt64
  let inputBytes: Int
  let cpuSeconds: Double
  let anonymousBytes: Int
  /// What the figure is to be compared with.
  var note: String

  var eventsPerSecond: Double { Double(events) / max(cpuSeconds, 1e-6) }
}

/// Makes inputs, measures, and keeps the results.
struct BenchmarkSuite {
  let options: Options
  let folder: String
  let tool: String
  private(set) var measurements: [Measurement] = []
  private(set) var failures: [String] = []
  private var uncompressedSeconds: Double?

  init(options: Options, folder: String, tool: String) {
    self.options = options
    self.folder = folder
    self.tool = tool
  }

  mutating func run(_ row: String) throws {
    let inputs = Inputs(folder: folder, events: options.events, seed: options.seed)
    let slice = Inputs(folder: folder, events: options.slice, seed: options.seed)
    switch row {
    case "v6":
      let input = try inputs.traceDat("large-v6.dat", .six)
      let seconds = try stat("trace.dat v6, uncompressed", input, "goal 40 M events/s")
      uncompressedSeconds = seconds
      try discard(input.path)
    case "v7-zstd": try compressed(inputs)
    case "perf":
      let input = try inputs.perfData("large.data")
      _ = try stat("perf.data", input, "goal 15 M events/s")
      try discard(input.path)
    case "text":
      let input = try inputs.ftraceText("large.txt")
      _ = try stat("ftrace text", input, "goal 6 M lines/s")
      try discard(input.path)
    case "replay":
      try replays(slice.traceDat("replay-slice.dat", .six))
      try replays(inputs.traceDat("replay-v6.dat", .six))
    case "machine": for stream in TranslationStreams.streams { try translate(stream) }
    case "trace-cmd":
      try sideBySide(
        slice.traceDat("slice.dat", .six), "trace-cmd", "trace-cmd report", awkField: 4)
    default: try sideBySide(slice.perfData("slice.data"), "perf", "perf script -i", awkField: 5)
    }
  }

  /// Makes room for the next input.
  private func discard(_ path: String) throws {
    if !options.keepsInputs { try FileManager.default.removeItem(atPath: path) }
  }

  /// Version 7 with zstd, against the sum of bare decompression and the uncompressed run.
  private mutating func compressed(_ inputs: Inputs) throws {
    let input = try inputs.traceDat("large-v7.dat", .seven(.zstd))
    let bare = try median {
      try ChildProcess.run(
        [CommandLine.arguments[0], "--bare-zstd", input.path], output: "/dev/null")
    }
    note("bare zstd decompression of v7", input, bare, "the floor of the next row")
    let seconds = try stat("trace.dat v7, zstd", input, "")
    if let uncompressedSeconds, failures.isEmpty {
      let ratio = seconds / (bare.cpuSeconds + uncompressedSeconds)
      let last = measurements.count - 1
      measurements[last].note = String(
        format: "%.2f x (bare zstd + uncompressed run), goal 1.5 x", ratio)
    }
    try discard(input.path)
  }

  /// Measures `stat --json` and checks its counts; CPU seconds.
  private mutating func stat(
    _ name: String, _ input: (path: String, counts: MixCounts), _ goal: String
  ) throws -> Double {
    let output = "\(folder)/stat.json"
    let cost = try median {
      try ChildProcess.run([tool, "stat", "--no-progress", "--json", input.path], output: output)
    }
    let failure =
      cost.status == 0
      ? try StatCheck.difference(output, input.counts) : "tlbreplay stat exits with \(cost.status)"
    if let failure { failures.append("\(name): \(failure)") }
    note(name, input, cost, failure == nil ? goal : "FAILED")
    return cost.cpuSeconds
  }

  /// `stat`, then `report` with the policy that it replays by itself, then with all at once.
  ///
  /// Run on two lengths of the same machine: own memory goes with frames and CPUs, not with events.
  private mutating func replays(_ input: (path: String, counts: MixCounts)) throws {
    let all = try policies()
    try replay("stat, trace.dat v6", ["stat", "--json"], input, "")
    let frames = "\(input.counts.framesUsed / 1000) thousand frames"
    try replay("report, default policy", ["report"], input, frames)
    try replay(
      "report, all \(all.count) policies", ["report"] + all.flatMap { ["--policy", $0] }, input,
      "\(frames), goal 3 M events/s")
    try discard(input.path)
  }

  private mutating func replay(
    _ name: String, _ arguments: [String], _ input: (path: String, counts: MixCounts),
    _ goal: String
  ) throws {
    let runs = try (0..<options.runs).map { _ in
      try ChildProcess.run(
        [tool] + arguments + ["--no-progress", input.path], output: "\(folder)/replay.txt")
    }
    if let failed = runs.first(where: { $0.status != 0 }) {
      failures.append("\(name): tlbreplay exits with \(failed.status)")
    }
    guard var best = runs.min(by: { $0.cpuSeconds < $1.cpuSeconds }),
      let worst = runs.map(\.cpuSeconds).max()
    else { return }
    // Sampled, so the largest is the nearest to the truth.
    best.anonymousBytes = runs.map(\.anonymousBytes).max() ?? 0
    // How far apart they lie says how much the machine's cores were shared.
    let range = String(format: "%.2f to %.2f s", best.cpuSeconds, worst)
    note(name, input, best, goal.isEmpty ? range : "\(range), \(goal)")
  }

  /// Every policy of the catalogue; the N of those that have one is 64.
  private func policies() throws -> [String] {
    let output = "\(folder)/policies.json"
    _ = try ChildProcess.run([tool, "policies", "--json"], output: output)
    let data = try Data(contentsOf: URL(fileURLWithPath: output))
    let document = try JSONSerialization.jsonObject(with: data) as? [String: Any]
    let entries = document?["policies"] as? [[String: Any]] ?? []
    let names = entries.compactMap { $0["name"] as? String }
    guard !names.isEmpty else { throw BenchmarkError("policies --json names no policy") }
    return names.map { $0.hasSuffix("-N") ? $0.dropLast() + "64" : $0 }
  }

  /// The simulated TLBs alone, in this process; every run must count the same.
  private mutating func translate(_ stream: TranslationStreams.Stream) throws {
    let accesses = try TranslationStreams(stream, count: options.events, seed: options.seed)
    let runs = (0..<options.runs).map { _ in accesses.run() }
    let counts = runs.map(\.counts)
    guard counts.allSatisfy({ $0 == counts[0] && $0.accesses.total == UInt64(options.events) })
    else {
      failures.append("\(stream.name): runs count differently")
      return
    }
    let share = Double(counts[0].walks.total) / Double(options.events)
    measurements.append(
      Measurement(
        name: stream.name, events: counts[0].accesses.total, inputBytes: 0,
        cpuSeconds: runs.map(\.seconds).min() ?? 0, anonymousBytes: 0,
        note: String(format: "%.0f %% walk, ", share * 100) + stream.goal))
  }

  /// The stock tool and awk, then tlbreplay, on the same small file.
  private mutating func sideBySide(
    _ input: (path: String, counts: MixCounts), _ stock: String, _ command: String, awkField: Int
  ) throws {
    let output = "\(folder)/stock.txt"
    let pipeline =
      "\(command) '\(input.path)' 2>/dev/null"
      + " | awk '{ n[$\(awkField)]++ } END { for (e in n) print e, n[e] }'"
    let cost = try median { try ChildProcess.run(["sh", "-c", pipeline], output: output) }
    if let difference = try StatCheck.lineDifference(output, input.counts) {
      failures.append("\(stock): \(difference)")
    }
    note("\(command.replacingOccurrences(of: " -i", with: "")) \\| awk, slice", input, cost, "")
    let seconds = try stat("tlbreplay stat, the same slice", input, "")
    let last = measurements.count - 1
    if measurements[last].note == "" {
      measurements[last].note = String(format: "%.0f x \(stock)", cost.cpuSeconds / seconds)
    }
    try discard(input.path)
  }

  /// The run with the median CPU time.
  private func median(_ measure: () throws -> Cost) throws -> Cost {
    let runs = try (0..<options.runs).map { _ in try measure() }
    return runs.sorted { $0.cpuSeconds < $1.cpuSeconds }[runs.count / 2]
  }

  private mutating func note(
    _ name: String, _ input: (path: String, counts: MixCounts), _ cost: Cost, _ note: String
  ) {
    let attributes = try? FileManager.default.attributesOfItem(atPath: input.path)
    measurements.append(
      Measurement(
        name: name, events: input.counts.total,
        inputBytes: (attributes?[.size] as? NSNumber)?.intValue ?? 0, cpuSeconds: cost.cpuSeconds,
        anonymousBytes: cost.anonymousBytes, note: note))
    FileHandle.standardError.write(Data("\(name): \(cost.cpuSeconds) s\n".utf8))
  }

  // MARK: Results

  private func cells(_ row: Measurement) -> [String] {
    [
      row.name, String(format: "%.1f", Double(row.events) / 1e6),
      String(format: "%.0f", Double(row.inputBytes) / 1_048_576),
      String(format: "%.2f", row.cpuSeconds), String(format: "%.2f", row.eventsPerSecond / 1e6),
      String(format: "%.0f", Double(row.anonymousBytes) / 1_048_576), row.note,
    ]
  }

  private static let heads = [
    "input", "M events", "MiB", "CPU s", "M events / CPU s", "own memory MiB", "",
  ]

  func markdown() -> String {
    let rows = [Self.heads] + [["---", "--:", "--:", "--:", "--:", "--:", "---"]]
    return (rows + measurements.map(cells)).map { "| \($0.joined(separator: " | ")) |" }
      .joined(separator: "\n")
  }

  func text() -> String {
    let rows = ([Self.heads] + measurements.map(cells)).map { row in
      row.map { $0.replacingOccurrences(of: "\\|", with: "|") }
    }
    let widths = Self.heads.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      row.indices.map { column in
        let padding = String(repeating: " ", count: widths[column] - row[column].count)
        return column == 0 || column == 6 ? row[column] + padding : padding + row[column]
      }.joined(separator: "  ")
    }.joined(separator: "\n")
  }
}
