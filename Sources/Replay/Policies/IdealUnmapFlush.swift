/// The bound that no way of putting off flushes can beat: each CPU owes each deferral by itself, and
/// whatever cleans a CPU is credited.
///
/// A batch is always deferred if it may be. A CPU owes it until it is flushed, for whatever reason,
/// changes to another mm, leaves lazy mode, or enters the kernel where a version of lazy unmap flush
/// would look for a flush owed: it then flushes itself, which interrupts nobody. When a frame is
/// taken, only the CPUs that still owe that frame's batch are interrupted. For one CPU that is the
/// least number of interrupts that meets every batch's interval from unmap to reuse: each interval
/// that costs one holds no other chance, and ends before the next such one begins.
struct IdealUnmapFlush: Sendable {
  /// Deferrals remembered at a time; older ones are taken for clean, as befits a bound.
  static let deferralsMax = 1 << 20

  private var masks: [CPUMask] = []
  /// Number of `masks[0]`; numbers start at 1, 0 is "no deferral".
  private var base: UInt32 = 1
  private var cleanThrough: [UInt32]

  init(cpuCount: Int) { cleanThrough = Array(repeating: 0, count: cpuCount) }

  private var last: UInt32 { base + UInt32(masks.count) - 1 }

  /// A batch is deferred; returns its number.
  mutating func unmapBatch(on mask: CPUMask) -> UInt32 {
    if masks.count >= Self.deferralsMax {
      masks.removeFirst(Self.deferralsMax / 2)
      base += UInt32(Self.deferralsMax / 2)
    }
    masks.append(mask)
    return last
  }

  /// A CPU owes nothing of what was deferred so far.
  mutating func cleaned(_ cpu: Int) {
    if cpu < cleanThrough.count { cleanThrough[cpu] = last }
  }

  /// CPUs owe nothing of what was deferred so far.
  mutating func cleaned(_ mask: CPUMask) {
    let last = last
    mask.forEach { if $0 < cleanThrough.count { cleanThrough[$0] = last } }
  }

  /// The CPUs that still owe deferral `number`.
  func owing(_ number: UInt32) -> CPUMask {
    var owing = CPUMask()
    guard number >= base, number <= last else { return owing }
    masks[Int(number - base)].forEach { cpu in
      if cpu < cleanThrough.count, cleanThrough[cpu] < number { owing.insert(cpu) }
    }
    return owing
  }
}
