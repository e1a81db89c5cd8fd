import Foundation
import Testing
import TraceBuilding

/// `tlbreplay who` as users run it.
@Suite struct WhoTests {
  private static let kallsyms = Fixture.path("symbols/kallsyms-a.part.txt.gz")
  private static let ways = ["cause", "task", "process", "comm", "kernel-path", "user-path", "cpu"]

  private func who(_ arguments: [String]) throws -> JSON {
    let run = try Tool.run(["who", "--json"] + arguments)
    #expect(run.exitCode == 0, "\(run.errors)")
    return try run.json()
  }

  /// The sums of the groups, put together in any way, are the totals, also when few are shown; so
  /// are those of victims, of the matrix and of folded stacks.
  @Test(arguments: [
    "captures/perf-4cpu-anon-g", "captures/ft-4cpu-churn", "captures/ft-8cpu-churn",
    "captures/tc-4cpu-churn-v6", "captures/ft-4cpu-anon-move", "formats/pd-a-g.data",
    "formats/pd-a-gmix.data", "formats/pd-a-guser.data",
    "formats/td-a-v7-stack.dat", "formats/tcr-a-stack.txt.gz", "formats/ft-a-stack.txt",
    "formats/ps-a-g-default.txt", "formats/ft-a-one-tgid.txt.gz", "formats/pd-a-one.data",
    "luf-pairs/small-4/0.1",
  ])
  func sumsAreTheTotals(_ trace: String) throws {
    let folded = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folded) }
    for top in [1, 3, 1000] {
      let report = try who(
        ["--kallsyms", Self.kallsyms, "--top", "\(top)", "--folded", folded.path, trace]
          + Self.ways.flatMap { ["--by", $0] })
      let row = report["tlb_row"]
      let unattributed = try #require(row["unattributed"].integer)
      let interrupts = try #require(row["total"].integer)
      #expect(row["per_cpu"].counts?.reduce(0, +) == interrupts)
      for way in Self.ways {
        let groups = report["culprits"][way]
        var all = groups["groups"].elements
        #expect(all.count == min(top, groups["distinct"].integer ?? -1))
        all.append(groups["rest"])
        func sum(_ key: String) -> Int { all.reduce(0) { $0 + ($1[key].integer ?? 0) } }
        #expect(sum("shootdowns") == report["shootdowns"]["total"].integer, "\(way)")
        #expect(sum("sends") == report["shootdowns"]["sends"].integer, "\(way)")
        #expect(sum("interrupts") + unattributed == interrupts, "\(way)")
      }
      let pairs = report["matrix"]["pairs"].elements.compactMap { $0.elements.last?.integer }
      #expect(pairs.reduce(0, +) + unattributed == interrupts)
      let cpus = report["victims"]["cpus"].elements
      #expect(cpus.reduce(0) { $0 + ($1["interrupts"].integer ?? 0) } == interrupts)
      let weights = try String(contentsOf: folded, encoding: .utf8).split(separator: "\n")
        .compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
      #expect(weights.reduce(0, +) == interrupts)
      guard top == 1000 else { continue }
      let tasks = report["victims"]["tasks"].elements
      #expect(tasks.reduce(0) { $0 + ($1["interrupts"].integer ?? 0) } == interrupts)
      let series = report["victims"]["over_time"]["interrupts"].counts ?? []
      #expect(series.reduce(0, +) == interrupts)
    }
  }

  /// The window of this capture is known to the interrupt: its sends, its row, and why.
  @Test func captureWithCallChainsIsExplained() throws {
    let report = try who(["--kallsyms", Self.kallsyms, "captures/perf-4cpu-anon-g"])
    #expect(report["shootdowns"]["sends"].integer == 362)
    #expect(report["tlb_row"]["per_cpu"].counts == [239, 249, 232, 240])
    #expect(report["tlb_row"]["unattributed"].integer == 0)
    #expect(report["evidence"]["call_path"].integer == 362)
    #expect(report["agreement"]["unexplained"].integer == 0)
    let causes = report["culprits"]["cause"]["groups"].elements
    #expect(
      causes.map { $0["name"].text } == ["promotion", "NUMA scan", "move_pages", "madvise"])
    #expect(causes.map { $0["interrupts"].integer } == [466, 362, 106, 26])
    #expect(
      report["culprits"]["process"]["groups"].elements.map { $0["name"].text } == ["workload-985"])
  }

  /// One capture in several forms: the same causes, tasks and victims.
  @Test(arguments: [
    ("formats/pd-a-g.data", "formats/ps-a-g-default.txt"),
    ("formats/td-a-v7-stack.dat", "formats/tcr-a-stack.txt.gz"),
  ])
  func formsOfOneCaptureAgree(_ one: String, _ other: String) throws {
    let a = try who(["--kallsyms", Self.kallsyms, one])
    let b = try who([other])
    for way in ["cause", "task"] {
      func lines(_ report: JSON) -> [String] {
        report["culprits"][way]["groups"].elements.map {
          "\($0["name"]) \($0["shootdowns"]) \($0["interrupts"]) \($0["cpus_hit"])"
        }
      }
      #expect(lines(a) == lines(b))
      #expect(!lines(a).isEmpty)
    }
    #expect(a["victims"]["tasks"] == b["victims"]["tasks"] || one.hasPrefix("formats/pd"))
    #expect(a["matrix"] == b["matrix"])
    #expect(a["evidence"] == b["evidence"])
    // The rules know every path: not a twentieth, and here nothing at all, is left.
    #expect(a["agreement"]["unexplained"].integer == 0)
    #expect((a["agreement"]["total"].integer ?? 0) > 20)
    func kernelPaths(_ report: JSON) -> [JSON] {
      report["culprits"]["kernel-path"]["groups"].elements.map { $0["functions"] }
    }
    #expect(kernelPaths(a) == kernelPaths(b))
  }

  @Test func programsAreNamedFromTheirBinaries() throws {
    let root = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    let folder = root.appending(path: "usr/bin")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: root) }
    try FileManager.default.copyItem(
      atPath: Fixture.path("symbols/fx"), toPath: folder.appending(path: "fx").path)
    let run = try Tool.run([
      "who", "--kallsyms", Self.kallsyms, "--symfs", root.path, "formats/pd-a-g.data",
    ])
    #expect(run.exitCode == 0)
    #expect(run.output.contains("libc.so.6+0x101a37 < main"))
    #expect(!run.output.contains("fx+0x"))
  }

  @Test func anotherKernelsSymbolsAreRefusedUnlessForced() throws {
    // Same file, another id in its note: the id's bytes are there once.
    var bytes = try Data(contentsOf: URL(filePath: Fixture.path("symbols/vmlinux-a.symtab.elf")))
    let id = Data([0x7f, 0x76, 0xf3, 0x9f, 0xaf, 0x07, 0xf3, 0x4c])
    let place = try #require(bytes.range(of: id))
    bytes[place.lowerBound] = 0
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try bytes.write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let arguments = ["who", "--vmlinux", file.path, "formats/pd-a-g.data"]
    let refused = try Tool.run(arguments)
    #expect(refused.exitCode == 3 && refused.errors.contains("build id"))
    #expect(refused.output.isEmpty)
    let forced = try Tool.run(arguments + ["--force"])
    #expect(forced.exitCode == 0 && forced.output.contains("do_madvise"))
    let right = try Tool.run([
      "who", "--vmlinux", Fixture.path("symbols/vmlinux-a.symtab.elf"), "formats/pd-a-g.data",
    ])
    #expect(right.exitCode == 0 && right.output.contains("do_madvise"))
  }

  @Test func isolatedCPUsAreNamed() throws {
    let report = try who(["--isolated", "2-3", "captures/ft-4cpu-churn"])
    let cpus = report["victims"]["cpus"].elements
    #expect(cpus.map { $0["isolated"] } == [.bool(false), .bool(false), .bool(true), .bool(true)])
    let text = try Tool.run(["who", "--isolated", "2-3", "captures/ft-4cpu-churn"]).output
    let words = text.split { $0 == " " || $0 == "\n" }.joined(separator: " ")
    #expect(words.contains("isolated (--isolated): 2 CPUs, 216 interrupts"))
  }

  @Test(arguments: [
    ["--top", "0"], ["--by", "colour"], ["--isolated", "3-1"], ["--isolated", "x"],
    ["--policy", "mystery"], ["--cost", "receive"],
  ])
  func wrongUsageIsSaid(_ arguments: [String]) throws {
    let run = try Tool.run(["who"] + arguments + ["captures/ft-4cpu-churn"])
    #expect(run.exitCode == 2 && run.output.isEmpty && !run.errors.isEmpty)
  }

  @Test(arguments: [
    ["--kallsyms", "symbols/fx"], ["--kallsyms", "nowhere"], ["--vmlinux", "nowhere"],
    ["--vmlinux", "symbols/kallsyms-a.part.txt.gz"],
  ])
  func uselessSymbolFilesAreSaid(_ arguments: [String]) throws {
    let run = try Tool.run(["who"] + arguments + ["formats/pd-a-g.data"])
    #expect(run.exitCode == 3 && run.output.isEmpty && run.errors.contains(arguments[1]))
  }

  @Test func traceWithoutChainsSaysThatCausesComeFromEvents() throws {
    let output = try Tool.run(["who", "captures/ft-4cpu-churn"]).output
    #expect(output.contains("no call chains"))
    #expect(!output.contains("call path [derived]"))
  }
}
