import ArgumentParser
import Reporting
import TraceFiles

#if canImport(Glibc)
  import Glibc
#endif

/// `tlbreplay check`: holds captures against their baselines.
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Hold captures against a baseline; exits with 1 if one got worse.",
    discussion: """
      Policies, --flush-duration, --between and --instance are those of the baseline. A directory \
      whose children are captures is checked side by side, each child against NAME.baseline.json \
      beside it, or all against one baseline (--baseline).

      Exit codes: 0 good, 1 a metric moved too far (or a safety rule is broken, with \
      --forbid-violations), 2 usage, 3 a capture or baseline cannot be read or they cannot be \
      compared. If some regressed and others could not be checked, 1.

      Examples:
        tlbreplay check capture --baseline capture.baseline.json
        tlbreplay check captures --junit check.xml --github
        tlbreplay check run-4 --baseline nightly.baseline.json --allow kernel
        tlbreplay check capture --baseline capture.baseline.json --update
      """)

  @OptionGroup var gate: GateOptions

  @Option(
    help: ArgumentHelp(
      "The baseline. Default: INPUT.baseline.json beside each INPUT.", valueName: "FILE"),
    completion: .file())
  var baseline: String?

  @Option(
    help: ArgumentHelp(
      "Compare although these differ: "
        + "\(CaptureCheck.Demands.names.joined(separator: ", ")).", valueName: "LIST"))
  var allow: String?

  @Flag(help: "Fail if a policy of the baseline breaks a safety rule.")
  var forbidViolations = false

  @Flag(help: "Make the figures of now the baseline; tolerances and reasons stay.")
  var update = false

  @Option(
    help: ArgumentHelp(
      "Write JUnit XML; - is standard output, instead of the report.", valueName: "FILE"),
    completion: .file())
  var junit: String?

  @Option(
    help: ArgumentHelp(
      "Write KTAP; - is standard output, instead of the report.", valueName: "FILE"),
    completion: .file())
  var ktap: String?

  @Flag(help: "Print annotations of GitHub Actions behind the report.")
  var github = false

  @Flag(help: "Add the report to the job's summary: the file named by GITHUB_STEP_SUMMARY.")
  var githubSummary = false

  @Option(help: ArgumentHelp("Form of the report.", valueName: "FORM"))
  var format: OutputFormat?

  @Flag(help: "The same as --format json.")
  var json = false

  @Option(
    name: .customShort("o"),
    help: ArgumentHelp("Write the report to FILE instead of standard output.", valueName: "FILE"),
    completion: .file())
  var output: String?

  private var form: OutputFormat { json ? .json : (format ?? .text) }

  private var allowed: Set<String> {
    Set((allow ?? "").split(separator: ",").map(String.init))
  }

  func validate() throws {
    if json, let format, format != .json {
      throw ValidationError("--json contradicts --format \(format.name).")
    }
    if let unknown = allowed.sorted().first(where: { !CaptureCheck.Demands.names.contains($0) }) {
      let known = CaptureCheck.Demands.names.joined(separator: ", ")
      throw ValidationError("--allow: unknown \"\(unknown)\"; what can be allowed: \(known).")
    }
    let takers = [junit == "-", ktap == "-", github && (output == nil && form != .text)]
    guard takers.count(where: { $0 }) <= 1, !(github && (junit == "-" || ktap == "-")) else {
      throw ValidationError(
        "Only one of --junit -, --ktap - and --github can have standard output.")
    }
    if github, output == nil, form == .json {
      throw ValidationError("--github would end up in the JSON document: write that to -o FILE.")
    }
    if githubSummary, StepSummary.path == nil {
      throw ValidationError("--github-summary: the variable GITHUB_STEP_SUMMARY is not set.")
    }
  }

  func run() throws {
    let pairing = try CheckPairing(gate, baseline)
    var demands = CaptureCheck.Demands(toolVersion: TLBReplay.toolVersion)
    demands.allowed = allowed
    demands.forbidsViolations = forbidViolations
    let results = pairing.run(demands, noProgress: gate.noProgress)
    let summary = CheckSummary(results.map(\.check) + pairing.absent, notes: pairing.notes)
    try write(summary)
    if update { return try accept(results, summary) }
    let headline = CheckReport.headline(summary)
    let worst = summary.checks.first
    let reason = worst.map { "\($0.name) \(CheckReport.line($0))" } ?? headline
    switch summary.verdict {
    case .regressed: throw CheckFailure(description: reason)
    case .unchecked: throw TraceError(reason)
    case .moved, .same: return
    }
  }

  // MARK: Output

  private func write(_ summary: CheckSummary) throws {
    let report = CheckReport.build(summary)
    for (form, file) in [(JUnitForm() as any GateForm, junit), (KTAPForm(), ktap)] {
      guard let file else { continue }
      let text = form.render(summary)
      if file == "-" {
        try OutputOptions.print(text)
      } else {
        try OutputOptions.write(text, toFile: file)
      }
    }
    if let output {
      try OutputOptions.write(try OutputOptions.render(report, form), toFile: output)
    } else if junit != "-", ktap != "-" {
      try OutputOptions.print(try OutputOptions.render(report, form))
    }
    if github { try OutputOptions.print(GitHubForm().render(summary)) }
    if githubSummary { try StepSummary.append(report) }
  }

  // MARK: Update

  /// Writes what was read into the baselines that it was held against.
  private func accept(_ results: [CheckPairing.Made], _ summary: CheckSummary) throws {
    var changed: [String: Baseline] = [:]
    for made in results {
      guard let readings = made.readings, let old = made.baseline, let entry = made.entry else {
        continue
      }
      var baseline = changed[made.check.baselineFile] ?? old
      do throws(BaselineError) {
        var new = try BaselineEntry(entry.name, baseline.subject, readings, keeping: entry)
        // The owner's choice of metrics stays as well.
        new.metrics.removeAll { entry[$0.name] == nil }
        baseline.entries = baseline.entries.map { $0.name == entry.name ? new : $0 }
      } catch {
        throw TraceError(error.description)
      }
      baseline.toolVersion = TLBReplay.toolVersion
      changed[made.check.baselineFile] = baseline
    }
    for (file, baseline) in changed.sorted(by: { $0.key < $1.key }) {
      try OutputOptions.write(BaselineFile.text(baseline), toFile: file)
      writeError("tlbreplay: \(file): updated\n")
    }
    let left = results.filter { $0.readings == nil || $0.entry == nil }.map(\.check)
    if let first = (left + summary.checks.filter { $0.inputs.isEmpty }).first {
      throw TraceError("not updated: \(first.name) \(CheckReport.line(first))")
    }
  }
}

/// The job's summary of GitHub Actions.
enum StepSummary {
  /// What a summary may have; GitHub drops longer ones whole.
  private static let bytesMax = 1 << 20

  static var path: String? {
    getenv("GITHUB_STEP_SUMMARY").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// Adds `report` as Markdown.
  static func append(_ report: Report) throws {
    guard let path else { return }
    var text =
      ReportRenderers.renderer(named: "markdown")?.render(report)
      ?? "```\n\(TextRenderer().render(report))```\n"
    if text.utf8.count > bytesMax - 256 {
      text = CheckReport.shortened(report) + "\n"
    }
    let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw OutputError(
        description: "\(path): cannot be written: \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    try OutputOptions.write(text, to: descriptor, name: path)
  }
}
