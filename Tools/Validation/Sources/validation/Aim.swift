import Replay

/// What a prediction should reach, and where it does not.
///
/// The median over the workloads of the expected value's error is at most 5 %, none is above 15 %,
/// all measured runs lie inside the bounds, and policies come in the order that was measured.
enum Aim {
  static let medianMax = 0.05
  static let errorMax = 0.15

  /// Errors of one policy on one workload: of the recorded run that it predicts worst from.
  struct WorkloadErrors {
    var workload: String
    var total: Double?
    var perPage: Double?
  }

  static func errors(_ policy: String, _ comparisons: [Comparison]) -> [WorkloadErrors] {
    let own = comparisons.filter { $0.predicted.name == policy }
    return Page.unique(own.map(\.workload)).map { workload in
      let runs = own.filter { $0.workload == workload }
      return WorkloadErrors(
        workload: workload, total: worst(runs.map(\.totalError)),
        perPage: worst(runs.map(\.perPageError)))
    }
  }

  /// The largest by magnitude; nil where one of them is not known.
  private static func worst(_ errors: [Double?]) -> Double? {
    let known = errors.compactMap(\.self)
    guard known.count == errors.count else { return nil }
    return known.max { abs($0) < abs($1) }
  }

  static func median(_ values: [Double]) -> Double? {
    guard !values.isEmpty else { return nil }
    let sorted = values.map(abs).sorted()
    let half = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
  }

  // MARK: On the page

  static func table(_ comparisons: [Comparison]) -> [String] {
    var lines = [
      "| policy | figure | workloads (error of the recorded run that predicts worst) | median"
        + " | largest | median <= 5 % | none above 15 % |",
      "|---|---|---|---|---|---|---|",
    ]
    for policy in Page.unique(comparisons.map(\.predicted.name)) {
      let errors = errors(policy, comparisons)
      lines.append(row(policy, "interrupts", errors.map { ($0.workload, $0.total) }))
      lines.append(row(policy, "per reclaimed page", errors.map { ($0.workload, $0.perPage) }))
    }
    return lines
  }

  private static func row(
    _ policy: String, _ figure: String, _ errors: [(workload: String, error: Double?)]
  ) -> String {
    let known = errors.compactMap(\.error)
    let largest = known.map(abs).max()
    let isWhole = known.count == errors.count
    func verdict(_ value: Double?, _ limit: Double) -> String {
      guard let value, isWhole else { return "not known" }
      return value <= limit ? "yes" : "**no**"
    }
    let cells = [
      policy, figure,
      errors.map { "\($0.workload) \(Page.percent($0.error))" }.joined(separator: ", "),
      Page.percent(median(known), isSigned: false), Page.percent(largest, isSigned: false),
      verdict(median(known), medianMax), verdict(largest, errorMax),
    ]
    return "| " + cells.joined(separator: " | ") + " |"
  }

  /// Every comparison that misses, in a line.
  static func misses(_ comparisons: [Comparison], _ orders: [PolicyOrder]) -> [String] {
    var lines: [String] = []
    for comparison in comparisons {
      var reasons: [String] = []
      if let error = comparison.totalError, abs(error) > errorMax {
        reasons.append("error \(Page.percent(error))")
      }
      if let error = comparison.perPageError, abs(error) > errorMax {
        reasons.append("error per reclaimed page \(Page.percent(error))")
      }
      if comparison.total == nil { reasons.append("not observable") }
      if comparison.isInsideBounds == false { reasons.append("measured outside the bounds") }
      guard !reasons.isEmpty else { continue }
      lines.append(
        "- \(comparison.workload) \(comparison.before.name), \(comparison.predicted.name): "
          + reasons.joined(separator: "; ") + ".")
    }
    lines += orders.filter { $0.isSettled && !$0.isRight }.map {
      "- \($0.workload) \($0.before), \($0.figure): \($0.lower.name) measured below"
        + " \($0.higher.name), not predicted so."
    }
    return lines.isEmpty ? ["None."] : lines
  }
}
