/// What became of one metric.
public struct MetricVerdict: Sendable {
  /// How it stands to its baseline.
  public enum Kind: String, Sendable {
    /// Moved too far, the wrong way.
    case worse
    /// Moved too far, where every change is one.
    case changed
    /// The baseline has it and the capture does not show it.
    case gone
    /// Moved farther than is allowed, the right way.
    case better
    /// Moved as far as is allowed.
    case within
    /// Moved, and may.
    case shown
    /// The same.
    case same

    /// Whether the check fails.
    public var isFailure: Bool { self == .worse || self == .changed }
  }

  /// The metric as the baseline has it.
  public var baseline: BaselineMetric
  /// What it is now: the mean over new captures.
  public var now: Double?
  /// How far it may move; nil without limit.
  public var allowed: Double?
  /// How it stands.
  public var kind: Kind

  init(_ baseline: BaselineMetric, now: Double?, confidence: Double, runs: Int) {
    self.baseline = baseline
    self.now = now
    allowed = baseline.tolerance.amount(baseline, confidence: confidence, runs: runs)
    guard let now else {
      kind = .gone
      return
    }
    // Half of the last digit that a baseline keeps: sums of such figures differ by rounding.
    let moved = now - baseline.value
    guard abs(moved) > 5e-7 else {
      kind = .same
      return
    }
    guard let allowed else {
      kind = .shown
      return
    }
    guard abs(moved) > allowed + 5e-7 else {
      kind = .within
      return
    }
    switch baseline.direction {
    case .any: kind = .changed
    case .more: kind = moved > 0 ? .worse : .better
    case .less: kind = moved < 0 ? .worse : .better
    }
  }
}

/// One entry of a baseline against what was captured, or why it could not be held against it.
public struct CaptureCheck: Sendable {
  /// How it ended, the worst first.
  public enum Verdict: String, Sendable, CaseIterable {
    /// A metric moved too far, or a policy breaks a rule that must hold.
    case regressed
    /// It could not be compared: unreadable, another trace, another environment, figures missing.
    case unchecked
    /// Metrics moved, none too far.
    case moved
    /// Every metric is as it was.
    case same
  }

  /// The capture's name.
  public var name: String
  /// What was read.
  public var inputs: [String]
  /// The baseline's path.
  public var baselineFile: String
  /// What the baseline holds for; nil where it could not be read.
  public var subject: Baseline.Subject?
  /// The entry's line in the baseline.
  public var line = 1
  /// By name; empty where nothing was compared.
  public var metrics: [MetricVerdict] = []
  /// Why it was not compared, one reason each; empty where it was.
  public var refusals: [String] = []
  /// What a reader must know of the comparison.
  public var notes: [String] = []
  /// How a policy breaks safety rules that must hold.
  public var violation: String?

  /// A check that has not begun.
  public init(_ name: String, inputs: [String], baselineFile: String) {
    self.name = name
    self.inputs = inputs
    self.baselineFile = baselineFile
  }

  /// How it ended.
  public var verdict: Verdict {
    if violation != nil || metrics.contains(where: { $0.kind.isFailure }) { return .regressed }
    if !refusals.isEmpty || metrics.contains(where: { $0.kind == .gone }) { return .unchecked }
    return metrics.allSatisfy { $0.kind == .same } ? .same : .moved
  }

  /// What is demanded of a check beside its metrics.
  public struct Demands: Sendable {
    /// Differences that are accepted: facts of ``CaptureEnvironment/names``, `tool` and `missing`.
    public var allowed: Set<String> = []
    /// Whether no policy may break a safety rule.
    public var forbidsViolations = false
    /// The version of this tool.
    public var toolVersion: String

    /// What can be allowed.
    public static let names = CaptureEnvironment.names + ["missing", "tool"]

    /// Nothing but the metrics.
    public init(toolVersion: String) { self.toolVersion = toolVersion }
  }

