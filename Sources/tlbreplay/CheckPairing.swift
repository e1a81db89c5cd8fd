import ArgumentParser
import Reporting
import TraceFiles

#if canImport(Glibc)
  import Glibc
#endif

/// Which captures are held against which baseline.
struct CheckPairing {
  /// Captures that are looked at together, and the baseline of theirs.
  struct Pair: Sendable {
    var name: String
    var inputs: [String]
    var baselineFile: String
    /// Nil where it could not be read; then why.
    var baseline: Baseline?
    var problem: String?
  }

  /// What came of a pair.
  struct Made: Sendable {
    var check: CaptureCheck
    /// Nil where a capture could not be read.
    var readings: [CaptureReading]?
    var baseline: Baseline?
    /// Nil where the baseline has none for it.
    var entry: BaselineEntry?
  }

  private(set) var pairs: [Pair] = []
  /// Entries of the baseline that no capture is there for.
  private(set) var absent: [CaptureCheck] = []
  /// What was left out of a folder.
  private(set) var notes: [String] = []
  private let policyFiles: [String]

  init(_ gate: GateOptions, _ file: String?) throws {
    policyFiles = gate.policies.filter(PolicyFile.isFile)
    var inputs: [String] = []
    var isFolder = false
    for path in gate.paths {
      guard path != "-", let folder = CaptureFolder(path) else {
        inputs.append(path)
        continue
      }
      isFolder = true
      let base = GateReading.trimmed(path)
      inputs += Self.children(folder).map { "\(base)/\($0)" }
      if !folder.others.isEmpty {
        notes.append("Without a trace, and left out: \(folder.others.joined(separator: ", ")).")
      }
      guard !folder.captures.isEmpty || !inputs.isEmpty else {
        throw TraceError(
          "is a directory without a trace, and none of its children is a capture", file: base)
      }
    }
    if let file {
      let baseline = try GateReading.baseline(file)
      try addOne(inputs, file, baseline, gate)
      if isFolder { addAbsent(inputs, file, baseline) }
    } else {
      for path in inputs { addBeside(path, gate) }
    }
  }

  /// Captures, and files that have a baseline beside them.
  private static func children(_ folder: CaptureFolder) -> [String] {
    let files = Set(folder.files)
    return (folder.captures + folder.files.filter { files.contains("\($0).baseline.json") })
      .sorted()
  }

  private mutating func addOne(
    _ inputs: [String], _ file: String, _ baseline: Baseline, _ gate: GateOptions
  ) throws {
    let problem = try Self.contradiction(gate, baseline)
    if let problem { throw TraceError(problem, file: file) }
    if baseline.subject == .workload, baseline.entries.count == 1 {
      pairs = [
        Pair(
          name: baseline.entries[0].name, inputs: inputs, baselineFile: file, baseline: baseline)
      ]
      return
    }
    pairs = inputs.map {
      Pair(name: GateReading.name(of: $0), inputs: [$0], baselineFile: file, baseline: baseline)
    }
  }

  /// What is gone must not look good.
  private mutating func addAbsent(_ inputs: [String], _ file: String, _ baseline: Baseline) {
    guard baseline.subject == .trace || baseline.entries.count > 1 else { return }
    let names = Set(inputs.flatMap { [GateReading.name(of: $0), GateReading.trimmed($0)] })
    for entry in baseline.entries where !names.contains(entry.name) {
      var check = CaptureCheck(entry.name, inputs: [], baselineFile: file)
      check.subject = baseline.subject
      check.line = entry.line
      check.refusals = ["the baseline has it, and no capture of this name is there"]
      absent.append(check)
    }
  }

  private mutating func addBeside(_ path: String, _ gate: GateOptions) {
    let file = "\(GateReading.trimmed(path)).baseline.json"
    var pair = Pair(name: GateReading.name(of: path), inputs: [path], baselineFile: file)
    do throws(TraceError) {
      guard access(file, F_OK) == 0 else {
        throw TraceError(
          "has no baseline beside it: tlbreplay baseline \(path) -o \(file) makes one, --baseline "
            + "names another", file: path)
      }
      let baseline = try GateReading.baseline(file)
      pair.baseline = baseline
      pair.problem = try Self.contradiction(gate, baseline)
    } catch {
      pair.problem = error.description
    }
    pairs.append(pair)
  }

