import Replay

/// Two policies of one workload, and whether the one that was measured lower is predicted lower.
struct PolicyOrder {
  /// A policy with the range of its measured runs and its prediction.
  struct Side {
    var name: String
    var measured: ClosedRange<Double>
    var predicted: Double
  }

  let workload: String
  /// The recorded run that both are predicted from.
  let before: String
  let figure: String
  let lower: Side
  let higher: Side

  /// Whether the measured ranges do not overlap, so that there is an order to predict.
  var isSettled: Bool { lower.measured.upperBound < higher.measured.lowerBound }
  var isRight: Bool { lower.predicted < higher.predicted }

  /// All pairs of measured policies, the recorded run among them, from every recorded run.
  static func all(_ comparisons: [Comparison]) -> [PolicyOrder] {
    var orders: [PolicyOrder] = []
    for workload in Page.unique(comparisons.map(\.workload)) {
      let own = comparisons.filter { $0.workload == workload }
      for before in Page.unique(own.map(\.before.name)) {
        let runs = own.filter { $0.before.name == before }
        orders += pairs(workload, before, "interrupts", runs, of: own) {
          Double($0.measured.interrupts)
        } predicted: {
          $0.total.map(Double.init)
        }
        orders += pairs(workload, before, "per reclaimed page", runs, of: own) {
          $0.measured.interruptsPerPage
        } predicted: {
          $0.perPage
        }
      }
    }
    return orders
  }

  private static func pairs(
    _ workload: String, _ before: String, _ figure: String, _ comparisons: [Comparison],
    of all: [Comparison], measured: (CapturedRun) -> Double?, predicted: (Comparison) -> Double?
  ) -> [PolicyOrder] {
    var recorded: [String: Double] = [:]
    for comparison in all { recorded[comparison.before.name] = measured(comparison.before) }
    var sides: [Side] = []
    if let range = range(Array(recorded.values)), let own = recorded[before] {
      sides.append(Side(name: "recorded", measured: range, predicted: own))
    }
    for comparison in comparisons {
      guard let range = range(comparison.measured.compactMap(measured)),
        let predicted = predicted(comparison)
      else { continue }
      sides.append(Side(name: comparison.predicted.name, measured: range, predicted: predicted))
    }
    var orders: [PolicyOrder] = []
    for (index, one) in sides.enumerated() {
      for other in sides[(index + 1)...] {
        let isLower = one.measured.upperBound <= other.measured.upperBound
        orders.append(
          PolicyOrder(
            workload: workload, before: before, figure: figure, lower: isLower ? one : other,
            higher: isLower ? other : one))
      }
    }
    return orders
  }

  private static func range(_ values: [Double]) -> ClosedRange<Double>? {
    guard let low = values.min(), let high = values.max() else { return nil }
    return low...high
  }

  // MARK: On the page

  static func table(_ orders: [PolicyOrder]) -> [String] {
    let settled = orders.filter(\.isSettled)
    let right = settled.filter(\.isRight)
    let touchesRecorded = settled.filter {
      $0.higher.name == "recorded" || $0.lower.name == "recorded"
    }
    let rows = settled.filter { order in !touchesRecorded.contains { $0.isSame(as: order) } }
    var lines = [
      "Of \(orders.count) pairs of policies on one workload \(settled.count) have measured ranges that"
        + " do not overlap; the predicted order is right in \(right.count) of them"
        + " (\(touchesRecorded.filter(\.isRight).count) of \(touchesRecorded.count) against the recorded"
        + " run, which are not listed when right).",
      "",
      "| workload | recorded | figure | measured lower | measured higher | predicted | right |",
      "|---|---|---|---|---|---|---|",
    ]
    lines += (rows + touchesRecorded.filter { !$0.isRight }).map(\.row)
    return lines
  }

  private func isSame(as other: PolicyOrder) -> Bool {
    workload == other.workload && before == other.before && figure == other.figure
      && lower.name == other.lower.name && higher.name == other.higher.name
  }

  private var row: String {
    func number(_ value: Double) -> String {
      figure == "interrupts" ? "\(Int(value))" : Page.fixed(value)
    }
    func side(_ side: Side) -> String {
      let (low, high) = (number(side.measured.lowerBound), number(side.measured.upperBound))
      return "\(side.name) \(low == high ? low : "\(low) to \(high)")"
    }
    let verdict =
      isRight ? "yes" : lower.predicted == higher.predicted ? "**no** (equal)" : "**no**"
    let cells = [
      workload, before, figure, side(lower), side(higher),
      "\(number(lower.predicted)), \(number(higher.predicted))", verdict,
    ]
    return "| " + cells.joined(separator: " | ") + " |"
  }
}
