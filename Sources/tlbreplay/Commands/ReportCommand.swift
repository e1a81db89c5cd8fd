import ArgumentParser
import Replay
import Reporting
import TraceEvents
import TraceFiles

/// `tlbreplay report`: replay with and without lazy unmap flush.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Replay a trace with and without lazy unmap flush and print both TLB rows.",
    discussion: """
      Examples:
        tlbreplay report capture-directory
        tlbreplay report --bounds --json trace.dat
      """)

  @OptionGroup var input: InputOptions
  @OptionGroup var output: OutputOptions

  @Option(
    name: .customLong("policy"),
    help: ArgumentHelp(
      "A flush policy to replay beside the recorded run; repeat it for more. Default: luf-v10.",
      valueName: "NAME"))
  var policies: [String] = []

  @Flag(help: "Show every case that the bounds come from.")
  var bounds = false

  func validate() throws {
    let known = PolicyCatalog.lines.map(\.name)
    if let unknown = policies.first(where: { !PolicyCatalog.isKnown($0) }) {
      throw ValidationError(
        "Unknown policy \"\(unknown)\"; known are \(known.joined(separator: ", ")).")
    }
  }

  func run() throws {
    let loaded = try LoadedInput(input)
    let progress = Progress(isHidden: output.noProgress)
    let trace = try loaded.describe(input, progress: progress)
    let wanted = policies.isEmpty ? PolicyCatalog.defaultNames : policies
    let outcome = try loaded.replay(trace, policies: wanted, progress: progress)
    try output.emit(ReplayReport.build(trace, outcome, showsBounds: bounds))
  }
}
