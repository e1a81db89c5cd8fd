import TraceEvents

/// A fixed-size integer field, read without a branch: the 8 bytes that end where the field ends,
/// shifted down and sign-extended.
///
/// Every field ends behind the 8 bytes of the common head, so those 8 bytes are inside the record. An
/// absent field keeps nothing of them and gives ``EventBatch/absent``.
struct PlainStep {
  private let offset: Int32
  private let shift: UInt32
  private let sign: UInt64
  private let keep: UInt64
  /// What an absent field gives, 0 for others.
  private let absent: UInt64

  /// A field of `size` bytes (1, 2, 4 or 8) at `offset`, or an absent one of size 0.
  init(offset: Int, size: Int, isSigned: Bool) {
    guard size > 0 else {
      self.offset = 0
      shift = 0
      sign = 0
      keep = 0
      absent = EventBatch.absent
      return
    }
    self.offset = Int32(offset + size - 8)
    shift = UInt32(64 - 8 * size)
    sign = isSigned ? 1 << (8 * UInt64(size) - 1) : 0
    keep = .max
    absent = 0
  }

  @inline(__always)
  func word(_ record: UnsafeRawPointer) -> UInt64 {
    let raw = record.loadUnaligned(fromByteOffset: Int(offset), as: UInt64.self)
    let value = raw &>> UInt64(shift)
    return ((value ^ sign) &- sign) & keep | absent
  }
}

/// What a ``RecordDecoder`` looks up for every record, in memory that its loops reach without checks.
///
/// A class because it owns that memory. `plans` has an entry for every 16-bit type; `plainSteps`
/// grows while formats are added, in runs of a multiple of four.
final class DecoderTables {
  let plans: UnsafeMutablePointer<RecordDecoder.Plan>
  private(set) var plainSteps: UnsafeMutablePointer<PlainStep>
  private var count = 0
  private var capacity = 1024

  init() {
    plans = .allocate(capacity: RecordDecoder.typesMax)
    plans.initialize(repeating: RecordDecoder.Plan(), count: RecordDecoder.typesMax)
    plainSteps = .allocate(capacity: capacity)
  }

  deinit {
    plans.deallocate()
    plainSteps.deallocate()
  }

  /// Adds a run, padded to a multiple of four and four at least; returns where it begins.
  func add(_ steps: [PlainStep]) -> UInt32 {
    let padded = max(4, (steps.count + 3) / 4 * 4)
    if count + padded > capacity {
      let larger = UnsafeMutablePointer<PlainStep>.allocate(capacity: capacity * 2)
      larger.update(from: plainSteps, count: count)
      plainSteps.deallocate()
      plainSteps = larger
      capacity *= 2
    }
    let first = count
    for index in 0..<padded {
      plainSteps[count] =
        index < steps.count ? steps[index] : PlainStep(offset: 0, size: 0, isSigned: false)
      count += 1
    }
    return UInt32(first)
  }
}
