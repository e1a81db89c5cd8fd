import ArgumentParser
import TraceEvents

/// Which events count: conditions that must all hold.
struct FilterOptions: ParsableArguments {
  @Option(
    name: .customLong("cpu"),
    help: ArgumentHelp("Count only what these CPUs recorded, as in 0-3,8.", valueName: "LIST"))
  var cpus: String?

  @Option(
    help: ArgumentHelp(
      "Count only from FROM on and before TO: seconds of the trace's clock (or with ms, us, ns; "
        + "ticks where the clock counts ticks), either left out; or 10%-20%, or 10%/2.",
      valueName: "FROM,TO"))
  var time: String?

  @Option(
    name: .customLong("pid"),
    help: ArgumentHelp(
      "Count only what ran in these processes (in these threads, where the trace tells no "
        + "processes).", valueName: "LIST"))
  var processes: String?

  @Option(
    name: .customLong("tid"),
    help: ArgumentHelp("Count only what ran in these threads.", valueName: "LIST"))
  var threads: String?

  @Option(
    name: .customLong("comm"),
    help: ArgumentHelp(
      "Count only what ran in threads of this name; * and ?, commas, or repeat it for more.",
      valueName: "NAME"))
  var names: [String] = []

  @Option(
    name: .customLong("event"),
    help: ArgumentHelp(
      "Count only these events: tlb:tlb_flush, tlb_flush, kmem:*, or !kmem:* for all others; "
        + "commas, or repeat it for more.", valueName: "LIST"))
  var events: [String] = []

  /// What they ask for.
  func request() throws -> FilterRequest {
    var request = FilterRequest()
    request.cpus = try cpus.map { text in try named("--cpu") { try CPUList(text) } }
    request.time = try time.map { text in try named("--time") { try TimeSelection(text) } }
    request.processes = try numbers("--pid", processes)
    request.threads = try numbers("--tid", threads)
    request.names = try names.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }
      .map { name in
        guard !name.isEmpty else { throw ValidationError("--comm: a name is missing.") }
        return NamePattern(String(name))
      }
    request.events = try events.flatMap {
      $0.split(separator: ",", omittingEmptySubsequences: false)
    }.map { text in try named("--event") { try EventPattern(String(text)) } }
    return request
  }

  func validate() throws { _ = try request() }

  /// The options as they are typed, in one order.
  var arguments: [String] {
    [("cpu", cpus), ("time", time), ("pid", processes), ("tid", threads)]
      .compactMap { name, value in value.map { "--\(name)=\($0)" } }
      + names.map { "--comm=\($0)" } + events.map { "--event=\($0)" }
  }

  private func numbers(_ option: String, _ list: String?) throws -> [Int32] {
    guard let list else { return [] }
    return try list.split(separator: ",", omittingEmptySubsequences: false).map { text in
      // perf has samples of tasks that no longer have a number: -1.
      guard let number = Int32(text), number >= -1 else {
        throw ValidationError("\(option): \"\(text)\" is no number of a task.")
      }
      return number
    }
  }

  private func named<Value>(_ option: String, _ parse: () throws -> Value) throws -> Value {
    do {
      return try parse()
    } catch let error as FilterError {
      throw ValidationError("\(option): \(error).")
    }
  }
}
