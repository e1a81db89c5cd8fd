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
    var whole = TraceSurvey()
    let reader = try read(
      into: &whole, ReadRequest(order: .any, payloads: TraceSurvey.payloads), progress)
    var description = TraceDescription(
      name: name, facts: reader.facts, eventNames: reader.directory.names,
      statistics: reader.statistics, survey: whole,
      instance: try instance(options, reader.facts, whole), window: nil,
      recordedRow: capture?.tlbRow, snapshotProblem: capture?.problem)
    if let memory = capture?.memory { description.memory = memory }
    if let (marks, isRequested) = try window(options, description) {
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
    return description
  }

  /// Replays the instance that `trace` describes under `policies`; a flush that the recorded run did
  /// not do lasts `flushDuration` nanoseconds, nil as long as the recorded ones. `tiers` follows the
  /// frames on the way; `prepare` may ask the session for more before it begins.
  func replay(
    _ trace: TraceDescription, policies: [PolicyBlueprint], flushDuration: UInt64?,
    tiers: inout TierTracker, progress: Progress, readsCallChains: Bool = false,
    prepare: (inout ReplaySession, EventDirectory) -> Void = { _, _ in }
  ) throws -> Outcome {
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
      trace.whole, facts: trace.facts, cpuCount: trace.cpus, window: trace.window?.marks.span)
    if trace.instanceFacts.timeUnit == .ticks {
      context.burstSpan = nil
      if flushDuration != nil {
        throw TraceError(
          "has times in ticks of an unknown rate: --flush-duration cannot be applied", file: name)
      }
    }
    context.flushDuration = flushDuration
    var session = ReplaySession(context, blueprints: policies)
    var reader = try self.trace.makeReader(
      ReadRequest(
        order: .time, instance: trace.instanceFacts.name, readsCallChains: readsCallChains))
    prepare(&session, reader.directory)
    var batch = EventBatch()
    while try reader.next(into: &batch) {
      // First the one that needs little else: the batch is still in the cache for the other.
      tiers.consume(batch)
      session.consume(batch, directory: reader.directory)
      progress.advance(by: batch.count)
    }
    progress.finish()
    do {
      return try session.finish()
    } catch {
      throw InternalError(description: "\(name): the replay's own checks failed: \(error)")
    }
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
    guard let wanted = options.instance else { return survey.mainInstance }
    if let found = facts.instances.firstIndex(where: { $0.name == wanted }) { return found }
    let names = facts.instances.map { $0.name.isEmpty ? "\"\" (top)" : $0.name }
    throw TraceError(
      "has no buffer instance \"\(wanted)\"; it has \(names.joined(separator: ", "))", file: name)
  }

  private func window(_ options: InputOptions, _ trace: TraceDescription) throws(TraceError)
    -> (MarkedWindow, Bool)?
  {
    let marks = trace.whole.marks
    guard let (begin, end) = options.betweenMarks else {
      return MarkedWindow.offered(by: marks).map { ($0, false) }
    }
    if let found = MarkedWindow.between(begin, end, in: marks) { return (found, true) }
    let seen = Set(marks.map(\.label)).sorted().prefix(8).joined(separator: ", ")
    throw TraceError(
      "has no marks \"\(begin)\" and, behind it, \"\(end)\""
        + (seen.isEmpty ? "; it has no marks at all" : "; it has \(seen)"), file: name)
  }
}
