import TraceEvents

/// How far apart each CPU's effective full flushes are, and how many pages ranged flushes took.
///
/// Effective are `tlb_flush` events with pages -1: with pages 0 nothing was lost, and a send flushes
/// nothing itself. Gaps are binned, eight bins to each doubling. Needs each CPU's events in order and
/// no order between CPUs; memory is 2 KiB for each CPU that flushes.
public struct FlushGaps: Sendable {
  static let binsPerCPU = 62 * 8
  private var slots: [Int32] = []
  private var counts: [UInt32] = []
  private var last: [UInt64] = []
  /// Pages, in the mapping's stride, of flushes that took some but not all, over all CPUs.
  public private(set) var rangedPages: UInt64 = 0

  /// No flush.
  public init() {}

  /// A `tlb_flush` event of `reason` on `cpu`, with its `pages` word.
  mutating func note(_ cpu: UInt16, _ time: UInt64, reason: UInt64, pages: UInt64) {
    // Reason 4 announces, 5 finds another address space loaded.
    guard reason <= UInt64(FlushReason.localMMShootdown.rawValue), Int(cpu) < CPUMask.cpuLimit
    else { return }
    guard pages == .max else {
      if Int64(bitPattern: pages) > 0 { rangedPages = rangedPages &+ min(pages, 1 << 20) }
      return
    }
    let slot = slot(cpu)
    let before = last[slot]
    if before != .max {
      let index = slot * Self.binsPerCPU + Self.bin(time > before ? time - before : 0)
      if counts[index] < .max { counts[index] += 1 }
    }
    last[slot] = time
  }

  /// Full flushes of `cpu` by the time until its next one, the last one's until `end`: the middle of
  /// each bin in the trace's unit, and how many.
  public func gaps(cpu: Int, until end: UInt64) -> [(time: Double, flushes: Int)] {
    guard cpu < slots.count, slots[cpu] >= 0 else { return [] }
    let slot = Int(slots[cpu])
    var found: [(time: Double, flushes: Int)] = []
    for bin in 0..<Self.binsPerCPU {
      let count = counts[slot * Self.binsPerCPU + bin]
      if count > 0 { found.append((Self.middle(bin), Int(count))) }
    }
    if last[slot] != .max {
      found.append((Double(end > last[slot] ? end - last[slot] : 0), 1))
    }
    return found
  }

  private mutating func slot(_ cpu: UInt16) -> Int {
    while slots.count <= Int(cpu) { slots.append(-1) }
    if slots[Int(cpu)] < 0 {
      slots[Int(cpu)] = Int32(last.count)
      last.append(.max)
      counts += [UInt32](repeating: 0, count: Self.binsPerCPU)
    }
    return Int(slots[Int(cpu)])
  }

  static func bin(_ gap: UInt64) -> Int {
    guard gap >= 8 else { return Int(gap) }
    let exponent = 63 - gap.leadingZeroBitCount
    return (exponent - 2) * 8 + Int(gap >> UInt64(exponent - 3) & 7)
  }

  static func middle(_ bin: Int) -> Double {
    guard bin >= 8 else { return Double(bin) }
    let width = Double(UInt64(1) << UInt64(bin / 8 - 1))
    return Double(8 + bin % 8) * width + (width - 1) / 2
  }
}
