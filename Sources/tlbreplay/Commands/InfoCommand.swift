import ArgumentParser
import Reporting

/// `tlbreplay info`: what is in a trace and which questions it can answer.
struct InfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info",
    abstract: "Tell what is in a trace, and which questions it can answer and which not.",
    discussion: """
      Examples:
        tlbreplay info perf.data
        tlbreplay info --json capture-directory
      """)

  @OptionGroup var input: InputOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let loaded = try LoadedInput(input)
    let trace = try loaded.describe(input, progress: Progress(isHidden: output.noProgress))
    try output.emit(InfoReport.build(trace))
  }
}
