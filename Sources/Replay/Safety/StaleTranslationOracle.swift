/// Tells, independently of any policy, whether a frame is handed out while a CPU may still reach it
/// through a translation that nobody flushed (invariant I1).
///
/// It hears of every deferral with the CPUs that were to be flushed, and of every full flush that a
/// CPU really gets. A frame remembers the deferral it was freed with; when it is handed out, each CPU
/// of that deferral must have been flushed since. Lazy CPUs that a flush leaves out count as
/// flushed: they compare generations before they run user code again (Linux 6.12 `switch_mm_irqs_off`).
struct StaleTranslationOracle {
  /// Deferrals remembered at a time; older ones are dropped and counted as unchecked.
  static let deferralsMax = 1 << 20

  private var masks: [CPUMask] = []
  /// Serial of `masks[0]`; serials start at 1, 0 is "no deferral".
  private var base: UInt32 = 1
  private var cleanThrough: [UInt32]
  /// Frames handed out whose deferral was no longer remembered.
  private(set) var unchecked = 0

  init(cpuCount: Int) { cleanThrough = Array(repeating: 0, count: cpuCount) }

  private var lastSerial: UInt32 { base + UInt32(masks.count) - 1 }

  /// `mask` was not flushed though its CPUs may hold translations; returns the deferral's serial.
  mutating func deferred(_ mask: CPUMask) -> UInt32 {
    if masks.count >= Self.deferralsMax { dropClean() }
    if masks.count >= Self.deferralsMax {
      masks.removeFirst(Self.deferralsMax / 2)
      base += UInt32(Self.deferralsMax / 2)
    }
    masks.append(mask)
    return lastSerial
  }

  /// The CPUs of `mask` have flushed everything.
  mutating func flushed(_ mask: CPUMask) {
    let serial = lastSerial
    mask.forEach { if $0 < cleanThrough.count { cleanThrough[$0] = serial } }
  }

  /// A CPU has flushed everything, or compared generations with nothing stale left.
  mutating func flushed(_ cpu: Int) {
    if cpu < cleanThrough.count { cleanThrough[cpu] = lastSerial }
  }

  /// A CPU that may still reach a frame of deferral `serial`; nil when the frame is safe.
  mutating func staleCPU(_ serial: UInt32) -> Int? {
    guard serial != 0 else { return nil }
    guard serial >= base else {
      unchecked += 1
      return nil
    }
    var stale: Int?
    masks[Int(serial - base)].forEach { cpu in
      if stale == nil, cpu < cleanThrough.count, cleanThrough[cpu] < serial { stale = cpu }
    }
    return stale
  }

  /// Forgets leading deferrals that every CPU has flushed: they read as dropped, and are safe, so
  /// this must only run when memory is short.
  private mutating func dropClean() {
    var clean = 0
    scan: while clean < masks.count {
      let serial = base + UInt32(clean)
      var isClean = true
      masks[clean].forEach { cpu in
        if cpu < cleanThrough.count, cleanThrough[cpu] < serial { isClean = false }
      }
      if !isClean { break scan }
      clean += 1
    }
    masks.removeFirst(clean)
    base += UInt32(clean)
  }
}
