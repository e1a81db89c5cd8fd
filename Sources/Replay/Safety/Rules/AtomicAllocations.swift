/// I10: allocations that cannot sleep and take a frame with a flush owed.
///
/// One that forces a flush sends interrupts and waits for them. With interrupts off that deadlocks
/// (Linux 6.12 `kernel/smp.c` `smp_call_function_many_cond`); whether they were off is not in the
/// event, so this counts all, and says how many were made on an idle CPU, that is in an interrupt.
struct AtomicAllocations: SafetyCheck {
  private var findings = RuleFindings()
  private var onIdleCPUs = 0

  var hears: SafetyNews { .flushes }

  static func cannotSleep(_ moment: Moment) -> Bool {
    moment.isAtomic || moment.payer == .idle
  }

  mutating func flushed(
    _ mask: CPUMask, _ fate: DeferralFate, times: Int, _ moment: Moment,
    _ stale: inout StaleTranslations
  ) {
    guard fate == .allocation, Self.cannotSleep(moment) else { return }
    var others = 0
    mask.forEach { if $0 != Int(moment.cpu), !stale.isLazy($0) { others += 1 } }
    guard others > 0 else { return }
    findings.violated(.atomicAllocation, moment, cpu: Int(moment.cpu))
    if moment.payer == .idle { onIdleCPUs += 1 }
  }

  func verdicts(_ counts: SafetyCounts) -> [RuleVerdict] {
    var findings = findings
    findings.checked = counts.toAtomic
    return [
      findings.verdict(
        .atomicAllocation,
        "of \(counts.frames) frames of unflushed unmaps handed out, \(findings.checked) went to "
          + "allocations that cannot sleep; these sent interrupts \(findings.violations) times, "
          + "\(onIdleCPUs) of them inside an interrupt")
    ]
  }
}
