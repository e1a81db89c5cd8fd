import Foundation
import Testing
import TraceBuilding

@Suite struct CommandLineTests {
  @Test func helpAndVersionAreGood() throws {
    for arguments in [["--help"], ["--version"], ["stat", "--help"], ["report", "--help"]] {
      let run = try Tool.run(arguments)
      #expect(run.exitCode == 0, "\(arguments)")
      #expect(!run.output.isEmpty, "\(arguments)")
    }
  }

  @Test(arguments: [
    ["stat"], ["nonsense"], ["stat", "a", "-i", "b"], ["stat", "--format", "xml", "a"],
    ["stat", "--json", "--format", "text", "a"], ["stat", "--between", "A", "a"],
  ])
  func usageErrorsAreTwo(_ arguments: [String]) throws {
    let run = try Tool.run(arguments)
    #expect(run.exitCode == 2)
    #expect(run.output.isEmpty)
    #expect(!run.errors.isEmpty)
  }

  @Test(arguments: ["stat", "info", "report"])
  func unreadableInputsAreThree(_ command: String) throws {
    let scratch = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: scratch) }
    var random = SplitMix64(seed: 5)
    let inputs: [(name: String, bytes: Data?, word: String)] = [
      ("empty", Data(), "empty"),
      (
        "random", Data((0..<5000).map { _ in UInt8.random(in: 0...255, using: &random) }),
        "no trace"
      ),
      ("elf", try Data(contentsOf: Tool.executable).prefix(4096), "ELF"),
      ("xz", Data([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 4]), "xz -dc"),
      ("missing", nil, "cannot be opened"),
      ("prose", Data("The quick brown fox\njumps over the lazy dog.\n".utf8), "no trace"),
    ]
    for input in inputs {
      let file = scratch.appending(path: input.name)
      try input.bytes?.write(to: file)
      let run = try Tool.run([command, file.path])
      #expect(run.exitCode == 3, "\(input.name)")
      #expect(run.errors.contains(input.word), "\(input.name): \(run.errors)")
      #expect(run.errors.contains(file.path), "\(input.name)")
      #expect(run.output.isEmpty, "\(input.name)")
    }
    let directory = try Tool.run([command, scratch.path])
    #expect(directory.exitCode == 3)
    #expect(directory.errors.contains("trace.dat*, perf.data* or trace.txt*"))
  }

  @Test func standardInputIsReadLikeAFile() throws {
    for name in ["td-a-one-v7-zstd.dat", "ft-a-one-default.txt.gz", "pd-a-pipe.data"] {
      let path = Fixture.path("formats/\(name)")
      let piped = try Tool.run(
        ["stat", "--json", "-"], input: try Data(contentsOf: URL(filePath: path)))
      #expect(piped.exitCode == 0, "\(piped.errors)")
      #expect(try piped.json() == Tool.stat(path), "\(name)")
    }
  }

  @Test func dashIWorksLikeThePosition() throws {
    let path = Fixture.path("formats/td-a-one-v6.dat")
    let run = try Tool.run(["stat", "--json", "-i", path])
    #expect(try run.json() == Tool.stat(path))
  }

  @Test func outputGoesToTheFileNamed() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: file) }
    let path = Fixture.path("formats/td-a-one-v6.dat")
    let run = try Tool.run(["stat", "--json", path, "-o", file.path])
    #expect(run.exitCode == 0)
    #expect(run.output.isEmpty)
    #expect(try JSON(file: file.path) == Tool.stat(path))
  }

  @Test func aWindowThatIsNotThereIsUnfit() throws {
    let run = try Tool.run(
      ["stat", "--between", "NO,WHERE", Fixture.path("formats/td-a-one-v6.dat")])
    #expect(run.exitCode == 3)
    #expect(run.errors.contains("NO"))
  }

  @Test func anInstanceThatIsNotThereIsUnfit() throws {
    let run = try Tool.run(
      ["stat", "--instance", "none", Fixture.path("formats/td-a-v7-2inst.dat")])
    #expect(run.exitCode == 3)
    #expect(run.errors.contains("instA"))
  }

  @Test func sameInputGivesTheSameBytes() throws {
    for command in ["stat", "info", "report"] {
      let arguments = [command, Fixture.path("luf-pairs/burst-16/0.1")]
      #expect(try Tool.run(arguments).output == Tool.run(arguments).output)
    }
  }

  /// What was decompressed before the damage is read, and the damage is named.
  @Test(arguments: [
    "formats/ft-a-one-default.txt.gz", "formats/ft-a-one-default.txt.zst",
    "captures/perf-4cpu-anon-g/perf.data.zst",
  ])
  func damageInsideCompressedInputsCostsWhatIsBehindIt(_ name: String) throws {
    let whole = try Tool.stat(name)
    var bytes = try Data(contentsOf: URL(filePath: Fixture.path(name)))
    let middle = bytes.count * 7 / 10
    for index in middle..<(middle + 8) { bytes[index] ^= 0xff }
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: file) }
    for damaged in [bytes, bytes.prefix(middle)] {
      try damaged.write(to: file)
      let stat = try Tool.stat(file.path)
      let saved = stat["events"].members.values.compactMap { $0["total"].integer }.reduce(0, +)
      let all = whole["events"].members.values.compactMap { $0["total"].integer }.reduce(0, +)
      #expect(saved > all / 10 && saved < all, "\(saved) of \(all)")
      let names = stat["input"]["findings"].elements.compactMap { $0["name"].text }
      #expect(names.contains("compressed-data-damaged"), "\(names)")
    }
  }
}
