public import Replay
import TraceEvents

/// What the independent check says of a policy.
extension ReplayReport {
  /// Every rule with its verdict; nil for a policy that was not checked. `isDetailed` gives each a
  /// line and what was counted; otherwise only what was broken or put to the test has one.
  static func safety(
    _ policy: PolicyOutcome, _ unit: TimeUnit, isDetailed: Bool
  ) -> Report.Section? {
    guard let safety = policy.figures?.safety else { return nil }
    let shown = safety.rules.filter { rule in
      isDetailed || (rule.record == nil && (rule.violations > 0 || rule.checked > 0))
    }
    let facts = shown.map { rule in
      (name: rule.rule.rawValue, value: verdict(rule, unit, isDetailed: isDetailed))
    }
    let heading = "Safety of \(policy.name) [modelled]"
    guard !safety.rules.isEmpty else {
      return Report.Section(heading, [.facts([("I1", summary(safety, unit))])])
    }
    var blocks: [Report.Block] = facts.isEmpty ? [] : [.facts(facts)]
    if !isDetailed, let rest = untested(safety.rules) { blocks.append(.note(rest)) }
    return Report.Section(heading, blocks)
  }

  /// The rules that say nothing here, by name; nil without any.
  private static func untested(_ rules: [RuleVerdict]) -> String? {
    let idle = rules.filter { $0.kind == .holds && $0.checked == 0 }
    let unseen = rules.filter { $0.record != nil }
    func list(_ label: String, _ rules: [RuleVerdict]) -> String? {
      guard !rules.isEmpty else { return nil }
      return "\(label): \(rules.map(\.rule.rawValue).joined(separator: ", "))."
    }
    let parts = [
      list("Hold, with nothing to check", idle), list("Not observable here", unseen),
      unseen.isEmpty ? nil : "--bounds says what each demands, and what to record.",
    ].compactMap(\.self)
    return parts.isEmpty ? nil : parts.joined(separator: " ")
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
