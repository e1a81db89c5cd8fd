import Replay
import Statistics

extension CompareReport {
  /// The document `tlbreplay.compare/1`.
  static func data(_ comparison: RunComparison) -> JSONValue {
    var measures: [String: JSONValue] = [:]
    for measure in comparison.measures { measures[measure.name] = data(measure) }
    var row = JSONValue.null
    if let rows = comparison.rows {
      row = .object([
        "before": .object(["per_cpu": JSONValue(rows.before)]),
        "after": .object(["per_cpu": JSONValue(rows.after)]),
        "source": .string(comparison.rowSource),
      ])
    }
    return .object([
      "schema": .string("tlbreplay.compare/1"), "confidence": .number(0.95),
      "inputs": .object([
        "before": .array(comparison.inputs.before.map(JSONValue.string)),
        "after": .array(comparison.inputs.after.map(JSONValue.string)),
      ]),
      "measures": .object(measures), "tlb_row": row,
      "notes": .array(comparison.notes.map(JSONValue.string)),
    ])
  }

  private static func data(_ measure: ComparedMeasure) -> JSONValue {
    let tested = measure.comparison
    return .object([
      "unit": .string(measure.unit), "grade": .string(measure.grade.rawValue),
      "before": data(tested.before, measure.values.before),
      "after": data(tested.after, measure.values.after),
      "change": .object([
        "difference": Quantity.data(tested.difference), "percent": Quantity.data(tested.percent),
        "percent_interval": interval(tested.percentInterval),
      ]),
      "repetitions": .object([
        "origin": .string(tested.repetitions.origin.rawValue),
        "instances": tested.repetitions.instances > 0
          ? JSONValue(tested.repetitions.instances) : .null,
        "intraclass_correlation": Quantity.data(tested.repetitions.correlation),
        "p": Quantity.data(tested.repetitions.probability),
      ]),
      "welch": tested.welch.map(data) ?? .null,
      "mann_whitney": tested.mannWhitney.map(data) ?? .null,
      "verdict": .string(tested.verdict.rawValue), "verdict_text": .string(sentence(measure)),
    ])
  }

  private static func data(_ sample: Sample, _ values: [Double]) -> JSONValue {
    .object([
      "n": JSONValue(sample.count), "mean": Quantity.data(sample.mean),
      "sd": Quantity.data(sample.standardDeviation), "median": Quantity.data(sample.median),
      "min": Quantity.data(sample.minimum), "max": Quantity.data(sample.maximum),
      "interval": interval(sample.interval()),
      "repetitions": .array(sample.values.map { Quantity.data($0) }),
      "values": .array(values.map { Quantity.data($0) }),
    ])
  }

  private static func interval(_ interval: ClosedRange<Double>?) -> JSONValue {
    guard let interval else { return .null }
    return .array([Quantity.data(interval.lowerBound), Quantity.data(interval.upperBound)])
  }

  private static func data(_ test: WelchTest) -> JSONValue {
    .object([
      "t": Quantity.data(test.t), "degrees": Quantity.data(test.degrees),
      "p": Quantity.data(test.probability), "interval": interval(test.interval),
    ])
  }

  private static func data(_ test: MannWhitneyTest) -> JSONValue {
    .object([
      "u": Quantity.data(test.u), "pairs": JSONValue(test.pairs),
      "p": Quantity.data(test.probability), "exact": .bool(test.isExact),
    ])
  }
}
