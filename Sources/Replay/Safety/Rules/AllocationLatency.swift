/// I13: which tasks wait for a flush when they allocate.
struct AllocationLatency: SafetyCheck {
  private var payers = Array(repeating: Payment(), count: TaskClass.allCases.count)

  var hears: SafetyNews { .flushes }

  mutating func flushed(
    _ mask: CPUMask, _ fate: DeferralFate, times: Int, _ moment: Moment,
    _ stale: inout StaleTranslations
  ) {
    guard fate == .allocation else { return }
    payers[moment.payer.rawIndex].flushes += 1
    mask.forEach {
      guard $0 != Int(moment.cpu), !stale.isLazy($0) else { return }
      payers[moment.payer.rawIndex].interrupts += 1
    }
  }

  private static func words(_ payer: TaskClass) -> String {
    switch payer {
    case .user: "user threads"
    case .directReclaim: "threads in direct reclaim"
    case .kswapd: "kswapd"
    case .kernelThread: "other kernel threads"
    case .idle: "interrupts on idle CPUs"
    case .unknown: "threads of unknown kind"
    }
  }

  func verdicts(_ counts: SafetyCounts) -> [RuleVerdict] {
    var findings = RuleFindings()
    findings.checked = counts.frames
    let shares = TaskClass.allCases.compactMap { payer -> String? in
      let payment = payers[payer.rawIndex]
      guard payment.flushes > 0 else { return nil }
      return "\(Self.words(payer)) \(payment.flushes) (\(payment.interrupts) interrupts)"
    }
    let detail =
      shares.isEmpty
      ? "no allocation waits for a flush"
      : "allocations that wait for a flush, by who makes them: " + shares.joined(separator: ", ")
    return [findings.verdict(.allocationLatency, detail)]
  }
}
