import Replay
import TraceEvents

extension Explanations {
  private static let sum = [
    "initiators: sends * send_base + interrupts * send_each; receivers: interrupts * receive; refills: "
      + "walks made by flushes * walk; broadcasts * broadcast",
    "lower and upper: every cost at its worst end, and the TLB row at its bounds",
  ]
  private static let costNarrower =
    "--cost NAME=VALUE; csd events, from which the initiators' waits are fitted; the bounds of tlb_row"

  private static func cost(
    _ paths: String, unit: Explanation.Unit = .time, _ meaning: String
  ) -> Explanation {
    Explanation(
      paths, unit: unit, meaning, events: [.tlbFlush, .csdQueueCPU, .csdFunctionEntry], rules: sum,
      parameters: [.window, .policy, .costs], bounds: costNarrower)
  }

  /// Time in shootdowns.
  static let time = [
    Explanation(
      "time.cpu_time", unit: .time, "the window's length times the CPUs", grade: .derived,
      parameters: [.window]),
    Explanation(
      "time.parameters.*.{expected,lower,upper}", unit: .document,
      "what one of these costs, with its range; source and confidence stand beside it",
      events: [.csdQueueCPU, .csdFunctionEntry],
      rules: [
        "origin trace: least squares of the initiators' waits over their receivers; user: --cost; "
          + "default: from the literature, or chosen"
      ], bounds: costNarrower),
    cost("time.policies.*.sends", unit: "sends", "shootdowns whose initiator waits for somebody"),
    cost(
      "time.policies.*.interrupts", unit: "interrupts", "interrupts received: tlb_row.total"),
    cost(
      "time.policies.*.broadcasts", unit: "flushes", "flushes done without interrupts"),
    cost(
      "time.policies.*.initiators.{lower,expected,upper}", "time that initiators wait"),
    cost(
      "time.policies.*.receivers.{lower,expected,upper}", "time that receivers handle interrupts"),
    cost(
      "time.policies.*.refills.{lower,expected,upper}",
      "time of the page walks that flushes make; null where misses are not known"),
    cost("time.policies.*.total.{lower,expected,upper}", "all of it, of all CPUs together"),
    cost(
      "time.policies.*.saved.{lower,expected,upper}",
      "total of the recorded run less that of the policy: CPU time, not run time"),
    cost(
      "time.policies.*.share_of_cpu_time.{lower,expected,upper}", unit: "",
      "total as a share of cpu_time, 1 being all of it"),
    cost(
      "time.policies.*.sensitivity.*.{saved_at_lower,saved_at_upper,swing}",
      "what is saved while this alone goes from its lower to its upper end; swing is the difference"
    ),
    Explanation(
      "time.migrations.{lower,expected,upper}", unit: .time,
      "time of the migrations, the same under every policy", events: [.migratePages],
      rules: ["pages that mm_migrate_pages says succeeded * migrate_page"],
      parameters: [.window, .costs], bounds: "--cost migrate_page=VALUE"),
  ]
}
