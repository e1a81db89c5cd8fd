import Foundation
import Testing
import TraceEvents

@testable import TraceFiles

/// The slow twin: lines as strings, numbers by the standard library.
private func plainAccesses(_ text: String) -> [PageAccess] {
  var accesses: [PageAccess] = []
  for line in text.split(separator: "\n", omittingEmptySubsequences: true) {
    let kinds: [AccessClass]
    switch line.prefix(3) {
    case "I  ": kinds = [.fetch]
    case " L ": kinds = [.load]
    case " S ": kinds = [.store]
    case " M ": kinds = [.load, .store]
    default: continue
    }
    let parts = line.dropFirst(3).split(separator: ",", omittingEmptySubsequences: false)
    let isLower = parts[0].allSatisfy { $0.isNumber || ("a"..."f").contains($0) }
    guard parts.count == 2, isLower, (8...16).contains(parts[0].count), parts[1].count <= 5,
      let address = UInt64(parts[0], radix: 16), let size = Int(parts[1]), (1...4096).contains(size)
    else { continue }
    let last = (address | 4095) &+ 1
    for kind in kinds {
      accesses.append(PageAccess(page: address >> 12, class: kind))
      if last &- address < UInt64(size) {
        accesses.append(PageAccess(page: last >> 12, class: kind))
      }
    }
  }
  return accesses
}

private func accesses(of bytes: [UInt8]) throws -> ([PageAccess], AccessStatistics) {
  let path = FileManager.default.temporaryDirectory.appendingPathComponent(
    "tlbreplay-lackey-\(UUID().uuidString)")
  try Data(bytes).write(to: path)
  defer { try? FileManager.default.removeItem(at: path) }
  var reader = try AccessInput(path.path).makeReader()
  #expect(reader.source == .lackey)
  var all: [PageAccess] = []
  var batch: [PageAccess] = []
  while try reader.next(into: &batch) {
    #expect(!batch.isEmpty)
    all += batch
  }
  return (all, reader.statistics)
}

struct LackeyReaderTests {
  private static let sample = """
    ==12802== Lackey, an example Valgrind tool
    ==12802== Command: sort -n nums
    --12802-- warning: something of Valgrind's
    I  0401ab70,3
     S 1fff000678,8
     M 04a17de0,4
    hello from the program
     L 0401affe,8
     M 7fffffffffff0ffc,16
    SB 0401ab70
    I  401ab70,3
     L 0401ABFE,8
    I  0401ab70,
     S 0401ab70,0
     S 0401ab70,99999
    partial outputI  0401ab70,3

     L 04a17de8,8
    ==12802== Exit code:       0

    """

