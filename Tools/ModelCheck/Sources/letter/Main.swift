import Foundation
import ToolRuns

/// Runs the letter's scenario with and without LUF v10 and sets its six figures beside the letter's,
/// then the pairs that were published for MIGRC.
@main
struct ReproduceLetter {
  private static let usage = """
    usage: letter [--tool PATH] [--quick]
      --tool PATH  the tlbreplay to run; .build/release or .build/debug of the checkout otherwise
      --quick      the letter at 1/400, MIGRC's shortest pair only
    """
  /// Memory accesses a second of one busy CPU: what 2.1 to 3.4 GHz (Xeon Gold 6430) can do at 0.1 to 3
  /// accesses a cycle.
  private static let rates = ["2e8", "1e9", "1e10"]

  static func main() {
    do {
      try run(Array(CommandLine.arguments.dropFirst()))
    } catch {
      FileHandle.standardError.write(Data("letter: \(error)\n".utf8))
      exit(1)
    }
  }

  private static func run(_ arguments: [String]) throws {
    var tool: String?
    var isQuick = false
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      switch argument {
      case "--tool": tool = rest.popFirst()
      case "--quick": isQuick = true
      default: return print(usage)
      }
    }
    let traces = ToolRun.repository.appending(path: "Traces")
    let letter = try JSONDecoder().decode(
      Letter.self, from: Data(contentsOf: traces.appending(path: "letter/letter-data.json")))
    let runner = try ToolRun(tool)
    print(Page.head)
    try printLetter(letter, runner, traces, isQuick)
    print(Page.parameters)
    print(Page.reasons)
    print(Page.migrcHead)
    try printMIGRC(runner, traces, isQuick)
    print(Page.migrcReasons)
  }

  // MARK: The letter

  /// A pair of runs of the same scenario, in a closed loop.
  private struct Pair {
    var before: SynthCounts
    var after: SynthCounts

    func change(_ figure: (SynthCounts) -> Int) -> Double {
      Letter.change(Double(figure(before)), Double(figure(after)))
    }
  }

  private static func printLetter(
    _ letter: Letter, _ runner: ToolRun, _ traces: URL, _ isQuick: Bool
  ) throws {
    let scenario = traces.appending(path: "scenarios/llama-cpp.toml").path
    let scale = isQuick ? "0.0025" : "0.01"
    var walks: [(load: Double, store: Double, fetch: Double)] = []
    let options = ["--scale", scale]
    let pair = try ToolRun.withScratchFile { trace in
      let after = try runner.synthesise(scenario, "luf-v10", to: trace, options)
      let before = try runner.synthesise(scenario, "recorded", to: trace, options)
      walks = try rates.map { try walkChanges(runner, trace, traces, rate: $0) }
      return Pair(before: before, after: after)
    }
    print(
      """
      Scale \(scale); nothing in this scenario is drawn, so every seed gives the same. Misses come from \
      the BEFORE trace at \(rates.joined(separator: ", ")) accesses a second, the middle one shown, the \
      others as the range.

      | figure | letter | model | range | |
      |---|--:|--:|---|---|
      """)
    let fixed: [(String, Double, Change)] = [
      (
        "tlb:tlb_flush", try letter.change(of: "tlb:tlb_flush"),
        Change([pair.change { $0.flushes.total }])
      ),
      (
        "TLB row of /proc/interrupts", letter.rowChange,
        Change([pair.change { $0.row.total }])
      ),
      (
        "iTLB-load-misses", try letter.change(of: "iTLB-load-misses"),
        middle(walks.map(\.fetch))
      ),
      (
        "dTLB-store-misses", try letter.change(of: "dTLB-store-misses"),
        middle(walks.map(\.store))
      ),
      (
        "dTLB-load-misses", try letter.change(of: "dTLB-load-misses"), middle(walks.map(\.load))
      ),
      ("run time", letter.timeChange, Change([pair.change { $0.runTime }])),
    ]
    for (name, published, model) in fixed {
      let range =
        model.lower < model.upper ? "\(model.lower.percent) to \(model.upper.percent)" : "-"
      print(
        "| \(name) | \(published.percent) % | \(model.value.percent) % | \(range) | predicted |")
    }
    try printScales(runner, scenario, isQuick)
  }

  /// The one of the middle rate, with all of them as the range.
  private static func middle(_ changes: [Double]) -> Change {
    var change = Change(changes)
    change.value = changes[changes.count / 2]
    return change
  }

  private static func walkChanges(
    _ runner: ToolRun, _ trace: URL, _ traces: URL, rate: String
  ) throws -> (load: Double, store: Double, fetch: Double) {
    let output = try runner.run([
      "report", trace.path, "--policy", "luf-v10", "--json", "--no-progress",
      "--profile", traces.appending(path: "profiles/matvec.profile").path,
      "--accesses-per-second", rate,
    ])
    let report = try JSONDecoder().decode(WalkReport.self, from: output)
    guard report.policies.count == 2 else { throw ToolFailure("report has no two policies") }
    let (before, after) = (report.policies[0].misses, report.policies[1].misses)
    return (
      Letter.change(before.load.value, after.load.value),
      Letter.change(before.store.value, after.store.value),
      Letter.change(before.fetch.value, after.fetch.value)
    )
  }

  private static func printScales(
    _ runner: ToolRun, _ scenario: String, _ isQuick: Bool
  ) throws {
    print(
      """

      The same by scale. refused: batches flushed at once since another flush ran, of those that could
      have been put off; forced: batches that one forced flush paid for.

      | scale | TLB row before | change | per reclaimed page, before | after | refused | forced | \
      seconds for both |
      |--:|--:|--:|--:|--:|--:|--:|--:|
      """)
    for scale in isQuick ? ["0.0025"] : ["0.0025", "0.005", "0.01", "0.02", "0.05", "0.1"] {
      let start = Date()
      let pair = try ToolRun.withScratchFile { trace in
        let options = ["--scale", scale]
        return Pair(
          before: try runner.synthesise(scenario, "recorded", to: trace, options),
          after: try runner.synthesise(scenario, "luf-v10", to: trace, options))
      }
      let seconds = Date().timeIntervalSince(start)
      let cells = [
        scale, "\(pair.before.row.total)", pair.change { $0.row.total }.percent + " %",
        String(format: "%.3f", pair.before.perPage), String(format: "%.3f", pair.after.perPage),
        String(format: "%.1f %%", pair.after.refusedShare * 100),
        String(format: "%.1f", pair.after.batchesPerForcedFlush), String(format: "%.0f", seconds),
      ]
      print("| " + cells.joined(separator: " | ") + " |")
    }
  }

  // MARK: MIGRC

  /// A published pair: what the kernel did, and how long the scenario runs for as many migrations.
  private struct Published {
    var name: String
    var scenario: String
    var policy: String
    var accesses: Int
    var sends: (before: Double, after: Double)
    var receives: (before: Double, after: Double)
  }

  /// MIGRC's cover letters (linux-mm, August 2023 to February 2024): `nr_tlb_remote_flush` and
  /// `nr_tlb_remote_flush_received`.
  private static let published = [
    Published(
      name: "RFC v1, 4 CPUs", scenario: "xsbench-4", policy: "migrc-v3", accesses: 4_600_000,
      sends: (72370, 30453), receives: (213711, 88840)),
    Published(
      name: "v3, 16 CPUs, -p 50M", scenario: "xsbench", policy: "migrc-v3", accesses: 45_000_000,
      sends: (751464, 192913), receives: (10_742_115, 2_327_426)),
    Published(
      name: "v6 to v8, 16 CPUs, -p 100M", scenario: "xsbench", policy: "migrc-v8",
      accesses: 90_000_000, sends: (3_031_412, 198290), receives: (45_234_862, 2_820_156)),
  ]
  /// Pages of XSBench's table at the scale of these scenarios (a tenth of 5500 MB).
  private static let tablePages = 5500.0 * 256 / 10

  private static func printMIGRC(_ runner: ToolRun, _ traces: URL, _ isQuick: Bool) throws {
    for pair in isQuick ? Array(published.prefix(1)) : published {
      let file = traces.appending(path: "scenarios/\(pair.scenario).toml")
      let text = try String(contentsOf: file, encoding: .utf8)
      let longer = text.replacing("accesses = 1000000\n", with: "accesses = \(pair.accesses)\n")
      guard longer != text else {
        throw ToolFailure("\(pair.scenario).toml has no line \"accesses = 1000000\"")
      }
      let runs = try ToolRun.withScratchFile { trace in
        try ToolRun.withScratchFile { scenario in
          try longer.write(to: scenario, atomically: false, encoding: .utf8)
          return Pair(
            before: try runner.synthesise(scenario.path, "recorded", to: trace),
            after: try runner.synthesise(scenario.path, pair.policy, to: trace))
        }
      }
      let cells = [
        pair.name, pair.policy,
        String(
          format: "%.1f", Double(runs.before.demoted + runs.before.promoted) / tablePages),
        Letter.change(pair.sends.before, pair.sends.after).percent + " %",
        runs.change { $0.flushes.byReason[4] }.percent + " %",
        Letter.change(pair.receives.before, pair.receives.after).percent + " %",
        runs.change { $0.row.total }.percent + " %",
      ]
      print("| " + cells.joined(separator: " | ") + " |")
    }
  }
}
