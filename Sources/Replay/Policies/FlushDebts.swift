/// Which CPUs owe which deferrals, where each CPU is credited by itself.
///
/// A CPU's flush pays for every deferral made before it, so one number a CPU is enough.
struct FlushDebts {
  /// What a deferral owes, or several together.
  struct Share {
    fileprivate var mask = CPUMask()
    fileprivate var serial: UInt64 = 0
  }

  /// By deferral.
  private var shares = [Share()]
  private var lastSerial: UInt64 = 0
  private var cleanThrough: [UInt64]
  private var allCleanThrough: UInt64 = 0
  /// Serial of the last deferral that each CPU owed when it was made.
  private var owedThrough: [UInt64]

  init(cpuCount: Int) {
    cleanThrough = Array(repeating: 0, count: cpuCount)
    owedThrough = cleanThrough
  }

  /// The CPUs of `mask` owe deferral `number` from now on; the number may have been used before.
  mutating func owe(_ mask: CPUMask, as number: UInt32) {
    while shares.count <= Int(number) { shares.append(Share()) }
    lastSerial += 1
    shares[Int(number)] = Share(mask: mask, serial: lastSerial)
    let serial = lastSerial
    mask.forEach { if $0 < owedThrough.count { owedThrough[$0] = serial } }
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
    guard number != 0, Int(number) < shares.count else { return CPUMask() }
    return owing(shares[Int(number)])
  }

  /// Whether a CPU still owes any deferral.
  func owesAnything(_ cpu: Int) -> Bool {
    cpu < cleanThrough.count && owedThrough[cpu] > cleanThrough[cpu]
  }

  /// False where certainly no CPU owes anything: nothing was put off since all were flushed.
  var isAnythingOwed: Bool { lastSerial > allCleanThrough }

  /// The CPUs that still owe any deferral.
  var owingAnything: CPUMask {
    mutating get {
      var owing = CPUMask()
      for cpu in cleanThrough.indices where owedThrough[cpu] > cleanThrough[cpu] {
        owing.insert(cpu)
      }
      if owing.isEmpty { allCleanThrough = lastSerial }
      return owing
    }
  }

  /// Adds what deferral `number` owes to a share.
  func add(_ number: UInt32, to share: inout Share) {
    guard number != 0, Int(number) < shares.count else { return }
    share.mask = owing(share)
    share.mask.formUnion(owing(number))
    // A CPU of the share that has flushed since the newest of its deferrals is clean of all.
    share.serial = max(share.serial, shares[Int(number)].serial)
  }

  /// The CPUs that still owe a share.
  func owing(_ share: Share) -> CPUMask {
    cleanThrough.withUnsafeBufferPointer { clean in
      share.mask.filtered { $0 < clean.count && clean[$0] < share.serial }
    }
  }
}
