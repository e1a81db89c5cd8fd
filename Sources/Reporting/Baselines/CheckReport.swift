/// `check`: what moved, why it matters, and how to accept it.
public enum CheckReport {
  /// The report on all checks.
  public static func build(_ summary: CheckSummary) -> Report {
    var report = Report(title: "tlbreplay check: \(headline(summary))")
    var blocks: [Report.Block] = []
    if !summary.checks.isEmpty {
      blocks.append(.facts(summary.checks.map { ($0.name, brief($0)) }))
    }
    blocks += summary.notes.map { .note($0) }
    report.sections = [Report.Section("Verdict", blocks)]
    report.sections += summary.checks.filter { $0.verdict != .same || !$0.notes.isEmpty }.map(
      section)
    report.data = data(summary)
    return report
  }

  /// Only what became of each capture, for a place without room.
  public static func shortened(_ report: Report) -> String { report.title }

  /// `2 captures, 1 regressed`.
  public static func headline(_ summary: CheckSummary) -> String {
    let captures = summary.checks.count
    guard captures > 0 else { return "nothing to check" }
    let counts = CaptureCheck.Verdict.allCases.compactMap { verdict -> String? in
      let count = summary.count(verdict)
      guard count > 0 else { return nil }
      return captures == 1 ? word(verdict) : "\(count) \(word(verdict))"
    }
    return "\(captures) capture\(captures == 1 ? "" : "s"), \(counts.joined(separator: ", "))"
  }

  static func word(_ verdict: CaptureCheck.Verdict) -> String {
    switch verdict {
    case .regressed: "regressed"
    case .unchecked: "not checked"
    case .moved: "good"
    case .same: "unchanged"
    }
  }

  /// The same for a list whose entries have sections of their own below.
  private static func brief(_ check: CaptureCheck) -> String {
    check.refusals.isEmpty ? line(check) : "\(word(check.verdict)), see below"
  }

  /// One capture's verdict in words.
  public static func line(_ check: CaptureCheck) -> String {
    let moved = check.metrics.filter { $0.kind != .same }
    let failed = check.metrics.filter { $0.kind.isFailure }
    let gone = check.metrics.filter { $0.kind == .gone }.map(\.baseline.name)
    var parts: [String] = []
    if !failed.isEmpty {
      parts.append("\(failed.count) of \(check.metrics.count) metrics moved too far")
    }
    if let violation = check.violation { parts.append(violation) }
    if !gone.isEmpty {
      parts.append(
        "not observable in this capture: \(gone.joined(separator: ", ")) (--allow missing goes on "
          + "without)")
    }
    parts += check.refusals
    if parts.isEmpty {
      parts.append(
        moved.isEmpty
          ? "all \(check.metrics.count) metrics as in the baseline"
          : "\(moved.count) of \(check.metrics.count) metrics moved, none too far")
    }
    return "\(word(check.verdict)): \(parts.joined(separator: "; "))"
  }

  // MARK: A capture

  private static func section(_ check: CaptureCheck) -> Report.Section {
    var facts: [(name: String, value: String)] = []
    if !check.inputs.isEmpty {
      facts.append((check.inputs.count == 1 ? "capture" : "captures", inputs(check)))
    }
    facts.append(("baseline", check.baselineFile))
    switch check.subject {
    case .trace:
      facts.append(("compares", "trace: the same trace, so what moves is the tool's doing"))
    case .workload:
      facts.append(("compares", "workload: a new capture, so what moves is the workload's doing"))
    case nil: break
    }
    var blocks: [Report.Block] = [.facts(facts)]
    let shown = check.metrics.filter { $0.kind != .same && $0.kind != .shown }.sorted {
      (order($0.kind), $0.baseline.name) < (order($1.kind), $1.baseline.name)
    }
    if !shown.isEmpty { blocks.append(.table(table(shown))) }
    if let others = others(check) { blocks.append(.note(others)) }
    blocks += check.refusals.map { .note(sentence($0)) }
    if let violation = check.violation { blocks.append(.note(sentence(violation))) }
    blocks += check.notes.map { .note($0) }
    let failed = shown.filter { $0.kind.isFailure }
    if !failed.isEmpty {
      blocks.append(.note("Why it matters:"))
      blocks.append(
        .facts(failed.map { ($0.baseline.name, "\($0.baseline.reason) [\($0.baseline.grade)]") }))
    }
    if !failed.isEmpty || shown.contains(where: { $0.kind == .better }) {
      let lines = failed.map(\.baseline.line).filter { $0 > 0 }
      let place = lines.first.map { " (or edit \(check.baselineFile), line \($0))" } ?? ""
      blocks.append(
        .note("To accept the new figures, run the same command with --update\(place)."))
    }
    return Report.Section("\(check.name): \(word(check.verdict))", blocks)
  }