  /// Holds `readings`, repetitions of each other, against an entry of a baseline.
  public mutating func compare(
    _ readings: [CaptureReading], with entry: BaselineEntry, of baseline: Baseline,
    _ demands: Demands
  ) {
    subject = baseline.subject
    line = max(entry.line, 1)
    switch baseline.subject {
    case .trace: meetTrace(readings, entry, baseline, demands)
    case .workload: meetWorkload(readings, entry, baseline, demands)
    }
    if demands.forbidsViolations {
      violation = readings.compactMap(\.violation).first
      // A gate that could not look must not say that all is well.
      refusals += readings.compactMap(\.unchecked)
    }
    guard refusals.isEmpty else { return }
    metrics = entry.metrics.map { metric in
      let values = readings.compactMap { reading in
        reading.metrics.first { $0.name == metric.name }?.value
      }
      let mean =
        values.count == readings.count && !values.isEmpty
        ? values.reduce(0, +) / Double(values.count) : nil
      return MetricVerdict(
        metric, now: mean, confidence: baseline.confidence, runs: readings.count)
    }
    if let few = metrics.first(where: { $0.baseline.tolerance.usesSpread && $0.baseline.runs < 5 })
    {
      notes.append(
        few.baseline.runs < 2
          ? "There are no repetitions, so nothing is known of how much the workload scatters."
          : "\(few.baseline.runs) repetitions say little of how much the workload scatters, so "
            + "much is allowed: a baseline of five or more sees smaller changes.")
    }
    let gone = metrics.filter { $0.kind == .gone }.map(\.baseline.name)
    if !gone.isEmpty, demands.allowed.contains("missing") {
      metrics.removeAll { $0.kind == .gone }
      notes.append("Not in this capture, and allowed: \(gone.joined(separator: ", ")).")
    }
    let known = Set(entry.metrics.map(\.name))
    let new = (readings.first?.metrics ?? []).filter {
      !known.contains($0.name) && (subject == .workload || !$0.isRate)
    }.map(\.name)
    if !new.isEmpty {
      notes.append(
        "Not in the baseline: \(new.joined(separator: ", ")). tlbreplay baseline --update adds them."
      )
    }
  }

  /// The same bytes, whoever reads them: what differs is the tool's doing.
  private mutating func meetTrace(
    _ readings: [CaptureReading], _ entry: BaselineEntry, _ baseline: Baseline, _ demands: Demands
  ) {
    for reading in readings where !entry.digests.contains(reading.digest) {
      refusals.append(
        "\(reading.path) is another trace (\(reading.digest)) than the baseline's "
          + "(\(entry.digests.joined(separator: ", "))), and a baseline that compares traces holds "
          + "for the same one only: check new captures with one made with --compares workload, or "
          + "accept this trace with --update")
    }
    guard refusals.isEmpty else { return }
    if demands.toolVersion != baseline.toolVersion {
      notes.append(
        "The baseline was made by tlbreplay \(baseline.toolVersion), this is "
          + "\(demands.toolVersion), and the trace is the same: what moved is the tool's doing.")
    }
    for difference in differences(readings, entry) {
      notes.append("The same trace is read otherwise than before: \(difference.text).")
    }
  }

  /// New captures: what moved is the workload's doing only if nothing else is different.
  private mutating func meetWorkload(
    _ readings: [CaptureReading], _ entry: BaselineEntry, _ baseline: Baseline, _ demands: Demands
  ) {
    var found = differences(readings, entry)
    if demands.toolVersion != baseline.toolVersion {
      found.append(
        ("tool", "tool was \(baseline.toolVersion) and is \(demands.toolVersion)"))
    }
    let refused = found.filter { !demands.allowed.contains($0.name) }
    for difference in found where demands.allowed.contains(difference.name) {
      notes.append("Different, and allowed: \(difference.text).")
    }
    guard !refused.isEmpty else { return }
    let names = refused.map(\.name)
    let list = names.enumerated().filter { names.firstIndex(of: $1) == $0 }.map(\.element)
    refusals.append(
      "not comparable: \(refused.map(\.text).joined(separator: "; ")). Figures may differ by that "
        + "alone: make a baseline under these conditions, or compare all the same with --allow "
        + list.joined(separator: ","))
  }

  private func differences(
    _ readings: [CaptureReading], _ entry: BaselineEntry
  ) -> [(name: String, text: String)] {
    var found: [(name: String, text: String)] = []
    for fact in CaptureEnvironment.names {
      let now = readings.map { $0.environment[fact] }.filter { $0 != entry.environment[fact] }
      guard let other = now.first else { continue }
      found.append((fact, "\(fact) was \(entry.environment[fact]) and is \(other)"))
    }
    return found
  }
}

/// All checks of a run, the worst first.
public struct CheckSummary: Sendable {
  /// The worst first, then by name.
  public let checks: [CaptureCheck]
  /// What was left out, and why.
  public let notes: [String]

  /// A summary.
  public init(_ checks: [CaptureCheck], notes: [String] = []) {
    let order = CaptureCheck.Verdict.allCases
    func rank(_ check: CaptureCheck) -> Int { order.firstIndex(of: check.verdict) ?? order.count }
    self.checks = checks.enumerated().sorted { one, two in
      (rank(one.element), one.element.name, one.offset)
        < (rank(two.element), two.element.name, two.offset)
    }.map(\.element)
    self.notes = notes
  }

  /// Of all of them: the worst. Without any, nothing was checked.
  public var verdict: CaptureCheck.Verdict { checks.first?.verdict ?? .unchecked }

  /// How many ended in a way.
  public func count(_ verdict: CaptureCheck.Verdict) -> Int {
    checks.count { $0.verdict == verdict }
  }
}
