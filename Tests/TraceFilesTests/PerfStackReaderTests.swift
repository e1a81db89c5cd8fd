import Foundation
import Testing
import TraceBuilding
import TraceEvents

@testable import TraceFiles

struct PerfStackReaderTests {
  private func word(_ value: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
  }

  private func record(_ type: UInt64, _ misc: UInt64, _ body: [UInt8]) -> [UInt8] {
    word(type | misc << 32 | UInt64(body.count + 8) << 48) + body
  }

  /// A perf.data in pipe mode whose one event has TID, TIME and CALLCHAIN, and ids behind side records.
  private func pipe(_ records: [[UInt8]]) -> [UInt8] {
    let sampleType: UInt64 = 0x2 | 0x4 | 0x20
    let attribute = [2 | 64 << 32, 7, 1, sampleType, 0, 1 << 18, 0, 0].flatMap(word)
    return Array("PERFILE2".utf8) + word(16) + record(64, 0, attribute) + records.flatMap { $0 }
  }

  private func map(
    _ process: UInt64, _ start: UInt64, _ length: UInt64, _ name: String, at time: UInt64,
    misc: UInt64 = 2, protection: UInt64 = 4
  ) -> [UInt8] {
    let ids = word(process | process << 32)
    let text = Array(name.utf8) + [UInt8](repeating: 0, count: 8 - name.utf8.count % 8)
    return record(
      10, misc,
      ids + [start, length, 0x1000, 0, 0, 0].flatMap(word) + word(protection) + text + ids
        + word(time))
  }

  private func read(_ bytes: [UInt8]) throws -> ([PerfStackSample], PerfMappings, IngestStatistics)
  {
    try withScratchFile(bytes) { path in
      var reader = try PerfStackReader(path)
      var samples: [PerfStackSample] = []
      var sample = PerfStackSample()
      while reader.next(into: &sample) { samples.append(sample) }
      return (samples, reader.mappings, reader.statistics)
    }
  }

  @Test func chainsAreSplitByTheirMarkers() throws {
    let (kernel, user, guest) = (
      UInt64(bitPattern: -128), UInt64(bitPattern: -512), UInt64(bitPattern: -2048)
    )
    let chain = [kernel, 0xffff_ffff_8100_0001, guest, 5, user, 0x40_0001, 0x40_0002]
    let body = ([7 | 8 << 32, 99, UInt64(chain.count)] + chain).flatMap(word)
    let bare = [7 | 8 << 32, 98, 1, 0x40_0003].flatMap(word)
    let long = [7 | 8 << 32, 97, .max, 0x40_0003].flatMap(word)
    let (samples, _, statistics) = try read(
      pipe([record(9, 1, body), record(9, 2, bare), record(9, 1, bare), record(9, 1, long)]))
    #expect(samples.map(\.kernelFrames) == [[0xffff_ffff_8100_0001], [], [0x40_0003], []])
    #expect(samples.map(\.userFrames) == [[0x40_0001, 0x40_0002], [0x40_0003], [], []])
    #expect(samples.map(\.time) == [99, 98, 98, 97])
    #expect(samples[0].process == 7 && samples[0].task == 8 && samples[0].cpu == nil)
    #expect(statistics.count("bad-call-chain") == 1)
  }

  @Test func latestMappingOfTheTimeCounts() throws {
    let fork = record(7, 0, word(20 | 10 << 32) + word(20 | 10 << 32) + word(60))
    let (_, mappings, _) = try read(
      pipe([
        map(10, 0x5000, 0x4000, "/late", at: 50), map(10, 0x4000, 0x2000, "/early", at: 10),
        map(10, 0x6000, 0x1000, "/data", at: 70, protection: 1),
        map(20, 0x8000, 0x1000, "/own", at: 65), fork,
        map(
          UInt64(UInt32.max), 0xffff_ffff_8100_0000, 0x1000, "[kernel.kallsyms]_text", at: 0,
          misc: 1),
      ]))
    func name(_ process: Int32, _ address: UInt64, _ time: UInt64) -> String? {
      mappings.mapping(process: process, address: address, time: time)?.name
    }
    #expect(name(10, 0x5800, 49) == "/early")
    #expect(name(10, 0x5800, 50) == "/late")
    #expect(name(10, 0x4800, 80) == "/early")
    #expect(name(10, 0x6800, 80) == "/late")
    #expect(name(10, 0x9000, 80) == nil)
    #expect(name(10, 0x4800, 9) == nil)
    // A child has its parent's, and its own.
    #expect(name(20, 0x5800, 61) == "/late")
    #expect(name(20, 0x5800, 59) == nil)
    #expect(name(20, 0x8000, 64) == "/late")
    #expect(name(20, 0x8000, 65) == "/own")
    #expect(name(30, 0x5800, 61) == nil)
    #expect(mappings.kernelAnchor?.symbol == "_text" && mappings.kernelAnchor?.address == 0x1000)
    let mapping = try #require(mappings.mapping(process: 10, address: 0x5800, time: 60))
    #expect(mapping.fileOffset(of: 0x5800) == 0x1800)
  }

  @Test func buildIDsAreThoseOfPerfBuildidList() throws {
    var reader = try PerfStackReader(Fixture.path("formats/pd-a-g.data"))
    var sample = PerfStackSample()
    while reader.next(into: &sample) {}
    let listed = try String(
      contentsOfFile: Fixture.path("formats/pd-a-g.data.buildids"), encoding: .utf8
    )
    .split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    #expect(listed.count == 2)
    for line in listed {
      let id = reader.mappings.buildIDs[line[1]]?.map {
        ($0 < 16 ? "0" : "") + String($0, radix: 16)
      }
      #expect(id?.joined() == line[0])
    }
    #expect(reader.mappings.kernelBuildID?.count == 20)
  }

  /// As many samples as the other reader finds rows, in every dialect.
  @Test(
    arguments: Fixture.keyed("pd-").filter { !$0.contains("DAMAGED") && !$0.contains("-group") })
  func everySampleIsRead(_ name: String) throws {
    let path = Fixture.path("formats/\(name)")
    var reader = try PerfStackReader(path)
    var sample = PerfStackSample()
    var count = 0
    while reader.next(into: &sample) { count += 1 }
    #expect(count == (try Tally(path, .any).total))
  }

  @Test(arguments: ["pd-a-g.data", "pd-a-z.data", "pd-a-pipe-z.data"])
  func damagedFilesAreReadAsFarAsTheyGo(_ name: String) throws {
    let bytes = Array(try Data(contentsOf: URL(filePath: Fixture.path("formats/\(name)"))))
    var random = SplitMix64(seed: 8)
    for round in 0..<120 {
      var altered = Array(
        bytes.prefix(round % 3 == 0 ? .random(in: 0...bytes.count, using: &random) : .max))
      for _ in 0..<(round % 8) where !altered.isEmpty {
        altered[Int.random(in: altered.indices, using: &random)] = .random(
          in: 0...255, using: &random)
      }
      do {
        let (samples, mappings, _) = try read(altered)
        #expect(samples.count <= 10_000)
        for sample in samples.prefix(200) {
          for address in sample.userFrames {
            let found = mappings.mapping(
              process: sample.process, address: address, time: sample.time)
            _ = found?.fileOffset(of: address)
          }
        }
      } catch let error as TraceError {
        #expect(!error.message.isEmpty)
      }
    }
  }
}
