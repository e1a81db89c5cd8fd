import Replay
import Reporting
import TraceEvents
import TraceFiles
import TraceWriting

/// A trace that is to be converted: what the first pass found, and the rows that pass the filters.
struct ConversionSource {
  /// What the first pass found.
  let trace: TraceDescription
  /// Names of all threads.
  let directory: EventDirectory
  private let loaded: LoadedInput
  private let filter: EventFilter?

  /// Reads `loaded` once.
  init(_ loaded: LoadedInput, _ options: InputOptions, _ progress: Progress) throws {
    self.loaded = loaded
    (trace, directory, filter) = try loaded.describe(options, progress)
  }

  /// CPUs of the traced machine.
  var cpus: Int { min(max(trace.cpus, 1), 4096) }

  /// Rows that pass the filters.
  var events: UInt64 { trace.counted.eventTotal }

  /// Kinds of event that pass the filters.
  var kinds: [EventKind] {
    let counted = trace.counted
    return EventKind.allCases.filter { counted.total(Int($0.rawValue)) > 0 }
  }

  /// The trace clock as trace.dat names it; empty where it is not known, or has no such name.
  var clock: String {
    let name = trace.instanceFacts.clock ?? ""
    // Ticks that the source's own header made nanoseconds of are ticks no longer.
    let isTicks = ["counter", "uptime", "x86-tsc"].contains(name)
    guard TraceDatOptions.clocks.contains(name),
      isTicks == (trace.instanceFacts.timeUnit == .ticks)
    else { return "" }
    return name
  }

  /// `uname` of the traced machine as far as the trace tells.
  var systemName: String {
    guard let kernel = trace.facts.kernelRelease else { return "" }
    return "Linux \(trace.facts.hostName ?? "traced") \(kernel) "
      + (trace.facts.architecture ?? "x86_64")
  }

  /// Nanoseconds that times are multiples of.
  var resolution: UInt64 {
    if case .nanoseconds(let resolution) = trace.instanceFacts.timeUnit { return resolution }
    return 1
  }

  /// What the time column of a table holds.
  var tableTime: EventTableTime {
    switch trace.instanceFacts.timeUnit {
    case .nanoseconds: .nanoseconds
    case .relativeNanoseconds: .relativeNanoseconds
    case .ticks: .ticks
    case .none: .position
    }
  }

  /// Names for text: of the functions only the one that a replay must recognise has an address.
  func names() -> TraceNames {
    var symbols: [KernelSymbol] = []
    if let address = trace.facts.flushTLBFunction, address > 1 << 63 {
      symbols = [KernelSymbol(address, 1, FunctionName.flushTLBFunctionSymbol)]
    }
    return TraceNames(
      tasks: directory.namedTasks.compactMap { task in
        directory.taskName(task).map { (task, $0) }
      }, symbols: symbols)
  }

  /// The source's text of /proc/kallsyms; without one, and where it does not tell the function that
  /// flushes, that is added where it is recognised otherwise.
  func kallsyms() throws(TraceError) -> String? {
    guard let text = try loaded.trace.kallsyms() else { return nil }
    return String(decoding: text, as: UTF8.self)
  }

  /// Refuses a source that lacks what the form must have.
  func requireTimesAndCPUs(_ form: String) throws(TraceError) {
    if !trace.facts.hasCPUColumn {
      throw TraceError("has no CPU column, which \(form) must have: use csv", file: loaded.name)
    }
    switch trace.instanceFacts.timeUnit {
    case .none:
      throw TraceError("shows no times, which \(form) must have: use csv", file: loaded.name)
    case .relativeNanoseconds:
      throw TraceError(
        "has relative times only, and \(form) must have those of the clock: use csv",
        file: loaded.name)
    case .nanoseconds, .ticks: break
    }
  }

  /// Hands on the rows that pass the filters; returns the directory of what was read.
  func read(
    _ order: EventOrder, _ progress: Progress,
    _ take: (borrowing EventBatch, EventDirectory, LostEvents) throws -> Void
  ) throws -> EventDirectory {
    var filter = filter
    var reader = try loaded.trace.makeReader(
      ReadRequest(order: order, instance: trace.instanceFacts.name))
    var batch = EventBatch()
    while try reader.next(into: &batch) {
      progress.advance(by: batch.count)
      filter?.apply(to: &batch, reader.directory)
      try take(batch, reader.directory, reader.statistics.lost)
    }
    return reader.directory
  }

  /// What the user must know of what was written.
  func remarks(_ losses: ConversionLosses, _ form: ConvertedForm) -> [String] {
    var lines: [String] = []
    if let filtered = trace.filtered {
      lines.append(
        "\(loaded.name): \(filtered.request.isEmpty ? "" : "filters leave ")\(events) events")
    }
    lines += losses.lines
    let stacks = [EventKind.kernelStack, .userStack].reduce(0) {
      $0 + trace.counted.total(Int($1.rawValue))
    }
    if stacks > 0 { lines.append("\(stacks) call chains are kept without their functions") }
    let others = trace.survey.instances.indices.filter {
      $0 != trace.instance && trace.survey.instances[$0].eventTotal > 0
    }
    if !others.isEmpty {
      let names = others.map { trace.facts.instances[$0].name }.map { $0.isEmpty ? "\"\"" : $0 }
      lines.append("other buffers are left out: \(names.joined(separator: ", "))")
    }
    let lost = trace.statistics.lost
    let isMarked = form == .traceDat || form == .ftrace
    if !lost.isEmpty, !isMarked || lost.marks.isEmpty {
      lines.append("the source lost events, which this form does not say")
    }
    let damage = trace.statistics.findings.filter { $0.severity != .note }
    if !damage.isEmpty {
      lines.append("the source is damaged (\(damage.map(\.name).joined(separator: ", ")))")
    }
    return lines
  }
}
