import Replay
import TraceEvents

extension Explanations {
  static let interruptRule =
    "flush_tlb_func raises the row first thing on a CPU that is not the initiator (Linux 6.12 "
    + "arch/x86/mm/tlb.c), also where it then returns without a tlb_flush event"
  private static let rowEvents: [EventKind] = [.csdFunctionEntry, .csdQueueCPU, .tlbFlush]
  private static let derivation = [
    interruptRule,
    "csd_function_entry of flush_tlb_func with a csd is one interrupt; without these events "
      + "csd_queue_cpu by target; without both, tlb_flush reasons 1 and 5, a lower bound",
  ]
  private static let recordMore =
    "csd:csd_function_entry (Linux 6.5 and later) makes the recorded row exact"
  static let replayed = [
    "unmap batches, their receivers and the frames freed with them are put together from the events "
      + "(see reconstruction)",
    "the policy then says of each batch whether its flush is put off, and when it is done after all: "
      + "row = recorded row - interrupts put off + interrupts of forced flushes, CPU by CPU",
  ]
  private static let narrower =
    "reclaim has no event that tells whether pages were mapped read-only: migrate:set_migration_pte "
    + "tells for migrations; csd events, kmem:mm_page_pcpu_drain, mm_page_alloc_zone_locked, "
    + "exceptions:page_fault_user and the mmap and write system calls tell what ends a deferral; "
    + "--flush-duration says how long flushes last; --bounds lists the cases"

  /// The TLB row of /proc/interrupts.
  static let rows = [
    Explanation(
      "policies.*.tlb_row.{total,per_cpu}", unit: "interrupts",
      "TLB shootdown interrupts received in the window, as /proc/interrupts counts them",
      events: rowEvents + [.pageFree, .pageAlloc], rules: derivation + replayed,
      parameters: [.window, .policy, .flushDuration],
      bounds: "lower and upper; \(narrower)"),
    Explanation(
      "policies.*.tlb_row.{lower,upper}", unit: "interrupts",
      "between what the total of one more run of the workload lies, whatever holds of what the trace "
        + "does not show",
      events: rowEvents + [.pageFree, .pageAlloc],
      rules: [
        "trace_lower and trace_upper, wider by how much interrupts scatter over time in this run",
        "of the recorded run: the row itself, upper null where some receivers leave no event",
      ], parameters: [.window, .policy, .flushDuration], bounds: narrower),
    Explanation(
      "policies.*.tlb_row.{trace_lower,trace_upper}", unit: "interrupts",
      "between what this run's total lies, whatever holds of what the trace does not show",
      events: rowEvents + [.pageFree, .pageAlloc],
      rules: [
        "the least and the greatest of all cases and of every mixture of them: below, each CPU is "
          + "interrupted as rarely as its deferrals and the policy's own chances to flush allow; above, "
          + "each batch that may be put off is flushed by itself"
      ], parameters: [.window, .policy, .flushDuration], bounds: narrower),
    Explanation(
      "policies.*.tlb_row.another_run.{lower,upper}", unit: "interrupts",
      "where the total of one more run lies, 95 times in 100, if what the figure assumes holds",
      events: rowEvents,
      rules: [
        "from how much interrupts, less those put off and with those of forced flushes, scatter over "
          + "equal spans of this run's window"
      ], parameters: [.window, .policy],
      bounds: "a longer trace brings them closer; repetitions are better (compare)"),
    Explanation(
      "policies.*.ipis_avoided", unit: "interrupts",
      "recorded interrupts less those under the policy; negative where it costs more",
      events: rowEvents + [.pageFree, .pageAlloc], rules: derivation + replayed,
      parameters: [.window, .policy, .flushDuration], bounds: narrower),
    Explanation(
      "tlb_row.recorded.{total,per_cpu}", unit: "interrupts",
      "the TLB row of /proc/interrupts after the window less the one before it", grade: .measured,
      rules: ["interrupts.before and interrupts.after beside the trace", interruptRule]),
    Explanation(
      "tlb_row.derived.{total,per_cpu,lower,upper}", unit: "interrupts",
      "the row as the trace's events tell it", events: rowEvents, rules: derivation,
      parameters: [.window], bounds: recordMore),
    Explanation(
      "tlb_row.residual.{total,per_cpu}", "tlb_row.difference", unit: "interrupts",
      "the row between the snapshots less the one of the trace", grade: .derived,
      events: rowEvents, rules: derivation, parameters: [.window],
      bounds: "interrupts between a snapshot and the window's edge, events that were lost, and "
        + "receivers without an event; \(recordMore)"),
    Explanation(
      "tlb_row.{before,after}.per_cpu", unit: "interrupts",
      "the TLB row of a side, summed over its runs: between the /proc snapshots where every run has "
        + "them, else as the traces tell it",
      rules: [interruptRule]),
  ]

  /// `tlb_flush` events of each policy.
  static let flushes = [
    Explanation(
      "policies.*.tlb_flush.total", "policies.*.tlb_flush.by_reason.*.{total,per_cpu}",
      unit: "events",
      "tlb:tlb_flush events in the window; by reason 0 task switch, 1 remote, 2 local, 3 local mm, 4 "
        + "send, 5 wrong CPU",
      events: [.tlbFlush, .csdFunctionEntry, .pageFree, .pageAlloc],
      rules: [
        "of the recorded run they are counted; for a policy those of each flush that is put off are "
          + "taken away, and those that a forced flush would write are added"
      ] + replayed, parameters: [.window, .policy, .flushDuration],
      bounds: "as those of tlb_row: flushes and interrupts are put off together")
  ]
}
