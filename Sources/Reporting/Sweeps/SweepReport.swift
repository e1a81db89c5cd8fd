import Replay

/// `sweep`: a table of all points, and a drawing for each parameter.
public enum SweepReport {
  /// Curves or kinds of bar in one drawing; more are not told apart.
  private static let seriesMax = 6

  /// The report.
  public static func build(_ sweep: SweepResult) -> Report {
    let points = sweep.points.count
    var report = Report(title: "tlbreplay sweep: \(sweep.input)")
    let axes = sweep.axes.map {
      (
        name: $0.parameter.name,
        value: "\($0.parameter.summary): \($0.values.joined(separator: ", "))"
      )
    }
    var blocks: [Report.Block] = [.facts(axes), .table(table(sweep))]
    if sweep.points.contains(where: \.isExtrapolated) {
      blocks.append(
        .note("* extrapolated: beyond what the input shows, so a guess and no prediction."))
    }
    blocks += sweep.notes.map { .note($0) }
    blocks += sweep.axes.indices.filter { sweep.axes[$0].values.count > 1 }.compactMap {
      plot(sweep, $0).map { .plot($0) }
    }
    report.sections = [Report.Section("\(points) point\(points == 1 ? "" : "s")", blocks)]
    report.data = data(sweep)
    return report
  }

  // MARK: Table

  private static func table(_ sweep: SweepResult) -> Report.Table {
    var columns = sweep.axes.map(\.parameter.name)
    let shown = sweep.columns.filter { column in
      column.isInTable && sweep.points.contains { $0.figures[column.name] != nil }
    }
    var cells = sweep.points.map { point in
      zip(point.values, sweep.axes.indices).map { value, axis in
        value + (axis == 0 && point.isExtrapolated ? " *" : "")
      }
    }
    for column in shown {
      columns.append(column.title)
      add(sweep, &cells) { $0.figures[column.name].map { Quantity.text($0.value) } ?? "-" }
      if column.name == "tlb_row", sweep.recorded != nil {
        columns.append("%change")
        add(sweep, &cells) { change($0.figures[column.name], sweep.recorded) }
      }
      if sweep.points.contains(where: { $0.figures[column.name]?.lower != nil }) {
        columns.append("bounds")
        add(sweep, &cells) { bounds($0.figures[column.name]) }
      }
    }
    return Report.Table(columns: columns, rows: cells)
  }

  private static func add(
    _ sweep: SweepResult, _ cells: inout [[String]], _ cell: (SweepPoint) -> String
  ) {
    for (index, point) in sweep.points.enumerated() { cells[index].append(cell(point)) }
  }

  private static func change(_ figure: SweepFigure?, _ recorded: Double?) -> String {
    guard let figure, let recorded, recorded > 0 else { return "-" }
    return ReplayReport.change(Int(figure.value), Int(recorded))
  }

  private static func bounds(_ figure: SweepFigure?) -> String {
    guard let figure, let lower = figure.lower else { return "-" }
    guard let upper = figure.upper else { return "\(Quantity.text(lower)) or more" }
    return lower == upper
      ? Quantity.text(lower) : "\(Quantity.text(lower))-\(Quantity.text(upper))"
  }

  // MARK: Drawings

  /// The figure that a parameter moves most, by its values; the other parameters make the series.
  private static func plot(_ sweep: SweepResult, _ axis: Int) -> Plot? {
    let parameter = sweep.axes[axis].parameter
    guard
      let column = sweep.columns.first(where: { $0.name == parameter.figure })
        ?? sweep.columns.first
    else { return nil }
    let values = sweep.axes[axis].values
    var names: [String] = []
    var amounts: [[BarPlot.Amount?]] = []
    for point in sweep.points {
      let name = others(sweep, point, axis)
      let series = names.firstIndex(of: name) ?? names.count
      guard series < seriesMax, let place = values.firstIndex(of: point.values[axis]) else {
        continue
      }
      if series == names.count {
        names.append(name)
        amounts.append(Array(repeating: nil, count: values.count))
      }
      amounts[series][place] = point.figures[column.name].map {
        BarPlot.Amount($0.value, lower: $0.lower, upper: $0.upper)
      }
    }
    guard amounts.joined().contains(where: { $0 != nil }) else { return nil }
    let count = sweep.points.count / max(values.count, 1)
    return Plot(
      "\(column.title) by \(parameter.name)",
      summary: summary(values, amounts.first ?? [], column, names.first ?? "", parameter)
        + (count > names.count ? " The first \(names.count) of \(count) combinations." : ""),
      grade: column.grade.rawValue,
      content(sweep.axes[axis], column, names, amounts))
  }

