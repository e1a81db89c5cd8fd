/// Nadav Amit's question whether the generation may overflow.
///
/// LUF v9 to v11 keep 16 bits and compare by signed difference, so a frame that sleeps through more
/// than 32767 flushes reads as flushed, or as not. That is an occasion; whether the frame was handed
/// out stale is judged as for any other.
struct GenerationWrap: SafetyCheck {
  /// Greatest difference of two generations that 16 bits tell in order.
  static let flushesMax: UInt64 = 32767

  private var findings = RuleFindings()

  var hears: SafetyNews { .handouts }

  mutating func handedOut(
    _ handout: FrameHandout, _ moment: Moment, _ stale: inout StaleTranslations
  ) {
    guard handout.flushesSince > Self.flushesMax else { return }
    findings.checked += 1
    if let cpu = handout.staleCPU {
      findings.violated(.generationWrap, moment, cpu: cpu, pfn: handout.pfn)
    }
  }

  func verdicts(_ handouts: HandoutCounts) -> [RuleVerdict] {
    [
      findings.verdict(
        .generationWrap,
        "a frame slept through \(handouts.flushesMax) forced flushes at most; 16 bits tell "
          + "\(Self.flushesMax) apart, \(findings.checked) frames slept longer")
    ]
  }
}
