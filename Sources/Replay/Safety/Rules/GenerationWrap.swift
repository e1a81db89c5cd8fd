/// Nadav Amit's question whether the generation may overflow.
///
/// LUF v9 to v11 keep 16 bits and compare by signed difference, so a frame that sleeps through more
/// than 32767 flushes reads as flushed, or as not. That is an occasion; whether the frame was handed
/// out stale is judged as for any other.
struct GenerationWrap: SafetyCheck {
  /// Width of the generations of LUF v9 to v11 (`unsigned short` in their patch of `struct page`).
  static let bitsDefault = 16

  /// Greatest difference of two generations that their bits tell in order.
  let flushesMax: UInt64
  private let bits: Int
  private var findings = RuleFindings()

  /// Generations of so many bits, 2 to 64.
  init(bits: Int = bitsDefault) {
    self.bits = min(max(bits, 2), 64)
    flushesMax = 1 << UInt64(self.bits - 1) - 1
  }

  var hears: SafetyNews { .handouts }

  mutating func handedOut(
    _ handout: FrameHandout, _ moment: Moment, _ stale: inout StaleTranslations
  ) {
    guard handout.flushesSince > flushesMax else { return }
    findings.checked += 1
    if let cpu = handout.staleCPU {
      findings.violated(.generationWrap, moment, cpu: cpu, pfn: handout.pfn)
    }
  }

  func verdicts(_ counts: SafetyCounts) -> [RuleVerdict] {
    [
      findings.verdict(
        .generationWrap,
        "a frame slept through \(counts.flushesMax) forced flushes at most; \(bits) bits tell "
          + "\(flushesMax) apart, \(findings.checked) frames slept longer")
    ]
  }
}
