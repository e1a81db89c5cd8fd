import Foundation
import Testing
import TraceBuilding

/// Filters that share nothing and together leave nothing out split every count.
@Suite struct FilterTests {
  static let traces = [
    "td-a-one-v7-zstd.dat", "td-b-one-v6.dat", "pd-a-one.data", "pd-b-one.data", "pd-a-pipe.data",
    "ft-a-one-default.txt", "ft-a-one-tgid.txt.gz", "tcr-a-one-t.txt.gz", "ps-a-one-ns.txt.gz",
    "td-a-v7-clock-x86-tsc.dat",
  ].map { "formats/\($0)" }

  /// Sums of what adds up; what is null anywhere adds nothing.
  private func sum(_ documents: [JSON], _ paths: [[String]]) -> [String: Int] {
    var sums: [String: Int] = [:]
    for document in documents {
      for path in paths {
        let found = path.reduce(document) { $0[$1] }
        if let value = found.integer { sums[path.joined(separator: "/"), default: 0] += value }
        for (index, element) in found.elements.enumerated() {
          if let value = element.integer {
            sums[path.joined(separator: "/") + "/\(index)", default: 0] += value
          }
        }
      }
    }
    return sums.filter { $0.value != 0 }
  }

  private func statPaths(_ document: JSON) -> [[String]] {
    var paths = [["tlb_row", "derived", "per_cpu"], ["tlb_row", "derived", "total"]]
    for event in document["events"].members.keys {
      paths += [["events", event, "total"], ["events", event, "per_cpu"]]
    }
    for reason in document["tlb_flush"]["by_reason"].members.keys {
      paths += ["total", "full", "none", "range", "per_cpu"].map {
        ["tlb_flush", "by_reason", reason, $0]
      }
    }
    return paths
      + document["page_alloc"]["by_order"].members.keys.map { ["page_alloc", "by_order", $0] }
  }

  private func partitions(_ path: String) throws -> [[[String]]] {
    let rows = try Tool.run(["convert", path, "--to", "ndjson", "-o", "-"]).output
      .split(separator: "\n").map { try JSON(parsing: String($0)) }
    let threads = Set(rows.compactMap { $0["pid"].integer }).sorted()
    let processes = Set(rows.compactMap { $0["tgid"].integer ?? $0["pid"].integer }).sorted()
    let names = Set(rows.compactMap { $0["comm"].text }).sorted()
    #expect(threads.count > 3 && names.count > 3)
    func list(_ numbers: ArraySlice<Int>) -> String {
      numbers.map { "\($0)" }.joined(separator: ",")
    }
    func halves(_ option: String, _ numbers: [Int]) -> [[String]] {
      let half = numbers.count / 2
      return [numbers[..<half], numbers[half...]].map { ["\(option)=\(list($0))"] }
    }
    let half = names.count / 2
    return [
      (0..<8).map { ["--cpu", "\($0)"] },
      [["--time", "0%-37%"], ["--time", "37%-52%"], ["--time", "52%-100%"]],
      [["--event", "tlb:*"], ["--event", "csd:*,ipi:*"], ["--event", "!tlb:*,!csd:*,!ipi:*"]],
      halves("--tid", threads), halves("--pid", processes),
      [names[..<half], names[half...]].map { names in names.flatMap { ["--comm", $0] } },
    ]
  }

  @Test(arguments: traces)
  func statAddsUp(_ path: String) throws {
    let whole = try Tool.stat(path)
    let paths = statPaths(whole)
    let wanted = sum([whole], paths)
    #expect(wanted.count > 5)
    for filters in try partitions(path) {
      let parts = try filters.map { try Tool.stat(path, $0) }
      #expect(sum(parts, paths) == wanted, "\(path) \(filters.prefix(2))")
    }
  }

  static let policies = [
    "unbatched", "batch-8", "migrc-v3", "migrc-v9", "luf-v10", "luf-v12", "luf-ideal", "latr",
    "invlpgb", "fpr", "no-inaccessible-skip",
  ]

