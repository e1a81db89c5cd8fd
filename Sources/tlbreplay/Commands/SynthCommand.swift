import ArgumentParser
import Replay
import Reporting
import Scenarios
import TraceFiles
import TraceWriting

#if canImport(Glibc)
  import Glibc
#endif

/// `tlbreplay synth`: drives the modelled machine and writes what its kernel would trace.
struct SynthCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "synth",
    abstract: "Run a scenario on the modelled machine and write its trace.",
    discussion: """
      SCENARIO is a file as in Traces/scenarios. The trace is an ordinary trace.dat that trace-cmd \
      and the other commands read; what the machine counted goes to standard output.

      Examples:
        tlbreplay synth Traces/scenarios/llama-cpp.toml -o before.dat
        tlbreplay synth Traces/scenarios/llama-cpp.toml --policy luf-v10 -o after.dat --json
        tlbreplay synth Traces/scenarios/qemu-small-4.toml --seed 7 -o small-4.dat
      """)

  @Argument(help: "A scenario file.", completion: .file(extensions: ["toml"]))
  var scenario: String

  @Option(
    name: .customShort("o"),
    help: ArgumentHelp("The trace to write.", valueName: "FILE"), completion: .file())
  var output: String

  @Option(
    help: ArgumentHelp(
      "The flush policy that the kernel obeys, or a policy file. Default: recorded, none.",
      valueName: "NAME"))
  var policy = PolicyCatalog.recordedName

  @Option(
    help: ArgumentHelp("Where random numbers start. Default: the scenario's.", valueName: "N"))
  var seed: UInt64?

  @Option(
    help: ArgumentHelp(
      "Factor on all sizes, in the place of the scenario's.", valueName: "X"))
  var scale: Double?

  @Flag(help: "Print the counts as JSON.")
  var json = false

  @Flag(help: "Show no progress on a terminal.")
  var noProgress = false

  func validate() throws {
    if let scale, !(1e-6...1000).contains(scale) {
      throw ValidationError("--scale is a number from 0.000001 to 1000")
    }
    guard PolicyFile.isFile(policy) || PolicyCatalog.isKnown(policy) else {
      let known = PolicyCatalog.lines.map(\.name).joined(separator: ", ")
      throw ValidationError("Unknown policy \"\(policy)\"; known are \(known).")
    }
  }

  func run() throws {
    let shape = try ScenarioFile.scenario(scenario, scale: scale, seed: seed)
    let blueprint =
      PolicyFile.isFile(policy)
      ? try PolicyFile.blueprint(policy) : PolicyCatalog.blueprint(named: policy)
    let progress = Progress(isHidden: noProgress)
    let summary: RunSummary
    do {
      summary = try simulate(shape, blueprint, progress)
    } catch let error as TraceWriteError {
      throw OutputError(description: error.description)
    } catch let error as SimulationError {
      throw ValidationError("\(scenario): \(error.message)")
    }
    progress.finish()
    let report = SynthReport.build(
      summary, scenario: shape.name, scale: scale, seed: shape.seed)
    try OutputOptions.print(report, json: json)
  }

  private func simulate(
    _ shape: Scenario, _ blueprint: PolicyBlueprint?, _ progress: Progress
  ) throws -> RunSummary {
    var simulation = try Simulation(shape, policy: blueprint)
    var spool = try TraceDatSpool.create(output, simulation.traceOptions())
    var goesOn = true
    while goesOn {
      goesOn = try simulation.advance()
      let before = spool.count
      try simulation.takeRows { row throws(TraceWriteError) in try spool.append(row) }
      progress.advance(by: spool.count - before)
    }
    try spool.finish()
    if let wrong = simulation.imbalance() { throw InternalError(description: wrong) }
    return simulation.summary
  }
}
