import Replay

/// Interrupts by the CPU that sent and the CPU that got them.
enum MatrixSection {
  /// Larger machines show pairs of CPUs instead of the whole matrix.
  private static let cpusShown = 16
  /// Larger machines are drawn with several CPUs to a cell.
  private static let cellsMax = 64

  static func section(_ subject: WhoReport.Subject) -> Report.Section {
    let matrix = subject.attribution.matrix
    guard matrix.total > 0 else {
      return Report.Section(
        "From CPU to CPU",
        [.note("No interrupt's sender and receiver are both in this trace.")])
    }
    let isWhole = matrix.cpuCount <= cpusShown
    var blocks = [isWhole ? whole(matrix) : pairs(subject)]
    let senders = Set(matrix.pairs.map(\.sender)).count
    if isWhole, senders < matrix.cpuCount {
      blocks.append(
        .note("\(WhoReport.number(matrix.cpuCount - senders, "CPU")) that sent none left out."))
    }
    return Report.Section(
      "From CPU to CPU: interrupts by sender and receiver [derived]",
      blocks + [.plot(plot(matrix))])
  }

  private static func whole(_ matrix: InterruptMatrix) -> Report.Block {
    let cpus = 0..<matrix.cpuCount
    let rows = cpus.compactMap { sender -> [String]? in
      let sum = cpus.reduce(0) { $0 + matrix[sender, $1] }
      guard sum > 0 else { return nil }
      return ["CPU\(sender)"] + cpus.map { WhoReport.count(matrix[sender, $0]) }
        + [WhoReport.count(sum)]
    }
    let sums = cpus.map { receiver in
      WhoReport.count(cpus.reduce(0) { $0 + matrix[$1, receiver] })
    }
    return .table(
      Report.Table(
        columns: ["from \\ to"] + cpus.map { "CPU\($0)" } + ["all"],
        rows: rows + [["all"] + sums + [WhoReport.count(matrix.total)]]))
  }

  private static func pairs(_ subject: WhoReport.Subject) -> Report.Block {
    let pairs = subject.attribution.matrix.pairs
    let total = subject.attribution.matrix.total
    var rows = pairs.prefix(subject.options.top).map { pair in
      [
        "CPU\(pair.sender) to CPU\(pair.receiver)", WhoReport.count(pair.interrupts),
        WhoReport.percent(pair.interrupts, of: total),
      ]
    }
    let rest = pairs.dropFirst(subject.options.top)
    if !rest.isEmpty {
      let sum = rest.reduce(0) { $0 + $1.interrupts }
      rows.append([
        "\(WhoReport.count(rest.count)) more pairs", WhoReport.count(sum),
        WhoReport.percent(sum, of: total),
      ])
    }
    return .table(Report.Table(columns: ["pair", "interrupts", "%"], rows: rows))
  }

  private static func plot(_ matrix: InterruptMatrix) -> Plot {
    let merged = max((matrix.cpuCount + cellsMax - 1) / cellsMax, 1)
    let cells = (matrix.cpuCount + merged - 1) / merged
    var values = Array(repeating: Array(repeating: 0.0, count: cells), count: cells)
    for pair in matrix.pairs {
      values[pair.sender / merged][pair.receiver / merged] += Double(pair.interrupts)
    }
    let labels = (0..<cells).map { cell in
      merged == 1
        ? "CPU\(cell)"
        : "CPU\(cell * merged)-\(min(cell * merged + merged, matrix.cpuCount) - 1)"
    }
    let heaviest = matrix.pairs.first.map {
      "Most, \(WhoReport.count($0.interrupts)), go from CPU\($0.sender) to CPU\($0.receiver)."
    }
    return Plot(
      "Interrupts by sender and receiver",
      summary: "\(WhoReport.count(matrix.total)) interrupts. \(heaviest ?? "")", grade: "derived",
      .grid(
        GridPlot(
          unit: "interrupts", rowTitle: "sender", columnTitle: "receiver", rows: labels,
          columns: labels, values: values)))
  }
}
