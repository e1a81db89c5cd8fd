import Foundation
import Testing
import TraceBuilding

/// A converted trace says what its source says.
@Suite struct ConvertTests {
  private final class Scratch {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    init() throws {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(at: folder) }
    func path(_ name: String) -> String { folder.appending(path: name).path }
  }

  /// All but what says where it comes from, and the other buffers.
  private func stat(_ path: String, _ arguments: [String] = []) throws -> [String: JSON] {
    try Tool.stat(path, arguments).members.filter { $0.key != "input" && $0.key != "instances" }
  }

  private func convert(_ arguments: [String]) throws -> Tool.Run {
    let run = try Tool.run(["convert"] + arguments)
    guard run.exitCode == 0 else { throw Tool.Failure(run: run) }
    return run
  }

  static let formats = ["td-", "ft-", "pd-", "ps-", "tcr-"].flatMap { Fixture.keyed($0) }
  /// Events of perf's own have no subsystem, which a trace.dat must name: `perf:cpu-clock`. These
  /// texts name flush_tlb_func without a symbol table, which the trace.dat then has: its row is told
  /// from csd events.
  static let different = [
    "cpuclock", "DAMAGED", "ps-a-addr", "ps-a-clockid-tod", "ps-a-cpus", "ps-a-switch",
  ]

