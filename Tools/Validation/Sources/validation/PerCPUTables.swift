import Replay

/// Interrupts by CPU: recorded, predicted and measured, a table for each recorded run.
enum PerCPUTables {
  static func lines(_ comparisons: [Comparison]) -> [String] {
    var lines: [String] = []
    for workload in Page.unique(comparisons.map(\.workload)) {
      let own = comparisons.filter { $0.workload == workload }
      for before in Page.unique(own.map(\.before.name)) {
        lines += ["", "### \(workload), recorded run \(before)", ""]
        lines += table(own.filter { $0.before.name == before })
      }
    }
    return lines
  }

  private static func table(_ comparisons: [Comparison]) -> [String] {
    guard let before = comparisons.first?.before.measured else { return [] }
    let cpus = before.interruptsPerCPU.count
    var lines = [
      "| | " + (0..<cpus).map { "CPU\($0)" }.joined(separator: " | ") + " | all |",
      "|---|" + String(repeating: "--:|", count: cpus + 1),
      row("recorded", before.interruptsPerCPU, before.interrupts),
    ]
    for comparison in comparisons {
      if let figures = comparison.predicted.figures {
        lines.append(
          row("\(comparison.predicted.name), predicted", figures.tlbRow, figures.tlbRowTotal))
      }
      for run in comparison.measured {
        lines.append(
          row("measured \(run.name)", run.measured.interruptsPerCPU, run.measured.interrupts))
      }
    }
    return lines
  }

  private static func row(_ name: String, _ perCPU: [Int], _ total: Int) -> String {
    "| \(name) | " + perCPU.map(String.init).joined(separator: " | ") + " | \(total) |"
  }
}
