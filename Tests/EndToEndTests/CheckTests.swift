import Foundation
import Testing
import TraceBuilding

/// `baseline` and `check`, as the owner of a continuous integration uses them.
@Suite struct CheckTests {
  private static let small = "luf-pairs/small-4/0.1"
  private static let burst = "luf-pairs/burst-16/0.1"

  /// A folder that goes away with the test.
  private func scratch(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
  }

  private func baseline(_ inputs: [String], _ file: String, _ options: [String] = []) throws {
    let run = try Tool.run(["baseline"] + inputs + ["-o", file] + options)
    #expect(run.exitCode == 0, "\(run.errors)")
    #expect(run.errors.isEmpty && run.output.isEmpty)
  }

  private func edit(_ file: String, _ found: String, _ replacement: String) throws {
    let text = try String(contentsOfFile: file, encoding: .utf8)
    try #require(text.contains(found), "\(found)")
    try text.replacingOccurrences(of: found, with: replacement).write(
      toFile: file, atomically: true, encoding: .utf8)
  }

  @Test func theSameTraceIsUnchangedAndAnEditedFigureIsNot() throws {
    try scratch { folder in
      let file = folder.appending(path: "b.json").path
      try baseline([Self.burst], file)
      let good = try Tool.run(["check", Self.burst, "--baseline", file])
      #expect(good.exitCode == 0, "\(good.errors)")
      #expect(good.errors.isEmpty)
      #expect(good.output.contains("unchanged"))
      let end = "its CPU does\", \"tolerance\": \"0\", \"value\": "
      try edit(file, end + "9224}", end + "9000}")
      let bad = try Tool.run(["check", Self.burst, "--baseline", file])
      #expect(bad.exitCode == 1)
      #expect(bad.output.contains("recorded.tlb_row  changed     9,000  9,224  +2.49%        0"))
      #expect(bad.output.contains("each stops what its CPU does"))
      for line in bad.output.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
      try edit(
        file, "\"tolerance\": \"0\", \"value\": 9000}", "\"tolerance\": \"3%\", \"value\": 9000}")
      #expect(try Tool.run(["check", Self.burst, "--baseline", file]).exitCode == 0)
      #expect(try Tool.run(["check", Self.burst, "--baseline", file, "--update"]).exitCode == 0)
      let text = try String(contentsOfFile: file, encoding: .utf8)
      #expect(text.contains("\"tolerance\": \"3%\", \"value\": 9224}"))
    }
  }

