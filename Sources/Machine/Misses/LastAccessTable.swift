/// When each page was last touched: an open-addressed table that grows with the distinct pages.
///
/// A slot is two words, the page + 1 (0: empty) and the time, so that a look-up touches one cache line.
struct LastAccessTable {
  private(set) var words: [UInt64]
  private(set) var pages = 0
  private(set) var shift: UInt64

  /// Slots of an empty table, as a power of two.
  private static let bitsMin: UInt64 = 12

  init() {
    shift = 64 - Self.bitsMin
    words = Array(repeating: 0, count: 2 << Int(Self.bitsMin))
  }

  private var slots: Int { words.count / 2 }
  /// Whether another page needs a larger table: above three quarters, probes get long.
  var isFull: Bool { pages >= slots - slots / 4 }

  /// Runs `body` over the words; it returns how many pages it added.
  mutating func update(_ body: (UnsafeMutablePointer<UInt64>, _ shift: UInt64, _ mask: Int) -> Int)
  {
    let shift = shift
    let mask = slots - 1
    pages += words.withUnsafeMutableBufferPointer { words in
      words.baseAddress.map { body($0, shift, mask) } ?? 0
    }
  }

  /// How many pages fit before the table must grow.
  var room: Int { slots - slots / 4 - pages }

  /// The slot where the search for `page` begins.
  @inline(__always)
  static func slot(_ page: UInt64, _ shift: UInt64) -> Int {
    Int(truncatingIfNeeded: (page &* 0x9e37_79b9_7f4a_7c15) &>> shift)
  }

  /// Twice as many slots.
  mutating func grow() {
    let old = words
    shift -= 1
    words = Array(repeating: 0, count: old.count * 2)
    let mask = slots - 1
    for index in stride(from: 0, to: old.count, by: 2) where old[index] != 0 {
      var slot = Self.slot(old[index] - 1, shift)
      while words[2 * slot] != 0 { slot = (slot + 1) & mask }
      words[2 * slot] = old[index]
      words[2 * slot + 1] = old[index + 1]
    }
  }
}
