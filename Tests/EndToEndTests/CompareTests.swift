import Foundation
import Testing
import TraceBuilding

/// `compare`: the letter's figures, captures, and what is refused.
@Suite struct CompareTests {
  static let letter = "letter/letter-data.json"

  private func compare(_ arguments: [String]) throws -> JSON {
    let run = try Tool.run(["compare", "--json"] + arguments)
    guard run.exitCode == 0 else { throw Tool.Failure(run: run) }
    return try run.json()
  }

  private func number(_ value: JSON) -> Double {
    switch value {
    case .integer(let whole): Double(whole)
    case .number(let number): number
    default: .nan
    }
  }

  /// Runs `body` with a file of `text`.
  private func withFile<Result>(_ text: String, _ body: (String) throws -> Result) throws -> Result
  {
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try text.write(to: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: file) }
    return try body(file.path)
  }

  /// The letter's percentages to two digits (Traces/README.md).
  @Test(arguments: [
    ("run_time_ms", -5.33), ("tlb_row", -95.45), ("tlb:tlb_flush", -94.90),
    ("iTLB-load-misses", -80.42), ("dTLB-store-misses", -57.32), ("dTLB-load-misses", -24.31),
  ])
  func theLettersPercentages(_ name: String, _ percent: Double) throws {
    let change = try compare([Self.letter])["measures"][name]["change"]["percent"]
    #expect((number(change) * 100).rounded() == (percent * 100).rounded())
  }

  @Test func theLettersRepetitions() throws {
    let document = try compare([Self.letter])
    let time = document["measures"]["run_time_ms"]
    #expect(document["schema"].text == "tlbreplay.compare/1")
    #expect(time["repetitions"]["origin"].text == "found")
    #expect(time["repetitions"]["instances"].integer == 3)
    #expect(time["before"]["n"].integer == 10)
    #expect((number(time["welch"]["t"]) * 100).rounded() == -549)
    #expect(time["verdict"].text == "lower")
    // One total a side is no repetition: a change, but no verdict.
    #expect(document["measures"]["tlb_row"]["verdict"].text == "untested")
    let ratio = document["measures"]["tlb_flush_per_interrupt"]
    #expect((number(ratio["before"]["mean"]) * 1000).rounded() == 1085)
    #expect((number(ratio["after"]["mean"]) * 1000).rounded() == 1215)
    #expect(document["tlb_row"]["before"]["per_cpu"].elements.count == 64)
  }

  @Test func aStatedGroupingIsTakenAsItIs() throws {
    let text = #"{"t_ms": {"before": [[1, 3], [2, 4], [3, 5]], "after": [[5, 5], [7, 7], [6, 8]]}}"#
    let measure = try withFile(text) { try compare([$0]) }["measures"]["t_ms"]
    #expect(measure["repetitions"]["origin"].text == "stated")
    #expect(measure["before"]["n"].integer == 3)
    #expect(number(measure["before"]["mean"]) == 3)
    #expect(measure["unit"].text == "ms")
  }

  @Test func capturesGiveWhatStatMeasures() throws {
    let before = "luf-pairs/small-4/0.1"
    let after = "luf-pairs/small-4/v10.1"
    let document = try compare([before, "--after", after])
    for (side, path) in [("before", before), ("after", after)] {
      let stat = try Tool.stat(Fixture.path(path))
      let row = try #require(stat["tlb_row"]["recorded"]["per_cpu"].counts)
      #expect(document["tlb_row"][side]["per_cpu"].counts == row)
      #expect(document["measures"]["tlb_row"][side]["mean"].integer == row.reduce(0, +))
      let counted = stat["window"].isNull ? stat["events"] : stat["window"]["events"]
      #expect(
        document["measures"]["tlb_flush"][side]["mean"] == counted["tlb:tlb_flush"]["total"])
    }
    let perPage = document["measures"]["tlb_row.per_migrated_page"]["before"]["mean"]
    let row = document["measures"]["tlb_row"]["before"]["mean"]
    let pages = document["measures"]["migrated"]["before"]["mean"]
    #expect(abs(number(perPage) - number(row) / number(pages)) < 1e-12)
  }

  @Test func aRunComparedWithItselfIsUnchanged() throws {
    let path = "luf-pairs/small-4/0.1"
    let document = try compare([path, path, "--after", path, path])
    #expect(!document["measures"].members.isEmpty)
    for (name, measure) in document["measures"].members {
      #expect(number(measure["change"]["difference"]) == 0, "\(name)")
      #expect(measure["verdict"].text == "unproven", "\(name)")
    }
  }

  @Test(arguments: [
    (#"{"a": {"before": [1], "after": [1]}"#, "is no JSON document"),
    (#"{"a": 1}"#, "holds no measure"),
    (#"{"a": {"before": [], "after": [1]}}"#, "is empty"),
    (#"{"a": {"before": [1, "x"], "after": [1]}}"#, "a.before[1]: expected a number"),
    (#"{"a": {"before": [[1, null]], "after": [1]}}"#, "a.before[0]: expected numbers"),
    (#"{"proc_interrupts_TLB_row": {"before": [-1], "after": [1]}}"#, "expected a count"),
    (#"{"proc_interrupts_TLB_row": {"before": [1]}}"#, "expected counts by CPU"),
  ])
  func badFilesOfRunsAreRefused(_ text: String, _ message: String) throws {
    let run = try withFile(text) { try Tool.run(["compare", $0]) }
    #expect(run.exitCode == 3)
    #expect(run.errors.contains(message), "\(run.errors)")
  }

  @Test func sidesAreRequired() throws {
    #expect(try Tool.run(["compare", "luf-pairs/small-4/0.1"]).exitCode == 2)
    #expect(try Tool.run(["compare"]).exitCode == 2)
    #expect(try Tool.run(["compare", "-", "--after", "-"]).exitCode == 2)
    let mixed = try Tool.run(["compare", Self.letter, "--after", "luf-pairs/small-4/0.1"])
    #expect(mixed.exitCode == 3)
  }

  /// Numbers at the edge of what can be counted end in words, not in a trap.
  @Test func hugeNumbersDoNotCrash() throws {
    let text = """
      {"a": {"before": [1e308, -1e308, 1e308], "after": [1e308, 1e308, 1e-308]},
       "b": {"before": [0, 0], "after": [9223372036854775807, 18446744073709551615]},
       "proc_interrupts_TLB_row": {"before": [9223372036854775807, 9223372036854775807],
         "after": [9223372036854775807, 9223372036854775807]}}
      """
    for form in [["--json"], []] {
      let run = try withFile(text) { try Tool.run(["compare", $0] + form) }
      #expect(run.exitCode == 0, "\(run.errors)")
      #expect(run.output != "null\n")
    }
  }
}

/// `compare --style`: layouts of other tools.
@Suite struct CompareStyleTests {
  static let ministat = ["/usr/bin/ministat", "/usr/local/bin/ministat"].first {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  /// Values of many shapes: normal, few different ones, a long tail, no spread at all.
  private func values(_ shape: Int, _ count: Int, _ level: Double, _ state: inout UInt64)
    -> [Double]
  {
    (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let uniform = Double(state >> 11) / Double(1 << 53)
      switch shape {
      case 0: return level + 10 * uniform
      case 1: return level + (uniform * 6).rounded()
      case 2: return level * 1e6 / (uniform + 0.01)
      case 3: return level
      default: return -level + uniform * uniform * 1e-3
      }
    }
  }

  /// Byte for byte what Debian's ministat prints for the same numbers.
  @Test(
    .enabled(if: ministat != nil, "ministat is not installed (apt-get install ministat)"),
    arguments: 0..<24)
  func ministatPrintsTheSame(_ number: Int) throws {
    let sizes = [3, 4, 5, 8, 10, 21, 52, 60]
    var state = UInt64(number) &+ 99
    let level = number % 3 == 0 ? 100.0 : 103
    let before = values(number % 5, sizes[number % 8], 100, &state)
    let after = values((number + number / 12) % 5, sizes[(number / 3) % 8], level, &state)
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func lines(_ values: [Double]) -> String { values.map { "\($0)\n" }.joined() }
    try lines(before).write(
      to: folder.appending(path: "t.before"), atomically: true, encoding: .utf8)
    try lines(after).write(
      to: folder.appending(path: "t.after"), atomically: true, encoding: .utf8)
    let runs = folder.appending(path: "runs.json")
    // Groups of one: the file says that each value is a repetition.
    try #"{"t": {"before": \#(before.map { [$0] }), "after": \#(after.map { [$0] })}}"#
      .write(to: runs, atomically: true, encoding: .utf8)
    let process = Process()
    process.executableURL = URL(filePath: try #require(Self.ministat))
    process.arguments = ["t.before", "t.after"]
    process.currentDirectoryURL = folder
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let theirs = String(
      decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    let ours = try Tool.run(["compare", "--style", "ministat", runs.path])
    #expect(ours.exitCode == 0, "\(ours.errors)")
    #expect(!theirs.isEmpty)
    #expect(ours.output == theirs, "\n\(ours.output)\n\(theirs)")
  }

  @Test func stylesThatCannotShowItSaySo() throws {
    let few = ["compare", "--style", "ministat", "--measure", "tlb_row", CompareTests.letter]
    let run = try Tool.run(few)
    #expect(run.exitCode == 3)
    #expect(run.errors.contains("needs at least 3 repetitions"))
    #expect(try Tool.run(["compare", "--style", "none", CompareTests.letter]).exitCode == 2)
    #expect(
      try Tool.run(["compare", "--style", "lkp", "--json", CompareTests.letter]).exitCode == 2)
    #expect(try Tool.run(["compare", "--measure", "none", CompareTests.letter]).exitCode == 3)
  }
}
