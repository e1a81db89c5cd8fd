import Replay
import TraceEvents
import TraceFiles

/// A property that holds for every input, however damaged, and did not.
public struct BrokenInvariant: Error, CustomStringConvertible {
  /// What was expected and what was there.
  public let description: String

  init(_ description: String) { self.description = description }
}

/// What a check found the input to be.
public enum CheckedInput: Sendable, Equatable {
  /// It cannot be read at all, and the error says why.
  case refused
  /// It has this many rows.
  case read(rows: Int)
}

/// Reads an input the way the commands do, and holds the result against what must be true of any.
///
/// Used by the fuzz targets of `Tools/Fuzz`, and by the test that replays what they found.
public enum InputCheck {
  /// Distinct findings that an input may have: their names are constants of the readers.
  static let findingsMax = 128

  /// Checks the trace at `path`.
  public static func check(_ path: String) throws -> CheckedInput {
    let input: TraceInput
    do {
      input = try TraceInput(path)
    } catch {
      guard !error.message.isEmpty else { throw BrokenInvariant("an error without a message") }
      return .refused
    }
    return try check(input)
  }

  private static func check(_ input: TraceInput) throws -> CheckedInput {
    var survey = TraceSurvey()
    let counted = try ReadPass(input, order: .any) { batch, directory in
      survey.absorb(batch, directory: directory)
    }
    let ordered = try ReadPass(input, order: .time) { _, _ in }
    guard let counted, let ordered else {
      guard counted == nil, ordered == nil else {
        throw BrokenInvariant("only one of the two orders can be read")
      }
      return .refused
    }
    try compare(counted, ordered)
    let instance = survey.mainInstance
    let rows = counted.instances.reduce(0) { $0 + $1.rows }
    guard instance < survey.instances.count else { return .read(rows: rows) }
    try checkWindow(input, survey.instances[instance])
    try replay(input, survey.instances[instance], counted.facts, instance)
    return .read(rows: rows)
  }

  private static func compare(_ counted: ReadPass, _ ordered: ReadPass) throws {
    let count = max(counted.instances.count, ordered.instances.count)
    for index in 0..<count {
      let first = counted.instance(index)
      let second = ordered.instance(index)
      let isBinary = !ordered.facts.format.hasSuffix("text")
      guard second.stepsBack == 0 || !isBinary || !ordered.statistics.findings.isEmpty else {
        throw BrokenInvariant("instance \(index) steps back in time, and no finding says so")
      }
      // Which sample of a perf group has rows for its members depends on the one before it.
      let isPerfData = ordered.facts.format.hasPrefix("perf.data")
      if isPerfData, first.stepsBackOnCPU > 0 { continue }
      if counted.statistics.count("late-description") > 0 { continue }
      guard first.rows == second.rows else {
        throw BrokenInvariant(
          "instance \(index) has \(first.rows) rows in any order, \(second.rows) in time order")
      }
      guard first.checksum == second.checksum else {
        throw BrokenInvariant("the \(first.rows) rows of instance \(index) differ by the order")
      }
    }
    for pass in [counted, ordered] where pass.statistics.findings.count > findingsMax {
      throw BrokenInvariant("\(pass.statistics.findings.count) kinds of findings")
    }
    let lost = [counted.statistics.lost, ordered.statistics.lost]
    guard lost[0] == lost[1] else {
      throw BrokenInvariant("the losses differ by the order: \(lost)")
    }
  }

  private static func checkWindow(_ input: TraceInput, _ whole: InstanceSurvey) throws {
    guard let window = MarkedWindow.offered(by: whole.marks) else { return }
    var inside = TraceSurvey(window: window.span)
    _ = try ReadPass(input, order: .any) { batch, directory in
      inside.absorb(batch, directory: directory)
    }
    let counted = inside.instances.reduce(0) { max($0, $1.eventTotal) }
    guard counted >= 2 else {
      throw BrokenInvariant("the window \(window) counts \(counted) events, its marks are two")
    }
  }

  private static func replay(
    _ input: TraceInput, _ survey: InstanceSurvey, _ facts: TraceFacts, _ index: Int
  ) throws {
    guard facts.hasCPUColumn, index < facts.instances.count,
      facts.instances[index].timeUnit != .none
    else { return }
    let flush = survey.functions.flush(known: facts.flushTLBFunction)?.entry.function
    let context = ReplayContext(
      cpuCount: max(facts.cpuCount ?? 0, survey.cpusSeen),
      window: MarkedWindow.offered(by: survey.marks)?.span,
      flushFunction: flush ?? facts.flushTLBFunction,
      writeEntryType: survey.migrationEntries.writeType)
    var session = try ReplaySession(context, policies: PolicyCatalog.sampleNames)
    var reader = try input.makeReader(
      ReadRequest(order: .time, instance: facts.instances[index].name))
    var batch = EventBatch()
    while try reader.next(into: &batch) {
      session.consume(batch, directory: reader.directory)
    }
    do {
      _ = try session.finish()
    } catch {
      throw BrokenInvariant("the replay's books: \(error)")
    }
  }
}
