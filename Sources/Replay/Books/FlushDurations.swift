/// How long batch flushes last, from the recorded ones.
///
/// CPUs that flush at the same time wait for each other, and where most flushes are put off they no
/// longer do: the recorded wait of a flush that overlapped others says too much. So a flush lasts as
/// those that ran alone typically did, and one that ran alone as long as it did itself.
struct FlushDurations {
  private var alone = DurationHistogram()
  private var all = DurationHistogram()
  private var lastEnd: UInt64 = 0
  /// A flush that overlapped none before it, and may not overlap the next.
  private var candidate: (start: UInt64, end: UInt64)?

  /// The median of flushes that ran alone, or of all where none did; 0 before the first. Asked for
  /// far more often than it changes.
  private(set) var typical: UInt64 = 0

  /// A recorded flush, in order of starts; returns when it would end if it were done among few.
  mutating func record(_ start: UInt64, _ end: UInt64) -> UInt64 {
    let end = max(start, end)
    all.record(end - start)
    if let candidate, candidate.end <= start { alone.record(candidate.end - candidate.start) }
    typical = alone.count > 0 ? alone.median : all.median
    let isAlone = lastEnd <= start
    candidate = isAlone ? (start, end) : nil
    lastEnd = max(lastEnd, end)
    return isAlone ? end : start + min(end - start, typical)
  }
}
