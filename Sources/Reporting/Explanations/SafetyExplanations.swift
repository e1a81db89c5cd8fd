import Replay
import TraceEvents

extension Explanations {
  private static let oracle = [
    "a check that is independent of the policies follows which CPU may still hold a translation to "
      + "which frame: an unmap gives the batch's CPUs a stale one, a full flush or a change of mm takes "
      + "it away",
    "rules I1 to I14 come from the reviews of MIGRC and LUF, Amit-a to Amit-d from Nadav Amit's review "
      + "of August 2023",
  ]
  private static let oracleEvents: [EventKind] = [
    .tlbFlush, .csdFunctionEntry, .pageFree, .pageAlloc, .schedSwitch, .pageFaultUser,
    .filemapAdd, .filemapDelete, .sysEnterMmap, .sysEnterMunmap,
  ]

  private static func check(
    _ paths: String, unit: Explanation.Unit, _ meaning: String
  ) -> Explanation {
    Explanation(
      paths, unit: unit, meaning, events: oracleEvents, rules: oracle,
      parameters: [.window, .policy],
      bounds: "a rule that the trace cannot show says so, with what to record (verdict, record)")
  }

  /// Verdicts on safety.
  static let safety = [
    check(
      "policies.*.safety.violations", unit: "violations",
      "times that a rule of memory safety is broken: somebody reads or writes what is not theirs"),
    check(
      "policies.*.safety.frames_checked", unit: "frames",
      "frames that were handed out again, each a test of rule I1"),
    check(
      "policies.*.safety.rules.*.checked", unit: "tests", "how often the rule was put to the test"),
    check("policies.*.safety.rules.*.violations", unit: "violations", "how often it was broken"),
    Explanation(
      "policies.*.safety.first.{cpu,event_index,pfn,time}",
      "policies.*.safety.rules.*.first.{cpu,event_index,pfn,time}", unit: "",
      "where it was broken first: CPU, place among the events of the instance from 0, frame number, and "
        + "time in the trace's unit",
      events: oracleEvents, rules: oracle, parameters: [.window, .policy]),
  ]
}
