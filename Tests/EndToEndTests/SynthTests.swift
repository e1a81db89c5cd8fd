import Foundation
import Testing
import TraceBuilding

@Suite struct SynthTests {
  private final class Scratch {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    init() throws {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(at: folder) }
    func path(_ name: String) -> String { folder.appending(path: name).path }
    func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(filePath: path(name))) }
  }

  private static let plain = """
    [machine]
    cpus = 4
    [[machine.node]]
    mb = 24
    cpus = [0, 4]
    [[file]]
    name = "data"
    mb = 48
    [[process]]
    name = "reader"
    threads = 3
    [[process.mapping]]
    file = "data"
    shared = true
    [[process.phase]]
    pattern = "layers"
    unit_pages = 64

    """

  private func synthesised(_ scratch: Scratch, _ arguments: [String]) throws -> Tool.Run {
    try Data(Self.plain.utf8).write(to: URL(filePath: scratch.path("plain.toml")))
    return try Tool.run(["synth", scratch.path("plain.toml")] + arguments)
  }

  @Test func aTraceIsReadAsAnyOther() throws {
    let scratch = try Scratch()
    let run = try synthesised(scratch, ["-o", scratch.path("t.dat"), "--json"])
    try #require(run.exitCode == 0, "\(run.errors)")
    let counts = try run.json()
    #expect(counts["schema"].text == "tlbreplay.synth/1")
    let report = try Tool.run(["report", "--json", scratch.path("t.dat")])
    try #require(report.exitCode == 0, "\(report.errors)")
    let recorded = try report.json()["policies"].elements[0]
    #expect(recorded["tlb_row"]["per_cpu"].counts == counts["tlb_row"]["per_cpu"].counts)
    #expect((recorded["tlb_row"]["total"].integer ?? 0) > 100)
    #expect(run.errors.isEmpty)
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.folder.path).count == 2)
  }

  @Test func theSameSeedGivesTheSameBytes() throws {
    let scratch = try Scratch()
    for name in ["a.dat", "b.dat"] {
      let run = try synthesised(scratch, ["-o", scratch.path(name), "--policy", "luf-v10"])
      try #require(run.exitCode == 0, "\(run.errors)")
    }
    #expect(try scratch.bytes("a.dat") == scratch.bytes("b.dat"))
  }

  @Test func stockTraceCmdReadsIt() throws {
    let tool = "/usr/bin/trace-cmd"
    guard FileManager.default.isExecutableFile(atPath: tool) else { return }
    let scratch = try Scratch()
    let run = try synthesised(scratch, ["-o", scratch.path("t.dat"), "--json"])
    let flushes = try #require(try run.json()["tlb_flush"]["total"].integer)
    let process = Process()
    process.executableURL = URL(filePath: tool)
    process.arguments = ["report", "-F", "tlb_flush", "-i", scratch.path("t.dat")]
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(text.split(separator: "\n").count { $0.contains("tlb_flush:") } == flushes)
  }

  @Test func everyBundledScenarioRuns() throws {
    let folder = Fixture.traces.appending(path: "scenarios")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".toml") }.sorted()
    #expect(names.count >= 11)
    for name in names {
      let scratch = try Scratch()
      let isSmall = name.hasPrefix("qemu") || name == "adversary.toml"
      let scale = ["--scale", isSmall ? "0.3" : name.hasPrefix("llama") ? "0.0005" : "0.02"]
      let run = try Tool.run(
        ["synth", "scenarios/\(name)", "-o", scratch.path("t.dat"), "--json"] + scale)
      #expect(run.exitCode == 0, "\(name): \(run.errors)")
    }
  }

  @Test(arguments: [
    ("cpus = 4", "cpus = 65", ":2: cpus is a whole number from 1 to 64"),
    ("cpus = 4", "cpu = 4", ":2: unknown key \"cpu\""),
    ("mb = 24", "mb = -1", ":4: mb is a number"),
    ("file = \"data\"", "file = \"date\"", ":13: no [[file]] is called \"date\""),
    ("shared = true", "shared = 1", ":14: shared is true or false"),
    (
      "shared = true", "shared = true\nwritable = true",
      ":15: a mapping that is shared and writable"
    ),
    ("pattern = \"layers\"", "pattern = \"spiral\"", ":16: pattern is one of"),
    ("unit_pages = 64", "write_percent = 5", ":17: write_percent needs a mapping with writable"),
    ("unit_pages = 64", "mapping = 1", ":17: the process has no mapping 1"),
    ("threads = 3", "threads = 0", ":11: threads is a whole number"),
    (
      "[[process.phase]]\npattern = \"layers\"\nunit_pages = 64\n", "",
      "there is no [[process.phase]]"
    ),
    ("[machine]", "[machine", ":1:"),
    ("mb = 24", "mb = 0.2", "out of memory"),
    ("mb = 48", "mb = 1000000", "all files together are larger than 256 GiB"),
    ("threads = 3", "threads = 1000\ncount = 200", "there are more than 16384 threads"),
    ("mb = 24", "mb = 1000000", "all nodes together are larger than 256 GiB"),
  ])
  func scenarioErrorsNameTheLine(_ old: String, _ new: String, _ message: String) throws {
    let scratch = try Scratch()
    let text = Self.plain.replacingOccurrences(of: old, with: new)
    try Data(text.utf8).write(to: URL(filePath: scratch.path("bad.toml")))
    let run = try Tool.run(["synth", scratch.path("bad.toml"), "-o", scratch.path("t.dat")])
    #expect(run.exitCode == 2, "\(run.output)")
    #expect(run.errors.contains(message), "\(run.errors)")
  }

  @Test func policiesThatCannotDriveTheMachineAreRefused() throws {
    let scratch = try Scratch()
    let run = try synthesised(scratch, ["-o", scratch.path("t.dat"), "--policy", "latr"])
    #expect(run.exitCode == 2)
    #expect(run.errors.contains("latr cannot drive the modelled machine"))
    let unknown = try synthesised(scratch, ["-o", scratch.path("t.dat"), "--policy", "luf-v99"])
    #expect(unknown.exitCode == 2)
  }

  @Test func aFileThatCannotBeWrittenIsSaid() throws {
    let scratch = try Scratch()
    let run = try synthesised(scratch, ["-o", scratch.path("no/such/t.dat")])
    #expect(run.exitCode == 3)
  }
}
