import Foundation
import Testing
import TraceBuilding

/// `sweep`: a point is a plain replay, and figures move the way their parameters say.
@Suite struct SweepCommandTests {
  private static let small = "luf-pairs/small-4/0.1"
  private static let burst = "luf-pairs/burst-16/0.1"

  private func sweep(_ input: String, _ axes: [String]) throws -> [JSON] {
    let run = try Tool.run(["sweep", "--json", input] + axes.flatMap { ["--vary", $0] })
    #expect(run.exitCode == 0, "\(run.errors)")
    let document = try run.json()
    #expect(document["schema"].text == "tlbreplay.sweep/1")
    return document["points"].elements
  }

  private func figures(_ points: [JSON], _ name: String) -> [Int?] {
    points.map { $0["figures"][name]["value"].integer }
  }

  @Test(arguments: ["luf-v10", "batch-64", "latr", "luf-v12"])
  func onePointIsThePlainReport(_ policy: String) throws {
    let point = try #require(try sweep(Self.small, ["policy=\(policy)"]).first)["figures"]
    let report = try Tool.run(["report", "--json", "--policy", policy, Self.small]).json()
    let told = report["policies"].elements[1]
    #expect(point["tlb_row"]["value"] == told["tlb_row"]["total"])
    for key in ["lower", "upper", "per_cpu"] {
      #expect(point["tlb_row"][key] == told["tlb_row"][key], "\(key)")
    }
    #expect(point["tlb_flush"]["value"] == told["tlb_flush"]["total"])
    #expect(point["deferred"]["value"] == told["ledger"]["deferred"])
    #expect(point["forced_flushes"]["value"] == told["ledger"]["forced_flushes"])
    #expect(point["pending_frames_max"]["value"] == told["ledger"]["frames_pending_max"])
    #expect(point["safety_violations"]["value"] == told["safety"]["violations"])
  }

