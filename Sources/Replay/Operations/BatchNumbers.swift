/// Small numbers for the unmap batches that are flushed, so that a replay's own record of them stays
/// in the cache: a number is given again once its task has flushed another batch and the last frame
/// that was freed with it has been allocated.
///
/// Invariant: a number is not given to a shootdown that began before the number was free, so at any
/// moment of the stream it stands for one batch. 0 is no batch.
struct BatchNumbers {
  /// Frames that are free with each number, and one for its task.
  private var holders: [UInt32] = [0]
  /// Numbers that nothing holds, and the place in the stream from which each is free.
  private var unused: [(number: UInt32, since: UInt64)] = []
  private var unusedFirst = 0

  /// Numbers given so far lie below this.
  var count: Int { holders.count }

  /// A number, held by its task, for the batch of a shootdown at `position` in the stream.
  mutating func open(at position: UInt64) -> UInt32 {
    if unusedFirst < unused.count, unused[unusedFirst].since <= position {
      let number = unused[unusedFirst].number
      unusedFirst += 1
      if unusedFirst > 1024, unusedFirst * 2 > unused.count {
        unused.removeFirst(unusedFirst)
        unusedFirst = 0
      }
      holders[Int(number)] = 1
      return number
    }
    holders.append(1)
    return UInt32(holders.count - 1)
  }

  /// One holder fewer, at `position` in the stream.
  mutating func release(_ number: UInt32, at position: UInt64) {
    guard number != 0, holders[Int(number)] > 0 else { return }
    holders[Int(number)] -= 1
    if holders[Int(number)] == 0 { unused.append((number, position)) }
  }

  /// A frame was freed with it.
  mutating func hold(_ number: UInt32) { if number != 0 { holders[Int(number)] += 1 } }
}
