import ArgumentParser
import Reporting

/// `--explain METRIC`: instead of the report, where its numbers come from.
struct ExplainOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Print instead from which events, rules and parameters a number came: a path of the JSON form or "
        + "parts of one, with * for anything (tlb_row.total, policies.luf-v10.ledger.*); \"list\" "
        + "names all.", valueName: "METRIC"))
  var explain: String?

  /// `report`, or the explanation of its numbers that was asked for.
  func apply(_ report: Report, _ context: ExplanationContext) throws -> Report {
    guard let explain else { return report }
    guard let explained = ExplainReport.build(report, about: explain, context) else {
      throw ValidationError(
        "--explain: this report has no number \"\(explain)\"; --explain list names all")
    }
    return explained
  }
}
