import ArgumentParser
import Reporting

/// `tlbreplay stat`: what the trace itself says, no model.
struct StatCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stat",
    abstract: "Count what the trace says: events, flushes by reason, the TLB row and its residual.",
    discussion: """
      Examples:
        tlbreplay stat trace.dat
        trace-cmd report | tlbreplay stat -
        tlbreplay stat --json capture-directory
      """)

  @OptionGroup var input: InputOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var explaining: ExplainOptions

  func run() throws {
    let loaded = try LoadedInput(input)
    let trace = try loaded.describe(input, progress: Progress(isHidden: output.noProgress))
    try output.emit(explaining.apply(StatReport.build(trace), ExplanationContext(trace)))
  }
}
