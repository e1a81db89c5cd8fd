public import Replay
public import TraceEvents

/// What a user's filters let through.
public struct FilteredCounts: Sendable {
  /// The filters.
  public var request: FilterRequest
  /// First time that is in, and first that no longer is; nil where `--time` says nothing of it.
  public var start: UInt64?
  /// See ``start``.
  public var end: UInt64?
  /// The counts of all buffers.
  public var survey: TraceSurvey
  /// Which threads count; nil where filters say nothing of them.
  public var tasks: TaskSelection?
  /// What the TLB row would be derived from without filters.
  public var unfilteredBasis: InstanceSurvey

  /// Filtered counts.
  public init(
    _ request: FilterRequest, start: UInt64?, end: UInt64?, survey: TraceSurvey,
    unfilteredBasis: InstanceSurvey
  ) {
    self.request = request
    self.start = start
    self.end = end
    self.survey = survey
    self.unfilteredBasis = unfilteredBasis
  }

  /// The filters as options of the command line.
  var text: String {
    var parts: [String] = []
    if let cpus = request.cpus { parts.append("--cpu \(cpus.text)") }
    if let time = request.time { parts.append("--time \(time.text)") }
    let numbers = [("--pid", request.processes), ("--tid", request.threads)]
    for (option, values) in numbers where !values.isEmpty {
      parts.append("\(option) \(values.map { "\($0)" }.joined(separator: ","))")
    }
    if !request.names.isEmpty {
      parts.append("--comm \(request.names.map(\.text).joined(separator: ","))")
    }
    if !request.events.isEmpty {
      parts.append("--event \(request.events.map(\.text).joined(separator: ","))")
    }
    return parts.joined(separator: " ")
  }

  /// The `input.filters` object: only the filters that are on.
  var data: JSONValue {
    var members: [String: JSONValue] = [:]
    if let cpus = request.cpus { members["cpu"] = .string(cpus.text) }
    if let time = request.time {
      members["time"] = .object([
        "text": .string(time.text), "from": start.map { JSONValue($0) } ?? .null,
        "to": end.map { JSONValue($0) } ?? .null,
      ])
    }
    if !request.processes.isEmpty {
      members["pid"] = .array(request.processes.map { .integer(Int64($0)) })
    }
    if !request.threads.isEmpty {
      members["tid"] = .array(request.threads.map { .integer(Int64($0)) })
    }
    if !request.names.isEmpty { members["comm"] = .array(request.names.map { .string($0.text) }) }
    if !request.events.isEmpty {
      members["event"] = .array(request.events.map { .string($0.text) })
    }
    return .object(members)
  }

  /// Whether `--event` leaves out what the TLB row is told from.
  func hidesRow(_ trace: TraceDescription) -> Bool { hiddenRow(trace) != nil }

  /// Whether `--event` leaves out tlb_flush.
  func hidesFlushes(_ trace: TraceDescription) -> Bool {
    !request.wants(trace.eventNames[Int(EventKind.tlbFlush.rawValue)])
  }

  /// Why no row can be derived though the trace tells one.
  func hiddenRow(_ trace: TraceDescription) -> String? {
    guard let row = DerivedTLBRow(unfilteredBasis, facts: trace.facts, cpus: trace.cpus) else {
      return nil
    }
    let name = trace.eventNames[Int(row.kind.rawValue)]
    guard !request.wants(name) else { return nil }
    return "Derived row: --event leaves out \(name.full), which the row is told from."
  }

  /// Parts of the filters that nothing in the trace answers to: likely a slip of the pen.
  func unmatched(_ trace: TraceDescription) -> [String] {
    let index = trace.instance
    let events = index < survey.instances.count ? survey.instances[index].eventTotal : 0
    var found: [String] = []
    for pattern in request.events
    where !trace.eventNames.indices.contains(where: {
      trace.whole.total($0) > 0 && pattern.matches(trace.eventNames[$0])
    }) {
      found.append("--event \(pattern.text): the trace has no such event")
    }
    if let cpu = request.cpus?.cpus.first(where: { $0 >= trace.cpus }) {
      found.append("--cpu \(cpu): the trace has CPUs 0 to \(trace.cpus - 1)")
    }
    if let span = trace.window?.marks.span, let start, start > span.end {
      found.append("--time begins after the window's end: nothing is left of the window")
    }
    if let span = trace.window?.marks.span, let end, end <= span.start {
      found.append("--time ends before the window begins: nothing is left of the window")
    }
    if found.isEmpty, events == 0 { found.append("no event passes the filters") }
    return found
  }
}
