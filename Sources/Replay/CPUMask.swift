import TraceEvents

/// A set of CPUs, as the kernel's `struct cpumask`.
///
/// The first 64 CPUs live in the value itself, so that masks of ordinary machines are copied and
/// merged without allocation. CPUs from ``cpuLimit`` on are not representable and are ignored.
public struct CPUMask: Sendable, Equatable {
  /// CPU numbers are below this: `CONFIG_NR_CPUS` stays below it on any distribution kernel.
  public static let cpuLimit = 4096

  private var low: UInt64 = 0
  /// CPUs from 64 on; nil without any, which costs no reference count when a mask is copied.
  private var high: [UInt64]?

  /// The empty set.
  public init() {}

  /// The set of `cpus`.
  public init(_ cpus: some Sequence<Int>) {
    for cpu in cpus { insert(cpu) }
  }

  /// Whether no CPU is in it.
  public var isEmpty: Bool { low == 0 && (high?.allSatisfy { $0 == 0 } ?? true) }

  /// The first 64 CPUs, a bit each; nil where there are others.
  var word: UInt64? { high == nil ? low : nil }

  /// How many CPUs are in it.
  public var count: Int {
    guard let high else { return low.nonzeroBitCount }
    return high.reduce(low.nonzeroBitCount) { $0 + $1.nonzeroBitCount }
  }

  /// Whether `cpu` is in it.
  public func contains(_ cpu: Int) -> Bool {
    guard cpu >= 0 else { return false }
    if cpu < 64 { return low >> UInt64(cpu) & 1 != 0 }
    guard let high else { return false }
    let limb = cpu / 64 - 1
    return limb < high.count && high[limb] >> UInt64(cpu % 64) & 1 != 0
  }

  /// Adds `cpu`.
  public mutating func insert(_ cpu: Int) {
    guard cpu >= 0, cpu < Self.cpuLimit else { return }
    if cpu < 64 {
      low |= 1 << UInt64(cpu)
    } else {
      let limb = cpu / 64 - 1
      widen(to: limb + 1)
      high?[limb] |= 1 << UInt64(cpu % 64)
    }
  }

  private mutating func widen(to limbs: Int) {
    let missing = limbs - (high?.count ?? 0)
    guard missing > 0 else { return }
    high = (high ?? []) + repeatElement(0, count: missing)
  }

  /// Takes out all but the CPUs of `list`.
  mutating func formIntersection(_ list: CPUList) {
    self = filtered { list.contains($0) }
  }

  /// Takes `cpu` out.
  public mutating func remove(_ cpu: Int) {
    guard contains(cpu) else { return }
    if cpu < 64 {
      low &= ~(1 << UInt64(cpu))
    } else {
      high?[cpu / 64 - 1] &= ~(1 << UInt64(cpu % 64))
    }
  }

  /// Takes all CPUs out.
  public mutating func removeAll() {
    low = 0
    if high != nil { high = nil }
  }

  /// Adds all CPUs of `other`.
  public mutating func formUnion(_ other: CPUMask) {
    low |= other.low
    guard let others = other.high else { return }
    widen(to: others.count)
    for limb in others.indices { high?[limb] |= others[limb] }
  }

  /// Takes all CPUs of `other` out.
  public mutating func subtract(_ other: CPUMask) {
    low &= ~other.low
    guard let count = high?.count, let others = other.high else { return }
    for limb in 0..<min(count, others.count) { high?[limb] &= ~others[limb] }
  }

  /// The CPUs of this set that are not in `other`.
  public func subtracting(_ other: CPUMask) -> CPUMask {
    var rest = self
    rest.subtract(other)
    return rest
  }

  /// The CPUs that are in both.
  public func intersection(_ other: CPUMask) -> CPUMask {
    var common = CPUMask()
    common.low = low & other.low
    guard let high, let others = other.high else { return common }
    common.high = zip(high, others).map { $0 & $1 }
    return common
  }

  /// The CPUs that `isKept` says yes of. Without a branch, which could not be predicted, for the first
  /// 64 if it has none.
  @inline(__always)
  public func filtered(_ isKept: (Int) -> Bool) -> CPUMask {
    var kept = CPUMask()
    var bits = low
    while bits != 0 {
      let cpu = bits.trailingZeroBitCount
      kept.low |= (isKept(cpu) ? 1 : 0) &<< UInt64(cpu)
      bits &= bits &- 1
    }
    guard let high else { return kept }
    for limb in high.indices {
      var bits = high[limb]
      while bits != 0 {
        let cpu = 64 + limb * 64 + bits.trailingZeroBitCount
        if isKept(cpu) { kept.insert(cpu) }
        bits &= bits &- 1
      }
    }
    return kept
  }

  /// Calls `body` with each CPU, ascending.
  @inline(__always)
  public func forEach(_ body: (Int) -> Void) {
    var bits = low
    while bits != 0 {
      body(bits.trailingZeroBitCount)
      bits &= bits &- 1
    }
    guard let high else { return }
    for limb in high.indices {
      var bits = high[limb]
      while bits != 0 {
        body(64 + limb * 64 + bits.trailingZeroBitCount)
        bits &= bits &- 1
      }
    }
  }

  /// Same CPUs; trailing empty limbs make no difference.
  public static func == (a: CPUMask, b: CPUMask) -> Bool {
    guard a.low == b.low else { return false }
    if a.high == nil, b.high == nil { return true }
    let (left, right) = (a.high ?? [], b.high ?? [])
    for limb in 0..<max(left.count, right.count) {
      let left = limb < left.count ? left[limb] : 0
      let right = limb < right.count ? right[limb] : 0
      if left != right { return false }
    }
    return true
  }
}
