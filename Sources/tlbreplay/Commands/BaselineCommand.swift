import ArgumentParser
import Reporting
import TraceFiles

#if canImport(Glibc)
  import Glibc
#endif

/// `tlbreplay baseline`: writes down what captures come to, for `check`.
struct BaselineCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "baseline",
    abstract: "Write down what captures come to, for check.",
    discussion: """
      One INPUT makes a baseline that compares traces: check replays the same trace with a newer \
      tool, and any change is the tool's. Several INPUTs are repetitions of one workload: check \
      compares new captures with them, and allows what the repetitions scatter. A directory whose \
      children are captures makes one baseline with all of them, or one beside each (--each).

      The file is JSON, one metric a line. Tolerances ("0", "10", "5%", "spread", several with \
      "or", or "any"), directions (what is worse: "more", "less", "any") and reasons are yours to \
      edit; --update keeps them.

      Examples:
        tlbreplay baseline capture -o capture.baseline.json
        tlbreplay baseline run-1 run-2 run-3 -o nightly.baseline.json
        tlbreplay baseline --policy luf-v10 --policy luf-v11 captures --each
      """)

  @OptionGroup var gate: GateOptions

  @Option(
    name: .customShort("o"),
    help: ArgumentHelp("The baseline to write. Default: standard output.", valueName: "FILE"),
    completion: .file())
  var output: String?

  @Option(
    help: ArgumentHelp(
      "What check may be given: the same trace again, or new captures of the workload. Default: "
        + "trace, or workload where several INPUTs are given.", valueName: "trace|workload"))
  var compares: Subject?

  @Option(help: ArgumentHelp("What repetitions are called in the baseline.", valueName: "NAME"))
  var name: String?

  @Flag(help: "Write NAME.baseline.json beside each capture of a directory.")
  var each = false

  @Flag(help: "Keep tolerances, directions and reasons of the file that is written anew.")
  var update = false

  /// ``Baseline/Subject`` on the command line.
  struct Subject: ExpressibleByArgument {
    var value: Baseline.Subject
    init?(argument: String) {
      guard let found = Baseline.Subject(rawValue: argument) else { return nil }
      value = found
    }
    static let allValueStrings = Baseline.Subject.allCases.map(\.rawValue)
  }

  func validate() throws {
    if each, output != nil { throw ValidationError("--each names its files itself, without -o.") }
    if each, gate.paths.count != 1 {
      throw ValidationError("--each takes one directory whose children are captures.")
    }
    if update, output == nil, !each {
      throw ValidationError("--update needs the file to keep: -o FILE.")
    }
  }

  func run() throws {
    let folder = gate.paths.count == 1 ? CaptureFolder(gate.paths[0]) : nil
    if each, folder == nil {
      throw TraceError("is no directory whose children are captures", file: gate.paths[0])
    }
    let base = GateReading.trimmed(gate.paths[0])
    let paths = folder.map { $0.captures.map { "\(base)/\($0)" } } ?? gate.paths
    guard !paths.isEmpty else {
      throw TraceError(
        "is a directory without a trace, and none of its children is a capture", file: base)
    }
    let subject =
      compares?.value ?? (folder == nil && paths.count > 1 ? .workload : .trace)
    let settings = try gate.settings()
    let readings = try read(paths, settings)
    if each {
      for (path, reading) in zip(paths, readings) {
        try write([(reading.name, [reading])], subject, settings, "\(path).baseline.json")
      }
      return
    }
    // Captures of a folder are workloads of their own; inputs in a row are one.
    let isOne = subject == .workload && folder == nil
    let groups =
      isOne
      ? [(name ?? Self.commonName(paths), readings)] : Self.named(readings).map { ($0, [$1]) }
    try write(groups, subject, settings, output)
  }

  private func read(_ paths: [String], _ settings: BaselineSettings) throws -> [CaptureReading] {
    let files = gate.policies.filter(PolicyFile.isFile)
    let progress = Progress(isHidden: gate.noProgress || paths.count > 1)
    if paths.count == 1 {
      return [try GateReading.read(paths[0], settings, policyFiles: files, progress: progress)]
    }
    return try SideBySide.map(paths) { path in
      Result {
        try GateReading.read(
          path, settings, policyFiles: files, progress: Progress(isHidden: true))
      }
    }.map { try $0.get() }
  }

  private func write(
    _ groups: [(name: String, readings: [CaptureReading])], _ subject: Baseline.Subject,
    _ settings: BaselineSettings, _ file: String?
  ) throws {
    var old: Baseline?
    if update, let file, access(file, F_OK) == 0 { old = try GateReading.baseline(file) }
    var entries: [BaselineEntry] = []
    for (name, readings) in groups {
      try Self.refuseGaps(readings, settings)
      do throws(BaselineError) {
        // Alone, an entry is the same one by whatever name.
        let known =
          old?.entries.first { $0.name == name }
          ?? (groups.count == 1 && old?.entries.count == 1 ? old?.entries.first : nil)
        entries.append(try BaselineEntry(name, subject, readings, keeping: known))
      } catch {
        throw TraceError(error.description)
      }
    }
    let baseline = Baseline(
      subject, toolVersion: TLBReplay.toolVersion, settings: settings, entries: entries,
      confidence: old?.confidence ?? Baseline.confidenceDefault)
    let text = BaselineFile.text(baseline)
    guard let file else { return try OutputOptions.print(text) }
    try OutputOptions.write(text, toFile: file)
  }

  /// A baseline must not leave out in silence what was asked for.
  private static func refuseGaps(
    _ readings: [CaptureReading], _ settings: BaselineSettings
  ) throws(TraceError) {
    for reading in readings {
      let names = reading.metrics.map(\.name)
      let missing = settings.policies.map(\.name).filter { !names.contains("\($0).tlb_row") }
      if let policy = missing.first {
        throw TraceError(
          reading.unchecked ?? "the policy \(policy) is not observable in this trace",
          file: reading.path)
      }
      if reading.environment["lost_events"] != "none recorded" {
        writeError(
          "tlbreplay: note: \(reading.path): events were lost or the file is damaged "
            + "(\(reading.environment["lost_events"])); the baseline holds what is left\n")
      }
    }
  }

  /// Names of entries: where two captures have one name, their directories are part of it.
  private static func named(_ readings: [CaptureReading]) -> [(String, CaptureReading)] {
    readings.map { reading in
      let isTaken = readings.filter { $0.name == reading.name }.count > 1
      return (isTaken ? GateReading.trimmed(reading.path) : reading.name, reading)
    }
  }

  /// The directory that all captures lie in, or else the first one's name.
  private static func commonName(_ paths: [String]) -> String {
    let parents = Set(
      paths.map { GateReading.trimmed($0).split(separator: "/").dropLast().last.map(String.init) })
    if paths.count > 1, parents.count == 1, let parent = parents.first, let parent {
      return parent
    }
    return GateReading.name(of: paths[0])
  }
}
