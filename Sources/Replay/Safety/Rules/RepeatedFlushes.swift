/// I9: whether the policy interrupts a CPU that has been flushed for every batch it owed.
///
/// Only flushes of batches count against it, the policy's own and recorded ones: no posted version
/// of lazy unmap flush looks at others, so those are told apart in the detail. A flush that ends a
/// batch in its own time (``DeferralFate/absorbed``) is the batch's first.
struct RepeatedFlushes: SafetyCheck {
  private var findings = RuleFindings()
  /// CPUs that were flushed for batches, and have not been in the mask of an unmap since.
  private var flushedForBatch = CPUMask()
  private var cleanOtherwise = 0

  var hears: SafetyNews { [.putOff, .batchFlushes, .flushes] }

  mutating func shootdown(
    _ shootdown: borrowing Shootdown, leaving unmap: UInt32, _ moment: Moment,
    _ source: borrowing Reconstruction, _ stale: inout StaleTranslations
  ) {
    if unmap != 0 {
      flushedForBatch.subtract(shootdown.mask)
    } else {
      flushedForBatch.formUnion(shootdown.mask)
    }
  }

  mutating func flushed(
    _ mask: CPUMask, _ fate: DeferralFate, times: Int, _ moment: Moment,
    _ stale: inout StaleTranslations
  ) {
    if fate != .absorbed {
      let owing = stale.owing
      mask.forEach { cpu in
        guard cpu != Int(moment.cpu), !stale.isLazy(cpu) else { return }
        findings.checked += 1
        guard !owing.contains(cpu) else { return }
        if flushedForBatch.contains(cpu) {
          findings.violated(.flushedTwice, moment, cpu: cpu)
        } else {
          cleanOtherwise += 1
        }
      }
    }
    flushedForBatch.formUnion(mask)
  }

  func verdicts(_ counts: SafetyCounts) -> [RuleVerdict] {
    [
      findings.verdict(
        .flushedTwice,
        "of \(findings.checked) interrupts of the policy's, \(findings.violations) reach a CPU that "
          + "was flushed for all it owed; \(cleanOtherwise) more one that a flush of its mm or a "
          + "change of mm had cleaned")
    ]
  }
}
