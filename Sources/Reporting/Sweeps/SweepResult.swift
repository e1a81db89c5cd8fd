public import Machine
public import Replay

/// What a sweep measures at each of its points.
public struct SweepColumn: Sendable {
  /// Its key in JSON: `tlb_row`.
  public var name: String
  /// Its title in tables.
  public var title: String
  /// What is counted, for plots.
  public var unit: String
  /// How good it is.
  public var grade: Grade
  /// Whether tables show it; JSON always does.
  public var isInTable: Bool

  /// A column.
  public init(
    _ name: String, _ title: String, unit: String, grade: Grade = .modelled, isInTable: Bool = true
  ) {
    self.isInTable = isInTable
    self.name = name
    self.title = title
    self.unit = unit
    self.grade = grade
  }
}

/// One figure of a point; nil where it is not observable.
public struct SweepFigure: Sendable {
  /// The figure and its bounds.
  public var value: Double
  /// See ``value``.
  public var lower: Double?
  /// See ``value``.
  public var upper: Double?
  /// By CPU, for rows.
  public var perCPU: [Int]?

  /// A figure.
  public init(
    _ value: Double, lower: Double? = nil, upper: Double? = nil, perCPU: [Int]? = nil
  ) {
    self.value = value
    self.lower = lower
    self.upper = upper
    self.perCPU = perCPU
  }

  /// A count; nil for nil.
  public init?(_ count: Int?) {
    guard let count else { return nil }
    self.init(Double(count))
  }
}

/// A value for each axis, and what came of it.
public struct SweepPoint: Sendable {
  /// In the order of the axes.
  public var values: [String]
  /// By the name of the column.
  public var figures: [String: SweepFigure]
  /// Whether it lies beyond what the input shows.
  public var isExtrapolated = false

  /// A point.
  public init(_ values: [String], _ figures: [String: SweepFigure]) {
    self.values = values
    self.figures = figures
  }
}

/// A grid of points.
public struct SweepResult: Sendable {
  /// Points of a grid.
  public static let pointsMax = 4096

  /// The trace or scenario.
  public var input: String
  /// What is varied.
  public var axes: [SweepAxis]
  /// What is measured.
  public var columns: [SweepColumn]
  /// The last axis runs fastest.
  public var points: [SweepPoint]
  /// The recorded row, which changes are related to; nil where there is none.
  public var recorded: Double?
  /// How the points were reached, and what does not change with them.
  public var notes: [String]

  /// A result.
  public init(
    input: String, axes: [SweepAxis], columns: [SweepColumn], points: [SweepPoint],
    recorded: Double? = nil, notes: [String]
  ) {
    self.input = input
    self.axes = axes
    self.columns = columns
    self.points = points
    self.recorded = recorded
    self.notes = notes
  }

  /// Every combination of values, the last axis fastest; nil if there are too many.
  public static func grid(_ axes: [SweepAxis]) -> [[String]]? {
    var grid: [[String]] = [[]]
    for axis in axes {
      guard grid.count * axis.values.count <= pointsMax else { return nil }
      grid = grid.flatMap { begun in axis.values.map { begun + [$0] } }
    }
    return grid
  }
}

extension SweepColumn {
  /// What a replayed policy is measured by, beside ``wraps``, ``refills`` and ``time``.
  public static let replayed = [
    SweepColumn("tlb_row", "TLB row", unit: "shootdowns"),
    SweepColumn("tlb_flush", "flushes", unit: "tlb_flush events", isInTable: false),
    SweepColumn("deferred", "deferred", unit: "batches put off", isInTable: false),
    SweepColumn("forced_flushes", "forced", unit: "forced flushes"),
    SweepColumn("pending_frames_max", "pending", unit: "frames", isInTable: false),
    SweepColumn("safety_violations", "unsafe", unit: "violations"),
  ]
  /// Frames that slept through more flushes than generations tell apart.
  public static let wraps = SweepColumn("wraps", "wraps", unit: "frames past a wrap")
  /// Page walks that flushes cause at most.
  public static let refills = SweepColumn("refills_max", "refills <=", unit: "page walks at most")
  /// CPU time in shootdowns.
  public static let time = SweepColumn("time_ms", "CPU ms", unit: "ms of CPU time")
}

extension SweepPoint {
  /// What `report` says of the policy of `outcome` that is named, with the same numbers; `recorded` for
  /// the run itself.
  public init(
    _ values: [String], _ trace: TraceDescription, _ outcome: Outcome, policy: String,
    machine: MachineModel?, costs: CostTable?
  ) {
    self.init(values, [:])
    guard let index = outcome.policies.firstIndex(where: { $0.name == policy }),
      let shown = outcome.policies[index].figures
    else { return }
    let found = outcome.policies[index]
    figures["tlb_row"] = SweepFigure(
      Double(shown.tlbRowTotal), lower: found.leastRow.map { Double($0) },
      upper: found.greatestRow.map { Double($0) }, perCPU: shown.tlbRow)
    figures["tlb_flush"] = SweepFigure(shown.tlbFlushTotal)
    if index > 0 {
      figures["deferred"] = SweepFigure(shown.ledger.deferred)
      figures["forced_flushes"] = SweepFigure(shown.ledger.forcedFlushes)
      figures["pending_frames_max"] = SweepFigure(shown.pending.framesMax)
      figures["safety_violations"] = SweepFigure(shown.safety?.violations)
      figures["wraps"] = SweepFigure(
        shown.safety?.rules.first { $0.rule == .generationWrap }?.checked)
    }
    if let machine {
      let misses = MissPrediction(trace, outcome, MissRequest(machine))
      figures["refills_max"] = misses.policies[index].map { SweepFigure($0.bound) }
    }
    if let costs {
      figures["time_ms"] = TimeSection(trace, outcome, costs).total(policy).map {
        SweepFigure($0.expected / 1e6, lower: $0.lower / 1e6, upper: $0.upper / 1e6)
      }
    }
  }
}
