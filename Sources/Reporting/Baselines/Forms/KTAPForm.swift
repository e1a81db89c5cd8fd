/// KTAP version 1 (Linux `Documentation/dev-tools/ktap.rst`): a test for each capture, with a subtest
/// for each metric.
public struct KTAPForm: GateForm {
  /// See ``GateForm/name``.
  public let name = "ktap"

  /// The form.
  public init() {}

  /// See ``GateForm/render(_:)``.
  public func render(_ summary: CheckSummary) -> String {
    var lines = ["KTAP version 1", "1..\(summary.checks.count)"]
    for (index, check) in summary.checks.enumerated() {
      lines += subtests(check).map { "  " + $0 }
      let isGood = check.verdict == .same || check.verdict == .moved
      // Not run because of an error is something else than failed.
      let directive =
        check.verdict == .unchecked
        ? " # ERROR \(GateForms.oneLine(CheckReport.line(check)))" : ""
      lines.append(
        "\(isGood ? "ok" : "not ok") \(index + 1) \(described(check.name))\(directive)")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func subtests(_ check: CaptureCheck) -> [String] {
    let count = check.metrics.count + (check.violation == nil ? 0 : 1) + check.refusals.count
    // A test without subtests has none, not zero of them.
    guard count > 0 else { return [] }
    var lines = ["KTAP version 1", "# Subtest: \(described(check.name))", "1..\(count)"]
    for (index, verdict) in check.metrics.enumerated() {
      lines += result(verdict, index + 1)
    }
    var number = check.metrics.count
    if let violation = check.violation {
      number += 1
      lines += ["# \(GateForms.oneLine(violation))", "not ok \(number) safety"]
    }
    for refusal in check.refusals {
      number += 1
      let line = GateForms.oneLine(refusal)
      lines += ["# \(line)", "not ok \(number) baseline # ERROR \(line)"]
    }
    return lines
  }

  private func result(_ verdict: MetricVerdict, _ number: Int) -> [String] {
    let name = described(verdict.baseline.name)
    let line = GateForms.oneLine(CheckReport.line(verdict))
    switch verdict.kind {
    case .worse, .changed:
      return [
        "# \(line)", "# \(GateForms.oneLine(verdict.baseline.reason))", "not ok \(number) \(name)",
      ]
    case .gone: return ["not ok \(number) \(name) # ERROR \(line)"]
    case .shown: return ["ok \(number) \(name) # SKIP \(line)"]
    case .better, .within: return ["# \(line)", "ok \(number) \(name)"]
    case .same: return ["ok \(number) \(name)"]
    }
  }

  /// A description must not begin a directive, nor look like another number.
  private func described(_ name: String) -> String {
    GateForms.oneLine(name).split(separator: "#", omittingEmptySubsequences: false)
      .joined(separator: "_")
  }
}
