import Foundation
import Testing
import TraceEvents

@testable import TraceFiles

/// Every recorded text against its answer key.
@Suite struct TextKeyTests {
  @Test(arguments: TextSamples.names)
  func countsAgreeWithTheKey(name: String) throws {
    let key = try TextSamples.json(name + ".key.json")
    let result = try TextResult(TextSamples.path(name))
    #expect(result.rows.count == key["total"] as? Int)
    #expect(counts(result) == key["events_per_cpu"] as? [String: [String: Int]])
    #expect(result.statistics.count("unparsed-line") == key["unmatched_lines"] as? Int)
    #expect(!result.statistics.isDamaged, "\(result.statistics.findings)")
    if let flushes = key["tlb_flush_per_cpu_reason_pages"] as? [String: [String: [String: Int]]] {
      #expect(flushTable(result) == flushes)
    }
    if let orders = key["mm_page_alloc_per_order"] as? [String: Int] {
      #expect(orderTable(result) == orders)
    }
    try checkTimes(result, key)
    try checkLosses(result, key)
  }

  @Test func expectedTablesHoldForAllDialects() throws {
    for table in ["ft-a-one", "ft-b-one", "td-a-one", "td-b-one", "pd-a-one", "pd-b-one"] {
      let expected = try TextSamples.json(table + ".expected.json")
      let total = try #require(expected["total"] as? Int)
      let files = try #require(expected["holds_for"] as? [String])
      for name in files where name.contains(".txt") {
        let result = try TextResult(TextSamples.path(name))
        #expect(result.rows.count == total, "\(name)")
        #expect(sum(counts(result)) == sum(expected["events_per_cpu"] as? [String: [String: Int]]))
      }
    }
  }

  /// CPU (or `-`) → event → rows.
  private func counts(_ result: TextResult) -> [String: [String: Int]] {
    var counts: [String: [String: Int]] = [:]
    for row in result.rows {
      var name = row.bareName
      // The keys of the kernel's text call both kinds of stack so.
      if result.facts.format == "ftrace-text", name.hasSuffix("_stack") { name = "stack" }
      counts[label(row.cpu), default: [:]][name, default: 0] += 1
    }
    return counts
  }

  private func sum(_ counts: [String: [String: Int]]?) -> [String: Int] {
    var sums: [String: Int] = [:]
    for (_, events) in counts ?? [:] { sums.merge(events) { $0 + $1 } }
    return sums
  }

  private func label(_ cpu: UInt16) -> String {
    cpu == EventBatch.unknownCPU
      ? "-" : String(repeating: "0", count: max(0, 3 - "\(cpu)".count)) + "\(cpu)"
  }

  private func flushTable(_ result: TextResult) -> [String: [String: [String: Int]]] {
    var table: [String: [String: [String: Int]]] = [:]
    for row in result.rows where row.event == "tlb:tlb_flush" {
      let pages = row.words[TLBFlush.pages]
      let label = pages == "-1" ? "full" : pages == "0" ? "none" : "range"
      table[self.label(row.cpu), default: [:]][row.words[TLBFlush.reason], default: [:]][
        label, default: 0] += 1
    }
    return table
  }

  private func orderTable(_ result: TextResult) -> [String: Int] {
    var table: [String: Int] = [:]
    for row in result.rows where row.event == "kmem:mm_page_alloc" {
      table[row.words[PageAlloc.order], default: 0] += 1
    }
    table["-"] = nil
    return table
  }

  /// `first` and `last` are the times of the first and last event's lines as printed.
  private func checkTimes(_ result: TextResult, _ key: [String: Any]) throws {
    let unit = result.facts.instances[0].timeUnit
    guard let first = key["first"] as? String, let last = key["last"] as? String else {
      if !result.rows.isEmpty { #expect(unit == .none) }
      return
    }
    let times = result.rows.map(\.time)
    // Rows of several instances come one instance after the other.
    let sorted = result.facts.instances.count > 1 ? times.sorted() : times
    let isRelative = unit == .relativeNanoseconds(resolution: 1000) && !first.contains(".")
    let isVerbose = unit == .nanoseconds(resolution: 1000) && !first.contains(".")
    let expected = [first, last].map { printed in
      isVerbose ? UInt64(printed, radix: 16).map { $0 * 1000 } : number(printed, isRelative)
    }
    #expect([sorted.first, sorted.last] == expected, "\(first) \(last)")
  }

  private func number(_ printed: String, _ areMicroseconds: Bool) -> UInt64? {
    let parts = printed.split(separator: ".")
    guard let whole = parts.first.flatMap({ UInt64($0) }) else { return nil }
    guard parts.count == 2, let fraction = UInt64(parts[1]) else {
      return areMicroseconds ? whole * 1000 : whole
    }
    return whole * 1_000_000_000 + fraction * (parts[1].count == 9 ? 1 : 1000)
  }

  private func checkLosses(_ result: TextResult, _ key: [String: Any]) throws {
    let lines = key["lost_lines"] as? [String] ?? []
    let known = lines.reduce(0) { sum, line in
      sum + (line.split(separator: " ").compactMap { Int($0) }.first ?? 0)
    }
    if !lines.isEmpty { #expect(result.statistics.lost.known == known) }
    if let header = key["header_entries_in_buffer_written"] as? [Int] {
      #expect(
        (result.statistics.count("overwritten-buffer") > 0) == (header[0] < header[1]))
    }
    if let started = key["buffer_started_lines"] as? Int {
      #expect(result.statistics.count("cpu-buffer-started-late") == started)
    }
  }
}