  /// The recorded run and every policy, on a trace with deferrals.
  @Test(arguments: ["formats/td-a-one-v7-zstd.dat", "luf-pairs/small-4/0.1"])
  func reportAddsUp(_ path: String) throws {
    let options = ["report", "--json", path] + Self.policies.flatMap { ["--policy", $0] }
    let whole = try Tool.run(options).json()
    let cuts = [
      (0..<8).map { ["--cpu", "\($0)"] },
      [["--time", "0%-50%"], ["--time", "50%-63%"], ["--time", "63%-100%"]],
    ]
    for filters in path.hasPrefix("formats") ? try partitions(path) : cuts {
      let parts = try filters.map { try Tool.run(options + $0).json() }
      let splitsDeferrals = !filters[0].contains("--event")
      for (index, policy) in whole["policies"].elements.enumerated() {
        var paths = [["tlb_row", "per_cpu"], ["tlb_row", "total"], ["tlb_flush", "total"]]
        for reason in policy["tlb_flush"]["by_reason"].members.keys {
          paths += [
            ["tlb_flush", "by_reason", reason, "total"],
            ["tlb_flush", "by_reason", reason, "per_cpu"],
          ]
        }
        if splitsDeferrals {
          paths += ["deferred", "refused", "forced_flushes"].map { ["ledger", $0] }
        }
        let found = sum(parts.map { $0["policies"].elements[index] }, paths)
        #expect(
          found == sum([policy], paths),
          "\(path) \(policy["name"].text ?? "") \(filters.prefix(2))")
      }
    }
  }

  /// A figure whose events are left out is not there, rather than 0.
  @Test func whatIsLeftOutIsNotShownAsZero() throws {
    let path = "formats/td-a-one-v7-zstd.dat"
    let flushes = try Tool.run(["report", "--json", path, "--event", "tlb:*"]).json()
    let row = try Tool.run(["report", "--json", path, "--event", "csd:*"]).json()
    for index in 0...1 {
      #expect(flushes["policies"].elements[index]["tlb_row"]["total"].isNull)
      #expect(flushes["policies"].elements[index]["tlb_flush"]["total"].integer ?? 0 > 0)
      #expect(row["policies"].elements[index]["tlb_flush"]["total"].isNull)
      #expect(row["policies"].elements[index]["tlb_row"]["total"].integer ?? 0 > 0)
    }
    let stat = try Tool.stat(path, ["--event", "tlb:*"])
    #expect(stat["tlb_row"]["derived"]["total"].isNull)
  }

  @Test func filtersAreSaidAndSnapshotsAreNotCompared() throws {
    let path = "luf-pairs/small-4/0.1"
    let filters = ["--cpu", "0-2", "--time", "10%-90%", "--comm", "k*,r*", "--event", "!kmem:*"]
    let stat = try Tool.stat(path, filters)
    #expect(stat["input"]["filters"]["cpu"].text == "0-2")
    #expect(stat["input"]["filters"]["event"].elements.compactMap(\.text) == ["!kmem:*"])
    #expect(stat["tlb_row"]["residual"]["total"].isNull)
    let text = try Tool.run(["stat", path] + filters).output
    #expect(text.contains("--cpu 0-2 --time 10%-90% --comm k*,r* --event !kmem:*"))
    #expect(try Tool.stat(path)["input"]["filters"].isNull)
    let report = try Tool.run(["report", "--json", path] + filters)
    #expect(try report.json()["tlb_row"].isNull)
    // Nothing passes: said, not only zeros.
    let none = try Tool.run(["stat", path, "--event", "nosuch:*"])
    #expect(none.exitCode == 0)
    #expect(none.output.contains("the trace has no such event"))
  }

  @Test func dialectsThatCannotServeAFilterSaySo() throws {
    let cases = [
      ("ps-a-one-eventonly.txt.gz", ["--comm", "fx"]), ("ps-a-one-nocpu.txt.gz", ["--cpu", "0"]),
      ("ps-a-one-deltatime.txt.gz", ["--time", "1,2"]),
      ("td-a-v7-clock-x86-tsc.dat", ["--time", "1.5,2.5"]),
    ]
    for (name, filter) in cases {
      let run = try Tool.run(["stat", "formats/\(name)"] + filter)
      #expect(run.exitCode == 3, "\(name)")
      #expect(run.errors.contains(filter[0]), "\(run.errors)")
    }
    for wrong in [["--cpu", "3-1"], ["--time", "5"], ["--pid", "x"], ["--comm", ","]] {
      #expect(try Tool.run(["stat", "formats/pd-a-one.data"] + wrong).exitCode == 2, "\(wrong)")
    }
  }
}
