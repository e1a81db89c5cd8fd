import Testing
import TraceBuilding
import TraceEvents

@testable import TraceFiles

/// The branch-free field loads against a plain twin that goes byte by byte.
@Suite struct RecordDecoderTests {
  private struct Field {
    var name: String
    var offset: Int
    var size: Int
    var isSigned: Bool

    var line: String {
      "\tfield:\(isSigned ? "int" : "unsigned long") \(name);\toffset:\(offset);\tsize:\(size);"
        + "\tsigned:\(isSigned ? 1 : 0);\n"
    }

    func plainValue(_ record: [UInt8]) -> UInt64 {
      var value: UInt64 = 0
      for index in (0..<size).reversed() { value = value << 8 | UInt64(record[offset + index]) }
      if isSigned, size < 8, record[offset + size - 1] & 0x80 != 0 {
        value |= .max << UInt64(8 * size)
      }
      return value
    }
  }

  private func decode(
    _ fields: [Field], _ record: [UInt8], payloads: EventKindSet = .all
  ) throws -> [UInt64]? {
    let text = "name: mm_page_alloc\nID: 77\nformat:\n" + fields.map(\.line).joined()
    let directory = EventDirectory()
    var decoder = RecordDecoder(payloads: payloads)
    let format = try #require(withBytes(text) { TracepointFormat($0) })
    decoder.add(format, system: "kmem", to: directory)
    let plan = try #require(decoder.plan(77))
    #expect(decoder.plan(78) == nil)
    var batch = EventBatch()
    let isAdded = record.withUnsafeBytes { bytes in
      decoder.append(
        ByteView(start: bytes.baseAddress.unsafelyUnwrapped, count: bytes.count), plan: plan,
        timestamp: 5, cpu: 3, task: 9, to: &batch, directory: directory)
    }
    guard isAdded else { return nil }
    #expect(batch.count == 1)
    #expect(batch.kind(0) == .pageAlloc)
    return (0..<Int(plan.words)).map { batch.word(0, $0) }
  }

  @Test(arguments: 0..<200)
  func fieldsEqualThePlainTwin(_ seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let names = ["pfn", "order", "gfp_flags", "migratetype"]
    var fields: [Field] = []
    for name in names where Bool.random(using: &random) {
      fields.append(
        Field(
          name: name, offset: Int.random(in: 8...60, using: &random),
          size: [1, 2, 4, 8].randomElement(using: &random) ?? 8,
          isSigned: Bool.random(using: &random)))
    }
    let record = (0..<68).map { _ in UInt8.random(in: 0...255, using: &random) }
    let words = try #require(try decode(fields, record))
    #expect(words.count == names.count)
    for (slot, name) in names.enumerated() {
      let field = fields.first { $0.name == name }
      #expect(words[slot] == field?.plainValue(record) ?? EventBatch.absent, "\(name)")
    }
  }

  @Test func aRecordShorterThanItsFormatIsNotAdded() throws {
    let fields = [Field(name: "pfn", offset: 8, size: 8, isSigned: false)]
    #expect(try decode(fields, [UInt8](repeating: 1, count: 15)) == nil)
    #expect(try decode(fields, [UInt8](repeating: 1, count: 16))?.first == 0x0101_0101_0101_0101)
    // Wanted or not: it is damaged all the same.
    #expect(
      try decode(fields, [UInt8](repeating: 1, count: 15), payloads: EventKindSet([.print])) == nil)
  }

  @Test func unwantedPayloadsAreLeftOut() throws {
    let fields = [Field(name: "pfn", offset: 8, size: 8, isSigned: false)]
    let words = try decode(
      fields, [UInt8](repeating: 1, count: 16), payloads: EventKindSet([.print]))
    #expect(words == [])
  }

  @Test(arguments: [(0, 4), (3, 4), (65_530, 8), (8, 3), (8, 16)])
  func fieldsThatNoKernelHasAreAbsent(_ offset: Int, _ size: Int) throws {
    let fields = [Field(name: "pfn", offset: offset, size: size, isSigned: false)]
    let words = try decode(fields, [UInt8](repeating: 1, count: 64))
    #expect(words?.first == EventBatch.absent)
  }
}
