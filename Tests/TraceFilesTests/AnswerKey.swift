import Foundation
import TraceEvents

/// The answer key beside a trace: what the stock tool and a second reader count in it.
struct AnswerKey: Decodable {
  var total: Int
  var first: String?
  var last: String?
  /// Counts by CPU (`000`, or `-` where the form shows none) and bare event name.
  var eventsPerCPU: [String: [String: Int]]
  /// Counts by CPU, reason number and class of pages (`full`, `none`, `range`).
  var flushes: [String: [String: [String: Int]]]?
  /// Counts by order.
  var allocations: [String: Int]?
  var lostRecords: Int?
  var lostSamples: Int?
  /// Entries of all call chains, context markers included.
  var callChainEntries: Int?

  enum CodingKeys: String, CodingKey {
    case total, first, last
    case eventsPerCPU = "events_per_cpu"
    case flushes = "tlb_flush_per_cpu_reason_pages"
    case allocations = "mm_page_alloc_per_order"
    case lostRecords = "lost_records_sum"
    case lostSamples = "lost_samples_records_sum"
    case callChainEntries = "callchain_entries_total_with_markers"
  }

  /// The key of `file`, a name under ``Fixtures/formats``.
  init(of file: String) throws {
    let data = try Data(contentsOf: Fixtures.formats.appending(path: "\(file).key.json"))
    self = try JSONDecoder().decode(AnswerKey.self, from: data)
  }

  /// Nanoseconds of `138.700050094`; nil for forms without a dot.
  static func nanoseconds(_ text: String?) -> UInt64? {
    guard let parts = text?.split(separator: "."), parts.count == 2, parts[1].count == 9,
      let seconds = UInt64(parts[0]), let rest = UInt64(parts[1])
    else { return nil }
    return seconds * 1_000_000_000 + rest
  }
}

/// Where the real captures are.
enum Fixtures {
  /// The repository's `Traces`.
  static let traces = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Traces")
  /// Small recordings in many dialects.
  static let formats = traces.appending(path: "formats")
  /// Captures with snapshots and marks.
  static let captures = traces.appending(path: "captures")

  /// The path of a file under ``formats``.
  static func path(_ name: String) -> String {
    formats.appending(path: name).path(percentEncoded: false)
  }
}
