import ArgumentParser
import Replay
import Reporting

/// `tlbreplay policies`: the catalogue of flush policies.
struct PoliciesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "policies", abstract: "List the flush policies that report can replay.",
    discussion: """
      A policy file (report --policy FILE.toml) makes a new policy from a known one:

        name = "luf-v11-wp"          # optional, the file's name otherwise
        base = "luf-v11"             # \(PolicyComposition.bases.joined(separator: ", "))
        [toggles]
        cancel_wp_fault = "any"

      Toggles of latr are ticks_per_second and records_per_cpu; of all others:
      \(toggles)
      """)

  /// A line for every toggle that a trace can tell about.
  private static var toggles: String {
    let settable = PolicyToggle.all.filter { !$0.values.isEmpty }
    let width = settable.map(\.name.count).max() ?? 0
    return settable.map { toggle in
      let name = toggle.name + String(repeating: " ", count: width - toggle.name.count)
      return "  \(name)  \(toggle.values.joined(separator: " | "))\n"
        + String(repeating: " ", count: width + 4) + toggle.summary
    }.joined(separator: "\n")
  }

  @OptionGroup var output: OutputOptions

  func run() throws {
    try output.emit(CatalogReport.policies())
  }
}
