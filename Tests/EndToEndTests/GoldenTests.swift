import Foundation
import Testing
import TraceBuilding

/// Whole reports, byte by byte. `UPDATE_GOLDEN=1 swift test` rewrites them: review the difference.
@Suite struct GoldenTests {
  static let reports = [
    ("info-tc-4cpu-churn-v6", ["info", "captures/tc-4cpu-churn-v6"]),
    ("stat-tc-4cpu-churn-v6", ["stat", "captures/tc-4cpu-churn-v6"]),
    ("stat-tc-4cpu-churn-v6.json", ["stat", "--json", "captures/tc-4cpu-churn-v6"]),
    ("stat-perf-4cpu-anon-g", ["stat", "captures/perf-4cpu-anon-g"]),
    ("stat-ft-8cpu-churn", ["stat", "captures/ft-8cpu-churn"]),
    ("stat-2inst", ["stat", "formats/td-a-v7-2inst.dat"]),
    ("stat-6.1-kernel", ["stat", "formats/td-b-one-v7-zstd.dat"]),
    ("stat-damaged", ["stat", "formats/td-a-DAMAGED-truncated-v7-zstd.dat"]),
    ("info-nocontext", ["info", "formats/ft-a-one-nocontext.txt.gz"]),
    ("report-burst-16", ["report", "--bounds", "luf-pairs/burst-16/0.1"]),
    ("report-burst-16.json", ["report", "--json", "luf-pairs/burst-16/0.1"]),
    ("report-small-4", ["report", "luf-pairs/small-4/0.1"]),
    ("report-ft-4cpu-anon-move", ["report", "captures/ft-4cpu-anon-move"]),
    ("compare-letter", ["compare", "letter/letter-data.json"]),
    ("compare-letter.json", ["compare", "--json", "letter/letter-data.json"]),
    (
      "compare-small-4",
      [
        "compare", "luf-pairs/small-4/0.1", "--after", "luf-pairs/small-4/v10.1",
      ]
    ),
    ("compare-letter-ministat", ["compare", "--style", "ministat", "letter/letter-data.json"]),
    ("compare-letter-benchstat", ["compare", "--style", "benchstat", "letter/letter-data.json"]),
    ("compare-letter-lkp", ["compare", "--style", "lkp", "letter/letter-data.json"]),
    ("compare-letter-mmtests", ["compare", "--style", "mmtests", "letter/letter-data.json"]),
    (
      "compare-small-4-perf-stat",
      [
        "compare", "--style", "perf-stat", "luf-pairs/small-4/0.1", "--after",
        "luf-pairs/small-4/v10.1",
      ]
    ),
    ("markdown-small-4", ["report", "--format", "markdown", "luf-pairs/small-4/0.1"]),
    ("csv-stat-tc-4cpu-churn-v6", ["stat", "--format", "csv", "captures/tc-4cpu-churn-v6"]),
    ("cover-letter", ["compare", "--format", "cover", "letter/letter-data.json"]),
    ("cover-small-4", ["report", "--format", "cover", "luf-pairs/small-4/0.1"]),
    (
      "cover-compare-small-4",
      [
        "compare", "--format", "cover", "luf-pairs/small-4/0.1", "--after",
        "luf-pairs/small-4/v10.1",
      ]
    ),
    (
      "explain-small-4",
      ["report", "--explain", "policies.luf-v10.tlb_row", "luf-pairs/small-4/0.1"]
    ),
    (
      "who-perf-4cpu-anon-g",
      ["who", "--kallsyms", "symbols/kallsyms-a.part.txt.gz", "captures/perf-4cpu-anon-g"]
    ),
    ("who-ft-4cpu-churn", ["who", "captures/ft-4cpu-churn"]),
    ("who-burst-16", ["who", "luf-pairs/burst-16/0.1"]),
    (
      "sweep-small-4",
      [
        "sweep", "luf-pairs/small-4/0.1", "--vary", "policy=luf-v10,luf-v11", "--vary",
        "flush-duration=0,4000,8000",
      ]
    ),
    (
      "check-small-4",
      ["check", "luf-pairs/small-4/0.1", "--baseline", "baselines/small-4.baseline.json"]
    ),
    ("policies", ["policies"]),
    ("machines", ["machines"]),
    ("machines.json", ["machines", "--json"]),
    ("machines-sapphire-rapids", ["machines", "sapphire-rapids"]),
    ("machines-zen-4", ["machines", "zen-4"]),
    ("machines-half-stlb.json", ["machines", "--json", "machines/half-stlb.toml"]),
  ]

  @Test(arguments: reports)
  func reportIsAsReviewed(_ name: String, _ arguments: [String]) throws {
    let run = try Tool.run(arguments)
    #expect(run.exitCode == 0, "\(run.errors)")
    #expect(run.errors.isEmpty)
    let file = Fixture.traces.appending(
      path: "golden/\(name)\(name.hasSuffix(".json") ? "" : ".txt")")
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try run.output.write(to: file, atomically: true, encoding: .utf8)
    }
    let golden = try String(contentsOf: file, encoding: .utf8)
    #expect(run.output == golden, "\(firstDifference(run.output, golden))")
  }

  /// 80 columns, but for the rows that have the kernel's layout, and other tools' layouts.
  @Test(
    arguments: reports.filter {
      !$0.0.hasSuffix(".json") && !$0.1.contains("--style") && !$0.1.contains("--format")
    })
  func proseFitsATerminal(_ name: String, _ arguments: [String]) throws {
    for line in try Tool.run(arguments).output.split(separator: "\n") {
      let isKernelRow =
        line.hasPrefix("TLB:") || line.trimmingCharacters(in: .whitespaces).hasPrefix("CPU0")
      #expect(line.count <= 80 || isKernelRow, "\(line)")
    }
  }

  private func firstDifference(_ got: String, _ want: String) -> String {
    let pairs = zip(got.split(separator: "\n"), want.split(separator: "\n"))
    guard let pair = pairs.first(where: { $0 != $1 }) else { return "one is longer" }
    return "got  \(pair.0)\nwant \(pair.1)"
  }
}
