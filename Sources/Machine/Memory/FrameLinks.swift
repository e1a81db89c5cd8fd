/// A doubly linked list of page frames; the links are in ``FrameLinks``.
public struct FrameList: Sendable, Equatable {
  /// First and last frame, -1 of an empty list.
  public internal(set) var head: Int32 = -1
  /// See ``head``.
  public internal(set) var tail: Int32 = -1
  /// Frames in it.
  public internal(set) var count = 0
}

/// The links of all frames' lists: a frame is in one list at most, as `struct page` has one `lru`.
struct FrameLinks: Sendable {
  private(set) var next: [Int32]
  private(set) var previous: [Int32]

  init(frames: Int) {
    next = Array(repeating: -1, count: frames)
    previous = Array(repeating: -1, count: frames)
  }

  /// Puts a frame that is in no list at the head.
  mutating func pushHead(_ frame: Int32, _ list: inout FrameList) {
    previous[Int(frame)] = -1
    next[Int(frame)] = list.head
    if list.head >= 0 { previous[Int(list.head)] = frame } else { list.tail = frame }
    list.head = frame
    list.count += 1
  }

  /// Puts a frame that is in no list at the tail.
  mutating func pushTail(_ frame: Int32, _ list: inout FrameList) {
    next[Int(frame)] = -1
    previous[Int(frame)] = list.tail
    if list.tail >= 0 { next[Int(list.tail)] = frame } else { list.head = frame }
    list.tail = frame
    list.count += 1
  }

  /// Takes a frame out of the list that it is in.
  mutating func remove(_ frame: Int32, _ list: inout FrameList) {
    let before = previous[Int(frame)]
    let after = next[Int(frame)]
    if before >= 0 { next[Int(before)] = after } else { list.head = after }
    if after >= 0 { previous[Int(after)] = before } else { list.tail = before }
    next[Int(frame)] = -1
    previous[Int(frame)] = -1
    list.count -= 1
  }
}
