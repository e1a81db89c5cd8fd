import Foundation
import ToolRuns

/// The figures of the LUF v10 letter, from `Traces/letter/letter-data.json`.
struct Letter: Decodable {
  struct Sides: Decodable {
    var before: [Double]
    var after: [Double]
  }
  struct Counters: Decodable {
    var before: [String: Double]
    var after: [String: Double]
  }

  var runTime: Sides
  var row: Sides
  var counters: Counters
  enum CodingKeys: String, CodingKey {
    case runTime = "run_time_ms"
    case row = "proc_interrupts_TLB_row"
    case counters = "perf_stat_per_repetition"
  }

  /// AFTER less BEFORE in per cent.
  static func change(_ before: Double, _ after: Double) -> Double {
    before > 0 ? (after / before - 1) * 100 : 0
  }

  func change(of counter: String) throws -> Double {
    guard let before = counters.before[counter], let after = counters.after[counter] else {
      throw ToolFailure("letter-data.json has no \(counter)")
    }
    return Self.change(before, after)
  }

  var rowChange: Double { Self.change(row.before.reduce(0, +), row.after.reduce(0, +)) }
  var timeChange: Double { Self.change(runTime.before.reduce(0, +), runTime.after.reduce(0, +)) }
}

/// What `tlbreplay report --profile --json` says of walks, by policy.
struct WalkReport: Decodable {
  struct Figure: Decodable {
    var value: Double
    var lower: Double
    var upper: Double
  }
  struct Misses: Decodable {
    var load: Figure
    var store: Figure
    var fetch: Figure
    enum CodingKeys: String, CodingKey {
      case load = "dtlb_load"
      case store = "dtlb_store"
      case fetch = "itlb"
    }
  }
  struct Row: Decodable { var total: Double }
  struct Policy: Decodable {
    var name: String
    var row: Row
    var misses: Misses
    enum CodingKeys: String, CodingKey {
      case name
      case row = "tlb_row"
      case misses = "tlb_misses"
    }
  }

  var policies: [Policy]
}

/// A change in per cent as the model has it, with the least and the greatest that its ranges give.
struct Change {
  var value: Double
  var lower: Double
  var upper: Double

  init(_ values: [Double]) {
    value = values.reduce(0, +) / Double(max(values.count, 1))
    lower = values.min() ?? 0
    upper = values.max() ?? 0
  }
}

extension Double {
  /// With a sign and two digits.
  var percent: String { String(format: "%+.2f", self) }
}
