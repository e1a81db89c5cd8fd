import Replay
import TraceEvents

extension Explanations {
  private static let flushEvents: [EventKind] = [.tlbFlush, .csdQueueCPU, .csdFunctionEntry]
  private static let matched =
    "a shootdown's receivers are those whose csd_function_entry answers its csd_queue_cpu; without "
    + "csd events those that flush while its initiator waits"
  private static let causes =
    "the cause is what the initiating task was doing: system call, fault, migration, reclaim (tlbreplay "
    + "who tells it by call paths where the trace has them)"
  private static let better =
    "csd:csd_queue_cpu and csd:csd_function_entry name receivers exactly; raw_syscalls, migrate and "
    + "vmscan events name causes"

  private static func culprit(
    _ figure: String, unit: Explanation.Unit, _ meaning: String,
    rules: [String] = [matched, causes]
  ) -> Explanation {
    Explanation(
      "who.{by_task,by_cause}.groups.*.\(figure)", "who.{by_task,by_cause}.rest.\(figure)",
      unit: unit, meaning, grade: .derived, events: flushEvents, rules: rules,
      parameters: [.window], bounds: better)
  }

  /// Who causes the shootdowns, and when and between whom they happen.
  static let attribution = [
    culprit(
      "interrupts", unit: "interrupts",
      "shootdown interrupts that the group's shootdowns sent; the groups and the rest add up to the TLB "
        + "row less what is unattributed"),
    culprit(
      "shootdowns", unit: "shootdowns",
      "shootdowns that tasks of the group began"),
    culprit(
      "sends", unit: "events",
      "of these, those announced by tlb_flush with reason 4, remote ipi send",
      rules: ["native_flush_tlb_multi writes that event (Linux 6.12 arch/x86/mm/tlb.c)"]),
    culprit(
      "cpus_hit", unit: "CPUs",
      "CPUs that the group interrupted at least once"),
    Explanation(
      "who.{by_task,by_cause}.distinct", unit: "groups", "tasks or causes that differ",
      grade: .derived, events: flushEvents, rules: [causes], parameters: [.window], bounds: better),
    Explanation(
      "who.by_task.groups.*.{task,process}", unit: "",
      "the thread's number, and that of its thread group where the trace tells it",
      grade: .measured,
      rules: ["common_pid of each event; tgid of perf samples, of ftrace's record-tgid"]),
    Explanation(
      "who.unattributed", unit: "interrupts", "interrupts whose sender is not in the trace",
      grade: .derived, events: flushEvents, rules: [matched], parameters: [.window], bounds: better),
    Explanation(
      "policies.*.timeline.{per_cpu,total}", unit: "interrupts",
      "the TLB row over time: shootdown interrupts received in each span, by CPU and in all; sums are "
        + "the row", grade: .modelled, events: flushEvents,
      rules: [
        "recorded: when each interrupt came; a policy's: less those of flushes put off, at the time the "
          + "flush began, and those of forced flushes, at the time they are forced"
      ], parameters: [.window, .policy]),
    Explanation(
      "policies.*.timeline.{start,width}", unit: .time,
      "where the first span begins and how long each is", grade: .measured, parameters: [.window]),
    Explanation(
      "policies.*.senders.{matrix,matched}", unit: "interrupts",
      "interrupts by sending and receiving CPU, and their sum", grade: .modelled,
      events: flushEvents, rules: [matched], parameters: [.window, .policy], bounds: better),
    Explanation(
      "policies.*.senders.sender_not_in_trace", unit: "interrupts",
      "interrupts of the row whose sender the trace does not tell", grade: .derived,
      events: flushEvents, rules: [matched], parameters: [.window, .policy], bounds: better),
    Explanation(
      "policies.*.senders.cpus_per_group", unit: "CPUs",
      "neighbouring CPUs that share a row and a column: 1 up to 256 CPUs", grade: .derived),
  ]
}
