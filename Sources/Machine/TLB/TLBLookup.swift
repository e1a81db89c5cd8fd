/// How a page of one size is looked up in one level: where its sets lie and which entries may be its.
///
/// A set is a run of tags, the most recently used first, empty ones last: replacing the least
/// recently used entry is shifting the run by one, which searching does on its way.
struct TLBLookup: Sendable {
  /// Index of the first tag of the bank.
  var firstTag = 0
  /// Entries in a set, of all arrays of the bank; 0: the level takes no such page.
  var ways = 0
  /// Sets less one.
  var setMask: UInt64 = 0
  /// Pages of 4 KiB in what the level keeps of such a page, as a power of two.
  var shift: UInt64 = 0
  var sizeBits: UInt64 = 0
  /// Arrays in the bank, ways of each (16 bits), and a bit for each that takes the page.
  var arrays = 1
  var arrayWays: UInt64 = 0
  var accepting: UInt64 = 1

  /// Looks `page` (of 4 KiB) up and makes it the most recently used of its set, in place of another
  /// if it was not there. Whether it was.
  @inline(__always)
  func touch(_ page: UInt64, _ space: UInt64, _ tags: UnsafeMutablePointer<UInt64>) -> Bool {
    guard ways > 0 else { return false }
    let number = page >> shift
    let key = number | sizeBits | space
    let set = tags + (firstTag &+ Int(truncatingIfNeeded: number & setMask) &* ways)
    let head = set[0]
    if EntryTag.matches(head, key) { return true }
    if arrays > 1 { return touchArrays(key, set) }
    if ways >= Self.wideWays { return touchWide(key, set) }
    var carried = head
    var way = 1
    while way < ways, carried != 0 {
      let tag = set[way]
      set[way] = carried
      if tag == key {
        set[0] = key
        return true
      }
      carried = tag
      way &+= 1
    }
    set[0] = key
    return false
  }

  /// From so many ways on, comparing four tags at a time and moving all at once is faster: a fifth on
  /// Zen's 72.
  private static let wideWays = 32

  /// The same in a wide set.
  @inline(never)
  private func touchWide(_ key: UInt64, _ set: UnsafeMutablePointer<UInt64>) -> Bool {
    var way = 1
    while way &+ 4 <= ways {
      let tags = set + way
      let one = (tags[0] == key ? 1 : 0) | (tags[1] == key ? 1 : 0)
      let other = (tags[2] == key ? 1 : 0) | (tags[3] == key ? 1 : 0)
      if one | other != 0 { break }
      way &+= 4
    }
    while way < ways, set[way] != key { way &+= 1 }
    let isFound = way < ways
    Self.bringForward(set, from: isFound ? way : ways &- 1, as: key)
    return isFound
  }

  /// The same in a bank of several arrays, whose entries keep their place in theirs.
  @inline(__always)
  private func touchArrays(_ key: UInt64, _ set: UnsafeMutablePointer<UInt64>) -> Bool {
    var way = 0
    while way < ways {
      let tag = set[way]
      if EntryTag.matches(tag, key) {
        Self.bringForward(set, from: way, as: tag)
        return true
      }
      if tag == 0 { break }
      way &+= 1
    }
    if way == ways, accepting == 1 << UInt64(arrays) &- 1 {
      let place = set[ways &- 1] & EntryTag.arrayMask
      Self.bringForward(set, from: ways &- 1, as: key | place)
    } else {
      fill(key, set, used: way)
    }
    return false
  }

  /// Shifts what is before `way` by one and puts `tag` in front.
  @inline(__always)
  private static func bringForward(
    _ set: UnsafeMutablePointer<UInt64>, from way: Int, as tag: UInt64
  ) {
    (set + 1).update(from: set, count: way)
    set[0] = tag
  }

  /// Puts an entry into the first array with room, else in place of the least recently used one.
  @inline(never)
  private func fill(_ key: UInt64, _ set: UnsafeMutablePointer<UInt64>, used: Int) {
    for array in 0..<UInt64(arrays) where accepting >> array & 1 != 0 {
      var taken: UInt64 = 0
      for way in 0..<used where set[way] >> EntryTag.arrayShift == array { taken &+= 1 }
      if taken < arrayWays >> (16 &* array) & 0xffff {
        Self.bringForward(set, from: used, as: key | array << EntryTag.arrayShift)
        return
      }
    }
    var way = used &- 1
    while way >= 0, accepting >> (set[way] >> EntryTag.arrayShift) & 1 == 0 { way &-= 1 }
    // Every array that takes the page is full, so one of its entries was found.
    guard way >= 0 else { return }
    Self.bringForward(set, from: way, as: key | set[way] & EntryTag.arrayMask)
  }
}
