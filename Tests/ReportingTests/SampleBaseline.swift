import Replay
import Statistics

@testable import Reporting

/// Baselines and readings that no trace was read for.
enum SampleBaseline {
  static func environment(_ changes: [String: String] = [:]) -> CaptureEnvironment {
    CaptureEnvironment(
      [
        "cpus": "4", "format": "trace.dat/7", "kernel": "6.12.117",
        "lost_events": "none recorded", "marks": "none", "row": "exact",
      ].merging(changes) { $1 })
  }

  static func reading(
    _ row: Double, violations: Double = 0, digest: String = "xxh64:0000000000000001",
    path: String = "runs/1", _ changes: [String: String] = [:]
  ) -> CaptureReading {
    CaptureReading(
      name: "1", path: path, digest: digest, environment: environment(changes),
      metrics: [
        MetricReading("luf-v10.deferred", 100, .modelled, .less, "batches put off"),
        MetricReading(
          "luf-v10.safety_violations", violations, .modelled, .more, isGate: true, "violations"),
        MetricReading("recorded.tlb_row", row, .derived, .more, isGate: true, "interrupts"),
        MetricReading(
          "recorded.tlb_row.per_reclaimed", row / 1000, .derived, .more, isGate: true, "rate"),
      ])
  }

  static func baseline(
    _ subject: Baseline.Subject = .trace, _ rows: [Double] = [3761], name: String = "small"
  ) throws -> Baseline {
    let entry = try BaselineEntry(name, subject, rows.map { reading($0) }, keeping: nil)
    return Baseline(
      subject, toolVersion: "0.1.0",
      settings: BaselineSettings(policies: [BaselinePolicy(name: "luf-v10")]), entries: [entry])
  }

  static let demands = CaptureCheck.Demands(toolVersion: "0.1.0")

  static func check(
    _ baseline: Baseline, _ readings: [CaptureReading],
    _ demands: CaptureCheck.Demands = demands
  ) -> CaptureCheck {
    var check = CaptureCheck("small", inputs: readings.map(\.path), baselineFile: "b.json")
    check.compare(readings, with: baseline.entries[0], of: baseline, demands)
    return check
  }
}
