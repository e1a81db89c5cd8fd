/// A set of page frames by their index, a bit for each: small enough that a question costs no look at
/// memory.
struct FrameSet {
  private var words: [UInt64] = []

  /// Room for indices below `frames`.
  mutating func growTo(_ frames: Int) {
    let wanted = (frames + 63) / 64
    guard words.count < wanted else { return }
    words.append(contentsOf: repeatElement(0, count: wanted - words.count))
  }

  func contains(_ frame: Int) -> Bool {
    frame >> 6 < words.count && words[frame >> 6] >> UInt64(frame & 63) & 1 != 0
  }

  mutating func insert(_ frame: Int) { words[frame >> 6] |= 1 << UInt64(frame & 63) }

  mutating func remove(_ frame: Int) { words[frame >> 6] &= ~(1 << UInt64(frame & 63)) }
}
