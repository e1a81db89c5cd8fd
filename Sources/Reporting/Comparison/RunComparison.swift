public import Replay
public import Statistics

/// One measure of two sets of runs.
public struct ComparedMeasure: Sendable {
  /// What it is: `run_time_ms`, `tlb_flush`.
  public var name: String
  /// What its values count; empty for a ratio.
  public var unit: String
  /// Whether it was measured or derived.
  public var grade: Grade
  /// Every value as the input has it, before it was grouped into repetitions.
  public var values: (before: [Double], after: [Double])
  /// The repetitions and the tests.
  public var comparison: SampleComparison

  /// A measure; nil where a side is empty or a value is no finite number.
  ///
  /// - Parameter search: whether flat lists may hold several values of one repetition.
  public init?(
    _ name: String, unit: String, grade: Grade, before: [[Double]], after: [[Double]],
    search: Bool
  ) {
    self.name = name
    self.unit = unit
    self.grade = grade
    values = (before.flatMap(\.self), after.flatMap(\.self))
    let sizes = Set((before + after).map(\.count))
    guard !sizes.contains(0) else { return nil }
    let repetitions: Repetitions
    let means: ([Double], [Double])
    if sizes != [1] {
      repetitions = Repetitions(
        origin: .stated, instances: sizes.count == 1 ? sizes.first ?? 0 : 0)
      means = (before.map(Repetitions.mean), after.map(Repetitions.mean))
    } else {
      repetitions = search ? Repetitions.search([values.before, values.after]) : .none
      means = (repetitions.means(values.before), repetitions.means(values.after))
    }
    guard
      let made = SampleComparison(before: means.0, after: means.1, repetitions: repetitions)
    else { return nil }
    comparison = made
  }
}

/// Two sets of runs, measure by measure: what `compare` and all its styles show.
public struct RunComparison: Sendable {
  /// What the sides are called, for styles that name them.
  public var names: (before: String, after: String)
  /// The inputs of each side.
  public var inputs: (before: [String], after: [String])
  /// Measures in reading order.
  public var measures: [ComparedMeasure] = []
  /// TLB rows of /proc/interrupts by CPU, summed over the runs of a side.
  public var rows: (before: [UInt64], after: [UInt64])?
  /// Where ``rows`` come from.
  public var rowSource = ""
  /// The kernel's label width of ``rows``.
  public var labelWidth = 3
  /// What is known of the machine that the runs were made on.
  var environment: [RunEnvironment.Fact] = []
  /// What was run, in sentences.
  var testSet: [String] = []
  /// What limits the comparison.
  public var notes: [String] = []

  /// Nothing compared yet.
  public init(
    names: (before: String, after: String), inputs: (before: [String], after: [String])
  ) {
    self.names = names
    self.inputs = inputs
  }

  /// A measure by name.
  public subscript(_ name: String) -> ComparedMeasure? { measures.first { $0.name == name } }
}
