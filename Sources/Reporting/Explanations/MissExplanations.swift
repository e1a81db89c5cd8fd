import Replay
import TraceEvents

extension Explanations {
  private static let walks = [
    "after a full flush each page that is used again costs one walk: from the workload's reuse profile "
      + "follows how many before the next flush, or before the TLB would have replaced it anyway",
    "a policy's flushes are the recorded ones, less those put off and with those forced, CPU by CPU",
  ]
  private static let narrower =
    "range: entries with and without a busy sibling, accesses per second, phases of the profile, and "
    + "the moments of a policy's flushes; perf stat on the machine narrows the rate "
    + "(--accesses-per-second), tlbreplay profile the rest"

  private static func predicted(_ path: String, _ meaning: String) -> Explanation {
    Explanation(
      path, unit: "walks", meaning, events: [.tlbFlush], rules: walks,
      parameters: [.window, .policy, .misses], bounds: narrower)
  }

  /// TLB misses.
  static let misses = [
    predicted(
      "policies.*.tlb_misses.{dtlb_load,dtlb_store,itlb}.{value,lower,upper}",
      "completed page walks of the class in the window, with their range"),
    predicted(
      "policies.*.tlb_misses.{dtlb_load,dtlb_store,itlb}.flush_made.{value,lower,upper}",
      "walks that would not be without flushes"),
    predicted(
      "policies.*.tlb_misses.{dtlb_load,dtlb_store,itlb}.base.{value,lower,upper}",
      "walks that happen without any flush: capacity misses and first touches"),
    Explanation(
      "policies.*.tlb_misses.bound.flush_made_upper", unit: "walks",
      "the most walks that the policy's flushes can make", events: [.tlbFlush],
      rules: [
        "a full flush makes no more walks than the TLB has entries, or than there are accesses until the "
          + "next; a flushed page makes one"
      ], parameters: [.window, .policy], bounds: "a profile of the workload says more (--profile)"),
    Explanation(
      "policies.*.tlb_misses.bound.full_flushes", unit: "flushes",
      "flushes of everything of an address space", events: [.tlbFlush],
      rules: ["tlb_flush with pages -1 of reasons 1 to 3, and task switches that flush"],
      parameters: [.window, .policy]),
    Explanation(
      "policies.*.tlb_misses.assumptions.entries", unit: "entries",
      "entries that 4 KiB pages have in the TLB's last level, and with a busy sibling",
      grade: .modelled, rules: ["the machine's model: tlbreplay machines NAME"]),
    Explanation(
      "policies.*.tlb_misses.assumptions.accesses_per_second.{expected,lower,upper}", unit: "1/s",
      "memory accesses of a busy CPU in a second", grade: .modelled,
      rules: ["--accesses-per-second, else a range that covers what CPUs do"]),
  ]
}