  /// Figures that are kept without a limit, where they moved.
  private static func others(_ check: CaptureCheck) -> String? {
    let moved = check.metrics.filter { $0.kind == .shown }
    guard !moved.isEmpty else { return nil }
    let list = moved.map { "\($0.baseline.name) \(change($0))" }.joined(separator: ", ")
    return "Moved too, without a limit: \(list)."
  }

  private static func sentence(_ text: String) -> String {
    text + (text.hasSuffix(".") ? "" : ".")
  }

  /// The command that makes the figures of now the baseline.
  static func acceptance(_ check: CaptureCheck) -> String {
    "tlbreplay check \(inputs(check)) --baseline \(quoted(check.baselineFile)) --update"
  }

  private static func inputs(_ check: CaptureCheck) -> String {
    check.inputs.map(quoted).joined(separator: " ")
  }

  /// As a shell takes it for one word.
  private static func quoted(_ text: String) -> String {
    let plain = text.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
        || "-_./=:,+@%".utf8.contains(byte) || byte >= 0x80
    }
    return plain && !text.isEmpty
      ? text
      : "'"
        + text.split(separator: "'", omittingEmptySubsequences: false)
        .joined(separator: "'\\''") + "'"
  }

  private static func order(_ kind: MetricVerdict.Kind) -> Int {
    switch kind {
    case .worse: 0
    case .changed: 1
    case .gone: 2
    case .better: 3
    case .within: 4
    case .shown: 5
    case .same: 6
    }
  }

  private static func table(_ verdicts: [MetricVerdict]) -> Report.Table {
    Report.Table(
      columns: ["metric", "verdict", "baseline", "now", "change", "allowed"],
      rows: verdicts.map { verdict in
        [
          verdict.baseline.name, verdict.kind.rawValue, Quantity.text(verdict.baseline.value),
          verdict.now.map(Quantity.text) ?? "-", change(verdict), allowed(verdict),
        ]
      })
  }

  /// In per cent of the baseline, or as it is where that is 0.
  static func change(_ verdict: MetricVerdict) -> String {
    guard let now = verdict.now else { return "-" }
    let moved = now - verdict.baseline.value
    guard verdict.baseline.value != 0 else {
      return (moved > 0 ? "+" : "") + Quantity.text(moved)
    }
    let percent = moved / abs(verdict.baseline.value) * 100
    return abs(percent) < 1000
      ? Quantity.percent(percent) : Quantity.format("%+.0f%%", percent)
  }

  static func allowed(_ verdict: MetricVerdict) -> String {
    guard let allowed = verdict.allowed else { return "any" }
    return allowed < 1000
      ? Quantity.format("%.3g", allowed) : Int64(min(allowed, 1e18).rounded()).grouped
  }

  /// One line on a metric that failed: `luf-v10.tlb_row was 907, is 1,012 (+11.58%, allowed 0)`.
  static func line(_ verdict: MetricVerdict) -> String {
    let metric = verdict.baseline
    guard let now = verdict.now else { return "\(metric.name) is not observable in this capture" }
    return "\(metric.name) was \(Quantity.text(metric.value)), is \(Quantity.text(now)) "
      + "(\(change(verdict)), allowed \(allowed(verdict)))"
  }

  // MARK: JSON

  private static func data(_ summary: CheckSummary) -> JSONValue {
    .object([
      "schema": .string("tlbreplay.check/1"), "verdict": .string(summary.verdict.rawValue),
      "captures": .array(summary.checks.map(data)),
      "counts": .object(
        Dictionary(
          uniqueKeysWithValues: CaptureCheck.Verdict.allCases.map {
            ($0.rawValue, JSONValue(summary.count($0)))
          })),
      "notes": .array(summary.notes.map { .string($0) }),
    ])
  }

  private static func data(_ check: CaptureCheck) -> JSONValue {
    var metrics: [String: JSONValue] = [:]
    for verdict in check.metrics { metrics[verdict.baseline.name] = data(verdict) }
    return .object([
      "name": .string(check.name), "verdict": .string(check.verdict.rawValue),
      "inputs": .array(check.inputs.map { .string($0) }),
      "baseline": .string(check.baselineFile),
      "compares": JSONValue(check.subject?.rawValue), "metrics": .object(metrics),
      "refusals": .array(check.refusals.map { .string($0) }),
      "violation": JSONValue(check.violation), "notes": .array(check.notes.map { .string($0) }),
      "accept": .string(acceptance(check)),
    ])
  }

  private static func data(_ verdict: MetricVerdict) -> JSONValue {
    let metric = verdict.baseline
    return .object([
      "baseline": Quantity.data(metric.value), "now": Quantity.data(verdict.now),
      "allowed": Quantity.data(verdict.allowed), "verdict": .string(verdict.kind.rawValue),
      "tolerance": .string(metric.tolerance.text), "direction": .string(metric.direction.rawValue),
      "grade": .string(metric.grade), "reason": .string(metric.reason),
      "line": metric.line > 0 ? JSONValue(metric.line) : .null,
    ])
  }
}
