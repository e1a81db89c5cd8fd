/// I7 and Amit-c: what putting off costs in full flushes, against what it saves.
///
/// Every unmap raises its mm's generation, flushed or not (Linux 6.12 `mm/rmap.c`
/// `set_tlb_ubc_flush_pending`). A later flush of a few pages finds a CPU that owes a flush more than
/// one generation behind, and that CPU flushes everything (`arch/x86/mm/tlb.c` `flush_tlb_func`).
/// Such a CPU has had the same mm loaded since, or the change would have cleaned it, and an answer to
/// a flush of another mm does nothing, so the recorded event proves the mm.
struct FullFlushes: SafetyCheck {
  private var converted = 0
  private var saved = 0
  private var added = 0
  private var firstConverted: (moment: Moment, cpu: Int)?

  var hears: SafetyNews { [.putOff, .convertedFlushes, .flushes, .ownFlushes] }

  mutating func shootdown(
    _ shootdown: borrowing Shootdown, leaving unmap: UInt32, _ moment: Moment,
    _ source: borrowing Reconstruction, _ stale: inout StaleTranslations
  ) {
    if unmap != 0 {
      if shootdown.pages == -1 { saved += shootdown.flushing.count }
      return
    }
    let full = stale.owing.intersection(shootdown.ranged)
    converted += full.count
    if firstConverted == nil { full.forEach { firstConverted = firstConverted ?? (moment, $0) } }
  }

  mutating func flushed(
    _ mask: CPUMask, _ fate: DeferralFate, times: Int, _ moment: Moment,
    _ stale: inout StaleTranslations
  ) {
    mask.forEach { if !stale.isLazy($0) { added += times } }
  }

  mutating func flushedItself(_ cpu: Int, _ moment: Moment, _ stale: inout StaleTranslations) {
    added += 1
  }

  func verdicts(_ counts: SafetyCounts) -> [RuleVerdict] {
    var findings = RuleFindings()
    findings.checked = counts.rangedFlushes
    if converted + added > saved {
      if let first = firstConverted {
        findings.violated(.fullFlushes, first.moment, cpu: first.cpu)
      }
      findings.violations = converted + added - saved
    }
    let detail =
      "of \(counts.rangedFlushes) flushes of a few pages on a CPU, \(converted) become full; "
      + "\(added) full flushes of a CPU added, \(saved) saved"
    return [findings.verdict(.fullFlushes, detail), findings.verdict(.amitFullFlushes, detail)]
  }
}