  /// What the command line says otherwise than the baseline; nil where they agree.
  private static func contradiction(
    _ gate: GateOptions, _ baseline: Baseline
  ) throws(TraceError) -> String? {
    let settings = baseline.settings
    let asked: BaselineSettings
    do {
      asked = try gate.settings()
    } catch {
      throw TraceError("\(error)")
    }
    var found: [String] = []
    func note<Value: Equatable>(_ option: String, _ given: Value?, _ kept: Value?) {
      guard let given, given != kept else { return }
      found.append("\(option) \(given), the baseline has \(kept.map { "\($0)" } ?? "none")")
    }
    note("--flush-duration", gate.flushDuration, settings.flushDuration)
    note("--between", gate.window.between, settings.between)
    note("--instance", gate.window.instance, settings.instance)
    let filters = gate.window.filters.arguments
    note(
      "filters", filters.isEmpty ? nil : filters.joined(separator: " "),
      settings.filters.joined(separator: " "))
    let names = settings.policies.map(\.name)
    let files = settings.policies.filter { $0.rules != BaselinePolicy.catalogue }
    if !gate.policies.isEmpty {
      for policy in asked.policies where !settings.policies.contains(policy) {
        found.append(
          names.contains(policy.name)
            ? "the policy \(policy.name) has other rules than in the baseline"
            : "--policy \(policy.name), the baseline has \(names.joined(separator: ", "))")
      }
    }
    for policy in files where gate.policies.isEmpty || !asked.policies.contains(policy) {
      guard !asked.policies.contains(where: { $0.name == policy.name }) else { continue }
      found.append("its policy \(policy.name) is from a policy file: name that with --policy")
    }
    guard !found.isEmpty else { return nil }
    return "cannot be compared: \(found.joined(separator: "; ")). Figures of other settings say "
      + "nothing: leave them to the baseline, or make a new one"
  }

  // MARK: Running

  /// Reads all captures, side by side where there are several, and holds them against the baselines.
  func run(_ demands: CaptureCheck.Demands, noProgress: Bool) -> [Made] {
    let isAlone = pairs.count == 1 && pairs[0].inputs.count == 1
    return SideBySide.map(pairs) { pair in
      Self.made(pair, demands, policyFiles, showsProgress: isAlone && !noProgress)
    }
  }

  private static func made(
    _ pair: Pair, _ demands: CaptureCheck.Demands, _ files: [String], showsProgress: Bool
  ) -> Made {
    var check = CaptureCheck(pair.name, inputs: pair.inputs, baselineFile: pair.baselineFile)
    check.subject = pair.baseline?.subject
    guard let baseline = pair.baseline, pair.problem == nil else {
      check.refusals = [pair.problem ?? "has no baseline"]
      return Made(check: check)
    }
    let readings: [CaptureReading]
    do {
      readings = try SideBySide.map(pair.inputs) { path in
        Result {
          try GateReading.read(
            path, baseline.settings, policyFiles: files,
            progress: Progress(isHidden: !showsProgress))
        }
      }.map { try $0.get() }
    } catch {
      check.refusals = ["\(error)"]
      return Made(check: check, baseline: baseline)
    }
    guard let entry = entry(of: readings, pair, baseline) else {
      let names = baseline.entries.map(\.name).joined(separator: ", ")
      check.refusals = ["\(pair.baselineFile) has no \"\(pair.name)\"; it has \(names)"]
      return Made(check: check, readings: readings, baseline: baseline)
    }
    check.compare(readings, with: entry, of: baseline, demands)
    return Made(check: check, readings: readings, baseline: baseline, entry: entry)
  }

  /// The same trace, or else the same name, or else the only one.
  private static func entry(
    of readings: [CaptureReading], _ pair: Pair, _ baseline: Baseline
  ) -> BaselineEntry? {
    if baseline.entries.count == 1 { return baseline.entries[0] }
    if let reading = readings.first, baseline.subject == .trace,
      let same = baseline.entries.first(where: { $0.digests.contains(reading.digest) })
    {
      return same
    }
    let names = [pair.name, pair.inputs.first.map(GateReading.trimmed) ?? pair.name]
    return baseline.entries.first { names.contains($0.name) }
  }
}
