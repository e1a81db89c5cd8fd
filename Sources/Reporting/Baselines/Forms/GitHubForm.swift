/// Workflow commands of GitHub Actions: one annotation for each capture that is not as it was, for
/// only some ten of a kind are shown for a step.
public struct GitHubForm: GateForm {
  /// See ``GateForm/name``.
  public let name = "github"
  /// Metrics that one annotation lists.
  private static let metricsMax = 8

  /// The form.
  public init() {}

  /// See ``GateForm/render(_:)``.
  public func render(_ summary: CheckSummary) -> String {
    summary.checks.compactMap(annotation).map { $0 + "\n" }.joined()
  }

  private func annotation(_ check: CaptureCheck) -> String? {
    let isFailed = check.verdict == .regressed || check.verdict == .unchecked
    let failed = check.metrics.filter { $0.kind.isFailure || $0.kind == .gone }
    let better = check.metrics.filter { $0.kind == .better }
    guard isFailed || !better.isEmpty else { return nil }
    let shown = isFailed ? failed : better
    var lines = [CheckReport.line(check)]
    lines += shown.prefix(Self.metricsMax).map { verdict in
      "\(CheckReport.line(verdict)): \(verdict.baseline.reason)"
    }
    if shown.count > Self.metricsMax { lines.append("and \(shown.count - Self.metricsMax) more") }
    if !shown.isEmpty { lines.append("To accept: \(CheckReport.acceptance(check))") }
    let line = shown.first?.baseline.line ?? 0
    let title = "tlbreplay: \(check.name) \(isFailed ? CheckReport.word(check.verdict) : "better")"
    return "::\(isFailed ? "error" : "notice") file=\(property(check.baselineFile)),"
      + "line=\(max(line > 0 ? line : check.line, 1)),title=\(property(title))::"
      + message(lines.joined(separator: "\n"))
  }

  /// Escapes of a message: `%`, CR and LF.
  private func message(_ text: String) -> String {
    escaped(text) { scalar in
      switch scalar {
      case "%": "%25"
      case "\r": "%0D"
      case "\n": "%0A"
      default: nil
      }
    }
  }

  /// Escapes of a property: those of a message, and `:` and `,`.
  private func property(_ text: String) -> String {
    escaped(message(text)) { scalar in
      switch scalar {
      case ":": "%3A"
      case ",": "%2C"
      default: nil
      }
    }
  }

  private func escaped(_ text: String, _ escape: (UnicodeScalar) -> String?) -> String {
    text.unicodeScalars.map { escape($0) ?? String(Character($0)) }.joined()
  }
}
