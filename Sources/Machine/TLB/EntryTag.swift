/// An entry of a TLB or of a paging-structure cache in a word; 0 is an empty entry.
///
/// From bit 0: 45 bits of page number in units of the page's size (with five levels of page tables
/// all canonical addresses differ in them), 2 bits of size plus one, 12 of PCID, 1 global, 2 of
/// logical CPU within the core, 2 of the array in which it lies. A global entry has PCID 0. The last
/// two bits are no part of what is looked up.
enum EntryTag {
  static let pageMask: UInt64 = 1 << 45 - 1
  static let pcidMask: UInt64 = 0xfff << 47
  static let globalBit: UInt64 = 1 << 59
  static let threadMask: UInt64 = 3 << 60
  static let arrayShift: UInt64 = 62
  static let arrayMask: UInt64 = 3 << 62

  static func sizeBits(_ size: PageSize) -> UInt64 { UInt64(size.rawValue + 1) << 45 }

  static func size(_ tag: UInt64) -> Int { Int(tag >> 45 & 3) - 1 }

  static func space(pcid: UInt16, thread: Int) -> UInt64 {
    UInt64(pcid & 0xfff) << 47 | UInt64(thread) << 60
  }

  static func globalSpace(thread: Int) -> UInt64 { globalBit | UInt64(thread) << 60 }

  /// Whether both are the same translation, wherever they lie.
  @inline(__always)
  static func matches(_ tag: UInt64, _ key: UInt64) -> Bool { (tag ^ key) << 2 == 0 }
}
