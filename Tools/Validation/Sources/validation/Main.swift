import Foundation
import Replay
import TraceEvents

/// Predicts from every captured run without lazy unmap flush what the runs with it measured.
@main
struct Validation {
  private static let usage = """
    usage: validation [--all] [-o FILE]
      --all    also the pairs in ../shared/traces/luf-pairs, beside the checkout
      -o FILE  write the page there instead of printing it
    """
  /// Policies by the mode of the kernel that carried them out; others have none to compare with.
  private static let modes = [
    ("v10", "luf-v10"), ("v11", "luf-v11"), ("v12r", "luf-v12r"), ("0x30f", "luf-v10-as-posted"),
  ].filter { PolicyCatalog.isKnown($0.1) }
  private static let unmeasured = ["luf-ideal", "unbatched"]

  static func main() {
    do {
      try run(Array(CommandLine.arguments.dropFirst()))
    } catch {
      FileHandle.standardError.write(Data("validation: \(error)\n".utf8))
      exit(1)
    }
  }

  private static func run(_ arguments: [String]) throws {
    var roots = [root + "/Traces/luf-pairs"]
    var output: String?
    var notes: String?
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      switch argument {
      case "--all":
        roots.append(root + "/../shared/traces/luf-pairs")
        notes = try String(contentsOfFile: root + "/Tools/Validation/misses.md", encoding: .utf8)
      case "-o": output = rest.popFirst()
      case "--help", "-h":
        print(usage)
        return
      default: throw ValidationError("unknown argument \(argument)\n\(usage)")
      }
    }
    var comparisons: [Comparison] = []
    var safety: [String] = []
    for (workload, runs) in try workloads(roots) {
      for before in runs where before.measured.mode == "0" {
        let outcome = try before.replay(modes.map(\.1) + unmeasured)
        guard outcome.policies[0].figures?.tlbRowTotal == before.measured.interrupts else {
          throw ValidationError("\(before.directory): the recorded run is not reproduced")
        }
        for (mode, name) in modes {
          let measured = runs.filter { $0.measured.mode == mode }
          guard !measured.isEmpty,
            let predicted = outcome.policies.first(where: { $0.name == name })
          else { continue }
          comparisons.append(
            Comparison(
              workload: workload, mode: mode, before: before, predicted: predicted,
              measured: measured))
        }
        safety += verdicts(workload, before, outcome)
      }
    }
    guard !comparisons.isEmpty else { throw ValidationError("no pairs in \(roots)") }
    let page = Page.text(comparisons, safety, notes: notes)
    if let output {
      try page.write(toFile: output, atomically: true, encoding: .utf8)
    } else {
      print(page, terminator: "")
    }
  }

  /// A row for each policy.
  private static func verdicts(
    _ workload: String, _ run: CapturedRun, _ outcome: Outcome
  ) -> [String] {
    outcome.policies.dropFirst().compactMap { policy -> String? in
      guard let figures = policy.figures, let safety = figures.safety else { return nil }
      let broken = safety.rules.filter { $0.kind == .violated }.map(\.rule.rawValue)
      let cells = [
        workload, run.name, policy.name, "\(figures.tlbRowTotal)", "\(safety.framesChecked)",
        "\(safety.violations)",
        broken.isEmpty ? safety.first?.rule ?? "none" : broken.joined(separator: ", "),
      ]
      return "| " + cells.joined(separator: " | ") + " |"
    }
  }

  /// Runs by workload; a run that is in several roots counts once.
  private static func workloads(_ roots: [String]) throws -> [(String, [CapturedRun])] {
    let files = FileManager.default
    var found: [String: [CapturedRun]] = [:]
    for root in roots {
      for workload in (try? files.contentsOfDirectory(atPath: root)) ?? [] {
        let directory = root + "/" + workload
        for run in (try? files.contentsOfDirectory(atPath: directory)) ?? [] {
          let path = directory + "/" + run
          guard files.fileExists(atPath: path + "/meta.json"),
            found[workload]?.contains(where: { $0.name == run }) != true
          else { continue }
          found[workload, default: []].append(try CapturedRun(directory: path))
        }
      }
    }
    return found.keys.sorted().map { key in
      (key, (found[key] ?? []).sorted { $0.name < $1.name })
    }
  }

  /// The repository, from this file's place in it.
  private static var root: String {
    var url = URL(fileURLWithPath: #filePath)
    for _ in 0..<5 { url.deleteLastPathComponent() }
    return url.path
  }
}