  @Test(arguments: formats)
  func everyTraceGoesThroughTraceDat(_ name: String) throws {
    let path = "formats/\(name)"
    let scratch = try Scratch()
    let out = scratch.path("out.dat")
    let run = try Tool.run(["convert", path, "-o", out])
    if run.exitCode == 3 {
      // Without CPUs, without times, without fields: said, and nothing is left behind.
      #expect(!run.errors.isEmpty)
      #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.folder.path).isEmpty)
      return
    }
    #expect(run.exitCode == 0, "\(run.errors)")
    if Self.different.contains(where: { name.contains($0) }) { return }
    #expect(try stat(out) == stat(path), "\(name)")
    #expect(
      try Tool.stat(out)["input"]["lost_events"] == Tool.stat(path)["input"]["lost_events"]
        || run.errors.contains("lost events"), "\(name)")
  }

  @Test(arguments: formats.filter { !$0.hasPrefix("ft-") && !$0.contains("split") })
  func everyTraceGoesThroughText(_ name: String) throws {
    let path = "formats/\(name)"
    let scratch = try Scratch()
    let out = scratch.path("out.txt.zst")
    guard try Tool.run(["convert", path, "-o", out]).exitCode == 0 else { return }
    if name.contains("cpuclock") || name.contains("DAMAGED") { return }
    #expect(try stat(out) == stat(path), "\(name)")
  }

  /// A replay of the converted trace comes to the same totals.
  @Test(arguments: [
    "formats/td-a-one-v7-zstd.dat", "formats/ft-a-one-default.txt", "luf-pairs/small-4/0.1",
  ])
  func replaysAgree(_ path: String) throws {
    let scratch = try Scratch()
    let out = scratch.path("out.dat")
    _ = try convert([path, "-o", out])
    let options = ["--policy", "luf-v10", "--policy", "migrc-v9", "--policy", "unbatched"]
    let one = try Tool.run(["report", "--json", path] + options).json()["policies"].elements
    let two = try Tool.run(["report", "--json", out] + options).json()["policies"].elements
    #expect(one.count == 4)
    for (a, b) in zip(one, two) {
      for key in ["tlb_row", "tlb_flush", "ledger", "ipis_avoided", "safety"] {
        #expect(a[key] == b[key], "\(path) \(a["name"]) \(key)")
      }
    }
  }

  /// Filtering while converting is filtering afterwards.
  @Test func filtersAreApplied() throws {
    let scratch = try Scratch()
    let path = "formats/td-a-one-v7-zstd.dat"
    let filters = ["--cpu", "0,2", "--time", "20%-80%", "--event", "!sched:*"]
    let out = scratch.path("part.dat")
    _ = try convert([path, "-o", out] + filters)
    let wanted = try stat(path, filters)
    let found = try stat(out)
    #expect(found["events"] == wanted["events"])
    #expect(found["tlb_flush"] == wanted["tlb_flush"])
    #expect(found["page_alloc"] == wanted["page_alloc"])
  }

  @Test func tablesHaveARowForEachEvent() throws {
    let scratch = try Scratch()
    let path = "formats/td-a-one-v7-zstd.dat"
    let total = try Tool.stat(path)["events"].members.values
      .reduce(0) { $0 + ($1["total"].integer ?? 0) }
    for name in ["out.csv", "out.ndjson"] {
      _ = try convert([path, "-o", scratch.path(name)])
      let text = try String(contentsOfFile: scratch.path(name), encoding: .utf8)
      let lines = text.split(separator: "\n")
      #expect(lines.count == total + (name.hasSuffix("csv") ? 1 : 0))
      if name.hasSuffix("csv") {
        let columns = lines[0].split(separator: ",", omittingEmptySubsequences: false)
        #expect(columns.prefix(6) == ["time_ns", "cpu", "pid", "tgid", "comm", "event"])
        #expect(Set(columns).count == columns.count)
        let flush = try #require(
          lines.first { $0.contains(",tlb:tlb_flush,") && !$0.contains("\"") })
        #expect(
          flush.split(separator: ",", omittingEmptySubsequences: false).count == columns.count)
      } else {
        let flush = try #require(lines.first { $0.contains("\"tlb:tlb_flush\"") })
        #expect(try JSON(parsing: String(flush))["fields"]["reason"].integer != nil)
      }
    }
  }

  @Test func namesAreQuoted() throws {
    let line =
      "     a,\"b\\c-7       [001] .....     1.000001: tlb_flush: pages:-1 reason:local shootdown (2)\n"
    let head = try String(
      contentsOfFile: Fixture.path("formats/ft-a-one-default.txt"), encoding: .utf8
    )
    .split(separator: "\n").prefix(11).joined(separator: "\n")
    let input = Data((head + "\n" + line).utf8)
    let csv = try Tool.run(["convert", "-", "--to", "csv", "-o", "-"], input: input)
    #expect(csv.output.contains(#","a,""b\c",tlb:tlb_flush"#), "\(csv.output)\(csv.errors)")
    let json = try Tool.run(["convert", "-", "--to", "ndjson", "-o", "-"], input: input)
    #expect(try JSON(parsing: json.output)["comm"].text == #"a,"b\c"#)
  }

  @Test func theInputIsNotOverwrittenAndErrorsLeaveNothing() throws {
    let scratch = try Scratch()
    let copy = scratch.path("copy.dat")
    try FileManager.default.copyItem(atPath: Fixture.path("formats/td-a-v6.dat"), toPath: copy)
    let before = try Data(contentsOf: URL(filePath: copy))
    #expect(try Tool.run(["convert", copy, "-o", copy]).exitCode == 2)
    #expect(try Data(contentsOf: URL(filePath: copy)) == before)
    #expect(try Tool.run(["convert", copy, "-o", scratch.path("no/out.dat")]).exitCode == 3)
    #expect(try Tool.run(["convert", copy, "-o", "-", "--to", "trace.dat"]).exitCode == 2)
    #expect(try Tool.run(["convert", copy, "-o", scratch.path("what")]).exitCode == 2)
    #expect(try Tool.run(["convert", copy, "-o", "/dev/full", "--to", "csv"]).exitCode == 3)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: scratch.folder.path) == ["copy.dat"])
  }

  /// Flags of allocations are printed by the names of Linux 6.12, which recorded this one.
  ///
  /// What trace-cmd prints of the converted file is what it prints of the source.
  @Test(arguments: ["td-a-one-v7-zstd.dat"])
  func traceCmdReadsTheSame(_ name: String) throws {
    guard FileManager.default.isExecutableFile(atPath: "/usr/bin/trace-cmd") else { return }
    let scratch = try Scratch()
    _ = try convert(["formats/\(name)", "-o", scratch.path("out.dat")])
    func report(_ path: String) throws -> [String] {
      let process = Process()
      process.executableURL = URL(filePath: "/usr/bin/trace-cmd")
      process.arguments = ["report", path]
      let file = scratch.path("report.txt")
      _ = FileManager.default.createFile(atPath: file, contents: nil)
      process.standardOutput = try FileHandle(forWritingTo: URL(filePath: file))
      process.standardError = FileHandle.nullDevice
      try process.run()
      process.waitUntilExit()
      return try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").map(
        String.init
      )
      // Priorities are nothing that a replay reads.
      .map { $0.replacing(/\[[0-9]+\]( [A-Z+]+ ==>|$)/, with: "") }
    }
    let source = try report(Fixture.path("formats/\(name)"))
    #expect(source.count > 1000)
    #expect(try report(scratch.path("out.dat")) == source)
  }
}
