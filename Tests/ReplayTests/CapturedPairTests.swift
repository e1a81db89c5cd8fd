import Foundation
import Replay
import Testing

/// Real kernels: what the trace without lazy unmap flush predicts, and what the run with it took.
@Suite struct CapturedPairTests {
  private struct Meta: Decodable {
    var interruptsPerCPU: [Int]
    var interrupts: Int

    enum CodingKeys: String, CodingKey {
      case interruptsPerCPU = "tlb_ipis_in_window_per_cpu"
      case interrupts = "tlb_ipis_in_window"
    }
  }

  private func meta(_ directory: String) throws -> Meta {
    let data = try Data(contentsOf: URL(fileURLWithPath: directory + "/meta.json"))
    return try JSONDecoder().decode(Meta.self, from: data)
  }

  private static var pairs: [String] {
    let manager = FileManager.default
    return [CapturedPair.bundled, CapturedPair.shared].flatMap { root in
      ((try? manager.contentsOfDirectory(atPath: root)) ?? []).sorted().map { root + "/" + $0 }
    }.filter {
      manager.fileExists(atPath: $0 + "/0.1/trace.dat")
        && manager.fileExists(atPath: $0 + "/v10.1/trace.dat")
    }
  }

  @Test(arguments: pairs)
  func recordedIsExactAndTheMeasuredRunLiesInReach(_ pair: String) throws {
    let outcome = try CapturedPair.replay(pair + "/0.1")
    let before = try meta(pair + "/0.1")
    let after = try meta(pair + "/v10.1")
    let recorded = try #require(outcome.policies[0].figures)
    #expect(recorded.tlbRow == before.interruptsPerCPU)
    #expect(outcome.reconstruction.interruptsWithoutShootdown == 0)
    #expect(outcome.reconstruction.remoteEventsWithoutShootdown == 0)
    #expect(outcome.reconstruction.framesAllocatedTwice == 0)
    let expected = try #require(outcome.policies[1].figures)
    let error = Double(expected.tlbRowTotal - after.interrupts) / Double(after.interrupts)
    #expect(abs(error) < 0.2, "\(expected.tlbRowTotal) for \(after.interrupts)")
    #expect(expected.anotherRun?.contains(after.interrupts) == true)
    #expect(expected.safety?.violations == 0 && (expected.safety?.framesChecked ?? 0) > 1000)
  }

  @Test(arguments: ["burst-16", "small-4"])
  func policiesStandInTheirOrder(_ name: String) throws {
    let names = ["unbatched", "luf-v10", "luf-v11", "luf-v10-as-posted", "luf-ideal"]
    let outcome = try CapturedPair.replay(
      CapturedPair.bundled + "/\(name)/0.1", policies: names)
    let figures = try outcome.policies.map { try #require($0.figures) }
    let rows = figures.map(\.tlbRowTotal)
    // Unbatched costs more than the recorded run, the ideal least of all that are safe.
    #expect(rows[1] > rows[0] && rows[0] > rows[2] && rows[0] > rows[3])
    #expect(rows[5] <= rows[2] && rows[5] <= rows[3])
    // A kernel that was built as v10 was posted did read foreign data.
    #expect(rows[4] < rows[2] && (figures[4].safety?.violations ?? 0) > 1000)
    #expect(figures[4].safety?.first?.rule == "I1")
    for index in [1, 2, 3, 5] { #expect(figures[index].safety?.violations == 0) }
  }

  @Test func theWaitWindowFindsWhatTheRequestsSay() throws {
    let directory = CapturedPair.bundled + "/burst-16/0.1"
    let exact = try CapturedPair.replay(directory)
    let blind = try CapturedPair.replay(directory, flushFunctionKnown: false)
    let recorded = try #require(blind.policies[0].figures)
    // Every receiver of this capture wrote its event, so both ways must count the same.
    #expect(recorded.tlbRow == exact.policies[0].figures?.tlbRow)
    #expect(blind.policies[0].rowGrade == .derived)
    #expect(blind.reconstruction.remoteEventsWithoutShootdown == 0)
    let row = try #require(blind.policies[1].figures).tlbRowTotal
    let exactRow = try #require(exact.policies[1].figures).tlbRowTotal
    #expect(abs(row - exactRow) * 20 <= exactRow)
  }
}
