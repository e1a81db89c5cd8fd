import ArgumentParser
import Machine
import Replay
import Reporting
import TraceEvents
import TraceFiles

#if canImport(Glibc)
  import Glibc
#endif

/// How captures are looked at, for `baseline` and `check`.
struct GateOptions: ParsableArguments {
  @Argument(
    help: "Captures or traces; or one directory whose children are captures.",
    completion: .file())
  var inputs: [String] = []

  @Option(
    name: .customShort("i"), help: "The same as a positional INPUT.", completion: .file())
  var inputOption: String?

  @Option(
    name: .customLong("policy"),
    help: ArgumentHelp(
      "A flush policy whose figures are held, or a policy file; repeat it for more. Default: "
        + "luf-v10; for check those of the baseline.", valueName: "NAME"))
  var policies: [String] = []

  @Option(
    help: ArgumentHelp(
      "How long a flush lasts that the recorded run did not do. Default: from the trace.",
      valueName: "NS"))
  var flushDuration: UInt64?

  @OptionGroup var window: WindowOptions

  @Flag(help: "Show no progress on a terminal.")
  var noProgress = false

  /// Every input that was named.
  var paths: [String] { inputs + [inputOption].compactMap(\.self) }

  func validate() throws {
    guard !paths.isEmpty else {
      throw ValidationError("Missing INPUT: captures, traces, or a directory of captures.")
    }
    guard paths.filter({ $0 == "-" }).count <= 1 else {
      throw ValidationError("Only one input can be standard input.")
    }
    if let twice = paths.enumerated().first(where: { paths.firstIndex(of: $1) != $0 }) {
      throw ValidationError("\(twice.element) is given twice: a run counts once.")
    }
    try PolicyChoice.validate(policies)
  }

  /// What a baseline keeps of these options.
  func settings() throws -> BaselineSettings {
    BaselineSettings(
      policies: try PolicyChoice.baselinePolicies(policies), flushDuration: flushDuration,
      between: window.between, instance: window.instance, filters: window.filters.arguments)
  }
}

/// Reads captures for a baseline.
enum GateReading {
  /// The filters of a baseline, which may have been edited.
  private static func filters(_ settings: BaselineSettings) throws -> FilterOptions {
    do {
      return try FilterOptions.parse(settings.filters)
    } catch {
      throw TraceError(
        "the baseline has filters that are none: \(settings.filters.joined(separator: " "))")
    }
  }

  /// The figures of the capture at `path`; `policyFiles` are values of `--policy` that are files.
  static func read(
    _ path: String, _ settings: BaselineSettings, policyFiles: [String], progress: Progress
  ) throws -> CaptureReading {
    var counted = WindowOptions()
    counted.between = settings.between
    counted.instance = settings.instance
    counted.filters = try filters(settings)
    let options = InputOptions.one(path, counted)
    let loaded = try LoadedInput(options)
    let trace = try loaded.describe(options, progress: progress)
    let window = trace.window?.marks.span
    var tiers = TierTracker(
      trace.memory.before.map(NodeMap.init) ?? .unknown, from: window?.start ?? 0,
      to: window?.end ?? .max)
    let outcome = try loaded.replay(
      trace, policies: try blueprints(settings, policyFiles),
      flushDuration: settings.flushDuration, tiers: &tiers, progress: progress)
    return CaptureReading(
      name: name(of: path), digest: loaded.trace.contentDigest, trace, outcome,
      tiers: tiers.finish())
  }

  private static func blueprints(
    _ settings: BaselineSettings, _ files: [String]
  ) throws -> [PolicyBlueprint] {
    let fromFiles = try files.isEmpty ? [] : PolicyChoice.blueprints(files)
    return try settings.policies.map { policy in
      let found =
        policy.rules == BaselinePolicy.catalogue
        ? PolicyCatalog.blueprint(named: policy.name)
        : fromFiles.first { $0.name == policy.name }
      guard let found else {
        throw TraceError("the policy \(policy.name) of the baseline is not known to this tool")
      }
      return found
    }
  }

  /// The last component of a path.
  static func name(of path: String) -> String {
    if path == "-" { return "standard input" }
    let last = path.split(separator: "/").last.map(String.init) ?? path
    guard last == "." || last == "..", let whole = realpath(path, nil) else { return last }
    defer { free(whole) }
    return String(cString: whole).split(separator: "/").last.map(String.init) ?? last
  }

  /// `path` without slashes at its end.
  static func trimmed(_ path: String) -> String {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    return path
  }

  /// The baseline in the file at `path`; errors name the file and the line.
  static func baseline(_ path: String) throws(TraceError) -> Baseline {
    let text = try text(path)
    do throws(BaselineError) {
      return try BaselineFile.baseline(text)
    } catch {
      throw TraceError(error.description, file: path)
    }
  }

  private static func text(_ path: String) throws(TraceError) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw TraceError(
        "cannot be opened: \(String(cString: strerror(errno))); tlbreplay baseline makes one",
        file: path)
    }
    defer { close(descriptor) }
    let bytes = try WholeFile.read(
      descriptor, path, mebibytesMax: BaselineFile.sizeMax >> 20, expected: "a baseline")
    return String(decoding: bytes ?? [], as: UTF8.self)
  }
}
