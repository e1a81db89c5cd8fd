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
    #expect(expected.safety.violations == 0 && expected.safety.framesChecked > 1000)
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