  @Test func accessesAndSkippedLines() throws {
    let (found, statistics) = try accesses(of: Array(Self.sample.utf8))
    func access(_ page: UInt64, _ kind: AccessClass) -> PageAccess {
      PageAccess(page: page, class: kind)
    }
    #expect(
      found == [
        access(0x401a, .fetch), access(0x1fff000, .store), access(0x4a17, .load),
        access(0x4a17, .store), access(0x401a, .load), access(0x401b, .load),
        access(0x7_ffff_ffff_fff0, .load), access(0x7_ffff_ffff_fff1, .load),
        access(0x7_ffff_ffff_fff0, .store), access(0x7_ffff_ffff_fff1, .store),
        access(0x4a17, .load),
      ])
    #expect(statistics.records == 19)
    #expect(statistics.bytesRead == Self.sample.utf8.count)
    let counts = Dictionary(
      uniqueKeysWithValues: statistics.ingest.findings.map { ($0.name, $0.count) })
    #expect(
      counts == [
        "valgrind-line": 4, "program-line": 3, "superblock-line": 1, "bad-access-line": 5,
      ])
    let bad = statistics.ingest.findings.first { $0.name == "bad-access-line" }
    let place = Self.sample.range(of: "I  401ab70,3").map {
      Self.sample.utf8.distance(from: Self.sample.utf8.startIndex, to: $0.lowerBound)
    }
    #expect(bad?.firstOffset == place)
  }

  @Test(arguments: [1, 2, 3])
  func aLongStreamIsThatOfThePlainReader(seed: UInt64) throws {
    var state = seed
    func next(_ below: UInt64) -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) % below
    }
    var text = ""
    // More than a window of text (512 KiB), so that lines fall across its end.
    while text.utf8.count < 1_300_000 {
      let tag = ["I  ", " L ", " S ", " M ", " L ", "I  ", "x L ", "I "][
        Int(next(next(9) == 0 ? 8 : 6))]
      let digits = next(20) == 0 ? next(20) : 8 + next(9)
      let address = (0..<digits).map { _ in String(next(16), radix: 16) }.joined()
      let size = next(50) == 0 ? next(5000) : 1 << next(6)
      text += "\(tag)\(address),\(size)\n"
    }
    // The last line lacks its end.
    text += " S 04a17de0,8"
    let (found, statistics) = try accesses(of: Array(text.utf8))
    #expect(found == plainAccesses(text))
    #expect(statistics.records == text.split(separator: "\n").count)
  }

  @Test func compressedTextIsTheSame() throws {
    let gzipped = try compressed(Self.sample, with: "gzip")
    #expect(try accesses(of: gzipped).0 == accesses(of: Array(Self.sample.utf8)).0)
    let zstd = try compressed(Self.sample, with: "zstd")
    #expect(try accesses(of: zstd).0 == accesses(of: Array(Self.sample.utf8)).0)
    // A cut file gives what comes before the cut, and says so.
    let (_, statistics) = try accesses(of: Array(gzipped.dropLast(12)))
    #expect(statistics.ingest.isDamaged)
  }

  @Test func severalProcessesAreNoted() throws {
    let text = Self.sample + "==12803== Lackey, an example Valgrind tool\nI  0401ab70,3\n"
    #expect(try accesses(of: Array(text.utf8)).1.ingest.count("several-processes") == 1)
    #expect(try accesses(of: Array(Self.sample.utf8)).1.ingest.count("several-processes") == 0)
  }

  @Test(arguments: [
    ("", "is empty"),
    ("# tracer: nop\n", "is no access stream"),
    ("\u{0}\u{1}\u{2}", "is no access stream"),
    ("==1== Lackey, an example Valgrind tool\n==1== Jccs:\n", "--trace-mem=yes"),
  ])
  func foreignInputIsRefusedWithWhatWasExpected(text: String, message: String) {
    let error = #expect(throws: TraceError.self) { try accesses(of: Array(text.utf8)) }
    #expect(error?.message.contains(message) == true, "\(error?.description ?? "")")
    #expect(error?.offset == 0)
    #expect(error?.file != nil)
  }

  @Test func asATraceOfEventsItIsRefusedWithAHint() throws {
    try withScratchFile(Self.sample.utf8) { path in
      let error = #expect(throws: TraceError.self) { try TraceInput(path) }
      #expect(error?.message.contains("tlbreplay profile") == true)
    }
  }

  @Test func endlessLinesAndCutsNeverCrash() throws {
    let long = "I  0401ab70,3\n" + String(repeating: "x", count: 1_500_000)
    #expect(try accesses(of: Array(long.utf8)).0.count == 1)
    let bytes = Array(Self.sample.utf8)
    for end in stride(from: 130, to: bytes.count, by: 1) {
      _ = try? accesses(of: Array(bytes[..<end]))
    }
  }

  private func compressed(_ text: String, with tool: String) throws -> [UInt8] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [tool, "-c"]
    let (input, output) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    input.fileHandleForWriting.write(Data(text.utf8))
    try input.fileHandleForWriting.close()
    let bytes = Array(output.fileHandleForReading.readDataToEndOfFile())
    process.waitUntilExit()
    return bytes
  }
}

struct LackeyLineTests {
  @Test func eightDigitsAtOnceAreThoseOneByOne() {
    func word(_ bytes: [UInt8]) -> UInt64 {
      bytes.enumerated().reduce(0) { $0 | UInt64($1.element) << UInt64(8 * $1.offset) }
    }
    // Every byte value at every place among digits.
    for place in 0..<8 {
      for byte in UInt8.min...(.max) {
        var bytes = Array("09afc3e7".utf8)
        bytes[place] = byte
        let text = String(decoding: bytes, as: UTF8.self)
        let isLower = byte < 0x41 || byte > 0x46
        let plain = isLower && byte != 0x2b && byte != 0x2d ? UInt64(text, radix: 16) : nil
        #expect(LackeyLine.hexadecimal(word(bytes)) == plain, "byte \(byte) at \(place)")
      }
    }
  }
}
