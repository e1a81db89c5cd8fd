public import Replay
import TraceEvents

/// What the independent check says of a policy.
extension ReplayReport {
  /// Every rule with its verdict; nil for a policy that was not checked. `isDetailed` adds what was
  /// counted also where a rule holds.
  static func safety(
    _ policy: PolicyOutcome, _ unit: TimeUnit, isDetailed: Bool
  ) -> Report.Section? {
    guard let safety = policy.figures?.safety else { return nil }
    let facts = safety.rules.map { rule in
      (name: rule.rule.rawValue, value: verdict(rule, unit, isDetailed: isDetailed))
    }
    return Report.Section(
      "Safety of \(policy.name) [modelled]",
      [.facts(facts.isEmpty ? [("I1", summary(safety, unit))] : facts)])
  }

  /// `holds (8,802 checked)`, `violated 3,410 times ...`, `not observable: record ...`.
  static func verdict(_ rule: RuleVerdict, _ unit: TimeUnit, isDetailed: Bool) -> String {
    let title = rule.rule.title
    let detail = rule.detail.isEmpty ? "" : "; \(rule.detail)"
    switch rule.kind {
    case .holds:
      let checked = rule.checked > 0 ? "\(count(rule.checked)) checked" : "nothing to check"
      return "holds (\(checked)): \(title)" + (isDetailed ? detail : "")
    case .violated: return violated(rule.violations, rule.first, unit) + ": \(title)\(detail)"
    case .notObservable(let record):
      return "not observable: record \(record) (\(title)" + (isDetailed ? detail : "") + ")"
    }
  }

  /// What is said where rules do not have verdicts of their own.
  private static func summary(_ safety: SafetyVerdict, _ unit: TimeUnit) -> String {
    safety.violations == 0
      ? "holds (\(count(safety.framesChecked)) frames handed out again)"
      : violated(safety.violations, safety.first, unit)
  }

  private static func violated(_ times: Int, _ first: Violation?, _ unit: TimeUnit) -> String {
    let place = first.map { ", first at \(self.place($0, unit))" } ?? ""
    return "violated \(counted(times, "time", "times"))\(place)"
  }

  private static func place(_ violation: Violation, _ unit: TimeUnit) -> String {
    "event \(violation.eventIndex.grouped), time \(unit.moment(violation.time)), "
      + "CPU \(violation.cpu), pfn 0x\(String(violation.pfn, radix: 16))"
  }

  /// The first shown policy that breaks a rule, in a sentence for `--forbid-violations`; nil where
  /// none does.
  public static func violation(_ trace: TraceDescription, _ outcome: Outcome) -> String? {
    for policy in outcome.policies {
      guard let safety = policy.figures?.safety, safety.violations > 0 else { continue }
      let unit = trace.instanceFacts.timeUnit
      let place = safety.first.map { ", the first of rule \($0.rule) at \(self.place($0, unit))" }
      return "policy \(policy.name) breaks safety rules "
        + counted(safety.violations, "time", "times") + (place ?? "")
    }
    return nil
  }

  /// The first policy whose safety this trace does not show, and why; nil where all were checked.
  public static func uncheckedPolicy(_ outcome: Outcome) -> String? {
    for policy in outcome.policies.dropFirst() where policy.figures?.safety == nil {
      return "the safety of policy \(policy.name) is not observable: "
        + policy.notes.joined(separator: "; ")
    }
    return nil
  }
}
