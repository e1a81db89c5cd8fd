import Replay
import TraceEvents

extension Explanations {
  /// What was read.
  static let input = [
    Explanation(
      "input.cpus", unit: "CPUs",
      "CPUs of the traced machine: as the file's header says, else the highest one that an event or a "
        + "snapshot names", grade: .measured),
    Explanation(
      "input.{first_ns,last_ns}", unit: "ns",
      "time of the first and the last event of the instance, in the trace's clock",
      grade: .measured),
    Explanation(
      "input.{first_ticks,last_ticks}", unit: "ticks",
      "time of the first and the last event, in ticks of a clock of unknown rate",
      grade: .measured),
    Explanation(
      "input.lost_events.known", unit: "events",
      "events that the recorder says were lost",
      grade: .measured,
      rules: [
        "lost-event marks of ring-buffer pages, PERF_RECORD_LOST and LOST_SAMPLES, \"[LOST n EVENTS]\""
      ],
      bounds:
        "a loss of unknown size is said in lost_events.unknown, and makes every count a lower "
        + "bound; larger buffers avoid it"),
    Explanation(
      "input.findings.*.count", unit: "", "how often this kind of damage or oddity was found",
      grade: .measured),
    Explanation(
      "input.findings.*.first_offset", unit: "bytes",
      "where in the file it was found first", grade: .measured),
    Explanation(
      "window.{start_ns,end_ns}", unit: "ns",
      "the times of the two marks between which everything is counted", grade: .measured,
      events: [.print, .signalGenerate], parameters: [.window]),
    Explanation(
      "instances.*.{first_ns,last_ns}", unit: "ns",
      "time of the first and the last event of another buffer, in its own clock",
      grade: .measured),
  ]

  /// Events as they were recorded.
  static let events = [
    Explanation(
      "events.*.{total,per_cpu}", "window.events.*.{total,per_cpu}", unit: "events",
      "occurrences of the event, by the CPU that wrote it", grade: .measured,
      rules: ["one for each record that could be read; nothing is added for lost ones"],
      parameters: [.window]),
    Explanation(
      "instances.*.events.*.{total,per_cpu}", unit: "events",
      "occurrences of the event in another buffer of the same file", grade: .measured,
      rules: ["the same occurrence can stand in two buffers: never add them up"]),
    Explanation(
      "tlb_flush.by_reason.*.{total,full,none,range,per_cpu}",
      "tlb_flush.by_reason.*.per_cpu_pages.{full,none,range}", unit: "events",
      "tlb:tlb_flush events of the reason; full: pages -1, none: 0, range: others",
      grade: .measured,
      events: [.tlbFlush],
      rules: [
        "the number in brackets is the reason (include/trace/events/tlb.h): its words differ by kernel",
        "reason 4 is written once a shootdown, before lazy CPUs are left out: no count of interrupts",
      ], parameters: [.window]),
    Explanation(
      "page_alloc.by_order.*", unit: "allocations", "mm_page_alloc events of the order",
      grade: .measured, events: [.pageAlloc], parameters: [.window]),
  ]
}
