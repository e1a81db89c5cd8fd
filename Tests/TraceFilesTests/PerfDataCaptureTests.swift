import Foundation
import Testing
import TraceEvents

@testable import TraceFiles

/// Captures of whole workloads, compressed with zstd, against what the capture's `meta.json` counts.
@Suite struct PerfDataCaptureTests {
  private struct Meta: Decodable {
    var total: Int
    var events: [String: Int]

    enum CodingKeys: String, CodingKey {
      case total = "events_total"
      case events
    }
  }

  /// Those of the captures that are in the repository.
  private static var captures: [URL] {
    let all = try? FileManager.default.contentsOfDirectory(
      at: Fixtures.captures, includingPropertiesForKeys: nil)
    return (all ?? []).filter { $0.lastPathComponent.hasPrefix("perf-") }
  }

  @Test func someAreThere() { #expect(!Self.captures.isEmpty) }

  @Test(arguments: captures, [EventOrder.any, .time])
  func countsEqualTheMeta(_ capture: URL, _ order: EventOrder) throws {
    let meta = try JSONDecoder().decode(
      Meta.self, from: Data(contentsOf: capture.appending(path: "meta.json")))
    let tally = try Tally(
      capture.appending(path: "perf.data.zst").path(percentEncoded: false), order)
    #expect(tally.total == meta.total)
    var events: [String: Int] = [:]
    for counts in tally.eventsPerCPU.values { events.merge(counts, uniquingKeysWith: +) }
    #expect(events == meta.events)
    #expect(tally.facts.compression == "zstd")
    #expect(tally.statistics.findings == [])
    #expect(order == .any || tally.decreases == 0)
  }
}
