import Foundation
import Testing
import TraceBuilding

@testable import Statistics

/// The letter's 30 run times (Traces/letter): ten repetitions of three instances.
@Suite struct LetterTests {
  private struct Letter: Decodable {
    struct Sides: Decodable {
      var before: [Double]
      var after: [Double]
    }
    var runTime: Sides

    enum CodingKeys: String, CodingKey {
      case runTime = "run_time_ms"
    }
  }

  private func times() throws -> Letter.Sides {
    let file = Fixture.traces.appending(path: "letter/letter-data.json")
    return try JSONDecoder().decode(Letter.self, from: Data(contentsOf: file)).runTime
  }

  @Test func tenRepetitionsAreFound() throws {
    let times = try times()
    let found = Repetitions.search([times.before, times.after])
    #expect(found.origin == .found)
    #expect(found.instances == 3)
    #expect((found.correlation ?? 0) > 0.99)
    #expect(found.means(times.before).count == 10)
  }

  /// SciPy 1.17.1 on the means of ten and on the raw 30.
  @Test func theHonestTestIsTheWeakerOne() throws {
    let times = try times()
    let found = Repetitions.search([times.before, times.after])
    let honest = try #require(
      SampleComparison(
        before: found.means(times.before), after: found.means(times.after), repetitions: found))
    let welch = try #require(honest.welch)
    #expect(abs(welch.t + 5.491022242023136) < 1e-9)
    #expect(abs(welch.degrees - 13.135087635077388) < 1e-9)
    #expect(abs(welch.probability - 9.993874650323116e-05) < 1e-12)
    #expect(abs(welch.interval.lowerBound + 78218.13908310069) < 1e-5)
    #expect(abs(welch.interval.upperBound + 34081.5049168994) < 1e-5)
    #expect(honest.mannWhitney?.u == 98)
    #expect(abs((honest.mannWhitney?.probability ?? 1) - 4.330035289787612e-05) < 1e-14)
    #expect(honest.verdict == .lower)
    let naive = try #require(
      SampleComparison(before: times.before, after: times.after, repetitions: .none))
    #expect(abs((naive.welch?.t ?? 0) + 9.85363315109036) < 1e-9)
    #expect(naive.mannWhitney?.u == 882)
  }
}
