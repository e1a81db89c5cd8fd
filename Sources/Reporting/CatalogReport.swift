import Replay

/// `policies`: what can be asked for, with one line and the source of each.
public enum CatalogReport {
  /// The flush policies.
  public static func policies() -> Report {
    var report = Report(title: "tlbreplay policies")
    report.sections = [
      Report.Section(
        "Flush policies",
        [.facts(PolicyCatalog.lines.map { ($0.name, "\($0.summary) (\($0.source))") })])
    ]
    report.data = .object([
      "schema": .string("tlbreplay.policies/1"),
      "policies": .array(
        PolicyCatalog.lines.map { entry in
          .object([
            "name": .string(entry.name), "summary": .string(entry.summary),
            "source": .string(entry.source),
          ])
        }),
    ])
    return report
  }
}
