/// JUnit XML as Jenkins and Ant read it: a suite for each capture, a case for each metric.
///
/// A case's name holds the capture and the metric, for GitLab shows neither the suite nor the class.
/// There are no times: nothing was run whose time would say something.
public struct JUnitForm: GateForm {
  /// See ``GateForm/name``.
  public let name = "junit"

  /// The form.
  public init() {}

  private struct Case {
    var name: String
    var element = ""
    var text = ""
    var message = ""
  }

  /// See ``GateForm/render(_:)``.
  public func render(_ summary: CheckSummary) -> String {
    let suites = summary.checks.map { ($0, cases($0)) }
    let all = suites.flatMap(\.1)
    var lines = ["<?xml version=\"1.0\" encoding=\"UTF-8\"?>"]
    lines.append("<testsuites name=\"tlbreplay check\"\(counts(all))>")
    for (check, cases) in suites {
      let skipped = cases.count { $0.element == "skipped" }
      lines.append(
        "  <testsuite name=\"\(escaped(check.name))\"\(counts(cases)) skipped=\"\(skipped)\">")
      lines += properties(check)
      for found in cases { lines += text(found, check) }
      lines.append("  </testsuite>")
    }
    lines.append("</testsuites>")
    return lines.joined(separator: "\n") + "\n"
  }

  private func counts(_ cases: [Case]) -> String {
    let failures = cases.count { $0.element == "failure" }
    let errors = cases.count { $0.element == "error" }
    return " tests=\"\(cases.count)\" failures=\"\(failures)\" errors=\"\(errors)\""
  }

  private func properties(_ check: CaptureCheck) -> [String] {
    let facts = [
      ("baseline", check.baselineFile), ("compares", check.subject?.rawValue ?? "unknown"),
      ("inputs", check.inputs.joined(separator: " ")),
    ]
    return ["    <properties>"]
      + facts.map {
        "      <property name=\"\($0.0)\" value=\"\(escaped($0.1))\"/>"
      } + ["    </properties>"]
  }

  private func cases(_ check: CaptureCheck) -> [Case] {
    var cases = check.metrics.map { verdict -> Case in
      let line = CheckReport.line(verdict)
      var made = Case(name: verdict.baseline.name)
      switch verdict.kind {
      case .worse, .changed:
        made.element = "failure"
        made.message = line
        made.text =
          "\(verdict.baseline.reason) [\(verdict.baseline.grade)]\n\(check.baselineFile):"
          + "\(verdict.baseline.line)\nTo accept: \(CheckReport.acceptance(check))"
      case .gone:
        made.element = "error"
        made.message = line
        made.text = verdict.baseline.reason
      case .shown:
        made.element = "skipped"
        made.message = line
      case .better, .within, .same: break
      }
      return made
    }
    if let violation = check.violation {
      cases.append(
        Case(name: "safety", element: "failure", text: violation, message: violation))
    }
    for (index, refusal) in check.refusals.enumerated() {
      let name = index == 0 ? "baseline" : "baseline \(index + 1)"
      cases.append(Case(name: name, element: "error", text: refusal, message: refusal))
    }
    return cases
  }

  private func text(_ found: Case, _ check: CaptureCheck) -> [String] {
    let head =
      "    <testcase name=\"\(escaped("\(check.name): \(found.name)"))\" "
      + "classname=\"\(escaped("tlbreplay.\(check.name)"))\""
    guard !found.element.isEmpty else { return [head + "/>"] }
    let message = "message=\"\(escaped(found.message))\""
    let element =
      found.element == "skipped"
      ? "      <skipped \(message)/>"
      : "      <\(found.element) \(message) type=\"\(found.element == "failure" ? "regression" : "unchecked")\">"
        + "\(escaped(found.text))</\(found.element)>"
    return [head + ">", element, "    </testcase>"]
  }

  /// Characters that XML 1.0 cannot hold at all become U+FFFD.
  private func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "\n": escaped += "&#10;"
      case "\t": escaped += "&#9;"
      default:
        let isText = scalar.value >= 0x20 && scalar.value != 0xfffe && scalar.value != 0xffff
        escaped.unicodeScalars.append(isText ? scalar : "\u{fffd}")
      }
    }
    return escaped
  }
}
