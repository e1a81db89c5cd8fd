import Foundation
import Replay
import TraceEvents
import TraceFiles

/// A trace in the temporary folder, gone with the test.
final class ScratchTrace {
  let path = FileManager.default.temporaryDirectory
    .appendingPathComponent("tlbreplay-\(UUID().uuidString)").path

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Replays it between its marks under luf-v10.
  func replay(cpus: Int) throws -> Outcome {
    let input = try TraceInput(path)
    var survey = TraceSurvey()
    var reader = try input.makeReader(ReadRequest(order: .time, instance: ""))
    var batch = EventBatch()
    while try reader.next(into: &batch) { survey.absorb(batch, directory: reader.directory) }
    let instance = survey.instances[0]
    let context = ReplayContext(
      instance, facts: reader.facts, cpuCount: cpus,
      window: MarkedWindow.offered(by: instance.marks)?.span)
    var session = try ReplaySession(context, policies: ["luf-v10"])
    reader = try input.makeReader(ReadRequest(order: .time, instance: ""))
    while try reader.next(into: &batch) { session.consume(batch, directory: reader.directory) }
    return try session.finish()
  }
}
