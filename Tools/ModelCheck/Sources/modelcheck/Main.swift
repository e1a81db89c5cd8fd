import Foundation
import ToolRuns

/// Runs the scenarios of the recorded pairs on the modelled machine and sets the figures beside what
/// the recorded kernels did.
@main
struct ModelCheck {
  private static let usage = """
    usage: modelcheck [--tool PATH] [SCENARIO...]
      --tool PATH  the tlbreplay to run; .build/release or .build/debug of the checkout otherwise
    """
  /// Modes of the recorded kernels, and the policies that are their rules.
  private static let modes = [
    ("0", "recorded"), ("v10", "luf-v10"), ("v11", "luf-v11"), ("0x30f", "luf-v10-as-posted"),
  ]

  /// A run of a recorded kernel, from `Traces/scenarios/qemu-measured.json`.
  private struct Measured: Decodable {
    var scenario: String
    var run: String
    var interrupts: Int
    var reclaimed: Int
    enum CodingKeys: String, CodingKey {
      case scenario, run, reclaimed
      case interrupts = "tlb_ipis"
    }
    var mode: String { String(run.prefix { $0 != "." }) }
    var perPage: Double { Double(interrupts) / Double(max(reclaimed, 1)) }
  }

  static func main() {
    do {
      try run(Array(CommandLine.arguments.dropFirst()))
    } catch {
      FileHandle.standardError.write(Data("modelcheck: \(error)\n".utf8))
      exit(1)
    }
  }

  private static func run(_ arguments: [String]) throws {
    var tool: String?
    var wanted: [String] = []
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      switch argument {
      case "--tool": tool = rest.popFirst()
      case "--help", "-h": return print(usage)
      default: wanted.append(argument)
      }
    }
    let folder = ToolRun.repository.appending(path: "Traces/scenarios")
    let measured = try JSONDecoder().decode(
      [Measured].self, from: Data(contentsOf: folder.appending(path: "qemu-measured.json")))
    let run = try ToolRun(tool)
    let names = Set(measured.map(\.scenario)).sorted().filter {
      wanted.isEmpty || wanted.contains($0)
    }
    print(
      """
      TLB shootdown interrupts inside the window, per reclaimed page. recorded: the runs of that
      mode, from the least to the greatest. inside: within those; near: within what another phase
      of ticks and kswapd moved a recorded run by (8 % without lazy unmap flush, 12 % with it, 15
      and 20 % in tier-8).

      | scenario | mode | modelled | recorded | recorded runs | modelled / middle | verdict |
      |---|---|---|---|---|---|---|
      """)
    for name in names {
      for (mode, policy) in modes {
        let runs = measured.filter { $0.scenario == name && $0.mode == mode }.map(\.perPage)
        guard let low = runs.min(), let high = runs.max() else { continue }
        let file = folder.appending(path: "\(name).toml").path
        let modelled = try ToolRun.withScratchFile {
          try run.synthesise(file, policy, to: $0).perPage
        }
        let scatter = scatter(name, mode)
        let isInside = modelled >= low && modelled <= high
        let isNear = modelled >= low * (1 - scatter) && modelled <= high * (1 + scatter)
        let cells = [
          name, mode, digits(modelled), "\(digits(low)) to \(digits(high))", "\(runs.count)",
          digits(modelled * 2 / (low + high)), isInside ? "inside" : isNear ? "near" : "outside",
        ]
        print("| " + cells.joined(separator: " | ") + " |")
      }
    }
  }

  /// How far a second recorded run of the same mode was from the first, at most.
  private static func scatter(_ scenario: String, _ mode: String) -> Double {
    let isBefore = mode == "0"
    if scenario == "qemu-tier-8" { return isBefore ? 0.15 : 0.2 }
    return isBefore ? 0.08 : 0.12
  }

  private static func digits(_ value: Double) -> String { String(format: "%.4f", value) }
}