  @Test func everyMetricIsWhatReportSays() throws {
    try scratch { folder in
      let file = folder.appending(path: "b.json").path
      try baseline([Self.small], file, ["--policy", "luf-v11", "--policy", "batch-64"])
      let metrics = try JSON(file: file)["traces"]["0.1"]["metrics"]
      let report = try Tool.run([
        "report", "--json", "--policy", "luf-v11", "--policy", "batch-64", Self.small,
      ]).json()
      for policy in report["policies"].elements {
        let name = try #require(policy["name"].text)
        #expect(metrics["\(name).tlb_row"]["value"] == policy["tlb_row"]["total"])
        guard name != "recorded" else { continue }
        #expect(metrics["\(name).tlb_row.lower"]["value"] == policy["tlb_row"]["lower"])
        #expect(metrics["\(name).tlb_row.upper"]["value"] == policy["tlb_row"]["upper"])
        #expect(
          metrics["\(name).safety_violations"]["value"] == policy["safety"]["violations"])
        for fate in ["deferred", "absorbed", "forced_by_allocation", "refused", "pending"] {
          #expect(metrics["\(name).\(fate)"]["value"] == policy["ledger"][fate])
        }
      }
    }
  }

  /// A trace that lost events to an editor is another trace for one baseline, and a workload that got
  /// better, worse or lost its figures for the other.
  @Test func aTraceWithoutSomeOfItsEventsIsNoticed() throws {
    try scratch { folder in
      let text = folder.appending(path: "trace.txt")
      let whole = try String(
        contentsOf: Fixture.traces.appending(path: "formats/ft-b-one-default.txt"), encoding: .utf8)
      try whole.write(to: text, atomically: true, encoding: .utf8)
      let file = folder.appending(path: "b.json").path
      let workload = folder.appending(path: "w.json").path
      let options = ["--compares", "workload", "--policy", "recorded"]
      try baseline([text.path], file, ["--policy", "recorded"])
      try baseline([text.path], workload, options)
      var dropped = 0
      let fewer = whole.split(separator: "\n", omittingEmptySubsequences: false).filter { line in
        guard line.contains("tlb_flush:") else { return true }
        dropped += 1
        return dropped % 4 != 0
      }
      try fewer.joined(separator: "\n").write(to: text, atomically: true, encoding: .utf8)
      let refused = try Tool.run(["check", text.path, "--baseline", file])
      #expect(refused.exitCode == 3)
      #expect(refused.errors.contains("another trace"))
      let moved = try Tool.run(["check", "--json", text.path, "--baseline", workload])
      #expect(moved.exitCode == 0, "\(moved.errors)")
      let metric = try moved.json()["captures"].elements[0]["metrics"][
        "recorded.tlb_flush.no_switches"]
      #expect(metric["verdict"].text == "shown" || metric["verdict"].text == "better")
      // The same from the other side: what was fewer is now more.
      try baseline([text.path], workload, options)
      try whole.write(to: text, atomically: true, encoding: .utf8)
      #expect(try Tool.run(["check", text.path, "--baseline", workload]).exitCode == 1)
    }
  }

  @Test func repetitionsMakeTheirSpreadTheTolerance() throws {
    try scratch { folder in
      let file = folder.appending(path: "w.json").path
      try baseline([Self.small, "luf-pairs/small-4/v10.1"], file)
      let document = try JSON(file: file)
      #expect(document["compares"].text == "workload")
      let row = document["traces"]["small-4"]["metrics"]["recorded.tlb_row"]
      #expect(row["runs"].integer == 2 && row["tolerance"].text == "spread or 2% or 10")
      #expect(try Tool.run(["check", Self.small, "--baseline", file]).exitCode == 0)
      let other = try Tool.run(["check", Self.burst, "--baseline", file])
      #expect(other.exitCode == 3)
      #expect(other.errors.contains("--allow cpus"))
    }
  }

  @Test func otherSettingsAreRefused() throws {
    try scratch { folder in
      let file = folder.appending(path: "b.json").path
      let policy = folder.appending(path: "mine.toml").path
      try "base = \"luf-v11\"\n".write(toFile: policy, atomically: true, encoding: .utf8)
      try baseline([Self.burst], file, ["--policy", policy])
      #expect(
        try Tool.run(["check", Self.burst, "--baseline", file, "--policy", policy]).exitCode == 0)
      for (options, words) in [
        ([], "name that with --policy"), (["--policy", "luf-v10"], "--policy luf-v10"),
        (["--policy", policy, "--flush-duration", "5"], "--flush-duration 5"),
        (["--policy", policy, "--between", "A,B"], "--between A,B"),
      ] {
        let run = try Tool.run(["check", Self.burst, "--baseline", file] + options)
        #expect(run.exitCode == 3, "\(options)")
        #expect(run.errors.contains(words), "\(run.errors)")
      }
      try "base = \"luf-v10\"\n".write(toFile: policy, atomically: true, encoding: .utf8)
      let changed = try Tool.run(["check", Self.burst, "--baseline", file, "--policy", policy])
      #expect(changed.exitCode == 3)
      #expect(changed.errors.contains("has other rules"))
    }
  }

  /// The tool's own figures: whoever moves one on purpose says so with `check --update`.
  @Test(arguments: ["small-4", "burst-16"])
  func bundledBaselinesHold(_ pair: String) throws {
    let run = try Tool.run([
      "check", "luf-pairs/\(pair)/0.1", "--baseline", "baselines/\(pair).baseline.json",
    ])
    #expect(run.exitCode == 0, "\(run.output)\(run.errors)")
  }

  @Test func filtersAreKept() throws {
    try scratch { folder in
      let file = folder.appending(path: "b.json").path
      try baseline([Self.small], file, ["--cpu", "0-1", "--comm", "kswapd*"])
      #expect(try Tool.run(["check", Self.small, "--baseline", file]).exitCode == 0)
      let other = try Tool.run(["check", Self.small, "--baseline", file, "--cpu", "2"])
      #expect(other.exitCode == 3)
      #expect(other.errors.contains("the baseline has --cpu=0-1 --comm=kswapd*"))
      let text = try String(contentsOfFile: file, encoding: .utf8)
      #expect(text.contains("\"filters\": [\"--cpu=0-1\", \"--comm=kswapd*\"]"))
      try text.replacing("--cpu=0-1", with: "--cpus=0-1").write(
        toFile: file, atomically: true, encoding: .utf8)
      let broken = try Tool.run(["check", Self.small, "--baseline", file])
      #expect(broken.exitCode == 3 && broken.errors.contains("--cpus=0-1"), "\(broken.errors)")
    }
  }

  @Test func violationsFailWhereTheyAreForbidden() throws {
    try scratch { folder in
      let file = folder.appending(path: "b.json").path
      try baseline([Self.small], file, ["--policy", "luf-v10-as-posted"])
      #expect(try Tool.run(["check", Self.small, "--baseline", file]).exitCode == 0)
      let run = try Tool.run(["check", Self.small, "--baseline", file, "--forbid-violations"])
      #expect(run.exitCode == 1)
      #expect(run.errors.contains("rule I1"))
    }
  }

  @Test func damagedBaselinesAreNamedWithTheirLine() throws {
    try scratch { folder in
      let file = folder.appending(path: "b.json").path
      try baseline([Self.burst], file)
      try edit(file, "\"value\": 9224}", "\"value\": 9,224}")
      let run = try Tool.run(["check", Self.burst, "--baseline", file])
      #expect(run.exitCode == 3 && run.output.isEmpty)
      let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
      let line = try #require(lines.firstIndex { $0.contains("9,224") }) + 1
      #expect(run.errors.contains("\(file): line \(line): is no JSON document"), "\(run.errors)")
      let missing = try Tool.run(["check", Self.burst, "--baseline", "nowhere.json"])
      #expect(missing.exitCode == 3)
      let beside = try Tool.run(["check", Self.burst])
      #expect(beside.exitCode == 3)
      #expect(beside.errors.contains("tlbreplay baseline"))
    }
  }

  @Test(arguments: [
    ["check"], ["check", "a", "--allow", "weather"], ["check", "a", "--junit", "-", "--ktap", "-"],
    ["check", "a", "--json", "--github"], ["check", "a", "--github-summary"], ["check", "a", "a"],
    ["baseline", "a", "--each", "-o", "b"], ["baseline", "a", "--update"],
    ["baseline", "a", "--compares", "apples"], ["baseline", "a", "--policy", "luf-v99"],
  ])
  func wrongUsageIsTwo(_ arguments: [String]) throws {
    let run = try Tool.run(arguments, environment: ["GITHUB_STEP_SUMMARY": ""])
    #expect(run.exitCode == 2, "\(run.errors)")
    #expect(run.output.isEmpty)
  }

  // MARK: Folders

  /// Captures of one folder: links, so that nothing is copied.
  private func captures(_ folder: URL) throws -> String {
    let captures = folder.appending(path: "captures")
    try FileManager.default.createDirectory(at: captures, withIntermediateDirectories: true)
    for (name, capture) in [
      ("small", Self.small), ("burst", Self.burst), ("empty", "luf-pairs/small-4/0x30f.1"),
    ] {
      try FileManager.default.createSymbolicLink(
        at: captures.appending(path: name),
        withDestinationURL: Fixture.traces.appending(path: capture))
    }
    return captures.path
  }

  @Test func aFolderIsOneSummaryWithTheWorstFirst() throws {
    try scratch { folder in
      let captures = try captures(folder)
      #expect(try Tool.run(["baseline", captures, "--each"]).exitCode == 0)
      let good = try Tool.run(["check", captures])
      #expect(good.exitCode == 0, "\(good.errors)")
      #expect(good.output.contains("2 captures, 2 unchanged"))
      #expect(good.output.contains("left out: empty"))
      try edit("\(captures)/small.baseline.json", "\"value\": 907}", "\"value\": 9070}")
      let run = try Tool.run(["check", "--json", captures])
      #expect(run.exitCode == 1)
      #expect(run.errors.contains("small regressed: 1 of "))
      let document = try run.json()
      #expect(document["schema"].text == "tlbreplay.check/1")
      #expect(document["captures"].elements.map { $0["name"].text } == ["small", "burst"])
      #expect(document["counts"]["regressed"].integer == 1)
      try FileManager.default.removeItem(atPath: "\(captures)/burst.baseline.json")
      let both = try Tool.run(["check", captures])
      #expect(both.exitCode == 1)
      #expect(both.output.contains("1 regressed, 1 not checked"))
      #expect(try Tool.run(["check", captures, "--update"]).exitCode == 3)
      let after = try Tool.run(["check", captures])
      #expect(after.exitCode == 3)
      #expect(after.output == (try Tool.run(["check", captures]).output))
    }
  }

  @Test func oneBaselineHoldsAFolderAndMissesWhatIsGone() throws {
    try scratch { folder in
      let captures = try captures(folder)
      let file = folder.appending(path: "all.json").path
      try baseline([captures], file)
      #expect(try Tool.run(["check", captures, "--baseline", file]).exitCode == 0)
      // The digest tells which trace it is, whatever it is called.
      #expect(try Tool.run(["check", Self.small, "--baseline", file]).exitCode == 0)
      try FileManager.default.removeItem(atPath: "\(captures)/small")
      let run = try Tool.run(["check", captures, "--baseline", file])
      #expect(run.exitCode == 3)
      #expect(run.errors.contains("small not checked: the baseline has it"))
    }
  }

  // MARK: Forms

  private static let junitSchema = Fixture.root.appending(path: "Tests/Schemas/junit.xsd").path

  @Test func formsAreWhatTheirReadersTake() throws {
    try scratch { folder in
      let captures = try captures(folder)
      #expect(try Tool.run(["baseline", captures, "--each"]).exitCode == 0)
      try edit("\(captures)/small.baseline.json", "\"value\": 907}", "\"value\": 9070}")
      try edit("\(captures)/burst.baseline.json", "\"compares\"", "\"compare\"")
      let junit = folder.appending(path: "j & <u>.xml").path
      let ktap = folder.appending(path: "k.tap").path
      let run = try Tool.run(["check", captures, "--junit", junit, "--ktap", ktap, "--github"])
      #expect(run.exitCode == 1)
      let annotations = run.output.split(separator: "\n").filter { $0.hasPrefix("::") }
      #expect(annotations.count == 2)
      #expect(annotations[0].contains("small.baseline.json,line=3"))
      try checkJUnit(junit)
      try checkKTAP(ktap, folder)
    }
  }

  private func checkJUnit(_ file: String) throws {
    guard let xmllint = ExternalTool("xmllint") else { return }
    let valid = try xmllint.run(["--noout", "--schema", Self.junitSchema, file])
    #expect(valid.exitCode == 0, "\(valid.errors)")
    func number(_ path: String) throws -> Int? {
      let run = try xmllint.run(["--xpath", path, file])
      return Int(run.output.trimmingCharacters(in: .whitespacesAndNewlines))
    }
    for (attribute, element) in [("failures", "failure"), ("errors", "error")] {
      let stated = try number("sum(//testsuite/@\(attribute))")
      #expect(try stated == number("count(//testcase/\(element))"))
      #expect(try stated == number("number(/testsuites/@\(attribute))"))
      #expect(stated == 1)
    }
    #expect(try number("sum(//testsuite/@tests)") == number("count(//testcase)"))
    // The schema itself can fail.
    let text = try String(contentsOfFile: file, encoding: .utf8)
    for (found, wrong) in [
      ("<failure message", "<failed message"), (" classname=", " class="),
      ("tests=\"", "tests=\"x"),
    ] {
      let broken = file + ".broken"
      try text.replacingOccurrences(of: found, with: wrong).write(
        toFile: broken, atomically: true, encoding: .utf8)
      #expect(try xmllint.run(["--noout", "--schema", Self.junitSchema, broken]).exitCode != 0)
    }
  }

  /// TAP::Parser reads the outer tests and skips what is indented, as TAP has it; the subtests of each
  /// test, less their indentation, are TAP again. Of KTAP's own it ignores the version line.
  private func checkKTAP(_ file: String, _ folder: URL) throws {
    guard let prove = ExternalTool("prove"), let cat = ExternalTool("cat") else { return }
    let outer = try prove.run(["--exec", cat.path, file])
    #expect(outer.output.contains("Failed tests:  1-2"), "\(outer.output)")
    #expect(!outer.output.contains("Parse errors"))
    let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
    #expect(lines.first == "KTAP version 1" && lines[1] == "1..2")
    let inner = lines.filter { $0.hasPrefix("  ") }.map { String($0.dropFirst(2)) }
    let begins = inner.indices.filter { inner[$0] == "KTAP version 1" } + [inner.count]
    #expect(begins.count == 3)
    for (index, begin) in begins.dropLast().enumerated() {
      let part = folder.appending(path: "inner-\(index)").path
      try inner[begin..<begins[index + 1]].joined(separator: "\n").appending("\n").write(
        toFile: part, atomically: true, encoding: .utf8)
      let run = try prove.run(["--exec", cat.path, part])
      #expect(!run.output.contains("Parse errors"), "\(run.output)")
      #expect(run.output.contains("Failed test:"), "\(run.output)")
    }
  }
}
