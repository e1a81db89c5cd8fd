import Replay
import TraceEvents

/// A prediction from one run without lazy unmap flush beside the runs that were measured with it.
struct Comparison {
  let workload: String
  let mode: String
  let before: CapturedRun
  let predicted: PolicyOutcome
  let measured: [CapturedRun]

  /// How far `value` lies outside the range of `range`, relative to its near end; 0 inside.
  static func error(_ value: Double, _ range: [Double]) -> Double? {
    guard let low = range.min(), let high = range.max() else { return nil }
    if value < low { return low > 0 ? (value - low) / low : nil }
    if value > high { return high > 0 ? (value - high) / high : nil }
    return 0
  }

  var total: Int? { predicted.figures?.tlbRowTotal }

  var totalError: Double? {
    total.flatMap { Self.error(Double($0), measured.map { Double($0.measured.interrupts) }) }
  }

  /// Per reclaimed page: the prediction by the pages that the recorded run reclaimed.
  var perPage: Double? {
    guard let total, before.measured.reclaimedPages > 0 else { return nil }
    return Double(total) / Double(before.measured.reclaimedPages)
  }

  var perPageError: Double? {
    perPage.flatMap { Self.error($0, measured.compactMap(\.measured.interruptsPerPage)) }
  }

  /// The distances of all CPUs from their measured ranges, by the mean of the measured totals.
  var perCPUError: Double? {
    guard let row = predicted.figures?.tlbRow, !measured.isEmpty else { return nil }
    var distance = 0
    for cpu in row.indices {
      let counts = measured.map {
        cpu < $0.measured.interruptsPerCPU.count ? $0.measured.interruptsPerCPU[cpu] : 0
      }
      distance += max((counts.min() ?? 0) - row[cpu], row[cpu] - (counts.max() ?? 0), 0)
    }
    let mean = measured.map(\.measured.interrupts).reduce(0, +) / measured.count
    return mean > 0 ? Double(distance) / Double(mean) : nil
  }

  /// Where another run of the same workload is expected if what the trace does not show is as
  /// assumed for the figure.
  var anotherRun: ClosedRange<Int>? { predicted.figures?.anotherRun }

  /// Measured totals between the bounds of what the trace leaves open, and inside ``anotherRun``.
  var insideBounds: Int? {
    guard let lower = predicted.rowLower, let upper = predicted.rowUpper else { return nil }
    return measured.count { lower <= $0.measured.interrupts && $0.measured.interrupts <= upper }
  }
  /// See ``insideBounds``.
  var insideAnotherRun: Int? {
    anotherRun.map { range in measured.count { range.contains($0.measured.interrupts) } }
  }
}
