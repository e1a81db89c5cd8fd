public import Replay
public import TraceEvents

/// An input and what the survey of it found: what `info`, `stat` and `report` all begin with.
public struct TraceDescription: Sendable {
  /// What the user called it.
  public var name: String
  /// What the trace says about itself.
  public var facts: TraceFacts
  /// Names of events by index.
  public var eventNames: [EventName]
  /// What was bad, as far as it was read.
  public var statistics: IngestStatistics
  /// Everything that the trace holds.
  public var survey: TraceSurvey
  /// The instance that is meant.
  public var instance: Int
  /// The window, and the counts inside it.
  public var window: (marks: MarkedWindow, isRequested: Bool, survey: InstanceSurvey)?
  /// The TLB row between the snapshots of a capture directory.
  public var recordedRow: RecordedTLBRow?
  /// Why snapshots could not be used.
  public var snapshotProblem: String?
  /// What memory snapshots of a capture directory say.
  public var memory = RecordedMemory()
  /// What the user wants to see of the trace, and what that leaves; nil without filters. A window
  /// then holds the filtered counts too.
  public var filtered: FilteredCounts?

  /// A description.
  public init(
    name: String, facts: TraceFacts, eventNames: [EventName], statistics: IngestStatistics,
    survey: TraceSurvey, instance: Int,
    window: (marks: MarkedWindow, isRequested: Bool, survey: InstanceSurvey)?,
    recordedRow: RecordedTLBRow?, snapshotProblem: String?
  ) {
    self.name = name
    self.facts = facts
    self.eventNames = eventNames
    self.statistics = statistics
    self.survey = survey
    self.instance = instance
    self.window = window
    self.recordedRow = recordedRow
    self.snapshotProblem = snapshotProblem
  }

  /// What is counted for the tables: the whole instance, or a window that the user asked for.
  public var counted: InstanceSurvey {
    if let window, window.isRequested { return window.survey }
    return filteredWhole
  }

  /// The whole instance as far as the filters let it through.
  public var filteredWhole: InstanceSurvey { counts(ofInstance: instance) }

  /// An instance as far as the filters let it through.
  func counts(ofInstance index: Int) -> InstanceSurvey {
    let instances = (filtered?.survey ?? survey).instances
    return index < instances.count ? instances[index] : InstanceSurvey()
  }

  /// The whole instance.
  public var whole: InstanceSurvey {
    instance < survey.instances.count ? survey.instances[instance] : InstanceSurvey()
  }

  /// What the TLB row is derived from: the window where there is one.
  public var rowBasis: InstanceSurvey { window?.survey ?? filteredWhole }

  /// What a replay counts: what lies in the window and in the span of `--time`; nil everything.
  public var countedSpan: TimeWindow? {
    let span = window?.marks.span
    guard let start = filtered?.start else { return span }
    let end = filtered?.end.map { $0 == 0 ? 0 : $0 - 1 } ?? .max
    return TimeWindow(
      start: max(span?.start ?? whole.firstTime ?? 0, start),
      end: min(span?.end ?? whole.lastTime ?? .max, end))
  }

  /// The row that the events tell, nil if none does. Behind filters it is told from the same events
  /// as without them.
  public var derivedRow: DerivedTLBRow? {
    guard let filtered else { return DerivedTLBRow(rowBasis, facts: facts, cpus: cpus) }
    let basis = filtered.unfilteredBasis
    guard let reference = DerivedTLBRow(basis, facts: facts, cpus: cpus),
      filtered.request.wants(eventNames[Int(reference.kind.rawValue)])
    else { return nil }
    return DerivedTLBRow(
      rowBasis, like: reference,
      function: basis.functions.flush(known: facts.flushTLBFunction)?.entry.function, facts: facts,
      cpus: cpus)
  }

  /// CPUs of the tables.
  public var cpus: Int {
    max(
      facts.cpuCount ?? 0, survey.instances.map(\.cpusSeen).max() ?? 0,
      recordedRow?.perCPU.count ?? 0)
  }

  /// The instance's own facts.
  public var instanceFacts: TraceInstance {
    instance < facts.instances.count
      ? facts.instances[instance] : TraceInstance(name: "", clock: nil, timeUnit: .none)
  }

