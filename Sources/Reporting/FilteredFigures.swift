import Replay
import TraceEvents

/// What a report does not show because `--event` leaves out the events that it counts.
///
/// A replay follows the machine from all events whatever the filters, which only limit what is
/// counted. So a figure is there in full, or, where its events are left out, not at all.
enum FilteredFigures {
  /// A policy's object without the figures whose events are left out.
  static func masked(_ policy: JSONValue, _ trace: TraceDescription) -> JSONValue {
    guard let filtered = trace.filtered, case .object(var members) = policy else { return policy }
    if filtered.hidesRow(trace) {
      members["tlb_row"] = emptied(members["tlb_row"])
      members["ipis_avoided"] = .null
    }
    if filtered.hidesFlushes(trace) { members["tlb_flush"] = emptied(members["tlb_flush"]) }
    if case .array(let cases)? = members["cases"] {
      members["cases"] = .array(cases.map { masked($0, trace) })
    }
    return .object(members)
  }

  /// Every figure null, the grade kept.
  private static func emptied(_ value: JSONValue?) -> JSONValue {
    guard case .object(var members)? = value else { return .null }
    for key in members.keys where key != "grade" {
      members[key] = key == "by_reason" ? .object([:]) : .null
    }
    return .object(members)
  }

  /// What the filters mean for the figures of a replay; empty without filters.
  static func notes(_ trace: TraceDescription) -> [String] {
    guard let filtered = trace.filtered else { return [] }
    var notes = [
      "The machine is followed from all events; the filters limit what is counted. Counts over "
        + "filters that share nothing and together leave nothing out add up to those without "
        + "filters; bounds need not. Frames that wait for a flush, safety and how "
        + "operations were put together are the machine's and not split."
    ]
    if filtered.request.cpus != nil {
      notes.append(
        "--cpu: an interrupt counts on the CPU that receives it, a deferral on the CPU that would have "
          + "flushed.")
    }
    if filtered.request.asksForTasks {
      notes.append(
        "--pid, --tid, --comm: a shootdown and its interrupts count for the task that sends them (in "
          + "stat, every event for the task that it interrupted). What the trace shows no sender of "
          + "counts for nobody.")
    }
    if filtered.request.cpus != nil || filtered.request.asksForTasks {
      notes.append("Memory tiers are those of all CPUs and tasks.")
    }
    if filtered.request.time != nil {
      notes.append("--time: a deferral that outlives the span is pending at its end.")
    }
    if !filtered.request.events.isEmpty {
      notes.append(
        "--event: deferrals and the flushes that end them are no events of the trace and not split."
      )
    }
    if filtered.hidesRow(trace) {
      notes.append("--event leaves out what the TLB row is told from: no row is shown.")
    }
    if filtered.hidesFlushes(trace) {
      notes.append("--event leaves out tlb:tlb_flush: no flushes by reason are shown.")
    }
    return notes
  }
}
