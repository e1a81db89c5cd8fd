/// I12: whether the end of a write interrupts others.
///
/// Which file a write goes to is in no event, so one that went to a file with deferred pages counts
/// like any other.
struct WriteScalability: SafetyCheck {
  private var findings = RuleFindings()
  private var interrupts = 0
  /// The write end whose flush was counted last.
  private var counted: UInt64?

  var hears: SafetyNews { .flushes }
  var moments: MomentKindSet { MomentKindSet([.fileWriteEnd]) }

  mutating func flushed(
    _ mask: CPUMask, _ fate: DeferralFate, times: Int, _ moment: Moment,
    _ stale: inout StaleTranslations
  ) {
    guard moment.kind == .fileWriteEnd else { return }
    findings.checked += 1
    counted = moment.event
    var others = 0
    mask.forEach { if $0 != Int(moment.cpu), !stale.isLazy($0) { others += 1 } }
    guard others > 0 else { return }
    interrupts += others
    findings.violated(.writeScalability, moment, cpu: Int(moment.cpu))
  }

  mutating func observe(
    _ moment: Moment, _ source: borrowing Reconstruction, _ stale: inout StaleTranslations
  ) {
    if counted != moment.event { findings.checked += 1 }
  }

  func verdicts(_ counts: SafetyCounts) -> [RuleVerdict] {
    [
      findings.verdict(
        .writeScalability,
        "of \(findings.checked) writes that ended while CPUs owed a flush, \(findings.violations) "
          + "sent interrupts (\(interrupts)), to whichever file they went")
    ]
  }
}
