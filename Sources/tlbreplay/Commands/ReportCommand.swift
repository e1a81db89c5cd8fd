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
        tlbreplay report --policy luf-v10 --policy luf-v11 --forbid-violations trace.dat
      """)

  @OptionGroup var input: InputOptions
  @OptionGroup var output: OutputOptions

  @Option(
    name: .customLong("policy"),
    help: ArgumentHelp(
      "A flush policy to replay beside the recorded run; repeat it for more. Default: luf-v10.",
      valueName: "NAME"))
  var policies: [String] = []

  @Flag(help: "Show every case that the bounds come from, and what each safety verdict counted.")
  var bounds = false

  @Flag(help: "Exit with 1 if a shown policy breaks a safety rule.")
  var forbidViolations = false

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
    guard forbidViolations else { return }
    if let violation = ReplayReport.violation(trace, outcome) {
      throw CheckFailure(description: "\(loaded.name): \(violation)")
    }
    // A gate that could not look must not say that all is well.
    if let unchecked = ReplayReport.uncheckedPolicy(outcome) {
      throw TraceError(unchecked, file: loaded.name)
    }
  }
}
