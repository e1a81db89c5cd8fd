/// Whether a free frame has left the per-CPU list that it was freed to, and where it came out of buddy.
struct BuddyPassage: Equatable {
  /// Place of its last drain among all drains of the trace, from 1; 0 where it was never drained.
  var drain: UInt32 = 0
  /// Order of the block that it was last taken from (``BuddyBlocks``).
  var order: UInt8 = 0
  /// Of a drain: whether it has been drained before since it was freed.
  var isRepeated = false

  /// Whether it has been in buddy.
  var wasDrained: Bool { drain != 0 }
}

/// The way of each frame through buddy, told by the trace: no policy changes it, so it is followed once
/// for all.
struct BuddyPassages {
  private var blocks = BuddyBlocks()
  private var passages: [BuddyPassage] = []
  private var drains: UInt32 = 0

  private mutating func growTo(frames: Int) {
    guard passages.count < frames else { return }
    blocks.growTo(frames: frames)
    passages.append(contentsOf: repeatElement(BuddyPassage(), count: frames - passages.count))
  }

  /// A free frame goes from a per-CPU list to buddy.
  mutating func drained(_ frame: Int, _ frames: borrowing FrameTable) -> BuddyPassage {
    growTo(frames: frames.indexCount)
    // Four billion drains further no frame is still where it was.
    if drains < .max { drains += 1 }
    let isRepeated = passages[frame].wasDrained
    passages[frame].drain = drains
    blocks.entered(frame)
    return BuddyPassage(drain: drains, isRepeated: isRepeated)
  }

  /// It goes from buddy to a per-CPU list.
  mutating func refilled(_ frame: Int, _ frames: borrowing FrameTable) -> BuddyPassage {
    growTo(frames: frames.indexCount)
    if let order = blocks.left(frame, frames) {
      passages[frame].order = UInt8(truncatingIfNeeded: order)
    }
    return passages[frame]
  }

  /// It is allocated, from wherever it is.
  mutating func taken(_ frame: Int, _ frames: borrowing FrameTable) -> BuddyPassage {
    defer { passages[frame] = BuddyPassage() }
    return refilled(frame, frames)
  }
}
