/// Unmaps by what they unmapped: a page of a file, an address.
///
/// Invariant: at most ``entriesMax`` entries; when that many are still stale, more are counted in
/// `unchecked` and left out. Each entry holds its unmap. Keys are not 0.
struct HeldTable {
  static let entriesMax = 1 << 16

  struct Entry {
    fileprivate(set) var key: UInt64 = 0
    fileprivate(set) var unmap: UInt32 = 0
    /// The frame that was unmapped, by index.
    fileprivate(set) var frame: UInt32 = 0
    /// The frame that came in its place, by index.
    var successor: UInt32?
  }

  private var entries: [Entry] = []
  private var used = 0
  private(set) var unchecked = 0
  private static let looksMax = 1 << 24
  private var looks = 1 << 20
  private var attempts = 0

  var isEmpty: Bool { used == 0 }

  subscript(slot: Int) -> Entry {
    get { entries[slot] }
    set { entries[slot] = newValue }
  }

  /// Where the entry of `key` is; nil without.
  func find(_ key: UInt64) -> Int? {
    guard used > 0 else { return nil }
    var slot = Self.place(key) & (entries.count - 1)
    while entries[slot].key != 0 {
      if entries[slot].key == key { return entries[slot].unmap == 0 ? nil : slot }
      slot = (slot + 1) & (entries.count - 1)
    }
    return nil
  }

  /// `key` was unmapped from `frame` by `unmap`, whatever unmapped it before.
  mutating func insert(
    _ key: UInt64, _ unmap: UInt32, frame: UInt32, _ stale: inout StaleTranslations
  ) {
    looks = min(looks + 64, Self.looksMax)
    attempts += 1
    // A full table is looked through again only after so many attempts as make up for it.
    if used * 2 >= entries.count, attempts * 4 >= entries.count { rebuild(&stale) }
    guard used * 2 < entries.count else {
      unchecked += 1
      return
    }
    var slot = Self.place(key) & (entries.count - 1)
    while entries[slot].key != 0, entries[slot].key != key {
      slot = (slot + 1) & (entries.count - 1)
    }
    if entries[slot].key == 0 { used += 1 }
    stale.hold(unmap)
    stale.release(entries[slot].unmap)
    entries[slot] = Entry(key: key, unmap: unmap, frame: frame)
  }

  /// Forgets an entry.
  mutating func remove(_ slot: Int, _ stale: inout StaleTranslations) {
    stale.release(entries[slot].unmap)
    entries[slot].unmap = 0
  }

  /// Slots of the entries with a key in `keys`.
  ///
  /// A long range takes a look at every entry. So that many such calls cannot take for ever, each
  /// insertion pays for some looks, and each call for a few; one that is not paid for is counted.
  mutating func slots(in keys: Range<UInt64>) -> [Int] {
    guard used > 0 else { return [] }
    if keys.count <= 64 { return keys.compactMap(find) }
    looks = min(looks + 256, Self.looksMax)
    guard looks >= entries.count else {
      unchecked += 1
      return []
    }
    looks -= entries.count
    return entries.indices.filter { entries[$0].unmap != 0 && keys.contains(entries[$0].key) }
  }

  /// Drops what no CPU can reach any more, and makes room.
  private mutating func rebuild(_ stale: inout StaleTranslations) {
    attempts = 0
    var live: [Entry] = []
    for entry in entries where entry.unmap != 0 {
      if stale.staleCPU(entry.unmap) == nil {
        stale.release(entry.unmap)
      } else {
        live.append(entry)
      }
    }
    var size = max(entries.count, 256)
    while live.count * 4 > size, size < Self.entriesMax * 2 { size *= 2 }
    entries = Array(repeating: Entry(), count: size)
    used = live.count
    for entry in live {
      var slot = Self.place(entry.key) & (size - 1)
      while entries[slot].key != 0 { slot = (slot + 1) & (size - 1) }
      entries[slot] = entry
    }
  }

  /// Four neighbours lie side by side, for pages are unmapped one after the other.
  private static func place(_ key: UInt64) -> Int {
    let group = (key >> 2 &* 0x9e37_79b9_7f4a_7c15) >> 33
    return Int(truncatingIfNeeded: group << 2 | key & 3)
  }
}
