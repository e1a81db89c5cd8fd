import Replay
import TraceEvents

extension Explanations {
  private static let repeated = [
    "each capture is one repetition; values that the input groups, or that a search finds to be "
      + "near-copies, count once, with their mean"
  ]

  private static func compared(
    _ path: String, unit: Explanation.Unit = "", _ meaning: String, rules: [String] = []
  ) -> Explanation {
    Explanation(
      path, unit: unit, meaning, rules: rules + repeated,
      bounds: "more repetitions make intervals narrower")
  }

  /// Two sets of runs.
  static let comparison = [
    compared(
      "measures.*.{before,after}.{mean,median,min,max,sd,interval,repetitions}", unit: .document,
      "of the repetitions of a side; interval: Student's, 95 % confidence; sd: of a sample (n - 1)"),
    compared("measures.*.{before,after}.n", unit: "repetitions", "repetitions of a side"),
    compared(
      "measures.*.{before,after}.values", unit: .document, "every value as the input has it"),
    compared(
      "measures.*.change.difference", unit: .document, "mean after less mean before"),
    compared(
      "measures.*.change.percent", unit: "%", "the difference in per cent of the mean before"),
    compared(
      "measures.*.change.percent_interval", unit: "%",
      "Welch's interval of the difference in per cent of the mean before"),
    compared(
      "measures.*.repetitions.instances", unit: "values", "values to a repetition"),
    compared(
      "measures.*.repetitions.{intraclass_correlation,p}",
      "how alike the values of a repetition are, and how likely that is by chance"),
    compared(
      "measures.*.welch.{t,degrees,p}", "Welch's t-test of the means, two-sided",
      rules: ["unequal variances; degrees of freedom by Welch and Satterthwaite"]),
    compared(
      "measures.*.welch.interval", unit: .document,
      "95 % interval of the difference of the means"),
    compared(
      "measures.*.mann_whitney.{u,pairs,p}", "Mann and Whitney's rank test, two-sided",
      rules: ["exact where there are no ties and few repetitions, else the normal approximation"]),
    compared("confidence", "how sure intervals and verdicts are, 1 being certain"),
  ]
}
