import Foundation
import TraceEvents

/// Compares what `stat --json` said with what was written.
enum StatCheck {
  /// The first difference; nil if there is none.
  static func difference(_ path: String, _ counts: MixCounts) throws -> String? {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    guard let document = try JSONSerialization.jsonObject(with: data) as? [String: Any],
      let events = document["events"] as? [String: [String: Any]],
      let flushes = document["tlb_flush"] as? [String: Any],
      let reasons = flushes["by_reason"] as? [String: [String: Any]],
      let allocations = document["page_alloc"] as? [String: Any],
      let orders = allocations["by_order"] as? [String: Any]
    else { return "stat --json lacks events, tlb_flush or page_alloc" }

    var seen: Set<String> = []
    for kind in EventKind.allCases {
      let written = Array(counts.perCPU(kind))
      if written.allSatisfy({ $0 == 0 }) { continue }
      let tracepoint = Tracepoint.of(kind)
      let name = "\(tracepoint.system):\(tracepoint.name)"
      seen.insert(name)
      let read = (events[name]?["per_cpu"] as? [NSNumber])?.map(\.uint64Value) ?? []
      if read != written { return "\(name): read \(read), wrote \(written)" }
    }
    if let other = events.keys.first(where: { !seen.contains($0) }) { return "\(other) unwritten" }
    for reason in 0..<5 {
      for (index, key) in ["full", "none", "range"].enumerated() {
        let written = counts.flushes[reason * 3 + index]
        let read = (reasons["\(reason)"]?[key] as? NSNumber)?.uint64Value ?? 0
        if read != written { return "reason \(reason) \(key): read \(read), wrote \(written)" }
      }
    }
    for (order, written) in counts.orders.enumerated() where written > 0 {
      let read = (orders["\(order)"] as? NSNumber)?.uint64Value
      if read != written { return "order \(order): read \(read ?? 0), wrote \(written)" }
    }
    return nil
  }

  /// Compares `EVENT COUNT` lines, as awk prints them, with what was written.
  static func lineDifference(_ path: String, _ counts: MixCounts) throws -> String? {
    let text = try String(contentsOfFile: path, encoding: .utf8)
    var read: [String: UInt64] = [:]
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      let name = words.first.map { String($0.split(separator: ":").last ?? $0) } ?? ""
      read[name, default: 0] += words.last.flatMap { UInt64($0) } ?? 0
    }
    for kind in EventMix.kinds {
      let name = Tracepoint.of(kind).name
      let written = counts.perCPU(kind).reduce(0, +)
      if read[name, default: 0] != written {
        return "\(name): the stock tool printed \(read[name, default: 0]), wrote \(written)"
      }
    }
    return nil
  }
}
