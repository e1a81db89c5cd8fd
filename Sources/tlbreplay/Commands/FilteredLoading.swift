import Replay
import Reporting
import TraceEvents
import TraceFiles

extension LoadedInput {
  /// What the user asks to see. The options were validated, so that nothing is wrong with them.
  func filters(_ options: InputOptions) throws(TraceError) -> FilterRequest {
    do {
      return try options.window.filters.request()
    } catch {
      throw TraceError("\(error)", file: name)
    }
  }

  /// `request` made ready for the instance that `trace` describes; `directory` knows all its names.
  func filter(
    _ request: FilterRequest, _ trace: TraceDescription, _ directory: EventDirectory
  ) throws(TraceError) -> EventFilter {
    do throws(FilterError) {
      return try EventFilter(
        request, facts: trace.facts, unit: trace.instanceFacts.timeUnit,
        first: trace.whole.firstTime, last: trace.whole.lastTime, directory: directory)
    } catch {
      throw TraceError(error.description, file: name)
    }
  }

  /// Counts once more: what `filter` lets through, in all and inside the window. Returns the filter,
  /// which now knows which threads it lets through.
  func count(
    behind filter: EventFilter, _ window: (marks: MarkedWindow, isRequested: Bool)?,
    in trace: inout TraceDescription, _ progress: Progress
  ) throws(TraceError) -> EventFilter {
    var filter = filter
    var all = TraceSurvey()
    var inside = TraceSurvey(window: window?.marks.span)
    var insideUnfiltered = TraceSurvey(window: window?.marks.span)
    var reader = try self.trace.makeReader(
      ReadRequest(order: .any, payloads: TraceSurvey.payloads))
    var batch = EventBatch()
    while try reader.next(into: &batch) {
      progress.advance(by: batch.count)
      if window != nil, batch.instance == trace.instance {
        insideUnfiltered.absorb(batch, directory: reader.directory)
      }
      filter.apply(to: &batch, reader.directory)
      all.absorb(batch, directory: reader.directory)
      if window != nil, batch.instance == trace.instance {
        inside.absorb(batch, directory: reader.directory)
      }
    }
    progress.finish()
    func instance(_ survey: TraceSurvey) -> InstanceSurvey {
      trace.instance < survey.instances.count
        ? survey.instances[trace.instance] : InstanceSurvey()
    }
    trace.filtered = FilteredCounts(
      filter.request, start: filter.request.time.map { _ in filter.start }, end: filter.end,
      survey: all, unfilteredBasis: window == nil ? trace.whole : instance(insideUnfiltered))
    if filter.request.asksForTasks { trace.filtered?.tasks = filter.tasks }
    if let window { trace.window = (window.marks, window.isRequested, instance(inside)) }
    return filter
  }
}
