/// Which CPUs owe which deferrals, where each CPU is credited by itself.
///
/// A CPU's flush pays for every deferral made before it, so one number a CPU is enough.
struct FlushDebts {
  private var masks: [CPUMask] = [CPUMask()]
  private var serials: [UInt64] = [0]
  private var lastSerial: UInt64 = 0
  private var cleanThrough: [UInt64]

  init(cpuCount: Int) { cleanThrough = Array(repeating: 0, count: cpuCount) }

  /// The CPUs of `mask` owe deferral `number` from now on; the number may have been used before.
  mutating func owe(_ mask: CPUMask, as number: UInt32) {
    while masks.count <= Int(number) {
      masks.append(CPUMask())
      serials.append(0)
    }
    lastSerial += 1
    masks[Int(number)] = mask
    serials[Int(number)] = lastSerial
  }

  /// A CPU owes nothing of what was put off so far.
  mutating func clean(_ cpu: Int) {
    if cpu < cleanThrough.count { cleanThrough[cpu] = lastSerial }
  }

  /// CPUs owe nothing of what was put off so far.
  mutating func clean(_ mask: CPUMask) {
    let last = lastSerial
    mask.forEach { if $0 < cleanThrough.count { cleanThrough[$0] = last } }
  }

  /// The CPUs that still owe deferral `number`.
  func owing(_ number: UInt32) -> CPUMask {
    var owing = CPUMask()
    guard number != 0, Int(number) < masks.count else { return owing }
    let serial = serials[Int(number)]
    masks[Int(number)].forEach { cpu in
      if cpu < cleanThrough.count, cleanThrough[cpu] < serial { owing.insert(cpu) }
    }
    return owing
  }
}
