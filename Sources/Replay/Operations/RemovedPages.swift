/// Pages of files that an unmap batch took out of the page cache, until they come back.
///
/// Found by page, kept by frame: of each frame the page that it held last. A page whose frame has been
/// taken out of the page cache for another page since is forgotten, for the frame was handed out in
/// between and whatever made that safe has cleaned the page's translations too.
///
/// Invariant: memory is proportional to frames; each page kept holds its batch's number.
struct RemovedPages {
  /// What a batch took out and a task has not flushed yet is at most so much; more is counted.
  private static let openMax = 1 << 13
  private struct Page {
    var key: UInt64 = 0
    /// Its batch; 0 where the frame has no such page.
    var batch: UInt32 = 0
  }
  /// Half as many bits as a page's key has, which also say where to look first, and its frame; 0 is no
  /// page.
  private struct Entry {
    var bits: UInt64 = 0
    init() {}
    init(_ key: UInt64, frame: UInt32) {
      bits = UInt64(RemovedPages.half(key)) << 32 | UInt64(frame) + 1
    }
    var isEmpty: Bool { bits == 0 }
    var half: UInt32 { UInt32(truncatingIfNeeded: bits >> 32) }
    var frame: UInt32 { UInt32(truncatingIfNeeded: bits) &- 1 }
  }
  private struct Open {
    var key: UInt64
    var frame: UInt32
    var task: UInt32
  }

  private var open: [Open] = []
  /// How many of these each task has.
  private var openOfTask: [UInt32] = []
  private var pages: [Page] = []
  /// By key, with open addressing: at most half full.
  private var entries: [Entry] = []
  /// Tells most of the pages that never left the page cache without a look at the tables.
  private var everRemoved = PageFilter()
  /// Pages that were left out for room, or whose frame is not followed.
  private(set) var leftOut = 0

  /// A task that unmaps pages took one out of the page cache.
  mutating func add(_ change: PageCacheChange, by task: UInt32) {
    guard let frame = change.frame else {
      leftOut += 1
      return
    }
    if open.count >= Self.openMax {
      for page in open.prefix(Self.openMax / 2) { openOfTask[Int(page.task)] -= 1 }
      open.removeFirst(Self.openMax / 2)
      leftOut += Self.openMax / 2
    }
    open.append(Open(key: change.key, frame: frame, task: task))
    while openOfTask.count <= Int(task) { openOfTask.append(0) }
    openOfTask[Int(task)] += 1
  }

  /// The task comes to the flush of its batch, at `position` in the stream: its pages are kept.
  mutating func close(
    _ batch: UInt32, by task: UInt32, _ numbers: inout BatchNumbers, at position: UInt64
  ) {
    guard Int(task) < openOfTask.count, openOfTask[Int(task)] > 0 else { return }
    // Its pages are the last ones, or nearly: what others never flush lies before them.
    var first = open.count
    var left = openOfTask[Int(task)]
    while left > 0 {
      first -= 1
      if open[first].task == task { left -= 1 }
    }
    openOfTask[Int(task)] = 0
    var kept = first
    for index in first..<open.count {
      let page = open[index]
      if page.task == task {
        let forgotten = keep(page, batch)
        numbers.hold(batch)
        numbers.release(forgotten, at: position)
      } else {
        open[kept] = page
        kept += 1
      }
    }
    open.removeLast(open.count - kept)
  }

  /// A page comes into the page cache: the frame that it was in before, and the batch that took it
  /// out; nil where none did that is known.
  mutating func take(_ change: PageCacheChange) -> (frame: UInt32, batch: UInt32)? {
    let key = change.key
    guard everRemoved.mayHold(key) else { return nil }
    let half = Self.half(key)
    var place = place(half)
    while !entries[place].isEmpty {
      let frame = entries[place].frame
      if entries[place].half == half, pages[Int(frame)].key == key {
        remove(at: place)
        defer { pages[Int(frame)].batch = 0 }
        return (frame, pages[Int(frame)].batch)
      }
      place = (place + 1) & (entries.count - 1)
    }
    return nil
  }

  /// Keeps a page; the batch of the one that its frame had before, 0 none.
  private mutating func keep(_ page: Open, _ batch: UInt32) -> UInt32 {
    if Int(page.frame) >= pages.count { grow(toHold: Int(page.frame)) }
    let forgotten = pages[Int(page.frame)]
    if forgotten.batch != 0 { forget(forgotten.key, page.frame) }
    pages[Int(page.frame)] = Page(key: page.key, batch: batch)
    add(page.key, page.frame)
    return forgotten.batch
  }

  private mutating func add(_ key: UInt64, _ frame: UInt32) {
    everRemoved.add(key)
    let entry = Entry(key, frame: frame)
    var place = place(entry.half)
    while !entries[place].isEmpty { place = (place + 1) & (entries.count - 1) }
    entries[place] = entry
  }

  private mutating func forget(_ key: UInt64, _ frame: UInt32) {
    let entry = Entry(key, frame: frame)
    var place = place(entry.half)
    while !entries[place].isEmpty {
      if entries[place].bits == entry.bits { return remove(at: place) }
      place = (place + 1) & (entries.count - 1)
    }
  }

  /// Empties a place and moves up what would no longer be found behind it.
  private mutating func remove(at emptied: Int) {
    let mask = entries.count - 1
    var hole = emptied
    var next = (hole + 1) & mask
    while !entries[next].isEmpty {
      let home = place(entries[next].half)
      if (next - home) & mask >= (next - hole) & mask {
        entries[hole] = entries[next]
        hole = next
      }
      next = (next + 1) & mask
    }
    entries[hole] = Entry()
  }

  /// A page for each frame, and twice as many places.
  private mutating func grow(toHold frame: Int) {
    var size = max(pages.count, 1024)
    while size <= frame { size *= 2 }
    pages.append(contentsOf: repeatElement(Page(), count: size - pages.count))
    entries = Array(repeating: Entry(), count: size * 2)
    for frame in pages.indices where pages[frame].batch != 0 {
      add(pages[frame].key, UInt32(truncatingIfNeeded: frame))
    }
  }

  private func place(_ half: UInt32) -> Int { Int(half) & (entries.count - 1) }

  /// Of a key: eight neighbours begin a cache line, for files are read and reclaimed page by page, and
  /// these are spread over the places (Fibonacci hashing).
  private static func half(_ key: UInt64) -> UInt32 {
    let group = (key >> 3 &* 0x9e37_79b9_7f4a_7c15) >> 35
    return UInt32(truncatingIfNeeded: group << 3 | key & 7)
  }
}

extension PageCacheChange {
  /// A page of a file in one word: two pages of different files have the same with a probability of
  /// 2^-58 at most, and neighbours in a file are neighbours.
  fileprivate var key: UInt64 {
    var file = inode &* 0x9e37_79b9_7f4a_7c15
    file = (file ^ file >> 29 ^ device) &* 0xbf58_476d_1ce4_e5b9
    file = (file ^ file >> 32) &* 0x94d0_49bb_1331_11eb
    // 64 pages that are neighbours from a multiple of 64 on stay so, for the filter's words.
    return (file ^ file >> 31) & ~63 &+ index
  }
}
