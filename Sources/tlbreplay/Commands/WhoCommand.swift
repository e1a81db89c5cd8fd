import ArgumentParser
import Machine
import Replay
import Reporting
import Symbols
import TraceEvents
import TraceFiles

/// `tlbreplay who`: who causes the shootdowns, who is interrupted, what could remove them.
struct WhoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "who",
    abstract: "Name who causes shootdowns and who is interrupted, and what could remove them.",
    discussion: """
      Causes and paths come from the call chains of perf record -g or trace-cmd record -T; without \
      them causes come from the events around each shootdown, and the report says so.

      --folded writes a line for each stack, NAME;USER FUNCTIONS;KERNEL FUNCTIONS_[k] WEIGHT, the \
      outermost first, weighed by interrupts: what flamegraph.pl reads.

      Examples:
        tlbreplay who perf.data
        tlbreplay who --kallsyms kallsyms.txt --symfs /srv/root perf.data
        tlbreplay who --isolated 2-7 --by task --by cause --top 20 capture-directory
        tlbreplay who --folded out.folded perf.data && flamegraph.pl out.folded > out.svg
      """)

  @OptionGroup var input: InputOptions
  @OptionGroup var output: OutputOptions

  @Option(
    help: ArgumentHelp(
      "The traced kernel's /proc/kallsyms, maybe gzip or zstd compressed. Default: the trace's own.",
      valueName: "FILE"), completion: .file())
  var kallsyms: String?

  @Option(
    help: ArgumentHelp("The traced kernel's vmlinux with its symbol table.", valueName: "FILE"),
    completion: .file())
  var vmlinux: String?

  @Option(
    help: ArgumentHelp(
      "Where the traced machine's programs and libraries are: /usr/bin/x is DIR/usr/bin/x.",
      valueName: "DIR"), completion: .directory)
  var symfs: String?

  @Flag(help: "Take symbols of a vmlinux or program whose build id is not the trace's.")
  var force = false

  @Option(help: ArgumentHelp("Rows of each table.", valueName: "N"))
  var top = 10

  @Option(
    name: .customLong("by"),
    help: ArgumentHelp(
      "How to put shootdowns together: "
        + CulpritGrouping.allCases.map(\.rawValue).joined(separator: ", ")
        + "; repeat it for more. Default: those that the trace has something for.",
      valueName: "WAY"))
  var groupings: [String] = []

  @Option(
    name: .customLong("policy"),
    help: ArgumentHelp(
      "A flush policy to ask what it would remove; repeat it for more. Default: "
        + Self.defaultPolicies.joined(separator: ", ") + ".", valueName: "NAME"))
  var policies: [String] = []

  @Option(
    help: ArgumentHelp(
      "CPUs that should not be interrupted. Default: isolcpus= and nohz_full= of the capture's "
        + "cmdline.txt.", valueName: "LIST"))
  var isolated: String?

  @OptionGroup var costs: CostOptions

  @Option(
    help: ArgumentHelp("Write folded stacks to FILE, for flame graph tools.", valueName: "FILE"),
    completion: .file())
  var folded: String?

  static let defaultPolicies = ["luf-v10", "luf-ideal", "fpr", "latr", "invlpgb"]
  private static let topMax = 100_000

  func validate() throws {
    guard (1...Self.topMax).contains(top) else {
      throw ValidationError("--top takes a number from 1 to \(Self.topMax).")
    }
    for way in groupings where CulpritGrouping(rawValue: way) == nil {
      throw ValidationError(
        "Unknown way \"\(way)\"; known are "
          + CulpritGrouping.allCases.map(\.rawValue).joined(separator: ", ") + ".")
    }
    try PolicyChoice.validate(policies)
    _ = try isolatedCPUs()
  }

  private func isolatedCPUs() throws -> CPUList? {
    do throws(FilterError) {
      return try isolated.map { text throws(FilterError) in try CPUList(text) }
    } catch {
      throw ValidationError("--isolated: \(error).")
    }
  }

  private func options(_ loaded: LoadedInput) throws -> WhoReport.Options {
    var options = WhoReport.Options()
    options.top = top
    options.costs = try costs.table()
    for way in groupings {
      guard let grouping = CulpritGrouping(rawValue: way), !options.groupings.contains(grouping)
      else { continue }
      options.groupings.append(grouping)
    }
    if let isolated = try isolatedCPUs() {
      options.isolated = isolated.cpus
      options.isolatedSource = "--isolated"
    } else if let line = loaded.capture?.kernelCommandLine {
      options.isolated = CPUList.isolated(byCommandLine: line)
      options.isolatedSource = "cmdline.txt of the capture"
    }
    return options
  }

  func run() throws {
    let loaded = try LoadedInput(input)
    let progress = Progress(isHidden: output.noProgress)
    let trace = try loaded.describe(input, progress: progress)
    let symbols = try WhoSymbols(
      loaded, trace, kallsyms: kallsyms, vmlinux: vmlinux, symfs: symfs, isForced: force)
    var tiers = TierTracker(.unknown, from: 0, to: .max)
    var found: EventDirectory?
    let names = policies.isEmpty ? Self.defaultPolicies : policies
    let outcome = try loaded.replay(
      trace, policies: try PolicyChoice.blueprints(names), flushDuration: nil,
      tiers: &tiers, progress: progress, readsCallChains: true
    ) { session, directory in
      found = directory
      session.attribute(trace, paths: CallPathCauses(directory) { symbols.kernelFunction($0) })
    }
    guard let directory = found else { return }
    let attributionNames = symbols.names(directory)
    guard
      let report = WhoReport.build(trace, outcome, attributionNames, try options(loaded))
    else { throw InternalError(description: "\(loaded.name): shootdowns were not attributed") }
    if let folded {
      try OutputOptions.write(WhoReport.folded(outcome, attributionNames), toFile: folded)
    }
    try output.emit(report)
  }
}

extension ReplaySession {
  /// Finds out who causes the shootdowns of `trace`, and who suffers.
  mutating func attribute(_ trace: TraceDescription, paths: CallPathCauses? = nil) {
    let row = DerivedTLBRow(trace.whole, facts: trace.facts, cpus: trace.cpus)
    attribute(by: row?.method ?? .flushEvents, paths: paths)
  }
}

extension CPUList {
  /// The CPUs of `isolcpus=` and `nohz_full=` (Linux 6.12
  /// Documentation/admin-guide/kernel-parameters.txt); flags before the list do not count.
  static func isolated(byCommandLine line: String) -> [Int] {
    var found: Set<Int> = []
    for word in line.split(whereSeparator: \.isWhitespace) {
      for name in ["isolcpus=", "nohz_full="] where word.hasPrefix(name) {
        for part in word.dropFirst(name.count).split(separator: ",") {
          if let list = try? CPUList(String(part)) { found.formUnion(list.cpus) }
        }
      }
    }
    return found.sorted()
  }
}