  /// Every session sees the same events, also where others with other parameters run beside it.
  @Test func pointsOfAGridDoNotKnowOfEachOther() throws {
    let grid = try sweep(Self.burst, ["policy=luf-v10,luf-v11", "flush-duration=0,20000"])
    var alone: [JSON] = []
    for policy in ["luf-v10", "luf-v11"] {
      for duration in ["0", "20000"] {
        alone += try sweep(Self.burst, ["policy=\(policy)", "flush-duration=\(duration)"])
      }
    }
    #expect(grid == alone)
    let report = try Tool.run([
      "report", "--json", "--policy", "luf-v11", "--flush-duration", "20000", Self.burst,
    ]).json()
    #expect(
      grid[3]["figures"]["tlb_row"]["value"] == report["policies"].elements[1]["tlb_row"]["total"])
  }

  /// Larger batches never flush more often, and a batch of one is no batch.
  @Test func batchesAreMonotonic() throws {
    let points = try sweep(Self.small, ["batch=1..1024:x4"])
    let rows = figures(points, "tlb_row").compactMap(\.self)
    #expect(rows == rows.sorted(by: >))
    let unbatched = try sweep(Self.small, ["policy=unbatched"])
    #expect(figures(points, "tlb_row")[0] == figures(unbatched, "tlb_row")[0])
  }

  @Test func boundsHoldEveryPointAndItsIdeal() throws {
    let points = try sweep(
      Self.small, ["policy=luf-v10,luf-v11,luf-v12r", "flush-duration=0..8000:4000"])
    for point in points {
      let row = point["figures"]["tlb_row"]
      let value = try #require(row["value"].integer)
      #expect(try #require(row["lower"].integer) <= value)
      #expect(try #require(row["upper"].integer) >= value)
    }
    let recorded = try sweep(Self.small, ["policy=recorded"])[0]["figures"]["tlb_row"]
    #expect(recorded["lower"] == recorded["value"] && recorded["upper"] == recorded["value"])
  }

  /// A narrower generation tells fewer flushes apart, and changes nothing else.
  @Test func generationsWrapSoonerTheNarrowerTheyAre() throws {
    let points = try sweep(Self.small, ["generation-bits=2..16:2"])
    let wraps = figures(points, "wraps").compactMap(\.self)
    #expect(wraps.count == points.count && wraps == wraps.sorted(by: >))
    #expect(try #require(wraps.first) > 0 && wraps.last == 0)
    #expect(Set(figures(points, "tlb_row")).count == 1)
  }

  /// Every flush is full or ranged, and a lower ceiling makes more of them full.
  @Test func ceilingsSortTheSameFlushesAnew() throws {
    let points = try sweep("captures/ft-4cpu-churn", ["ceiling=0..33:1"])
    let full = figures(points, "full_flushes").compactMap(\.self)
    let ranged = figures(points, "ranged_flushes").compactMap(\.self)
    #expect(full == full.sorted(by: >) && full[0] > full[33])
    #expect(Set(zip(full, ranged).map { $0 + $1 }).count == 1)
    #expect(ranged[0] == 0)
    // All of the trace: the recorded kernel's ceiling is the default.
    let stat = try Tool.stat("captures/ft-4cpu-churn")["tlb_flush"]["by_reason"].members
    func total(_ key: String) -> Int {
      stat.filter { $0.key != "4" }.values.reduce(0) { $0 + ($1[key].integer ?? 0) }
    }
    #expect(full[33] == total("full") && ranged[33] == total("range"))
  }

  @Test(arguments: [small, burst])
  func foldingOntoAllCPUsIsTheRecordedRun(_ input: String) throws {
    let cpus = try #require(try Tool.stat(input)["input"]["cpus"].integer)
    let points = try sweep(input, ["cpus=1..\(cpus):1"])
    let rows = figures(points, "tlb_row").compactMap(\.self)
    #expect(rows.first == 0)
    #expect(rows.last == rows.max())
    let recorded = try sweep(input, ["policy=recorded"])[0]["figures"]["tlb_row"]
    // A request at the end of the window may be answered behind it.
    #expect(abs(try #require(rows.last) - (recorded["value"].integer ?? 0)) <= 2)
    // Halving folds two CPUs onto one, so no shootdown interrupts more CPUs than before.
    if cpus % 2 == 0 { #expect(rows[cpus / 2 - 1] <= rows[cpus - 1]) }
  }

  @Test func machinesAndCostsAreLookedAtAfterTheReplay() throws {
    let points = try sweep(
      Self.burst, ["machine=sapphire-rapids,zen-4", "cost.receive=700..2100:700"])
    #expect(points.count == 6)
    #expect(Set(figures(points, "tlb_row")).count == 1)
    let times = points.map { point -> Double in
      if case .number(let value) = point["figures"]["time_ms"]["value"] { return value }
      return Double(point["figures"]["time_ms"]["value"].integer ?? -1)
    }
    #expect(times[0] < times[1] && times[1] < times[2])
    #expect(Array(times[..<3]) == Array(times[3...]))
    let refills = figures(points, "refills_max").compactMap(\.self)
    #expect(refills[0] != refills[3] && refills[0] == refills[1])
  }

  @Test(arguments: [
    ("dram=50", "modelled machine"), ("seed=1", "no seed"), ("scale=2", "sweep SCENARIO.toml"),
    ("cpus=5", "says nothing of more"),
  ])
  func whatATraceCannotAnswerIsRefusedWithTheReason(_ axis: String, _ words: String) throws {
    let run = try Tool.run(["sweep", Self.small, "--vary", axis])
    #expect(run.exitCode == 2 && run.output.isEmpty)
    #expect(run.errors.contains(words), "\(run.errors)")
  }

  @Test(arguments: [
    [], ["--vary", "batch=1", "--vary", "batch=2"], ["--vary", "batch=1", "--vary", "policy=latr"],
    ["--vary", "cpus=1", "--vary", "policy=latr"], ["--vary", "policy=luf-v99"],
    ["--vary", "ceiling=1", "--vary", "batch=2"], ["--vary", "machine=abacus"],
  ])
  func wrongUsageIsTwo(_ arguments: [String]) throws {
    let run = try Tool.run(["sweep", Self.burst] + arguments)
    #expect(run.exitCode == 2, "\(run.errors)")
  }

  @Test func aTraceWithoutReceiversCannotBeFolded() throws {
    let run = try Tool.run(["sweep", "formats/ft-b-one-default.txt", "--vary", "cpus=2"])
    #expect(run.exitCode == 3)
    #expect(run.errors.contains("csd_queue_cpu"))
  }

  // MARK: Scenarios

  private static let scenario = """
    name = "tiny"

    [machine]
    cpus = 4

    [[machine.node]]
    mb = 16
    cpus = [0, 4]
    demotes_to = 1

    [[machine.node]]
    mb = 16

    [[file]]
    name = "table"
    mb = 40

    [[process]]
    name = "reader"
    threads = 4

    [[process.mapping]]
    file = "table"
    shared = true

    [[process.phase]]
    pattern = "slices"
    """

  @Test func scenariosVaryWhatTracesCannot() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).toml")
    defer { try? FileManager.default.removeItem(at: file) }
    try Self.scenario.write(to: file, atomically: true, encoding: .utf8)
    let points = try sweep(
      file.path, ["policy=recorded,luf-v10", "dram=75..125:25", "cpus=2,4,8"])
    #expect(points.count == 18)
    for point in points {
      let cpus = point["parameters"]["cpus"].integer
      #expect(point["extrapolated"] == .bool(cpus == 8))
      #expect(point["figures"]["tlb_row"]["per_cpu"].elements.count == cpus)
    }
    // More memory, less reclaim: with the scenario's own CPUs, without a policy.
    let own = points.filter {
      $0["parameters"]["cpus"].integer == 4 && $0["parameters"]["policy"].text == "recorded"
    }
    let reclaimed = figures(own, "reclaimed").compactMap(\.self)
    #expect(reclaimed == reclaimed.sorted(by: >) && reclaimed[0] > reclaimed[2])
    // The scenario as it stands is what synth runs.
    let trace = file.path + ".dat"
    defer { try? FileManager.default.removeItem(atPath: trace) }
    let synth = try Tool.run(["synth", "--json", file.path, "-o", trace]).json()
    let plain = try #require(own.first { $0["parameters"]["dram"].integer == 100 })["figures"]
    #expect(plain["tlb_row"]["value"] == synth["tlb_row"]["total"])
    #expect(plain["reclaimed"]["value"] == synth["reclaimed"])
    for (axis, words) in [
      ("ceiling=1", "sweep its trace"), ("dram=1", "less than a MiB"), ("cpus=65", "at most 64"),
      ("machine=zen-4", "itself"),
    ] {
      let run = try Tool.run(["sweep", file.path, "--vary", axis])
      #expect(run.exitCode == 2)
      #expect(run.errors.contains(words), "\(run.errors)")
    }
  }
}
