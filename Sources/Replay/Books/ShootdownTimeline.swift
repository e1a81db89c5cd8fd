/// Shootdown interrupts by CPU over time.
///
/// Spans have one width, which is such that what was announced fits into ``spansMax`` of them, and
/// doubles when a time comes that does not. Invariant: the sums over time are the counts that were
/// added, whatever their times.
public struct ShootdownTimeline: Sendable, Equatable {
  /// Spans that a timeline has at most.
  static let spansMax = 128

  /// Where the first span begins, and how long each is, in the trace's unit.
  public let start: UInt64
  /// See ``start``.
  public private(set) var width: UInt64
  /// CPUs.
  public let cpuCount: Int
  /// Where the time that is looked at ends; nil where that was not known beforehand.
  public let end: UInt64?
  /// By span, then CPU.
  private var counts: [Int]
  private var spansUsed = 0
  /// The span of the time before, since times mostly ascend.
  private var current = 0
  private var currentStart: UInt64

  /// A timeline of `cpuCount` CPUs from the start of `span` on.
  init(cpuCount: Int, over span: TimeWindow) {
    self.cpuCount = max(cpuCount, 1)
    start = span.start
    currentStart = span.start
    let isKnown = span.end < .max && span.end >= span.start
    end = isKnown ? span.end : nil
    width = isKnown ? Self.width(for: span.end - span.start) : 1 << 10
    counts = Array(repeating: 0, count: Self.spansMax * self.cpuCount)
    if isKnown { spansUsed = Int((span.end - span.start) / width) + 1 }
  }

  /// The least of 1, 2, 5, 10, 20, ... of which ``spansMax`` hold `length`.
  private static func width(for length: UInt64) -> UInt64 {
    var power: UInt64 = 1
    while true {
      for digit: UInt64 in [1, 2, 5] {
        let (width, overflow) = power.multipliedReportingOverflow(by: digit)
        if overflow || length / width < UInt64(spansMax) { return overflow ? 1 << 63 : width }
      }
      let (next, overflow) = power.multipliedReportingOverflow(by: 10)
      if overflow { return 1 << 63 }
      power = next
    }
  }

  /// Spans that hold something, or lie before one that does.
  public var spanCount: Int { spansUsed }

  /// Interrupts that a CPU received, by span.
  public func series(ofCPU cpu: Int) -> [Int] {
    (0..<spansUsed).map { counts[$0 * cpuCount + cpu] }
  }

  /// Interrupts of all CPUs, by span.
  public var series: [Int] {
    (0..<spansUsed).map { span in
      counts[span * cpuCount..<(span + 1) * cpuCount].reduce(0, &+)
    }
  }

  /// Interrupts of a CPU in a span.
  public func count(ofCPU cpu: Int, inSpan span: Int) -> Int { counts[span * cpuCount + cpu] }

  // MARK: Recording

  /// Adds `count` at `time`; what comes before the start belongs to the first span.
  mutating func add(_ count: Int, ofCPU cpu: Int, at time: UInt64) {
    let span = span(at: time)
    counts[span &* cpuCount &+ cpu] &+= count
  }

  /// Adds `count` for each of `cpus`.
  mutating func add(_ count: Int, of cpus: CPUMask, at time: UInt64) {
    guard !cpus.isEmpty else { return }
    let row = span(at: time) &* cpuCount
    cpus.forEach { counts[row &+ $0] &+= count }
  }

  /// Forgets all counts: a better source begins.
  mutating func clear() {
    for index in counts.indices { counts[index] = 0 }
  }

  private mutating func span(at time: UInt64) -> Int {
    if time >= currentStart, time - currentStart < width { return current }
    guard time > start else { return 0 }
    while (time - start) / width >= UInt64(Self.spansMax) { fold() }
    current = Int((time - start) / width)
    currentStart = start + UInt64(current) * width
    spansUsed = max(spansUsed, current + 1)
    return current
  }

  /// Makes one span of two.
  private mutating func fold() {
    let (doubled, overflow) = width.multipliedReportingOverflow(by: 2)
    width = overflow ? .max : doubled
    for span in 0..<Self.spansMax / 2 {
      for cpu in 0..<cpuCount {
        counts[span * cpuCount + cpu] =
          counts[2 * span * cpuCount + cpu] &+ counts[(2 * span + 1) * cpuCount + cpu]
      }
    }
    for index in Self.spansMax / 2 * cpuCount..<counts.count { counts[index] = 0 }
    spansUsed = (spansUsed + 1) / 2
    current = 0
    currentStart = start
  }

  // MARK: What a policy makes of it

  /// The recorded interrupts with a policy's `changes`.
  ///
  /// An interrupt that a policy saves is noted when its shootdown began, the recorded one when it was
  /// received, which may be a span later: what is below nothing is taken from the spans that follow,
  /// or at the end from those before, so that sums stay what they are.
  func changed(by changes: ShootdownTimeline) -> ShootdownTimeline {
    guard changes.cpuCount == cpuCount, changes.start == start else { return self }
    var (sum, other) = (self, changes)
    while sum.width < other.width { sum.fold() }
    while other.width < sum.width { other.fold() }
    for index in sum.counts.indices { sum.counts[index] &+= other.counts[index] }
    sum.spansUsed = max(sum.spansUsed, other.spansUsed)
    for cpu in 0..<cpuCount {
      sum.settle(cpu, Array(0..<sum.spansUsed))
      sum.settle(cpu, (0..<sum.spansUsed).reversed())
    }
    return sum
  }

  private mutating func settle(_ cpu: Int, _ spans: [Int]) {
    for (span, next) in zip(spans, spans.dropFirst()) where counts[span * cpuCount + cpu] < 0 {
      counts[next * cpuCount + cpu] &+= counts[span * cpuCount + cpu]
      counts[span * cpuCount + cpu] = 0
    }
  }
}
