import Testing
import TraceEvents

@testable import TraceFiles

/// Damaged texts: they must neither trap nor hang, and what is whole in them must come out.
@Suite struct TextDamageTests {
  private struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var mixed = state
      mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
      return mixed ^ (mixed >> 31)
    }
  }

  /// Reads `bytes` by the reader of a dialect, whatever they are.
  private func rows(_ bytes: [UInt8], _ dialect: TextDialect) throws -> Int {
    let file = try TemporaryFile(bytes)
    let mapped = try TemporaryMapping(file.path).file
    var reader = try dialect.makeReader(
      TextInput(mapped, compression: nil), nil, ReadRequest(order: .time))
    var batch = EventBatch()
    var rows = 0
    while try reader.next(into: &batch) {
      rows += batch.count
      // Every word and name must be readable.
      for row in 0..<batch.count { _ = TextRow(batch, row, reader.directory) }
    }
    return rows
  }

  private func dialect(_ name: String) -> TextDialect {
    name.hasPrefix("ft-") ? .ftrace : name.hasPrefix("tcr-") ? .traceCmd : .perfScript
  }

  @Test(arguments: TextSamples.names)
  func everyCutIsRead(name: String) throws {
    let whole = Array(try TextSamples.text(name).prefix(24_000))
    var generator = Generator(state: 7)
    var last = 0
    for length in (0..<12).map({ _ in Int.random(in: 0...whole.count, using: &generator) }).sorted()
    {
      let count = try rows(Array(whole.prefix(length)), dialect(name))
      // A short head may not tell the form; from then on more text is never fewer rows.
      if length > 8000 {
        #expect(count >= last)
        last = count
      }
      _ = try? Array(whole.prefix(length)).withUnsafeBytes { bytes in
        try bytes.baseAddress.map {
          try TextDialect.recognise(ByteView(start: $0, count: bytes.count))
        }
      }
    }
  }

  @Test(arguments: TextSamples.names)
  func flippedBytesAreRead(name: String) throws {
    let whole = Array(try TextSamples.text(name).prefix(24_000))
    var generator = Generator(state: 11)
    for round in stride(from: 1, to: 12, by: 2) {
      var bytes = whole
      for _ in 0..<(1 << round) where !bytes.isEmpty {
        let index = Int.random(in: 0..<bytes.count, using: &generator)
        bytes[index] ^= UInt8(1 << Int.random(in: 0..<8, using: &generator))
      }
      for dialect in [dialect(name), round % 4 == 1 ? .perfScript : .traceCmd] {
        _ = try rows(bytes, dialect)
      }
      _ = try? bytes.withUnsafeBytes { bytes in
        try bytes.baseAddress.map {
          try TextDialect.recognise(ByteView(start: $0, count: bytes.count))
        }
      }
    }
  }

  @Test func oneDamagedLineCostsOneRow() throws {
    let whole = try TextSamples.text("ft-a-one-default.txt")
    var lines = whole.split(separator: 0x0a, omittingEmptySubsequences: false).map(Array.init)
    for index in stride(from: 100, to: 1100, by: 100) {
      lines[index] = [UInt8](repeating: 0xff, count: lines[index].count)
    }
    let result = try TextResult(bytes: Array(lines.joined(separator: [0x0a])))
    #expect(result.rows.count == 2230)
    #expect(result.statistics.count("unparsed-line") == 10)
    #expect(result.statistics.count("garbage-bytes") == 10)
  }
}
