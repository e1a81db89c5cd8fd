import Foundation
import Testing
import TraceBuilding

/// What scripts read from `report`, and its exit codes.
@Suite struct ReportTests {
  static let pairs = ["luf-pairs/burst-16/0.1", "luf-pairs/small-4/0.1"]

  private func report(_ path: String, _ arguments: [String]) throws -> JSON {
    let run = try Tool.run(["report", "--json", path] + arguments)
    guard run.exitCode == 0 else { throw Tool.Failure(run: run) }
    return try run.json()
  }

  private func options(_ policies: [String]) -> [String] { policies.flatMap { ["--policy", $0] } }

  @Test(arguments: pairs)
  func aForbiddenViolationIsOne(_ path: String) throws {
    let good = try Tool.run(["report", "--forbid-violations", path])
    #expect(good.exitCode == 0, "\(good.errors)")
    #expect(good.errors.isEmpty)
    let arguments = ["report", path] + options(["luf-v10", "luf-v10-as-posted"])
    let bad = try Tool.run(arguments + ["--forbid-violations"])
    #expect(bad.exitCode == 1)
    for part in ["luf-v10-as-posted", "I1", "event "] {
      #expect(bad.errors.contains(part), "\(bad.errors)")
    }
    // The report is whole, and the same as without the gate.
    #expect(try bad.output == Tool.run(arguments).output)
  }

  /// A gate that cannot look does not say that all is well.
  @Test func safetyThatIsNotObservableIsThree() throws {
    let path = "formats/td-a-v6.dat"
    #expect(try report(path, [])["policies"].elements[1]["safety"].isNull)
    let run = try Tool.run(["report", "--forbid-violations", path])
    #expect(run.exitCode == 3)
    #expect(run.errors.contains("luf-v10"))
    #expect(run.errors.contains("not observable"))
  }

  @Test func policiesKeepTheirOrder() throws {
    let wanted = ["luf-ideal", "batch-64", "luf-v11", "unbatched"]
    let names = try report(Self.pairs[0], options(wanted))["policies"].elements
      .compactMap { $0["name"].text }
    #expect(names == ["recorded"] + wanted)
  }

  @Test(arguments: pairs)
  func theBooksBalance(_ path: String) throws {
    let policies = [
      "unbatched", "batch-64", "luf-v10", "luf-v10-as-posted", "luf-v11", "luf-ideal",
    ]
    let document = try report(path, options(policies))
    for policy in document["policies"].elements {
      let ledger = policy["ledger"]
      let fates = [
        "absorbed", "forced_by_allocation", "forced_by_permission", "forced_by_file_write",
        "forced_by_pressure", "pending",
      ].compactMap { ledger[$0].integer }
      #expect(fates.count == 6)
      #expect(fates.reduce(0, +) == ledger["deferred"].integer)
      let causes = ledger["forced_flushes_by_cause"].members.values.compactMap(\.integer)
      #expect(causes.reduce(0, +) == ledger["forced_flushes"].integer)
      let row = policy["tlb_row"]
      #expect(row["per_cpu"].counts?.reduce(0, +) == row["total"].integer)
      guard policy["name"].text != "recorded" else { continue }
      let payers = policy["payers"].members.values
      let paid = payers.compactMap { $0["flushes"].integer }.reduce(0, +)
      #expect(paid == ledger["forced_flushes"].integer)
      let series = policy["pending_frames"]["series"].elements.compactMap(\.integer)
      #expect(series.max() ?? 0 == policy["pending_frames"]["max"].integer)
      let ages = ["p50", "p90", "p99", "longest"].compactMap { policy["ages"][$0].integer }
      #expect(ages == ages.sorted())
    }
  }

  /// No event is lost between the reader and the operations.
  @Test(arguments: pairs + ["captures/ft-4cpu-anon-move"])
  func everyEventIsAccountedFor(_ path: String) throws {
    let accounts = try report(path, [])["reconstruction"]["events"]
    func sum(_ name: String) -> Int {
      accounts[name].members.values.compactMap(\.integer).reduce(0, +)
    }
    let unknown = try #require(accounts["unknown"].integer)
    let all = try Tool.stat(path)["events"].members.values
      .compactMap { $0["total"].integer }.reduce(0, +)
    #expect(sum("explained") + sum("unexplained") + sum("unused") + unknown == all)
    #expect(sum("explained_by_operation") == sum("explained"))
    #expect(sum("explained") > all / 2)
  }

  @Test func everyPolicyOfTheCatalogueFitsATerminal() throws {
    let catalogue = try Tool.run(["policies", "--json"]).json()["policies"].elements
    let names = catalogue.compactMap { $0["name"].text }
      .map { $0.replacingOccurrences(of: "-N", with: "-64") }
    let run = try Tool.run(["report", "--bounds", Self.pairs[1]] + options(names))
    #expect(run.exitCode == 0, "\(run.errors)")
    for line in run.output.split(separator: "\n") {
      #expect(line.count <= 80, "\(line)")
    }
    for name in names { #expect(run.output.contains("\n\(name) "), "\(name)") }
  }
}
