import Foundation
import Testing
import TraceBuilding
import TraceEvents

@testable import TraceFiles

/// Copies of /proc/zoneinfo and /proc/vmstat, real ones and such as no kernel writes.
@Suite struct MemorySnapshotTests {
  static let small = """
    Node 1, zone   Normal
      pages free     40
            boost    0
            min      10
            low      20
            high     30
            spanned  100
            present  90
            managed  80
          nr_free_pages 40
          numa_local   7
      pagesets
        cpu: 0
                  count:    3
                  high:     300
                  batch:    63
      vm stats threshold: 12
        cpu: 1
                  count:    2
      vm stats threshold: 12
      node_unreclaimable:  0
      start_pfn:           1000
    """

  @Test func fieldsAreTakenFromTheirZone() throws {
    let text = "Node 0, zone  Device\n  pages free 0\n  spanned 0\n  managed 0\n" + Self.small
    let zones = try ZoneInfo.parse(text, "x").zones
    #expect(zones.count == 1, "a zone without frames is none")
    let zone = try #require(zones.first)
    #expect(zone.node == 1)
    #expect(zone.name == "Normal")
    #expect((zone.startFrame, zone.spanned, zone.managed) == (1000, 100, 80))
    #expect((zone.free, zone.perCPUFree, zone.counterSlack) == (40, 5, 24))
    #expect((zone.min, zone.low, zone.high) == (10, 20, 30))
    #expect(zone.localAllocations == 7)
  }

  @Test func carriageReturnsAreNoDamage() throws {
    let crlf = Self.small.replacingOccurrences(of: "\n", with: "\r\n")
    #expect(try ZoneInfo.parse(crlf, "x") == ZoneInfo.parse(Self.small, "x"))
  }

  static let hostile: [(String, String)] = [
    ("empty", ""), ("no zones", "hello\nworld\n"), ("node alone", "Node 0\n"),
    ("node without number", "Node x, zone Normal\n"),
    ("negative node", "Node -1, zone Normal\n"),
    ("huge node", "Node 99999999999999999999, zone Normal\n"),
    ("cut before the start", String(small.dropLast(30))),
    ("negative", small.replacingOccurrences(of: "managed  80", with: "managed  -80")),
    (
      "overflow",
      small.replacingOccurrences(
        of: "start_pfn:           1000", with: "start_pfn: 18446744073709551615")
    ),
    (
      "too far",
      small.replacingOccurrences(of: "spanned  100", with: "spanned 18446744073709551615")
    ),
    (
      "more managed than spanned",
      small.replacingOccurrences(of: "managed  80", with: "managed  101")
    ),
    ("word", small.replacingOccurrences(of: "count:    3", with: "count:    three")),
    ("nothing but a device", "Node 0, zone Device\n  spanned 0\n  managed 0\n"),
  ]

  @Test(arguments: hostile) func whatNoKernelWritesIsRefused(_ name: String, _ text: String) {
    #expect(throws: TraceError.self, "\(name)") { try ZoneInfo.parse(text, "x") }
  }

  @Test func tooManyZonesAreRefused() {
    let text = (0...ZoneInfo.zonesMax).map {
      "Node \($0), zone N\n spanned 1\n managed 1\n start_pfn: \($0)\n"
    }.joined()
    #expect(throws: TraceError.self) { try ZoneInfo.parse(text, "x") }
  }

  /// Bytes changed at random are refused or read, never a trap.
  @Test(arguments: 0..<60) func damageIsBorne(_ seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var bytes = try Array(
      Data(contentsOf: URL(filePath: Fixture.path("captures/ft-4cpu-churn/zoneinfo.before"))))
    for _ in 0..<Int.random(in: 1...40, using: &random) {
      let place = Int.random(in: bytes.indices, using: &random)
      bytes[place] = UInt8.random(in: 0...255, using: &random)
    }
    let cut = Int.random(in: 0...bytes.count, using: &random)
    _ = try? ZoneInfo.parse(String(decoding: bytes.prefix(cut), as: UTF8.self), "x")
  }

  @Test func bundledCapturesAreRead() throws {
    let capture = try #require(
      try CaptureDirectory(Fixture.path("captures/ft-4cpu-anon-move")))
    #expect(capture.memory.problems.isEmpty)
    let zones = try #require(capture.memory.before).zones
    #expect(zones.map(\.node) == [0, 0, 1])
    #expect(zones.map(\.startFrame) == [1, 4096, 81_920])
    #expect(zones.map(\.managed) == [3840, 66_563, 193_193])
    #expect(capture.memory.counters?["pgmigrate_success"] == 1960)
    #expect(capture.memory.counters?["numa_pages_migrated"] == 611)
  }

  @Test func compressedCopiesAreRead() throws {
    let scratch = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: scratch) }
    let plain = scratch.appending(path: "zoneinfo.before").path
    try Self.small.write(toFile: plain, atomically: true, encoding: .utf8)
    let gzip = Process()
    gzip.executableURL = URL(filePath: "/bin/gzip")
    gzip.arguments = ["-k", plain]
    try gzip.run()
    gzip.waitUntilExit()
    #expect(try ZoneInfo.read(plain + ".gz") == ZoneInfo.read(plain))
    let whole = try Data(contentsOf: URL(filePath: plain + ".gz"))
    for length in [whole.count - 1, whole.count / 2, 12] {
      try whole.prefix(length).write(to: URL(filePath: plain + ".gz"))
      #expect(throws: TraceError.self, "\(length) bytes") { try ZoneInfo.read(plain + ".gz") }
    }
  }

  @Test func countersThatFallAreOfAnotherBoot() throws {
    let scratch = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: scratch) }
    let before = scratch.appending(path: "b").path
    let after = scratch.appending(path: "a").path
    try "pgmigrate_success 5\nnuma_hit 9\nrubbish\n".write(
      toFile: before, atomically: true, encoding: .utf8)
    try "pgmigrate_success 7\npgmigrate_fail 1\n".write(
      toFile: after, atomically: true, encoding: .utf8)
    let gained = try VMStat.gained(from: before, to: after)
    #expect(gained.gained.map(\.name) == ["pgmigrate_success"])
    #expect(gained["pgmigrate_success"] == 2)
    #expect(throws: TraceError.self) { try VMStat.gained(from: after, to: before) }
    #expect(throws: TraceError.self) { try VMStat.counters("nothing here", "x") }
  }
}
