import ArgumentParser
import Replay
import Reporting

/// `tlbreplay policies`: the catalogue of flush policies.
struct PoliciesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "policies", abstract: "List the flush policies that report can replay.")

  @OptionGroup var output: OutputOptions

  func run() throws {
    try output.emit(CatalogReport.policies())
  }
}
