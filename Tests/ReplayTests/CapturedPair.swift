import Replay
import TraceEvents
import TraceFiles

/// Captured runs of one workload with lazy unmap flush off and on, and how to replay one.
enum CapturedPair {
  /// Repository root, from this file's place in it.
  static let root = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    .dropLast(3).joined(separator: "/")
  /// Bundled pairs, and the larger collection that stands beside the repository where it exists.
  static let bundled = root + "/Traces/luf-pairs"
  static let shared = root + "/../shared/traces/luf-pairs"

  /// Replays the trace of a capture directory inside its marks.
  static func replay(
    _ directory: String, flushFunctionKnown: Bool = true, policies: [String] = ["luf-v10"]
  ) throws -> Outcome {
    let input = try TraceInput(directory + "/trace.dat")
    var survey = TraceSurvey()
    var reader = try input.makeReader(ReadRequest(order: .time, instance: ""))
    var batch = EventBatch()
    while try reader.next(into: &batch) {
      survey.absorb(batch, directory: reader.directory)
    }
    let instance = survey.instances[0]
    var context = ReplayContext(
      instance, facts: reader.facts,
      cpuCount: max(reader.facts.cpuCount ?? 0, instance.cpusSeen),
      window: MarkedWindow.offered(by: instance.marks)?.span)
    if !flushFunctionKnown { context.flushFunction = nil }
    var session = try ReplaySession(context, policies: policies)
    reader = try input.makeReader(ReadRequest(order: .time, instance: ""))
    while try reader.next(into: &batch) {
      session.consume(batch, directory: reader.directory)
    }
    return try session.finish()
  }
}
