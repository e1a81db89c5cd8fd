import Foundation
import Testing
import TraceEvents

@testable import TraceFiles

/// A perf.data in pipe mode, put together field by field.
private struct PipeFile {
  var bytes: [UInt8] = Array("PERFILE2".utf8) + word(16)

  static func word(_ value: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
  }

  mutating func record(_ type: UInt64, _ body: [UInt8]) {
    bytes += Self.word(type | UInt64(body.count + 8) << 48) + body
  }

  /// HEADER_ATTR: an event of `type` and `config` with `sampleType` and one id.
  mutating func event(_ type: UInt64, _ config: UInt64, _ sampleType: UInt64, id: UInt64) {
    let attribute = [type | 64 << 32, config, 1000, sampleType, 0, 0, 0, 0].flatMap(Self.word)
    record(64, attribute + Self.word(id))
  }

  /// IDENTIFIER, TID, ADDR and, where there is one, DATA_SRC.
  mutating func sample(id: UInt64, process: UInt64, address: UInt64, source: UInt64?) {
    record(
      9, [id, process | process << 32, address].flatMap(Self.word) + (source.map(Self.word) ?? []))
  }

  /// IDENTIFIER | TID | ADDR | DATA_SRC.
  static let precise: UInt64 = 0x1_0000 | 0x2 | 0x8 | 0x8000
  /// IDENTIFIER | TID | ADDR.
  static let plain: UInt64 = 0x1_0000 | 0x2 | 0x8
}

struct PerfAddressReaderTests {
  private func read(_ file: PipeFile) throws -> ([PageAccess], AccessStatistics) {
    try withScratchFile(file.bytes) { path in
      var reader = try AccessInput(path).makeReader()
      #expect(reader.source == .samples)
      var all: [PageAccess] = []
      var batch: [PageAccess] = []
      while try reader.next(into: &batch) { all += batch }
      return (all, reader.statistics)
    }
  }

  @Test func addressesBecomePagesOfTheirProcess() throws {
    var file = PipeFile()
    file.event(4, 0x1cd, PipeFile.precise, id: 7)
    file.event(1, 2, PipeFile.plain, id: 8)
    file.sample(id: 7, process: 1, address: 0x7f00_1234_5678, source: 0x2)
    file.sample(id: 7, process: 1, address: 0x7f00_1234_5fff, source: 0x4)
    file.sample(id: 7, process: 2, address: 0x7f00_1234_5678, source: 0x2)
    file.sample(id: 7, process: 1, address: 0x55_0000_0000, source: 0x10)
    file.sample(id: 7, process: 1, address: 0x55_0000_1000, source: 0x1)
    file.sample(id: 7, process: 1, address: 0, source: 0x2)
    file.sample(id: 7, process: 1, address: 0xffff_8880_0000_0000, source: 0x2)
    file.sample(id: 8, process: 1, address: 0x1000, source: nil)
    file.sample(id: 9, process: 1, address: 0x1000, source: nil)
    let (found, statistics) = try read(file)
    #expect(found.map(\.class) == [.load, .store, .load, .fetch, .load])
    #expect(found[0].page == found[1].page)
    #expect(found[0].page != found[2].page)
    #expect(Set(found.map(\.page)).count == 4)
    #expect(statistics.records == 9)
    let counts = Dictionary(
      uniqueKeysWithValues: statistics.ingest.findings.map { ($0.name, $0.count) })
    #expect(
      counts == [
        "address-zero": 1, "kernel-address": 1, "unknown-operation": 1, "page-fault-address": 1,
        "unknown-sample-id": 1,
      ])
  }

  @Test func pageFaultsAloneAreRefusedWithTheirFootprint() {
    var file = PipeFile()
    file.event(1, 2, PipeFile.plain, id: 8)
    for page: UInt64 in [5, 6, 5] {
      file.sample(id: 8, process: 1, address: page << 12, source: nil)
    }
    let error = #expect(throws: TraceError.self) { try read(file) }
    #expect(error?.message.contains("3 faults on 2 pages") == true, "\(error?.message ?? "")")
    #expect(error?.offset == file.bytes.count)
  }

  /// `perf script -F pid,addr` lists so many pages of processes.
  @Test func recordedPageFaultsAreRefusedWithTheirFootprint() throws {
    let error = #expect(throws: TraceError.self) {
      var reader = try AccessInput(Fixtures.path("pd-a-mem.data")).makeReader()
      var batch: [PageAccess] = []
      while try reader.next(into: &batch) {}
    }
    #expect(error?.message.contains("218 faults on 174 pages") == true, "\(error?.message ?? "")")
  }

  @Test func filesWithoutAddressesAreRefused() {
    for name in ["pd-a-g.data", "pd-a-z.data", "pd-a-addr.data"] {
      let error = #expect(throws: TraceError.self) {
        var reader = try AccessInput(Fixtures.path(name)).makeReader()
        var batch: [PageAccess] = []
        while try reader.next(into: &batch) {}
      }
      #expect(error?.message.contains("no sampled data address") == true, "\(error?.message ?? "")")
    }
  }

  @Test func cutsNeverCrash() throws {
    var file = PipeFile()
    file.event(4, 0x1cd, PipeFile.precise, id: 7)
    for page in 1...20 {
      file.sample(id: 7, process: 1, address: UInt64(page) << 12, source: 2)
    }
    let all = file.bytes
    var before = 0
    for length in 16...all.count {
      file.bytes = Array(all[..<length])
      guard let found = try? read(file).0.count else { continue }
      #expect(found >= before)
      before = found
    }
    #expect(before == 20)
  }
}
