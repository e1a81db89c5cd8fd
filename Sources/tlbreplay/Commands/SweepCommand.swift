import ArgumentParser
import Machine
import Reporting
import TraceFiles

/// `tlbreplay sweep`: the same replay over a grid of parameters.
struct SweepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep",
    abstract: "Replay a trace, or run a scenario, over a grid of parameters.",
    discussion: """
      --vary NAME=A,B,C, repeated for a grid; numbers also as A..B:STEP, or A..B:xFACTOR for powers. \
      A trace is read once for the whole grid. INPUT that ends in .toml is a scenario, which the \
      modelled machine runs once a point.

      Parameters of a trace:
      \(list { $0.way != nil })
        \(SweepParameter.costPrefix)NAME: nanoseconds of \(CostTable.names.joined(separator: ", "))
      Parameters of a scenario:
      \(list { $0.scenarioRefusal == nil })

      ceiling and cpus sort the recorded run's own flushes anew, the others replay policies (default: \
      luf-v10; on a scenario, none). What an input cannot answer is refused with the reason.

      Examples:
        tlbreplay sweep capture --vary policy=luf-v10,luf-v11,luf-ideal
        tlbreplay sweep capture --vary batch=1..512:x2
        tlbreplay sweep capture --vary policy=luf-v10,luf-v11 --vary flush-duration=0..8000:2000
        tlbreplay sweep scenario.toml --vary dram=50..150:25 --vary policy=recorded,luf-v10
      """)

  @OptionGroup var input: InputOptions
  @OptionGroup var output: OutputOptions

  @Option(
    name: .customLong("vary"),
    help: ArgumentHelp("A parameter and its values; repeat it for a grid.", valueName: "NAME=A,B,C")
  )
  var axes: [String] = []

  private static func list(_ isListed: (SweepParameter) -> Bool) -> String {
    SweepParameter.all.filter(isListed).map { "  \($0.name): \($0.summary)" }.joined(
      separator: "\n")
  }

  func validate() throws {
    guard !axes.isEmpty else {
      throw ValidationError("Missing --vary NAME=A,B,C: what is to be varied.")
    }
    if TOMLFile.isFile(input.path), input.path.hasSuffix(".toml"), input.window.between != nil {
      throw ValidationError("--between is for traces; a scenario marks its window itself.")
    }
    _ = try parsed()
  }

  /// The axes, and every combination of their values.
  private func parsed() throws -> (axes: [SweepAxis], grid: [[String]]) {
    var parsed: [SweepAxis] = []
    for text in axes {
      do throws(SweepAxis.Refusal) {
        parsed.append(try SweepAxis(text, costs: CostTable.names))
      } catch {
        throw ValidationError("--vary: \(error).")
      }
    }
    let names = parsed.map(\.parameter.name)
    if let twice = names.enumerated().first(where: { names.firstIndex(of: $1) != $0 }) {
      throw ValidationError("--vary \(twice.element) is given twice.")
    }
    for axis in parsed where axis.parameter.name == "policy" {
      try PolicyChoice.validate(axis.values)
      for name in axis.values { _ = try PolicyChoice.blueprints([name]) }
    }
    for axis in parsed where axis.parameter.name == "machine" {
      for name in axis.values { _ = try MachineFile.machine(name) }
    }
    guard let grid = SweepResult.grid(parsed) else {
      throw ValidationError("the grid has more than \(SweepResult.pointsMax) points.")
    }
    return (parsed, grid)
  }

  func run() throws {
    let (axes, grid) = try parsed()
    let progress = Progress(isHidden: output.noProgress)
    let result =
      input.path.hasSuffix(".toml")
      ? try ScenarioSweep(input.path, axes, grid: grid).run()
      : try TraceSweep(axes, grid: grid).run(input, progress: progress)
    try output.emit(SweepReport.build(result))
  }
}
