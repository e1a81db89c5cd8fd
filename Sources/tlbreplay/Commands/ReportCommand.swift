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

  @Option(
    name: .customLong("cost"),
    help: ArgumentHelp(
      "What something costs, in nanoseconds, with a range if it is not known exactly; repeat it "
        + "for more. Costs: \(CostTable.names.joined(separator: ", ")).",
      valueName: "NAME=VALUE|NAME=LO..HI"))
  var costs: [String] = []

  @Flag(help: "Exit with 1 if a shown policy breaks a safety rule.")
  var forbidViolations = false

  func validate() throws {
    let known = PolicyCatalog.lines.map(\.name)
    let names = policies.filter { !PolicyFile.isFile($0) }
    if let unknown = names.first(where: { !PolicyCatalog.isKnown($0) }) {
      throw ValidationError(
        "Unknown policy \"\(unknown)\"; known are \(known.joined(separator: ", ")).")
    }
    _ = try blueprints()
    guard accessesPerSecond == nil || profile != nil else {
      throw ValidationError("--accesses-per-second is for --profile.")
    }
    guard measuredWalks == nil || profile == nil else {
      throw ValidationError("--measured-walks is for want of a --profile.")
    }
    _ = try MissOptions.walks(measuredWalks)
    _ = try MissOptions.rate(accessesPerSecond)
    _ = try MachineFile.machine(machine)
    _ = try costTable()
  }

  /// The costs, as far as the user knows better.
  private func costTable() throws -> CostTable {
    var table = CostTable.standard
    for text in costs {
      do throws(CostError) {
        try table.set(text)
      } catch {
        throw ValidationError("--cost: \(error).")
      }
    }
    return table
  }

  /// The policies that were asked for, once each; the recorded run is always there.
  private func blueprints() throws -> [PolicyBlueprint] {
    var found: [PolicyBlueprint] = []
    var files: [String] = []
    for name in policies.isEmpty ? PolicyCatalog.defaultNames : policies {
      guard !files.contains(name) else { continue }
      if PolicyFile.isFile(name) { files.append(name) }
      let made =
        PolicyFile.isFile(name)
        ? try PolicyFile.blueprint(name) : PolicyCatalog.blueprint(named: name)
      guard let made else { continue }
      let isTwice = found.contains { $0.name == made.name }
      if isTwice, PolicyFile.isFile(name) {
        throw ValidationError("\(name): another policy file has the name \"\(made.name)\" too")
      }
      if !isTwice { found.append(made) }
    }
    return found
  }

  func run() throws {
    var misses = MissRequest(
      try MachineFile.machine(machine), profile: try profile.map(MissOptions.profile),
      accessesPerSecond: try MissOptions.rate(accessesPerSecond))
    misses.measuredWalks = try MissOptions.walks(measuredWalks)
    let loaded = try LoadedInput(input)
    let progress = Progress(isHidden: output.noProgress)
    let trace = try loaded.describe(input, progress: progress)
    let window = trace.window?.marks.span
    var tiers = TierTracker(
      trace.memory.before.map(NodeMap.init) ?? .unknown, from: window?.start ?? 0,
      to: window?.end ?? .max)
    var names: AttributionNames?
    let outcome = try loaded.replay(
      trace, policies: try blueprints(), flushDuration: flushDuration, tiers: &tiers,
      progress: progress
    ) { session, directory in
      names = AttributionNames(directory)
      session.attribute(trace)
    }
    try output.emit(
      ReplayReport.build(
        trace, outcome, showsBounds: bounds, tiers: tiers.finish(), costs: try costTable(),
        misses: misses, names: names))
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