  /// First and last time in nanoseconds, nil where times are relative or no nanoseconds.
  func absoluteTimes(_ survey: InstanceSurvey, _ unit: TimeUnit) -> (UInt64, UInt64)? {
    guard case .nanoseconds = unit, let first = survey.firstTime, let last = survey.lastTime else {
      return nil
    }
    return (first, last)
  }

  /// The `input` object of every document.
  var inputData: JSONValue {
    let unit = instanceFacts.timeUnit
    let times = absoluteTimes(whole, unit)
    var members: [String: JSONValue] = [
      "format": .string(facts.format), "compression": JSONValue(facts.compression),
      "cpus": JSONValue(cpus), "clock": JSONValue(instanceFacts.clock),
      "first_ns": times.map { JSONValue($0.0) } ?? .null,
      "last_ns": times.map { JSONValue($0.1) } ?? .null,
      "time": .string(unit.label), "kernel": JSONValue(facts.kernelRelease),
      "lost_events": .object([
        "known": JSONValue(statistics.lost.known),
        "unknown": .bool(statistics.lost.unknownMarks > 0),
      ]),
      "findings": .array(statistics.findings.map(\.data)),
    ]
    let row = derivedRow
    if let filtered { members["filters"] = filtered.data }
    members["notes"] = .array(
      [TLBRowSection.recognition(row)].compactMap { $0.map(JSONValue.string) })
    if case .ticks = unit {
      members["first_ticks"] = whole.firstTime.map { JSONValue($0) } ?? .null
      members["last_ticks"] = whole.lastTime.map { JSONValue($0) } ?? .null
    }
    return .object(members)
  }

  /// The `window` object, null without one.
  var windowData: JSONValue {
    guard let window else { return .null }
    let unit = instanceFacts.timeUnit
    var members: [String: JSONValue] = [
      "from": .string(window.marks.startLabel), "to": .string(window.marks.endLabel),
      "requested": .bool(window.isRequested),
      "events": eventsData(window.survey),
    ]
    if case .nanoseconds = unit {
      members["start_ns"] = JSONValue(window.marks.span.start)
      members["end_ns"] = JSONValue(window.marks.span.end)
    }
    return .object(members)
  }

  /// Cells of the tables by CPU that a document may have: 256 CPUs of 4,000 different events. Only a
  /// damaged trace has more, and its invented names then come without their CPUs.
  private static let cellsMax = 1 << 20

  /// Counts of every event seen, by full name.
  func eventsData(_ survey: InstanceSurvey) -> JSONValue {
    var members: [String: JSONValue] = [:]
    let seen = eventNames.indices.filter { survey.total($0) > 0 }
    let cpus = cpus
    let isTooLarge = seen.count.multipliedReportingOverflow(by: cpus).0 > Self.cellsMax
    for index in seen {
      let isShown = facts.hasCPUColumn && !(isTooLarge && index >= Int(EventKind.knownCount))
      members[eventNames[index].full] = .object([
        "total": JSONValue(survey.total(index)),
        "per_cpu": JSONValue(isShown ? survey.perCPU(index, cpus: cpus) : nil),
      ])
    }
    return .object(members)
  }
}

extension Finding {
  var data: JSONValue {
    .object([
      "name": .string(name), "severity": .string(severity.rawValue), "count": JSONValue(count),
      "first_offset": firstOffset.map { JSONValue($0) } ?? .null, "detail": .string(detail),
    ])
  }

  /// One line for people.
  var line: String {
    let at = firstOffset.map { " at byte \(UInt64($0).grouped)" } ?? ""
    let times = count > 1 ? " (\(UInt64(count).grouped) times, the first\(at))" : at
    return "\(severity.rawValue): \(name)\(times): \(detail)"
  }
}

extension TimeUnit {
  /// What the times are, for people and scripts.
  var label: String {
    switch self {
    case .nanoseconds(let resolution): resolution == 1 ? "ns" : "us"
    case .relativeNanoseconds: "relative"
    case .ticks: "ticks"
    case .none: "none"
    }
  }
}
