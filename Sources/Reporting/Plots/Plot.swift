/// A drawing in a report: what is drawn, not how. A renderer that cannot draw shows its table.
public struct Plot: Sendable {
  /// What it shows, without a full stop.
  public var title: String
  /// What the reader sees in it, with the figures that matter: the text alternative.
  public var summary: String
  /// How good the figures are, and under which model: `derived`, `modelled: luf-v10`.
  public var grade: String
  /// What is drawn.
  public var content: Content

  /// A drawing.
  public init(_ title: String, summary: String, grade: String, _ content: Content) {
    self.title = title
    self.summary = summary
    self.grade = grade
    self.content = content
  }

  /// What is drawn.
  public enum Content: Sendable {
    /// Amounts side by side, by category.
    case bars(BarPlot)
    /// Values over equal spans.
    case lines(LinePlot)
    /// A value for each row and column.
    case grid(GridPlot)
    /// Call paths, as wide as what they weigh.
    case flames(FlamePlot)
  }
}

/// Amounts side by side, by category: a CPU's row before and after.
public struct BarPlot: Sendable {
  /// One amount with its bounds, nil where there are none.
  public struct Amount: Sendable, Equatable {
    /// The amount and its bounds.
    public var value: Double
    /// See ``value``.
    public var lower: Double?
    /// See ``value``.
    public var upper: Double?

    /// An amount.
    public init(_ value: Double, lower: Double? = nil, upper: Double? = nil) {
      self.value = value
      self.lower = lower
      self.upper = upper
    }
  }

  /// What an amount counts: `shootdowns`.
  public var unit: String
  /// Names of the categories: `CPU0`.
  public var categories: [String]
  /// Named rows of amounts, one for each category, nil where there is none.
  public var series: [(name: String, amounts: [Amount?])]
  /// Whether a category's amounts add up to a whole and are stacked.
  public var isStacked: Bool
  /// What the bounds of the amounts are.
  public var boundsName = "bounds"

  /// Bars.
  public init(
    unit: String, categories: [String], series: [(name: String, amounts: [Amount?])],
    isStacked: Bool = false
  ) {
    self.unit = unit
    self.categories = categories
    self.series = series
    self.isStacked = isStacked
  }
}

/// Values over equal spans of one quantity, mostly time.
public struct LinePlot: Sendable {
  /// What a value counts: `shootdowns per 10 ms`.
  public var unit: String
  /// What lies along the axis, with its unit: `time (ms)`.
  public var axis: String
  /// Where the first span begins and how long a span is, in the axis' unit.
  public var start: Double
  /// See ``start``.
  public var step: Double
  /// Where the last span ends if that is before its full length, in the axis' unit.
  public var end: Double?
  /// Whether a value holds for its whole span; if not, it belongs to the span's beginning and lines
  /// lead from one to the next.
  public var isStepped = true
  /// Whether the others are to be compared with the first series.
  public var hasReference = false
  /// Named values, one for each span, nil where there is none.
  public var series: [(name: String, values: [Double?])]

  /// Lines.
  public init(
    unit: String, axis: String, start: Double, step: Double,
    series: [(name: String, values: [Double?])]
  ) {
    self.unit = unit
    self.axis = axis
    self.start = start
    self.step = step
    self.series = series
  }
}

/// A value for each row and column: CPU by time, sender by receiver.
public struct GridPlot: Sendable {
  /// What a value counts.
  public var unit: String
  /// Titles of both directions: `sender`, `receiver`.
  public var rowTitle: String
  /// See ``rowTitle``.
  public var columnTitle: String
  /// Names of the rows and columns.
  public var rows: [String]
  /// See ``rows``.
  public var columns: [String]
  /// Values by row, then column.
  public var values: [[Double]]
  /// Where the scale of colours ends, so that drawings can be compared; nil at the greatest value.
  public var greatest: Double?

  /// A grid.
  public init(
    unit: String, rowTitle: String, columnTitle: String, rows: [String], columns: [String],
    values: [[Double]]
  ) {
    self.unit = unit
    self.rowTitle = rowTitle
    self.columnTitle = columnTitle
    self.rows = rows
    self.columns = columns
    self.values = values
  }
}

/// Call paths, outermost caller first, with what each weighs.
public struct FlamePlot: Sendable {
  /// What a weight counts: `shootdowns`.
  public var unit: String
  /// Paths; no two are the same.
  public var stacks: [(frames: [String], weight: Int)]

  /// A flame graph.
  public init(unit: String, stacks: [(frames: [String], weight: Int)]) {
    self.unit = unit
    self.stacks = stacks
  }
}
