import Machine
import Replay
import Reporting
import TraceEvents
import TraceFiles

/// An opened input: the trace, and the snapshots beside it.
struct LoadedInput {
  /// The trace, to be read as often as needed.
  let trace: TraceInput
  /// The capture directory, if it is one.
  let capture: CaptureDirectory?
  /// What the user called it.
  let name: String
  /// Path of the trace, nil for standard input.
  let path: String?

  init(_ options: InputOptions) throws(TraceError) {
    name = options.path == "-" ? "standard input" : options.path
    capture = options.path == "-" ? nil : try CaptureDirectory(options.path)
    path = options.path == "-" ? nil : capture?.trace ?? options.path
    trace = try TraceInput(capture?.trace ?? options.path)
  }

  /// Surveys the whole trace, then the window that the user asks for or the trace offers.
  func describe(_ options: InputOptions, progress: Progress) throws(TraceError) -> TraceDescription
  {
    try describe(options, progress).trace
  }

  /// The same, the names of all threads, and the filter, which knows the threads it lets through.
  func describe(_ options: InputOptions, _ progress: Progress) throws(TraceError) -> (
    trace: TraceDescription, directory: EventDirectory, filter: EventFilter?
  ) {
    var ready: EventFilter?
    var whole = TraceSurvey()
    let reader = try read(
      into: &whole, ReadRequest(order: .any, payloads: TraceSurvey.payloads), progress)
    var description = TraceDescription(
      name: name, facts: reader.facts, eventNames: reader.directory.names,
      statistics: reader.statistics, survey: whole,
      instance: try instance(options, reader.facts, whole), window: nil,
      recordedRow: capture?.tlbRow, snapshotProblem: capture?.problem)
    if let memory = capture?.memory { description.memory = memory }
    let window = try self.window(options, description)
    let request = try self.filters(options)
    if !request.isEmpty {
      let filter = try self.filter(request, description, reader.directory)
      ready = try count(behind: filter, window, in: &description, progress)
    } else if let (marks, isRequested) = window {
      var inside = TraceSurvey(window: marks.span)
      let name = description.instanceFacts.name
      _ = try read(
        into: &inside, ReadRequest(order: .any, instance: name, payloads: TraceSurvey.payloads),
        progress)
      let survey =
        description.instance < inside.instances.count
        ? inside.instances[description.instance] : InstanceSurvey()
      description.window = (marks, isRequested, survey)
    }
    return (description, reader.directory, ready)
  }

  /// Replays the instance that `trace` describes under `policies`; a flush that the recorded run did
  /// not do lasts `flushDuration` nanoseconds, nil as long as the recorded ones. `tiers` follows the
  /// frames on the way, `perfetto` takes down a timeline; `recordsTimeline` keeps shootdowns by time and
  /// by sender, for drawings. `prepare` may ask the session for more before it begins.
  func replay(
    _ trace: TraceDescription, policies: [PolicyBlueprint], flushDuration: UInt64?,
    recordsTimeline: Bool = false, tiers: inout TierTracker, perfetto: PerfettoFile? = nil,
    progress: Progress, readsCallChains: Bool = false,
    prepare: (inout ReplaySession, EventDirectory) -> Void = { _, _ in }
  ) throws -> Outcome {
    var context = try replayContext(trace, flushDuration: flushDuration)
    context.recordsTimeline = recordsTimeline
    var session = ReplaySession(context, blueprints: policies, observer: perfetto?.export)
    var reader = try self.trace.makeReader(
      ReadRequest(
        order: .time, instance: trace.instanceFacts.name, readsCallChains: readsCallChains))
    prepare(&session, reader.directory)
    var batch = EventBatch()
    while try reader.next(into: &batch) {
      // First the one that needs little else: the batch is still in the cache for the other.
      tiers.consume(batch)
      perfetto?.export.consume(batch, directory: reader.directory)
      session.consume(batch, directory: reader.directory)
      try perfetto?.advance()
      progress.advance(by: batch.count)
    }
    progress.finish()
    let outcome: Outcome
    do {
      outcome = try session.finish()
    } catch {
      throw InternalError(description: "\(name): the replay's own checks failed: \(error)")
    }
    try perfetto?.finish()
    return outcome
  }

  /// What a replay of the instance that `trace` describes must be told, if it can be replayed.
  func replayContext(
    _ trace: TraceDescription, flushDuration: UInt64?
  ) throws(TraceError) -> ReplayContext {
    let fitness = TraceFitness(
      trace.whole, facts: trace.facts, instance: trace.instanceFacts,
      statistics: trace.statistics)
    // Without frame events the recorded run can still be shown; without these nothing can.
    let hasFlushes = trace.whole.total(Int(EventKind.tlbFlush.rawValue)) > 0
    if !hasFlushes || !trace.facts.hasCPUColumn || trace.instanceFacts.timeUnit == .none {
      throw TraceError(
        "cannot be replayed: \(fitness.obstacles.joined(separator: "; ")) (tlbreplay info says more)",
        file: name)
    }
    var context = ReplayContext(
      trace.whole, facts: trace.facts, cpuCount: trace.cpus, window: trace.countedSpan)
    context.countedCPUs = trace.filtered?.request.cpus
    context.countedTasks = trace.filtered?.tasks
    if trace.instanceFacts.timeUnit == .ticks {
      context.burstSpan = nil
      if flushDuration != nil {
        throw TraceError(
          "has times in ticks of an unknown rate: --flush-duration cannot be applied", file: name)
      }
    }
    context.flushDuration = flushDuration
    return context
  }

  private func read(
    into survey: inout TraceSurvey, _ request: ReadRequest, _ progress: Progress
  ) throws(TraceError) -> any TraceReader {
    var reader = try trace.makeReader(request)
    var batch = EventBatch()
    while try reader.next(into: &batch) {
      survey.absorb(batch, directory: reader.directory)
      progress.advance(by: batch.count)
    }
    progress.finish()
    return reader
  }

  private func instance(
    _ options: InputOptions, _ facts: TraceFacts, _ survey: TraceSurvey
  ) throws(TraceError) -> Int {
    guard let wanted = options.window.instance else { return survey.mainInstance }
    if let found = facts.instances.firstIndex(where: { $0.name == wanted }) { return found }
    let names = facts.instances.map { $0.name.isEmpty ? "\"\" (top)" : $0.name }
    throw TraceError(
      "has no buffer instance \"\(wanted)\"; it has \(names.joined(separator: ", "))", file: name)
  }

  private func window(_ options: InputOptions, _ trace: TraceDescription) throws(TraceError)
    -> (MarkedWindow, Bool)?
  {
    let marks = trace.whole.marks
    guard let (begin, end) = options.window.marks else {
      return MarkedWindow.offered(by: marks).map { ($0, false) }
    }
    if let found = MarkedWindow.between(begin, end, in: marks) { return (found, true) }
    let seen = Set(marks.map(\.label)).sorted().prefix(8).joined(separator: ", ")
    throw TraceError(
      "has no marks \"\(begin)\" and, behind it, \"\(end)\""
        + (seen.isEmpty ? "; it has no marks at all" : "; it has \(seen)"), file: name)
  }
}
