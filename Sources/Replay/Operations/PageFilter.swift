/// Tells pages that were certainly never added from those that may have been: a bit for each of many
/// pages that share it, so the room does not grow with the trace.
struct PageFilter {
  /// 2^22 bits, half a megabyte; a million pages answer wrongly one time in five.
  private static let bitCount: UInt64 = 1 << 22
  private static let looksMax = 64

  private var words: [UInt64] = []

  /// A page, by its number or any key of it in which neighbours are neighbours.
  mutating func add(_ page: UInt64) {
    if words.isEmpty { words = Array(repeating: 0, count: Int(Self.bitCount / 64)) }
    words[Self.word(page)] |= 1 << (page & 63)
  }

  /// False where the page was never added.
  func mayHold(_ page: UInt64) -> Bool {
    !words.isEmpty && words[Self.word(page)] >> (page & 63) & 1 != 0
  }

  /// False where certainly none of the pages was added. Of long ranges that is not found out.
  func mayHold(_ pages: Range<UInt64>) -> Bool {
    guard !words.isEmpty else { return false }
    return pages.count > Self.looksMax || pages.contains { mayHold($0) }
  }

  /// 64 neighbours share a word, for they are asked for one after the other; such groups are spread
  /// over the words (Fibonacci hashing).
  private static func word(_ page: UInt64) -> Int {
    Int(truncatingIfNeeded: ((page >> 6) &* 0x9e37_79b9_7f4a_7c15) >> 48)
  }
}
