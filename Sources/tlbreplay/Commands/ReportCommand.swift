import ArgumentParser
import Machine
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
        tlbreplay report --format cover capture-directory
        tlbreplay report --explain policies.luf-v10.tlb_row trace.dat
        tlbreplay report --perfetto timeline.json trace.dat
        tlbreplay report --policy luf-v12 --policy my-policy.toml trace.dat
        tlbreplay report --policy luf-v10 --policy luf-v11 --forbid-violations trace.dat
      """)

  @OptionGroup var input: InputOptions
  @OptionGroup var output: OutputOptions

  @Option(
    name: .customLong("policy"),
    help: ArgumentHelp(
      "A flush policy to replay beside the recorded run, or a policy file (with / or .toml in its "
        + "name; see policies --help); repeat it for more. Default: luf-v10.",
      valueName: "NAME"))
  var policies: [String] = []

  @Flag(help: "Show every case that the bounds come from, and what each safety verdict counted.")
  var bounds = false

  @Option(
    help: ArgumentHelp(
      "How long a flush lasts that the recorded run did not do. Default: from the trace.",
      valueName: "NS"))
  var flushDuration: UInt64?

  @Option(
    help: ArgumentHelp(
      "Predict TLB misses from the workload's profile (tlbreplay profile).", valueName: "FILE"),
    completion: .file())
  var profile: String?

  @Option(
    help: ArgumentHelp(
      "Accesses of a busy CPU in a second, one number or a range: instructions per second (perf "
        + "stat) times the accesses to an instruction that profile prints. Default: 2e8-1e10.",
      valueName: "N|A-B"))
  var accessesPerSecond: String?

  @Option(
    help: ArgumentHelp(
      "Without a profile: dTLB-load, dTLB-store and iTLB-load misses that perf stat counted over the "
        + "traced window.", valueName: "LOAD,STORE,FETCH"))
  var measuredWalks: String?

  @Option(
    help: ArgumentHelp(
      "The machine whose TLB is meant, or a machine file (see machines --help). Default: "
        + "\(MachineCatalog.defaultName).", valueName: "NAME|FILE"))
  var machine: String = MachineCatalog.defaultName

  @OptionGroup var costs: CostOptions

  @OptionGroup var explaining: ExplainOptions

  @Option(
    help: ArgumentHelp(
      "Also write a timeline of shootdowns, decisions and counters as Chrome/Perfetto JSON (open it in "
        + "ui.perfetto.dev).", valueName: "FILE"),
    completion: .file())
  var perfetto: String?

  @Flag(help: "Exit with 1 if a shown policy breaks a safety rule.")
  var forbidViolations = false

  func validate() throws {
    try PolicyChoice.validate(policies)
    _ = try PolicyChoice.blueprints(policies)
    guard accessesPerSecond == nil || profile != nil else {
      throw ValidationError("--accesses-per-second is for --profile.")
    }
    guard measuredWalks == nil || profile == nil else {
      throw ValidationError("--measured-walks is for want of a --profile.")
    }
    _ = try MissOptions.walks(measuredWalks)
    _ = try MissOptions.rate(accessesPerSecond)
    _ = try MachineFile.machine(machine)
  }

  func run() throws {
    var misses = MissRequest(
      try MachineFile.machine(machine), profile: try profile.map(MissOptions.profile),
      accessesPerSecond: try MissOptions.rate(accessesPerSecond))
    misses.measuredWalks = try MissOptions.walks(measuredWalks)
    let loaded = try LoadedInput(input)
    let progress = Progress(isHidden: output.noProgress)
    let trace = try loaded.describe(input, progress: progress)
    let window = trace.countedSpan
    var tiers = TierTracker(
      trace.memory.before.map(NodeMap.init) ?? .unknown, from: window?.start ?? 0,
      to: window?.end ?? .max)
    let blueprints = try PolicyChoice.blueprints(policies)
    let timeline = try perfetto.map {
      try PerfettoFile($0, trace, policies: blueprints.map(\.name))
    }
    var names: AttributionNames?
    let outcome = try loaded.replay(
      trace, policies: blueprints, flushDuration: flushDuration,
      recordsTimeline: output.drawsTimelines, tiers: &tiers, perfetto: timeline,
      progress: progress
    ) { session, directory in
      names = AttributionNames(directory)
      session.attribute(trace)
    }
    let report = ReplayReport.build(
      trace, outcome, showsBounds: bounds, tiers: tiers.finish(), costs: try costs.table(),
      misses: misses, names: names)
    var context = ExplanationContext(trace)
    context.flushDuration = flushDuration
    for blueprint in blueprints { context.settings[blueprint.name] = blueprint.settings }
    try output.emit(explaining.apply(report, context))
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
