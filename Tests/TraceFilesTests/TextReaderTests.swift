import Foundation
import Testing
import TraceEvents

@testable import TraceFiles

/// Facts, instances, names and findings of the text reader.
@Suite struct TextReaderTests {
  private static let line =
    "              sh-181     [001] d....    34.801484: tlb_flush: pages:1 reason:x (3)\n"

  @Test func instancesComeOneAfterTheOther() throws {
    let path = TextSamples.path("tcr-a-2inst.txt.gz")
    let all = try TextResult(path)
    #expect(all.facts.instances.map(\.name) == ["", "instA", "instB"])
    #expect(all.rows.map(\.instance) == all.rows.map(\.instance).sorted())
    #expect((0...2).map { index in all.rows.count { $0.instance == index } } == [1006, 211, 451])
    for (index, name) in ["", "instA", "instB"].enumerated() {
      let one = try TextResult(path, instance: name)
      #expect(one.rows == all.rows.filter { $0.instance == index })
    }
    #expect(throws: TraceError.self) { try TextResult(path, instance: "instC") }
    #expect(throws: TraceError.self) {
      try TextResult(TextSamples.path("ft-b-crlf.txt"), instance: "x")
    }
  }

  @Test func headersBecomeFacts() throws {
    let ftrace = try TextResult(TextSamples.path("ft-a-one-latency.txt.gz")).facts
    #expect(ftrace.format == "ftrace-text" && ftrace.compression == "gzip")
    #expect(ftrace.kernelRelease == "6.12.117+deb12-cloud-amd64" && ftrace.cpuCount == 4)
    let report = try TextResult(TextSamples.path("tcr-a-one-t.txt.zst")).facts
    #expect(report.format == "trace-cmd-text" && report.compression == "zstd")
    #expect(report.cpuCount == 4)
    let perf = try TextResult(TextSamples.path("ps-a-one-header.txt.gz")).facts
    #expect(perf.format == "perf-script-text" && perf.hostName == "guest" && perf.cpuCount == 4)
    #expect(perf.architecture == "x86_64" && perf.kernelRelease == "6.12.117+deb12-cloud-amd64")
    #expect(perf.commandLine?.hasPrefix("/usr/bin/perf record -a") == true)
  }

  @Test(arguments: [
    ("ft-a-one-default.txt", TimeUnit.nanoseconds(resolution: 1000)),
    ("tcr-a-one-t.txt.gz", .nanoseconds(resolution: 1)),
    ("ps-a-one-ns.txt.gz", .nanoseconds(resolution: 1)),
    ("tcr-a-boot.txt.gz", .ticks), ("ft-a-clock-uptime.txt.gz", .ticks),
    ("tcr-a-one-rawts.txt.gz", .ticks),
    ("ft-a-one-latency.txt.gz", .relativeNanoseconds(resolution: 1000)),
    ("ps-a-one-reltime.txt.gz", .relativeNanoseconds(resolution: 1000)),
    ("ps-a-one-deltatime.txt.gz", .relativeNanoseconds(resolution: 1000)),
    ("ft-a-one-nocontext.txt.gz", .none), ("ps-a-one-eventonly.txt.gz", .none),
  ])
  func timeUnitIsKnownFromTheHead(name: String, unit: TimeUnit) throws {
    let reader = try TraceInput(TextSamples.path(name)).makeReader(ReadRequest(order: .time))
    #expect(reader.facts.instances[0].timeUnit == unit)
    #expect(
      reader.facts.hasCPUColumn == !(name.contains("nocontext") || name.contains("eventonly")))
  }

  @Test func tasksHaveNamesAndGroups() throws {
    let result = try TextResult(TextSamples.path("ft-a-overwritten.txt.gz"))
    #expect(result.directory.taskName(1578) == "q [001] 1.5: e:")
    #expect(result.directory.taskName(1576) == "rd-1 [x]: y")
    let groups = try TextResult(TextSamples.path("ft-a-one-tgid.txt.gz"))
    #expect(
      groups.directory.taskGroup(386) == 386 && groups.directory.taskName(386) == "a b-c:1 [z]")
    let perf = try TextResult(TextSamples.path("ps-a-one-F1.txt.gz"))
    #expect(perf.directory.taskGroup(3069) == 3069)
    let unknown = try TextResult(
      text: "           <...>-9       [001] d....    34.801484: tlb_flush: pages:1 reason:x (3)\n")
    #expect(unknown.directory.taskName(9) == nil && unknown.rows[0].task == 9)
    let odd = try TextResult(
      text: "   a-1 [2] 3.4:x-7       [001] d....    34.801484: tlb_flush: pages:1 reason:x (3)\n")
    #expect(odd.directory.taskName(7) == "a-1 [2] 3.4:x")
  }

  @Test func lossesAreCounted() throws {
    let text =
      "CPU:1 [LOST 5 EVENTS]\n\(Self.line)CPU:2 [LOST EVENTS]\nCPU:0 [802 EVENTS DROPPED]\n"
      + "CPU:0 [EVENTS DROPPED]\n\(Self.line)"
    let lost = try TextResult(text: text).statistics.lost
    #expect(lost.known == 807 && lost.unknownMarks == 2)
    let perf = try TextResult(TextSamples.path("ps-a-lost.txt.gz")).statistics.lost
    #expect(perf.known == 1044)
  }

  @Test func damageIsFoundWhereItIs() throws {
    let long = String(repeating: "x", count: 70_000)
    let text =
      Self.line + "what is this?\n" + Self.line + "\(long)\n" + Self.line + "\0\0\0" + Self.line
      + "a\u{1}b\n" + Self.line
    let result = try TextResult(text: text)
    #expect(result.rows.count == 5)
    let length = Self.line.utf8.count
    func offset(_ name: String) -> Int? {
      result.statistics.findings.first { $0.name == name }?.firstOffset
    }
    #expect(offset("unparsed-line") == length && result.statistics.count("unparsed-line") == 2)
    #expect(offset("overlong-line") == 2 * length + 14)
    #expect(offset("nul-bytes") == 3 * length + 14 + 70_001)
    #expect(offset("garbage-bytes") == 4 * length + 14 + 70_001 + 3)
    #expect(result.statistics.isDamaged)
  }

  @Test func hugeLineInCompressedTextIsOneFinding() throws {
    var bytes = Array(Self.line.utf8)
    bytes += [UInt8](repeating: UInt8(ascii: "y"), count: 3 << 20)
    bytes += Array(("\n" + Self.line).utf8)
    let plain = try TextResult(bytes: bytes)
    #expect(plain.rows.count == 2 && plain.statistics.findings.map(\.name) == ["overlong-line"])
    let packed = try TextResult(bytes: try gzip(bytes))
    #expect(packed.rows == plain.rows)
    #expect(Set(packed.statistics.findings.map(\.name)) == ["overlong-line"])
  }

  @Test func lastLineWithoutItsEndIsSaid() throws {
    let whole = try TextResult(text: Self.line + String(Self.line.dropLast()))
    #expect(whole.rows.count == 2 && whole.statistics.count("truncated-last-line") == 1)
    let cut = try TextResult(text: Self.line + String(Self.line.prefix(60)))
    #expect(cut.rows.count == 1 && cut.statistics.findings.map(\.severity) == [.loss])
    #expect(cut.statistics.count("unparsed-line") == 0)
  }

  @Test func brokenCompressionKeepsWhatCameBefore() throws {
    for name in ["ft-a-one-default.txt.gz", "ft-a-one-default.txt.zst"] {
      let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: TextSamples.path(name))))
      let cut = try TextResult(bytes: Array(bytes.prefix(bytes.count - 2000)))
      #expect(cut.statistics.count("compressed-data-damaged") == 1 && cut.statistics.isDamaged)
      if name.hasSuffix("gz") { #expect(cut.rows.count > 1500) }
      let padded = try TextResult(bytes: bytes + [UInt8](repeating: 0, count: 1024))
      #expect(padded.rows.count == 2240)
      if name.hasSuffix("gz") { #expect(padded.statistics.findings.isEmpty) }
    }
  }

  @Test func timeThatGoesBackwardsIsNotedForATimeOrder() throws {
    let early = Self.line.replacingOccurrences(of: "34.801484", with: "34.801483")
    let result = try TextResult(text: Self.line + early)
    #expect(result.statistics.count("time-goes-backwards") == 1)
    #expect(try TextResult(text: Self.line + early, order: .any).statistics.findings.isEmpty)
  }

  @Test func inventedNamesAreBounded() throws {
    let known = Self.line
    let names = (0..<17_000).map {
      known.replacingOccurrences(of: "tlb_flush", with: "invented_\($0)")
    }
    let result = try TextResult(text: known + names.joined() + known)
    #expect(result.rows.count == 2 + EventDirectory.unknownNamesMax)
    #expect(
      result.statistics.count("too-many-event-names") == 17_000 - EventDirectory.unknownNamesMax)
    #expect(result.rows.last?.event == "tlb:tlb_flush" && result.rows.last?.words == ["3", "1"])
    #expect(result.rows[5000].event == "invented_4999")
  }

  @Test func perfDoesNotNameWhatItDoesNotKnow() throws {
    let result = try TextResult(
      text:
        "             :-1    -1 [001]   138.994699:  sched:sched_switch: prev_comm=x prev_pid=1\n")
    #expect(result.rows[0].task == -1 && result.directory.taskName(-1) == nil)
  }

  @Test func lineEndsMayBeThoseOfAnotherSystem() throws {
    let crlf = try TextResult(TextSamples.path("ft-b-crlf.txt"))
    let plain = try TextResult(TextSamples.path("ft-b-one-default.txt"))
    #expect(Array(plain.rows.prefix(crlf.rows.count - 1)) == Array(crlf.rows.dropLast()))
  }

  private func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
    let file = try TemporaryFile(bytes)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["gzip", "-c", file.path]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    return [UInt8](pipe.fileHandleForReading.readDataToEndOfFile())
  }
}