  /// Bars with their bounds; lines where equal steps are many.
  private static func content(
    _ axis: SweepAxis, _ column: SweepColumn, _ names: [String], _ amounts: [[BarPlot.Amount?]]
  ) -> Plot.Content {
    let series = zip(names, amounts)
    if let numbers = axis.numbers, numbers.count > 12, let step = equalStep(numbers) {
      return .lines(
        LinePlot(
          unit: column.unit, axis: axis.parameter.name, start: numbers[0], step: step,
          series: series.map { ($0, $1.map { $0?.value }) }))
    }
    return .bars(
      BarPlot(
        unit: column.unit, categories: axis.values, series: series.map { ($0, $1) }))
  }

  private static func equalStep(_ numbers: [Double]) -> Double? {
    guard numbers.count > 1 else { return nil }
    let step = numbers[1] - numbers[0]
    let isEqual = numbers.indices.dropFirst().allSatisfy { index in
      abs(numbers[index] - numbers[index - 1] - step) <= abs(step) * 1e-9
    }
    return step > 0 && isEqual ? step : nil
  }

  /// A point's values on the other axes, which tell its series from others.
  private static func others(_ sweep: SweepResult, _ point: SweepPoint, _ axis: Int) -> String {
    let parts = sweep.axes.indices.filter { $0 != axis }.map { other in
      sweep.axes[other].parameter.name == "policy"
        ? point.values[other] : "\(sweep.axes[other].parameter.name) \(point.values[other])"
    }
    return parts.isEmpty ? sweep.input : parts.joined(separator: ", ")
  }

  private static func summary(
    _ values: [String], _ amounts: [BarPlot.Amount?], _ column: SweepColumn, _ series: String,
    _ parameter: SweepParameter
  ) -> String {
    let known = zip(values, amounts).compactMap { value, amount in amount.map { (value, $0.value) }
    }
    guard let first = known.first, let last = known.last,
      let least = known.min(by: { $0.1 < $1.1 }), let most = known.max(by: { $0.1 < $1.1 })
    else { return "\(column.unit) by \(parameter.name)." }
    return "\(series): from \(Quantity.text(first.1)) \(column.unit) at \(parameter.name) "
      + "\(first.0) to \(Quantity.text(last.1)) at \(last.0); least \(Quantity.text(least.1)) at "
      + "\(least.0), most \(Quantity.text(most.1)) at \(most.0)."
  }

  // MARK: JSON

  private static func data(_ sweep: SweepResult) -> JSONValue {
    .object([
      "schema": .string("tlbreplay.sweep/1"), "input": .string(sweep.input),
      "parameters": .array(
        sweep.axes.map { axis in
          .object([
            "name": .string(axis.parameter.name), "summary": .string(axis.parameter.summary),
            "values": .array(axis.values.map { data($0, axis) }),
          ])
        }),
      "points": .array(sweep.points.map { data($0, sweep) }),
      "recorded_tlb_row": Quantity.data(sweep.recorded),
      "notes": .array(sweep.notes.map { .string($0) }),
    ])
  }

  private static func data(_ value: String, _ axis: SweepAxis) -> JSONValue {
    axis.numbers == nil ? .string(value) : Quantity.data(Double(value))
  }

  private static func data(_ point: SweepPoint, _ sweep: SweepResult) -> JSONValue {
    var parameters: [String: JSONValue] = [:]
    for (axis, value) in zip(sweep.axes, point.values) {
      parameters[axis.parameter.name] = data(value, axis)
    }
    var figures: [String: JSONValue] = [:]
    for column in sweep.columns {
      guard let figure = point.figures[column.name] else {
        figures[column.name] = .null
        continue
      }
      var members: [String: JSONValue] = [
        "value": Quantity.data(figure.value), "grade": .string(column.grade.rawValue),
      ]
      if figure.lower != nil || figure.upper != nil {
        members["lower"] = Quantity.data(figure.lower)
        members["upper"] = Quantity.data(figure.upper)
      }
      if let perCPU = figure.perCPU { members["per_cpu"] = .array(perCPU.map { JSONValue($0) }) }
      figures[column.name] = .object(members)
    }
    return .object([
      "parameters": .object(parameters), "figures": .object(figures),
      "extrapolated": .bool(point.isExtrapolated),
    ])
  }
}
