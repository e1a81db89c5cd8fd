public import TraceEvents

/// The swap-like entry that stands in a page table while a page is migrated (x86-64).
///
/// ```
/// bits 59-63  swap type: READ, READ_EXCLUSIVE or WRITE, counted down from MAX_SWAPFILES
/// bits  9-58  offset, inverted: source pfn, above it the old entry's young and dirty bits
/// bits  0-8   soft-dirty and the like, 0 = not present
/// ```
/// Linux 6.12 `arch/x86/include/asm/pgtable_64.h`, `include/linux/swapops.h`.
public struct MigrationEntry: Sendable, Equatable {
  /// The raw entry, as `migrate:set_migration_pte` records it.
  public let bits: UInt64

  /// The entry with these bits.
  public init(bits: UInt64) { self.bits = bits }

  /// Swap type, 0 to 31.
  public var type: UInt8 { UInt8(truncatingIfNeeded: bits >> 59) }

  /// The frame that the page leaves.
  ///
  /// The offset's frame number has 34 bits, with 5-level paging 40; the upper six are zero on
  /// machines below 64 TiB, and the young and dirty bits stand there on others, so 34 are right.
  public var sourceFrame: UInt64 { (~bits << 5) >> 14 & (1 << 34 - 1) }

  /// Whether the page was mapped writable; nil where that cannot be told.
  ///
  /// Without a proven `writeType`, 30 is writable and 28 is not on every kernel since 5.19 without
  /// device-private memory; 29 is READ_EXCLUSIVE on 6.12 but WRITE on 6.1 with page-table markers.
  public func isWritable(writeType: UInt8?) -> Bool? {
    guard let writeType else { return type == 30 ? true : type == 28 ? false : nil }
    if type == writeType { return true }
    return type < writeType && type &+ 2 >= writeType ? false : nil
  }
}

/// Finds out which swap type means "the page was writable" on the traced kernel.
///
/// The numbers depend on the kernel's configuration. An entry that was set is paired, by address,
/// with the present entry that replaces it (`remove_migration_pte`); the type whose pages come back
/// writable is WRITE. Feed it any part of the trace, before or beside a replay.
public struct MigrationEntrySurvey: Sendable {
  private static let slots = 4096
  private var addresses: [UInt64] = Array(repeating: 0, count: slots)
  private var types: [UInt8] = Array(repeating: 0, count: slots)
  private var writable: [Int] = Array(repeating: 0, count: 32)
  private var readOnly: [Int] = Array(repeating: 0, count: 32)

  /// Nothing seen yet.
  public init() {}

  /// Looks at the migration events of a batch.
  public mutating func consume(_ batch: borrowing EventBatch) {
    for row in 0..<batch.count {
      switch batch.event(row) {
      case EventKind.setMigrationPTE.rawValue, EventKind.removeMigrationPTE.rawValue:
        note(batch, row)
      default: continue
      }
    }
  }

  /// Looks at one `set_migration_pte` or `remove_migration_pte`.
  mutating func note(_ batch: borrowing EventBatch, _ row: Int) {
    let address = batch.word(row, MigrationPTE.address)
    let pte = batch.word(row, MigrationPTE.pte)
    let slot = Int(truncatingIfNeeded: ((address >> 12) &* 0x9e37_79b9_7f4a_7c15) >> 52)
    if batch.event(row) == EventKind.setMigrationPTE.rawValue {
      addresses[slot] = address
      types[slot] = MigrationEntry(bits: pte).type
    } else if addresses[slot] == address, address != 0, pte & 1 != 0 {
      if pte & 2 != 0 { writable[Int(types[slot])] += 1 } else { readOnly[Int(types[slot])] += 1 }
      addresses[slot] = 0
    }
  }

  /// The type of writable entries; nil where the trace has no page that came back writable.
  public var writeType: UInt8? {
    (0..<32).last { writable[$0] > 0 && writable[$0] > readOnly[$0] }.map { UInt8($0) }
  }
}
