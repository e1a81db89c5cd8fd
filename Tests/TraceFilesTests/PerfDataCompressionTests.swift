import Foundation
import Testing
import TraceEvents

@testable import TraceFiles

/// Recordings whose records are packed in other ways than the perf at hand does.
///
/// The records of a real uncompressed file are packed again into zstd frames of raw blocks, which
/// need no compressor, and cut into records of the wanted kind.
@Suite struct PerfDataCompressionTests {
  private static let source = "pd-a-one.data"

  private func number(_ value: Int, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
  }

  private func value(_ bytes: [UInt8], _ offset: Int) -> Int {
    (0..<8).reduce(0) { $0 | Int(bytes[offset + $1]) << ($1 * 8) }
  }

  private func header(_ type: Int, _ size: Int) -> [UInt8] {
    number(type, 4) + [0, 0] + number(size & 0xffff, 2)
  }

  /// A zstd frame that never ends: magic, no flags, a window of 2 MiB, raw blocks.
  private func frame(_ bytes: [UInt8]) -> [UInt8] {
    var frame: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58]
    for start in stride(from: 0, to: bytes.count, by: 100_000) {
      let block = bytes[start..<min(start + 100_000, bytes.count)]
      frame += number(block.count << 3, 3) + block
    }
    return frame
  }

  /// The source with its records replaced by what `pack` makes of them.
  private func repacked(_ pack: ([UInt8]) -> [UInt8]) throws -> [UInt8] {
    var bytes = [UInt8](try Data(contentsOf: Fixtures.formats.appending(path: Self.source)))
    let start = value(bytes, 40)
    let size = value(bytes, 48)
    let records = pack(Array(bytes[start..<start + size]))
    let features = bytes[72..<104].reduce(0) { $0 + $1.nonzeroBitCount }
    for feature in 0..<features {
      let entry = start + size + feature * 16
      bytes.replaceSubrange(
        entry..<entry + 8, with: number(value(bytes, entry) + records.count - size, 8))
    }
    bytes.replaceSubrange(48..<56, with: number(records.count, 8))
    bytes.replaceSubrange(start..<start + size, with: records)
    return bytes
  }

  private func expectTheSame(_ bytes: [UInt8], findings: [String] = []) throws {
    let original = try Tally(Fixtures.path(Self.source))
    for order in [EventOrder.any, .time] {
      let tally = try withScratchFile(bytes) { try Tally($0, order) }
      #expect(tally.total == original.total)
      #expect(tally.checksum == original.checksum)
      #expect(tally.statistics.findings.map(\.name) == findings)
      #expect(order == .any || tally.decreases == 0)
      #expect(tally.facts.hostName == "guest")
    }
  }

  @Test(arguments: [1, 7, 100, 4093, 65_527])
  func recordsStraddleCompressedOnes(_ length: Int) throws {
    try expectTheSame(
      repacked { records in
        let stream = frame(records)
        return stride(from: 0, to: stream.count, by: length).flatMap { start in
          let piece = stream[start..<min(start + length, stream.count)]
          return header(81, 8 + piece.count) + piece
        }
      })
  }

  @Test(arguments: [5, 1000, 65_504])
  func compressed2IsPadded(_ length: Int) throws {
    try expectTheSame(
      repacked { records in
        let stream = frame(records)
        return stride(from: 0, to: stream.count, by: length).flatMap { start in
          let piece = stream[start..<min(start + length, stream.count)]
          let padding = (8 - piece.count % 8) % 8
          return header(83, 16 + piece.count + padding) + number(piece.count, 8) + piece
            + Array(repeating: 0, count: padding)
        }
      })
  }

  /// What perf 6.16 writes for one flush of more than 65535 compressed bytes.
  @Test func wrappedCompressed2IsRead() throws {
    try expectTheSame(
      repacked { records in
        let stream = frame(records)
        var pieces = stride(from: 0, to: stream.count, by: 65_519).map { start in
          let piece = stream[start..<min(start + 65_519, stream.count)]
          return header(83, 16 + piece.count) + number(0x1234_5678_9abc, 8) + piece
        }
        let total = pieces.reduce(0) { $0 + $1.count }
        pieces[0].replaceSubrange(
          0..<16, with: header(83, (total + 7) / 8 * 8) + number(total - 16, 8))
        return pieces.flatMap { $0 }
      }, findings: ["wrapped-compressed2"])
  }

  /// One piece, whose padded size is just too large for 16 bits: the size field is 0.
  @Test func compressed2OfSizeZeroIsRead() throws {
    try expectTheSame(
      repacked { records in
        let stream = frame(records)
        let first = stream[..<65_514]
        let rest = stream[65_514...]
        return header(83, 0) + number(first.count, 8) + first
          + stride(from: rest.startIndex, to: rest.endIndex, by: 60_000).flatMap { start in
            let piece = rest[start..<min(start + 60_000, rest.endIndex)]
            return header(81, 8 + piece.count) + piece
          }
      }, findings: ["wrapped-compressed2"])
  }

  @Test func auxTraceIsSteppedOver() throws {
    try expectTheSame(
      repacked { records in
        header(71, 48) + number(1001, 8) + Array(repeating: 0, count: 32)
          + Array(repeating: 9, count: 1001) + records
      })
  }

  @Test func damagedZstdIsNamed() throws {
    let bytes = try repacked { records in
      var stream = frame(records)
      // The header of the second block: a type that does not exist.
      stream[6 + 3 + 100_000] = 0x07
      return stride(from: 0, to: stream.count, by: 5000).flatMap { start in
        let piece = stream[start..<min(start + 5000, stream.count)]
        return header(81, 8 + piece.count) + piece
      }
    }
    let tally = try withScratchFile(bytes) { try Tally($0, .time) }
    #expect(tally.total > 500)
    #expect(tally.statistics.count("bad-compressed-record") == 1)
  }
}
