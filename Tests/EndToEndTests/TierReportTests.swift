import Foundation
import Testing
import TraceBuilding

/// Memory tiers and time of real captures: the kernel's own counters say what is right.
@Suite struct TierReportTests {
  static let captures =
    CaptureTests.captures
    + Fixture.directories("luf-pairs").flatMap { directory in
      ["burst-16", "small-4", "tier-8", "mixed-8", "direct-16"].map {
        directory.appending(path: "\($0)/0.1").path
      }.filter { FileManager.default.fileExists(atPath: $0) }
    }

  private func report(_ path: String, _ arguments: [String] = []) throws -> JSON {
    let run = try Tool.run(["report", "--json", path] + arguments)
    guard run.exitCode == 0 else { throw Tool.Failure(run: run) }
    return try run.json()
  }

  /// Pages that may come and go between a snapshot and the window's edge next to it.
  private static let edge = 100

  /// Frees less allocations of each node are what its free pages gained, within what the kernel's own
  /// counters lag.
  @Test(arguments: captures) func freePagesAgree(_ path: String) throws {
    let tiers = try report(path)["tiers"]
    let nodes = tiers["nodes"].elements.filter { !$0["node"].isNull }
    guard nodes.contains(where: { $0["allocated"].integer ?? 0 > 0 }) else { return }
    let events = nodes.reduce(0) { $0 + ($1["allocated"].integer ?? 0) }
    let contradictions = try #require(tiers["contradictions"].integer)
    #expect(contradictions * 1000 <= events)
    for node in nodes {
      let difference = try #require(node["free_change"]["difference"].integer)
      let lag = try #require(node["free_change"]["lag"].integer)
      #expect(abs(difference) <= lag + Self.edge, "node \(node["node"].integer ?? -1)")
      let use = node["in_use"]
      let levels = ["least", "before", "most"].compactMap { use[$0].integer }
      #expect(levels == levels.sorted())
      let after = try #require(use["after"].integer)
      #expect((levels[0]...levels[2]).contains(after))
      let known = node["known"]
      let used = try #require(known["used_before"].integer)
      let unknown = try #require(known["not_named"].integer)
      let slack = lag + Self.edge
      // What is known to be in use is a lower bound, with what is not named an upper one.
      #expect(used - slack <= levels[1] && levels[1] <= used + unknown + slack)
    }
  }

  /// One call is a batch of at most 64 pages here: what the counters have more is one under way at
  /// each edge of the window.
  @Test(arguments: captures) func migrationsAgreeWithVMStat(_ path: String) throws {
    for counter in try report(path)["tiers"]["agreement"].elements {
      let difference = try #require(counter["difference"].integer)
      let lag = try #require(counter["lag"].integer)
      #expect(abs(difference) <= lag + 66, "\(counter["counter"].text ?? "")")
    }
  }

  @Test(arguments: captures) func rolesAreThoseOfTheGuest(_ path: String) throws {
    let nodes = try report(path)["tiers"]["nodes"].elements
    let roles = nodes.filter { !$0["node"].isNull }.compactMap { $0["tier"].text }
    guard !roles.isEmpty else { return }
    #expect(roles == (roles.count == 1 ? ["only"] : ["top", "lower"]))
  }

  @Test func withoutSnapshotsNodesAreNotObservable() throws {
    let trace = Fixture.path("captures/ft-4cpu-anon-move/trace.txt.zst")
    let tiers = try report(trace)["tiers"]
    #expect(tiers["nodes"].elements.allSatisfy { $0["node"].isNull && $0["managed"].isNull })
    #expect(tiers["flows"].elements.isEmpty)
    #expect(tiers["migrations"].elements.compactMap { $0["unplaced"].integer } == [1349, 611])
    let text = try Tool.run(["report", trace]).output
    #expect(text.contains("not observable in this trace: put copies of"))
  }

  @Test func timeIsARangeThatCostsMove() throws {
    let path = "luf-pairs/small-4/0.1"
    let time = try report(path, ["--cost", "send_base=1000", "--cost", "receive=1000..3000"])[
      "time"]
    let recorded = time["policies"].elements[0]
    let interrupts = try #require(recorded["interrupts"].integer)
    #expect(recorded["receivers"]["lower"].integer == interrupts * 1000)
    #expect(recorded["receivers"]["expected"].integer == interrupts * 2000)
    #expect(recorded["receivers"]["upper"].integer == interrupts * 3000)
    #expect(recorded["refills"].isNull)
    let origins = time["parameters"].elements.compactMap { $0["origin"].text }
    #expect(origins == ["user", "default", "user", "default", "default", "default"])
    let luf = time["policies"].elements[1]
    #expect(luf["name"].text == "luf-v10")
    let names = luf["sensitivity"].elements.compactMap { $0["parameter"].text }
    #expect(names.contains("receive") && names.contains("row") && !names.contains("send_base"))
    let fitted = try report(path)["time"]["parameters"].elements
    #expect(fitted[0]["origin"].text == "trace")
  }

  @Test(arguments: ["receive", "receive=x", "nothing=1", "walk=5..1"])
  func badCostsAreUsageErrors(_ cost: String) throws {
    let run = try Tool.run(["report", "--cost", cost, "luf-pairs/small-4/0.1"])
    #expect(run.exitCode == 2)
    #expect(run.errors.contains("--cost"))
    #expect(run.output.isEmpty)
  }
}
