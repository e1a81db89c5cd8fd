import Machine
import Testing
import TraceEvents

@testable import Replay
@testable import Reporting

struct MissPredictionTests {
  /// Two CPUs, ten full flushes each a microsecond apart, in a survey of made events.
  private static func trace() -> TraceDescription {
    var trace = SampleOutcome.trace()
    var survey = TraceSurvey()
    let directory = EventDirectory()
    for index in 0..<10 {
      var batch = EventBatch()
      for cpu: UInt16 in 0...1 {
        let payload = batch.append(
          timestamp: UInt64(1000 * (index + 1)), cpu: cpu,
          event: EventKind.tlbFlush.rawValue, task: 1, words: 2)
        payload[TLBFlush.reason] = 1
        payload[TLBFlush.pages] = .max
      }
      survey.absorb(batch, directory: directory)
    }
    trace.survey = survey
    return trace
  }

  private static func profile() -> ReuseProfile {
    var recorder = ReuseRecorder()
    // 40 pages in turn: behind a flush, every one of them walks once.
    recorder.record(
      (0..<40_000).map {
        PageAccess(page: UInt64($0 % 40), class: $0 % 40 < 10 ? .fetch : .load)
      })
    return recorder.finish(source: .accesses)
  }

  private func object(_ value: JSONValue, _ keys: String...) -> JSONValue {
    keys.reduce(value) {
      guard case .object(let members) = $0 else { return .null }
      return members[$1] ?? .null
    }
  }

  private func integer(_ value: JSONValue) -> Int? {
    guard case .integer(let number) = value else { return nil }
    return Int(number)
  }

  private static func request(_ profile: ReuseProfile?) -> MissRequest {
    MissRequest(
      machine: "test", entries: [512], profile: profile,
      accessesPerSecond: ParameterRange(
        1e9, lower: 1e9, upper: 1e9, source: "test", confidence: .high))
  }

  @Test func aProfileGivesWalksOfEveryFlush() {
    let prediction = MissPrediction(
      Self.trace(), SampleOutcome.outcome([]), Self.request(Self.profile()))
    #expect(prediction.reason == nil)
    let data = prediction.data(0)
    // 18 gaps of 1000 accesses: all 40 pages walk again, 30 by loads; two flushes have nothing
    // behind them. One access in a thousand of the profile is a first touch and walks anyway.
    #expect(integer(object(data, "dtlb_load", "flush_made", "value")) == 539)
    #expect(integer(object(data, "itlb", "flush_made", "value")) == 180)
    #expect(integer(object(data, "dtlb_store", "value")) == 0)
    #expect(object(data, "source") == .string("profile") && object(data, "reason") == .null)
    #expect(object(data, "dtlb_load", "grade") == .string("modelled"))
    // 512 entries a flush, the last of each CPU has no access behind it.
    #expect(integer(object(data, "bound", "flush_made_upper")) == 18 * 512)
  }

  @Test func withoutAProfileThereIsOnlyTheBound() {
    let prediction = MissPrediction(Self.trace(), SampleOutcome.outcome([]), Self.request(nil))
    let data = prediction.data(0)
    #expect(object(data, "dtlb_load") == .null && object(data, "itlb") == .null)
    #expect(integer(object(data, "bound", "full_flushes")) == 20)
    #expect(prediction.section(SampleOutcome.outcome([])).heading == "TLB misses")
  }

  @Test func measuredWalksStayWhatTheyAre() {
    var request = Self.request(nil)
    request.measuredWalks = [100, 2000, 30]
    let data = MissPrediction(Self.trace(), SampleOutcome.outcome([]), request).data(0)
    for (key, walks) in [("itlb", 100), ("dtlb_load", 2000), ("dtlb_store", 30)] {
      #expect(integer(object(data, key, "value")) == walks)
      #expect(integer(object(data, key, "lower")) == walks)
      #expect(integer(object(data, key, "upper")) == walks)
      #expect(object(data, key, "grade") == .string("measured"))
    }
    #expect(object(data, "source") == .string("calibrated"))
  }

  @Test func ticksAndMissingFlushesGiveAReason() {
    let ticks = MissPrediction(
      SampleOutcome.trace(.ticks), SampleOutcome.outcome([]), Self.request(Self.profile()))
    #expect(ticks.reason == "the time between flushes is not known in this trace")
    #expect(object(ticks.data(0), "dtlb_load") == .null)
    var request = Self.request(nil)
    request.measuredWalks = [1, 1, 1]
    var none = Self.trace()
    none.survey = TraceSurvey()
    #expect(MissPrediction(none, SampleOutcome.outcome([]), request).reason != nil)
  }

  @Test func aPolicysFlushesAreThoseOfTheRecordedRunAndItsChanges() throws {
    let before = try #require(SampleOutcome.outcome([]).policies[0].figures)
    #expect(MissPrediction.changes(before, before).allSatisfy { $0 == 0 })
  }
}
