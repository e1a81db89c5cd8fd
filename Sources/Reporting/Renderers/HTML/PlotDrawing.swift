/// A drawing as HTML shows it: the picture, what its colours mean, and its figures as a table.
struct PlotDrawing {
  /// What a mark means.
  struct Key {
    /// Classes of the swatch.
    var classes: String
    /// What stands in the swatch.
    var mark: String = ""
    var text: String
  }

  var canvas: SVGCanvas
  var keys: [Key] = []
  var table: Report.Table
  /// What the table leaves out or puts together.
  var tableNote: String?

  /// Width of drawings that take the whole page.
  static let width = 960.0

  /// `cells`: how many cells of grids and rows of tables a drawing may have, so that the page stays
  /// small.
  init(_ content: Plot.Content, cells: Int) {
    switch content {
    case .bars(let plot):
      self = plot.isHorizontal ? RowsDrawing.draw(plot) : BarsDrawing.draw(plot)
    case .lines(let plot): self = LinesDrawing.draw(plot)
    case .grid(let plot): self = GridDrawing.draw(plot, cells: cells)
    case .flames(let plot): self = FlamesDrawing.draw(plot)
    }
  }

  init(
    canvas: SVGCanvas, keys: [Key] = [], table: Report.Table, tableNote: String? = nil
  ) {
    self.canvas = canvas
    self.keys = keys
    self.table = table
    self.tableNote = tableNote
  }
}

extension BarPlot {
  /// Whether categories lie below each other: a few that are named, or wholes and their parts.
  var isHorizontal: Bool {
    isStacked
      || (categories.count <= 24
        && (series.count == 1 || categories.contains { $0.count > 8 }))
  }

  /// The amounts of a category, one of each series.
  func amounts(_ category: Int) -> [Amount?] {
    series.map { category < $0.amounts.count ? $0.amounts[category] : nil }
  }

  var hasBounds: Bool {
    series.contains { $0.amounts.contains { $0?.lower != nil || $0?.upper != nil } }
  }

  /// Everything that the axis must reach.
  var reach: [Double] {
    series.flatMap { series in
      series.amounts.flatMap { [$0?.value, $0?.lower, $0?.upper].compactMap(\.self) }
    }
  }

  var isWhole: Bool { reach.allSatisfy { $0 == $0.rounded() } }

  /// A row for each category.
  var table: Report.Table {
    var columns = [""]
    for series in series {
      columns.append(series.name)
      if hasBounds(series.name) { columns.append("\(series.name): \(boundsName)") }
    }
    let rows = categories.indices.map { category -> [String] in
      var row = [categories[category]]
      for (series, amount) in zip(series, amounts(category)) {
        row.append(amount.map { PlotNumber.text($0.value) } ?? "-")
        if hasBounds(series.name) { row.append(amount.map(Self.bounds) ?? "-") }
      }
      return row
    }
    return Report.Table(columns: columns, rows: rows)
  }

  private func hasBounds(_ name: String) -> Bool {
    series.contains { $0.name == name && $0.amounts.contains { $0?.lower != nil } }
  }

  static func bounds(_ amount: Amount) -> String {
    guard let lower = amount.lower else { return "" }
    let least = PlotNumber.text(lower)
    guard let upper = amount.upper else { return "\(least) or more" }
    return upper == lower ? least : "\(least) to \(PlotNumber.text(upper))"
  }

  /// `luf-v10 120 (80 to 300)`.
  func sentence(_ category: Int) -> String {
    let parts = zip(series, amounts(category)).compactMap { series, amount -> String? in
      guard let amount else { return nil }
      let bounds = Self.bounds(amount)
      return "\(series.name) \(PlotNumber.text(amount.value))"
        + (bounds.isEmpty ? "" : " (\(bounds))")
    }
    return "\(categories[category]): \(parts.joined(separator: ", "))"
  }
}
