import ArgumentParser
import Reporting
import TraceFiles

/// `tlbreplay compare`: two sets of captured runs.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compare two sets of captured runs, with statistics over repetitions.",
    discussion: """
      One JSON file with both sides (the layout of Traces/letter) needs no --after.

      Examples:
        tlbreplay compare before-1 before-2 before-3 --after after-1 after-2 after-3
        tlbreplay compare --json letter-data.json
        tlbreplay compare --format cover before-1 before-2 --after after-1 after-2
        tlbreplay compare --style ministat --measure run_time_ms letter-data.json
      """)

  @Argument(
    help: "Captures or traces of the BEFORE side, one a repetition; or one JSON file of runs.",
    completion: .file())
  var before: [String]

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Captures or traces of the AFTER side.", valueName: "AFTER"),
    completion: .file())
  var after: [String] = []

  @OptionGroup var window: WindowOptions

  @Option(
    help: ArgumentHelp(
      "The layout of another tool: "
        + "\(ComparisonStyles.all.map { $0.name }.joined(separator: ", ")).", valueName: "STYLE"))
  var style: String?

  @Option(
    name: .customLong("measure"),
    help: ArgumentHelp("Show only this measure; repeat it for more.", valueName: "NAME"))
  var measures: [String] = []

  @OptionGroup var output: OutputOptions
  @OptionGroup var explaining: ExplainOptions

  func validate() throws {
    if let style {
      guard ComparisonStyles.style(named: style) != nil else {
        let known = ComparisonStyles.all.map { $0.name }.joined(separator: ", ")
        throw ValidationError("Unknown style \"\(style)\"; known are \(known).")
      }
      if output.json || output.format == .json {
        throw ValidationError("--style is text; it contradicts --json.")
      }
      if let format = output.format, format != .text {
        throw ValidationError("--style is text; it contradicts --format \(format.name).")
      }
      if explaining.explain != nil {
        throw ValidationError("--explain is about the report, not about a --style.")
      }
    }
    if (before + after).filter({ $0 == "-" }).count > 1 {
      throw ValidationError("Only one input can be standard input.")
    }
    for path in before + after { try inputOptions(path).validate() }
  }

  func run() throws {
    var comparison = try comparison()
    if !measures.isEmpty {
      if let unknown = measures.first(where: { comparison[$0] == nil }) {
        let known = comparison.measures.map(\.name).joined(separator: ", ")
        throw TraceError("there is no measure \"\(unknown)\" in these inputs; there are \(known)")
      }
      comparison.measures.removeAll { !measures.contains($0.name) }
    }
    guard let style = style.flatMap(ComparisonStyles.style(named:)) else {
      return try output.emit(
        explaining.apply(CompareReport.build(comparison), ExplanationContext()))
    }
    let text: String
    do throws(StyleError) {
      text = try style.render(comparison)
    } catch {
      throw TraceError(error.description)
    }
    try output.emit(text: text)
  }

  private func comparison() throws -> RunComparison {
    if before.count == 1, after.isEmpty, let text = try RunText.read(before[0]) {
      do throws(RunFileError) {
        return try RunFile.comparison(text, name: before[0])
      } catch {
        throw TraceError(error.description, file: before[0])
      }
    }
    guard !after.isEmpty else {
      throw ValidationError("Missing --after: the captures to compare with.")
    }
    return RunComparison(before: try before.map(measured), after: try after.map(measured))
  }

  private func measured(_ path: String) throws -> CapturedRun {
    let options = inputOptions(path)
    if try RunText.read(path) != nil {
      throw TraceError(
        "is a JSON file of runs, which holds both sides: give it alone, without --after",
        file: path)
    }
    let trace = try LoadedInput(options).describe(
      options, progress: Progress(isHidden: output.noProgress))
    return CapturedRun(trace)
  }

  private func inputOptions(_ path: String) -> InputOptions {
    .one(path, window)
  }
}
