/// Which CPUs may still hold a translation that an unmap left behind, independently of any policy.
///
/// It hears of every unmap whose flush did not happen, with the CPUs that were to be flushed, and of
/// every full flush that a CPU really gets. What was unmapped (a frame, a page of a file, an address)
/// holds the unmap; a CPU of it that has not been flushed since is stale. Lazy CPUs are not: they
/// compare generations before they run user code again (Linux 6.12 `switch_mm_irqs_off`).
///
/// Invariant: an unmap is kept while something holds it, so memory follows frames and tasks, not the
/// length of the trace. Number 0 is "no unmap". `owing` holds exactly the CPUs that were in the mask
/// of an unmap after their last flush: where it is empty, nothing is stale.
struct StaleTranslations {
  private struct Unmap {
    var mask = CPUMask()
    var serial: UInt64 = 0
    var flushesBefore: UInt64 = 0
    var holders: UInt32 = 0
  }

  private var unmaps = [Unmap()]
  /// The unmap that each batch left unflushed, by its number; held, 0 none.
  private var batchUnmaps: [UInt32] = []
  /// What of that need not be looked at again, by the same number.
  private var batchesKnown: [BatchKnown] = []
  /// Of 4 bytes, as it is asked for at each moment of a frame that makes no difference to the policy.
  private struct BatchKnown: Equatable {
    private var word: UInt32

    private init(word: UInt32) { self.word = word }
    /// Nothing was left unflushed.
    static let flushed = BatchKnown(word: 0)
    /// Some CPU may be stale, or nobody has looked lately.
    static let open = BatchKnown(word: .max)
    /// All its CPUs are clean; so many policy flushes before it. After more of them than fit into a
    /// word it has to be looked at each time.
    static func clean(_ flushesBefore: UInt64) -> BatchKnown {
      flushesBefore < UInt64(UInt32.max) - 1 ? BatchKnown(word: UInt32(flushesBefore) + 1) : .open
    }

    /// See ``clean(_:)``; nil if it is not known to be clean.
    var flushesBefore: UInt64? { self == .flushed || self == .open ? nil : UInt64(word) - 1 }
  }
  private var unused: [UInt32] = []
  private var lastSerial: UInt64 = 0
  private var cleanThrough: [UInt64]
  private var lazy = CPUMask()
  /// CPUs that may hold a stale translation of whatever unmap.
  private(set) var owing = CPUMask()
  /// Flushes that a policy did because it had put one off.
  private(set) var policyFlushes: UInt64 = 0

  init(cpuCount: Int) { cleanThrough = Array(repeating: 0, count: cpuCount) }

  /// Whether any flush did not happen so far.
  var hasUnmaps: Bool { lastSerial > 0 }

  /// Unmaps that something holds, for tests of the memory bound.
  var heldCount: Int { unmaps.count - 1 - unused.count }

  /// `mask` was not flushed though its CPUs may hold translations; the caller holds the unmap.
  mutating func unmap(_ mask: CPUMask) -> UInt32 {
    lastSerial += 1
    let record = Unmap(
      mask: mask, serial: lastSerial, flushesBefore: policyFlushes, holders: 1)
    owing.formUnion(mask)
    guard let number = unused.popLast() else {
      unmaps.append(record)
      return UInt32(unmaps.count - 1)
    }
    unmaps[Int(number)] = record
    return number
  }

  /// Room for so many numbers of batches.
  mutating func growTo(batches: Int) {
    guard batchUnmaps.count < batches else { return }
    batchUnmaps.append(contentsOf: repeatElement(0, count: batches - batchUnmaps.count))
    batchesKnown.append(
      contentsOf: repeatElement(.flushed, count: batches - batchesKnown.count))
  }

  /// Of a batch that no CPU is stale of, one more than the policy's flushes since; 0 where it left
  /// nothing unflushed. nil where a CPU may be stale.
  mutating func flushesSinceClean(_ number: Int) -> UInt64? {
    let known = batchesKnown[number]
    if known == .flushed { return 0 }
    if let before = known.flushesBefore { return policyFlushes - before + 1 }
    let unmap = Int(batchUnmaps[number])
    guard unmaps[unmap].mask.isEmpty else { return nil }
    batchesKnown[number] = .clean(unmaps[unmap].flushesBefore)
    return policyFlushes - unmaps[unmap].flushesBefore + 1
  }

  /// The unmap that a batch left unflushed; 0 none.
  func unmap(ofBatch number: UInt32) -> UInt32 { batchUnmaps[Int(number)] }

  /// A batch of that number left `unmap` unflushed, 0 nothing; the caller's hold is handed over.
  mutating func setUnmap(_ unmap: UInt32, ofBatch number: UInt32) {
    release(batchUnmaps[Int(number)])
    batchUnmaps[Int(number)] = unmap
    batchesKnown[Int(number)] = unmap == 0 ? .flushed : .open
  }

  /// Somebody else holds the unmap too.
  mutating func hold(_ number: UInt32) {
    if number != 0 { unmaps[Int(number)].holders += 1 }
  }

  /// One holder fewer.
  mutating func release(_ number: UInt32) {
    guard number != 0, unmaps[Int(number)].holders > 0 else { return }
    unmaps[Int(number)].holders -= 1
    if unmaps[Int(number)].holders == 0 { unused.append(number) }
  }

  /// The CPUs of `mask` have flushed everything; `forced` times where the recorded run did not.
  mutating func flush(_ mask: CPUMask, forced: Int = 0) {
    policyFlushes += UInt64(forced)
    let serial = lastSerial
    owing.subtract(mask)
    mask.forEach { if $0 < cleanThrough.count { cleanThrough[$0] = serial } }
  }

  /// Of the CPUs of `mask` those that owe a flush have flushed everything; to others it makes no
  /// difference.
  mutating func flushOwing(_ mask: CPUMask) {
    let reached = owing.intersection(mask)
    if !reached.isEmpty { flush(reached) }
  }

  /// A CPU has flushed everything, or compared generations with nothing stale left.
  mutating func flush(_ cpu: Int) {
    guard cpu >= 0, cpu < cleanThrough.count else { return }
    owing.remove(cpu)
    cleanThrough[cpu] = lastSerial
  }

  /// A CPU uses no translation of a user until it wakes.
  mutating func beginLazy(_ cpu: Int) { lazy.insert(cpu) }

  /// It does again, and has compared generations.
  mutating func endLazy(_ cpu: Int) {
    lazy.remove(cpu)
    flush(cpu)
  }

  /// Whether a flush would leave the CPU out.
  func isLazy(_ cpu: Int) -> Bool { lazy.contains(cpu) }

  /// A CPU that may still use what the unmap took away; nil where none can. `except` has just faulted
  /// there, which drops its own translation.
  mutating func staleCPU(_ number: UInt32, except: Int? = nil) -> Int? {
    guard number != 0, !unmaps[Int(number)].mask.isEmpty else { return nil }
    let serial = unmaps[Int(number)].serial
    var stale: Int?
    var rest = CPUMask()
    unmaps[Int(number)].mask.forEach { cpu in
      guard cpu < cleanThrough.count, cleanThrough[cpu] < serial else { return }
      rest.insert(cpu)
      if stale == nil, cpu != except, !lazy.contains(cpu) { stale = cpu }
    }
    // What is clean once stays so.
    unmaps[Int(number)].mask = rest
    return stale
  }

  /// Flushes of the policy's since the unmap.
  func policyFlushes(since number: UInt32) -> UInt64 {
    number == 0 ? 0 : policyFlushes - unmaps[Int(number)].flushesBefore
  }
}
