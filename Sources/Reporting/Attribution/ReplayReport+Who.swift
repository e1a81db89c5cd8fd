import Machine
import Replay

extension ReplayReport {
  /// The heaviest causes and tasks of the recorded run: `tlbreplay who` says more.
  struct WhoSection {
    private static let rowsMax = 5
    private let subject: WhoReport.Subject

    /// Nil where the replay did not attribute anything, or had nothing to attribute.
    init?(
      _ trace: TraceDescription, _ outcome: Outcome, _ names: AttributionNames?,
      _ costs: CostTable
    ) {
      guard let names, let attribution = outcome.attribution, attribution.total.shootdowns > 0
      else { return nil }
      var options = WhoReport.Options()
      options.top = Self.rowsMax
      options.costs = costs
      options.groupings = [.cause, .task]
      subject = WhoReport.Subject(
        trace: trace, outcome: outcome, attribution: attribution,
        culprits: Culprits(attribution, names, by: options.groupings), options: options)
    }

    func section() -> Report.Section {
      Report.Section(
        "Who causes the recorded ones [derived]",
        subject.options.groupings.map { .table(WhoReport.table(subject, $0)) } + [
          .note(
            "By the events around each shootdown; ms: time of the receivers [modelled]. tlbreplay "
              + "who has call paths, victims and what could remove them.")
        ])
    }

    func data() -> JSONValue {
      .object([
        "by_cause": WhoReportData.groups(subject, .cause),
        "by_task": WhoReportData.groups(subject, .task),
        "unattributed": JSONValue(subject.attribution.unattributed), "grade": .string("derived"),
      ])
    }
  }
}
