import Foundation
import Testing
import TraceEvents

@testable import TraceFiles

/// Writes `bytes` to a file for as long as `body` runs.
func withScratchFile<Result>(
  _ bytes: some Sequence<UInt8>, _ body: (String) throws -> Result
) throws -> Result {
  let url = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
  try Data(bytes).write(to: url)
  defer { try? FileManager.default.removeItem(at: url) }
  return try body(url.path(percentEncoded: false))
}

/// Numbers that look random and are the same in every run.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

@Suite struct PerfDataDamageTests {
  private func bytes(_ file: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: Fixtures.formats.appending(path: file)))
  }

  private func tally(_ bytes: [UInt8], _ order: EventOrder = .any) throws -> Tally {
    try withScratchFile(bytes) { try Tally($0, order) }
  }

  @Test(arguments: [EventOrder.any, .time])
  func aKilledRecordingKeepsItsSamples(_ order: EventOrder) throws {
    let tally = try Tally(Fixtures.path("pd-a-DAMAGED-killed.data"), order)
    #expect(tally.total == 137)
    #expect(tally.statistics.findings.first?.name == "unfinished-recording")
    #expect(tally.statistics.findings.first?.firstOffset == 48)
    #expect(tally.statistics.count("truncated-record") == 1)
    #expect(tally.eventsPerCPU.values.allSatisfy { $0.keys.sorted() == ["tracepoint/684"] })
  }

  @Test(arguments: [EventOrder.any, .time])
  func aTruncatedFileKeepsItsSamples(_ order: EventOrder) throws {
    let tally = try Tally(Fixtures.path("pd-a-DAMAGED-truncated.data"), order)
    #expect(tally.total == 137)
    #expect(tally.statistics.findings.map(\.name) == ["truncated-file", "truncated-record"])
    #expect(tally.statistics.findings.first?.firstOffset == 49435)
  }

  @Test(arguments: [EventOrder.any, .time])
  func aTruncatedCompressedStreamKeepsItsSamples(_ order: EventOrder) throws {
    let tally = try Tally(Fixtures.path("pd-a-DAMAGED-truncated-z.data"), order)
    #expect(tally.total == 2264)
    #expect(tally.statistics.isDamaged)
    #expect(tally.statistics.findings.allSatisfy { $0.firstOffset != nil })
  }

  /// Whatever precedes a cut is read: never fewer samples from a longer piece.
  @Test(arguments: ["pd-a-g.data", "pd-a-z.data", "pd-a-pipe.data", "pd-a-pipe-z.data"])
  func cutsLoseOnlyWhatIsBehindThem(_ file: String) throws {
    let whole = try bytes(file)
    let total = try tally(whole).total
    var before = 0
    for part in 1...40 {
      let length = whole.count * part / 40 - (part == 40 ? 0 : part % 8)
      guard let tally = try? tally(Array(whole[..<length])) else {
        #expect(before == 0, "nothing of \(length) bytes")
        continue
      }
      #expect(tally.total >= before)
      // A pipe does not say how long it should be: cut between records it looks whole.
      #expect(part == 40 || tally.statistics.isDamaged || file.contains("pipe"))
      before = tally.total
    }
    #expect(before == total)
  }

  @Test(arguments: PerfDataReaderTests.files)
  func cutsNeverCrash(_ file: String) throws {
    guard file != "pd-a-threads.data" else { return }
    let whole = try bytes(file)
    for length in Array(stride(from: 0, to: 130, by: 3))
      + stride(from: 130, to: whole.count, by: whole.count / 25)
    {
      for order in [EventOrder.any, .time] {
        _ = try? tally(Array(whole[..<length]), order)
      }
    }
  }

  @Test(arguments: PerfDataReaderTests.files)
  func flippedBytesNeverCrash(_ file: String) throws {
    guard file != "pd-a-threads.data" else { return }
    let whole = try bytes(file)
    var random = SplitMix64(state: UInt64(whole.count))
    for round in 0..<24 {
      var damaged = whole
      // Half of the rounds aim at the header and the first records.
      let reach = round % 2 == 0 ? damaged.count : min(damaged.count, 4096)
      for _ in 0..<Int.random(in: 1...16, using: &random) {
        damaged[Int.random(in: 0..<reach, using: &random)] = UInt8.random(
          in: 0...255, using: &random)
      }
      for order in [EventOrder.any, .time] {
        _ = try? tally(damaged, order)
      }
    }
  }

  @Test func aRecordOfSizeZeroIsSteppedOver() throws {
    var damaged = try bytes("pd-a-one.data")
    let offset = Int(damaged[40]) | Int(damaged[41]) << 8
    // The size of the first record.
    damaged[offset + 6] = 0
    damaged[offset + 7] = 0
    let tally = try tally(damaged)
    #expect(tally.total == 2310)
    #expect(tally.statistics.findings.map(\.name) == ["bad-record"])
    #expect(tally.statistics.findings.first?.firstOffset == offset)
  }

  @Test func nothingToSaveIsAnError() throws {
    let whole = try bytes("pd-a-one.data")
    for length in [8, 15, 16, 40, 104, 1000] {
      #expect(throws: TraceError.self) { try tally(Array(whole[..<length])) }
    }
    #expect(throws: TraceError.self) { try tally(Array("2ELIFREP".utf8) + whole.dropFirst(8)) }
  }
}
