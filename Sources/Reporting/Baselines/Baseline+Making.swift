import Replay
import Statistics

extension BaselineEntry {
  /// The entry of captures that are repetitions of each other; what its owner wrote into `old`
  /// (tolerances, directions, reasons) stays.
  public init(
    _ name: String, _ subject: Baseline.Subject, _ readings: [CaptureReading],
    keeping old: BaselineEntry?
  ) throws(BaselineError) {
    self.name = name
    digests = readings.map(\.digest)
    environment = readings.first?.environment ?? CaptureEnvironment([:])
    metrics = []
    line = old?.line ?? 0
    for reading in readings.dropFirst() {
      for fact in CaptureEnvironment.names where reading.environment[fact] != environment[fact] {
        throw BaselineError(
          message: "\(reading.path) is no repetition of \(readings[0].path): \(fact) is "
            + "\(reading.environment[fact]) and not \(environment[fact])")
      }
    }
    for first in readings.first?.metrics ?? [] where subject == .workload || !first.isRate {
      let values = readings.compactMap { reading in
        reading.metrics.first { $0.name == first.name }?.value
      }
      // What some repetitions do not show can be held against none.
      guard values.count == readings.count else { continue }
      metrics.append(Self.metric(first, values, subject, keeping: old?[first.name]))
    }
  }

  private static func metric(
    _ reading: MetricReading, _ values: [Double], _ subject: Baseline.Subject,
    keeping old: BaselineMetric?
  ) -> BaselineMetric {
    let sample = Sample(values)
    let mean = ((sample?.mean ?? reading.value) * 1e6).rounded() / 1e6
    var metric = BaselineMetric(
      name: reading.name, value: mean, deviation: nil, runs: values.count,
      tolerance: .exact, direction: .any, grade: reading.grade.rawValue, reason: reading.reason)
    if let deviation = sample?.standardDeviation {
      metric.deviation = (deviation * 1e6).rounded() / 1e6
    }
    if subject == .workload {
      metric.direction = reading.direction
      metric.tolerance = tolerance(reading, runs: values.count, mean: mean)
    }
    guard let old else { return metric }
    metric.tolerance = old.tolerance
    metric.direction = old.direction
    metric.reason = old.reason
    metric.line = old.line
    if values.count == 1, old.runs > 1 {
      // One run says nothing of scatter: what repetitions said of it before still holds.
      metric.deviation = old.deviation
      metric.runs = old.runs
    }
    return metric
  }

  /// What a workload may do without anybody being told.
  private static func tolerance(
    _ reading: MetricReading, runs: Int, mean: Double
  ) -> MetricTolerance {
    guard reading.isGate else { return .unlimited }
    if reading.name.hasSuffix(".safety_violations") { return .exact }
    // Repetitions may agree by chance; a tenth is a guess where there are none.
    var tolerance = MetricTolerance(percent: runs > 1 ? 2 : 10, usesSpread: runs > 1)
    if mean.rounded() == mean { tolerance.absolute = 10 }
    return tolerance
  }
}
