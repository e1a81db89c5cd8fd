import Foundation
import Testing
import TraceBuilding

@testable import Reporting

/// `--explain`: every number of every report has an explanation, and every explanation a number.
@Suite struct ExplainTests {
  /// Reports that between them have every kind of number: all policies, snapshots, a profile, damage,
  /// other buffers, ticks, comparisons.
  static let reports: [[String]] = [
    ["report", "--profile", "profiles/matvec.profile"]
      + [
        "unbatched", "batch-4", "migrc-v3", "migrc-v8", "migrc-v9", "luf-v10", "luf-v10-as-posted",
        "luf-v11", "luf-v12", "luf-v12r", "luf-ideal", "invlpgb", "no-inaccessible-skip", "fpr",
        "latr", "latr-hz-100",
      ].flatMap { ["--policy", $0] } + ["luf-pairs/small-4/0.1"],
    ["report", "--measured-walks", "1000000,2000000,3000", "luf-pairs/burst-16/0.1"],
    ["report", "captures/perf-4cpu-anon-g"], ["report", "captures/ft-8cpu-churn"],
    ["stat", "captures/tc-4cpu-churn-v6"], ["stat", "formats/td-a-v7-2inst.dat"],
    ["stat", "formats/td-a-DAMAGED-truncated-v7-zstd.dat"],
    ["compare", "letter/letter-data.json"],
    ["compare", "luf-pairs/small-4/0.1", "--after", "luf-pairs/small-4/v10.1"],
  ]

  private func document(_ arguments: [String]) throws -> JSONValue {
    let run = try Tool.run(arguments + ["--json"])
    guard run.exitCode == 0 else { throw Tool.Failure(run: run) }
    return try JSONDecoder().decode(JSONValue.self, from: Data(run.output.utf8))
  }

  @Test func everyNumberIsExplainedAndNothingElse() throws {
    var used: Set<String> = []
    for arguments in Self.reports {
      var missing: Set<String> = []
      for figure in ExplainReport.figures(try document(arguments)) where figure.metric.isNumber {
        let found = Explanations.explanation(of: figure.metric.path)
        if let found {
          let whole = Explanations.withoutCase(figure.metric.path)
          used.formUnion(
            found.paths.filter {
              Explanation($0.joined(separator: "."), unit: "", "").explains(whole)
            }
            .map { $0.joined(separator: ".") })
        } else {
          missing.insert(figure.metric.name)
        }
      }
      #expect(missing.isEmpty, "\(arguments.prefix(1)): \(missing.sorted())")
    }
    let all = Set(Explanations.all.flatMap(\.paths).map { $0.joined(separator: ".") })
    // Times in ticks and rules that are broken: no small trace has them.
    let unseen = all.subtracting(used).sorted()
    #expect(unseen == ["input.{first_ticks,last_ticks}"], "\(unseen)")
  }

  @Test func whatItSaysHoldsForThisTrace() throws {
    let run = try Tool.run([
      "report", "--explain", "policies.luf-v10.tlb_row.total", "luf-pairs/small-4/0.1",
    ])
    #expect(run.exitCode == 0, "\(run.errors)")
    for part in [
      "907 interrupts [modelled]", "tlb:tlb_flush 7,320, in the window 7,319", "flush_tlb_func",
      "TB_BEGIN to TB_END", "lower 239, upper 5,129", "cancel_wp_fault = any",
      "all_possible_at_once 844", "--flush-duration",
    ] {
      #expect(run.output.replacing(/\s+/, with: " ").contains(part), "\(part)")
    }
    let given = try Tool.run([
      "report", "--explain", "tlb_row.total", "--flush-duration", "5000", "--json",
      "luf-pairs/small-4/0.1",
    ])
    let metrics = try given.json()["metrics"].elements
    let shown = metrics.filter { $0["path"].text == "policies.luf-v10.tlb_row.total" }
    #expect(shown.count == 1)
    #expect(given.output.contains("5 us (--flush-duration)"), "\(shown)")
  }

  /// What is not there has an explanation too, with the reason where there is one.
  @Test func whatIsNullSaysWhy() throws {
    let run = try Tool.run(["report", "--explain", "tlb_misses.dtlb_load", "luf-pairs/small-4/0.1"])
    #expect(run.exitCode == 0, "\(run.errors)")
    let text = run.output.replacing(/\s+/, with: " ")
    #expect(text.contains("null: no event of this trace shows memory accesses"), "\(text)")
    #expect(text.contains("tlbreplay profile"))
    let open = try Tool.run([
      "report", "--explain", "recorded.tlb_row.upper", "formats/td-b-one-v7-zstd.dat",
    ])
    #expect(open.exitCode == 0 && open.output.contains("null:"), "\(open.output)\(open.errors)")
  }

  @Test func listNamesEveryNumber() throws {
    let list = try Tool.run(["stat", "--explain", "list", "--json", "luf-pairs/small-4/0.1"])
    let names = try list.json()["metrics"].elements.compactMap { $0["path"].text }
    #expect(names.contains("tlb_row.residual.total") && Set(names).count == names.count)
    #expect(names.contains("events.tlb:tlb_flush.total"))
  }

  @Test func whatIsNotThereIsUsage() throws {
    let run = try Tool.run(["stat", "--explain", "ledger", "luf-pairs/small-4/0.1"])
    #expect(run.exitCode == 2)
    #expect(run.errors.contains("no number \"ledger\""))
    #expect(run.output.isEmpty)
  }
}
