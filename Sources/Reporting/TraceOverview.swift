import Replay
import TraceEvents

/// The first section of every report: what was read, and what was wrong with it.
enum TraceOverview {
  static func section(_ trace: TraceDescription) -> Report.Section {
    var facts: [(name: String, value: String)] = [("Format", format(trace))]
    if let kernel = trace.facts.kernelRelease { facts.append(("Kernel", kernel)) }
    facts.append(("CPUs", trace.cpus == 0 ? "not told" : "\(trace.cpus)"))
    facts.append(("Clock", clock(trace)))
    if let span = span(trace) { facts.append(("Span", span)) }
    facts.append(("Events", trace.whole.eventTotal.grouped))
    if let filtered = trace.filtered {
      facts.append(
        (
          "Filters",
          "\(filtered.text): \(trace.filteredWhole.eventTotal.grouped) of these events are counted"
        ))
    }
    facts.append(("Lost events", lost(trace.statistics.lost)))
    if let window = trace.window {
      facts.append(
        (
          "Window",
          "\(window.marks.startLabel) to \(window.marks.endLabel), \(window.survey.eventTotal.grouped) events"
            + (window.isRequested ? " (--between)" : " (marks of the trace)")
        ))
    }
    let findings = trace.statistics.findings.filter { $0.severity != .note }
    var blocks: [Report.Block] = [.facts(facts)]
    if !findings.isEmpty {
      blocks.append(.facts(findings.map { ("!", $0.line) }))
    }
    let unmatched = trace.filtered?.unmatched(trace) ?? []
    if !unmatched.isEmpty { blocks.append(.facts(unmatched.map { ("!", $0) })) }
    return Report.Section("Trace", blocks)
  }

  private static func format(_ trace: TraceDescription) -> String {
    trace.facts.format + (trace.facts.compression.map { ", \($0)-compressed" } ?? "")
  }

  static func clock(_ trace: TraceDescription) -> String {
    let facts = trace.instanceFacts
    let name = facts.clock ?? "not told"
    switch facts.timeUnit {
    case .nanoseconds(let resolution):
      return "\(name), times in \(resolution == 1 ? "nanoseconds" : "microseconds")"
    case .relativeNanoseconds: return "\(name), times are relative: no absolute time"
    case .ticks: return "\(name), ticks of unknown length: no absolute time"
    case .none: return "this dialect shows no times"
    }
  }

  private static func span(_ trace: TraceDescription) -> String? {
    let unit = trace.instanceFacts.timeUnit
    guard let (first, last) = trace.absoluteTimes(trace.whole, unit) else { return nil }
    var dropped = 0
    // Text in microseconds has no more than six decimals to show.
    if case .nanoseconds(let resolution) = unit, resolution >= 1000 { dropped = 3 }
    let shown = [first, last, last - first].map { String(seconds($0).dropLast(dropped)) }
    return "\(shown[0]) to \(shown[1]) s (\(shown[2]) s)"
  }

  static func lost(_ lost: LostEvents) -> String {
    if lost.isEmpty { return "none recorded" }
    var parts: [String] = []
    if lost.known > 0 { parts.append(UInt64(lost.known).grouped) }
    if lost.unknownMarks > 0 {
      parts.append(
        "\(lost.unknownMarks) loss\(lost.unknownMarks == 1 ? "" : "es") of unknown size")
    }
    return parts.joined(separator: " and ")
  }

  /// Seconds with nine decimals, without floating point.
  static func seconds(_ nanoseconds: UInt64) -> String {
    let fraction = String(nanoseconds % 1_000_000_000)
    return "\(nanoseconds / 1_000_000_000)."
      + String(repeating: "0", count: 9 - fraction.count) + fraction
  }
}
