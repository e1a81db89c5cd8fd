public import TraceEvents

/// Measures the reuse profile of an access stream, batch by batch.
///
/// Memory is 16 bytes or a little more to a distinct page, and 33 KiB to a window, of which there are
/// ``windowsMax`` at most: then neighbours are joined and windows are twice as long from there on.
public struct ReuseRecorder {
  /// Windows kept at most.
  public static let windowsMax = 512
  /// Accesses of a window unless told otherwise.
  ///
  /// Programs go through phases quickly: of zstd, which finds matches in a block and then codes it,
  /// windows of 5 M accesses gave 58 % too many walks per flush where its working set did not fit,
  /// windows of 0.5 M 1 % (Tools/validate-misses).
  public static let windowLengthDefault: UInt64 = 500_000

  private var table = LastAccessTable()
  private var windows: [ReuseWindow] = []
  private var current = ReuseWindow()
  private var time: UInt64 = 0
  private var windowEnd: UInt64
  private var windowLength: UInt64
  private let interval: UInt64
  /// Accesses to all pages in the current window, by class: sampling must not change the total.
  private var accesses: [UInt64]

  /// A recorder with windows of `windowLength` accesses that follows one page of `interval`.
  ///
  /// Which pages it follows is decided by a hash of the page number (SHARDS; Waldspurger et al., FAST
  /// 2015): each followed page stands for `interval` of them. Fit for footprints of many thousand
  /// pages; of a hundred pages, one in ten tells nothing.
  public init(windowLength: UInt64 = windowLengthDefault, interval: UInt64 = 1) {
    self.windowLength = min(max(windowLength, 1), 1 << 48)
    self.interval = min(max(interval, 1), 1 << 20)
    windowEnd = self.windowLength
    accesses = Array(repeating: 0, count: ReuseWindow.classes)
  }

  /// Accesses so far.
  public var recorded: UInt64 { time }

  /// Distinct pages so far; of the followed ones where pages are sampled.
  public var pages: Int { table.pages }

  /// Takes the next accesses of the stream.
  public mutating func record(_ batch: [PageAccess]) {
    batch.withUnsafeBufferPointer { batch in
      var start = 0
      while start < batch.count {
        if table.isFull { table.grow() }
        let length = min(
          batch.count - start, table.room, Int(clamping: windowEnd - time))
        let part = UnsafeBufferPointer(rebasing: batch[start..<start + length])
        if interval == 1 { follow(part) } else { followSome(part) }
        start += length
        time += UInt64(length)
        if time == windowEnd { closeWindow() }
      }
    }
  }

  private mutating func follow(_ batch: UnsafeBufferPointer<PageAccess>) {
    var now = time
    current.reuses.withUnsafeMutableBufferPointer { reuses in
      var firstTouches: (UInt64, UInt64, UInt64) = (0, 0, 0)
      table.update { words, shift, mask in
        var added = 0
        for access in batch {
          now &+= 1
          let kind = Int(truncatingIfNeeded: min(access.rawValue & 3, 2))
          let last = Self.touch(access.page, now, words, shift, mask)
          if last == 0 {
            added &+= 1
            if kind == 0 {
              firstTouches.0 &+= 1
            } else if kind == 1 {
              firstTouches.1 &+= 1
            } else {
              firstTouches.2 &+= 1
            }
          } else {
            reuses[kind &* ReuseBins.count &+ ReuseBins.index(of: now &- last)] &+= 1
          }
        }
        return added
      }
      current.firstTouches[0] += firstTouches.0
      current.firstTouches[1] += firstTouches.1
      current.firstTouches[2] += firstTouches.2
    }
  }

  /// Sets the page's last access to `now`; returns the one before, 0 if there was none.
  @inline(__always)
  private static func touch(
    _ page: UInt64, _ now: UInt64, _ words: UnsafeMutablePointer<UInt64>, _ shift: UInt64,
    _ mask: Int
  ) -> UInt64 {
    // An access has 62 bits of page, so page + 1 is never 0.
    let key = page &+ 1
    var slot = LastAccessTable.slot(page, shift)
    while true {
      let found = words[2 &* slot]
      if found == key {
        let last = words[2 &* slot &+ 1]
        words[2 &* slot &+ 1] = now
        return last
      }
      if found == 0 {
        words[2 &* slot] = key
        words[2 &* slot &+ 1] = now
        return 0
      }
      slot = (slot &+ 1) & mask
    }
  }

  private mutating func followSome(_ batch: UnsafeBufferPointer<PageAccess>) {
    var now = time
    let (interval, limit) = (interval, UInt64.max / interval)
    var followed = ReuseWindow.noCounts
    var touched = ReuseWindow.noCounts
    current.reuses.withUnsafeMutableBufferPointer { reuses in
      table.update { words, shift, mask in
        var added = 0
        for access in batch {
          now &+= 1
          let kind = Int(truncatingIfNeeded: min(access.rawValue & 3, 2))
          touched[kind] &+= 1
          // Another multiplier than the table's, or the followed pages would share slots.
          if (access.page &+ 1) &* 0xd6e8_feb8_6659_fd93 > limit { continue }
          let last = Self.touch(access.page, now, words, shift, mask)
          if last == 0 {
            added &+= 1
            followed[kind] &+= interval
          } else {
            reuses[kind &* ReuseBins.count &+ ReuseBins.index(of: now &- last)] &+= interval
          }
        }
        return added
      }
    }
    for kind in 0..<ReuseWindow.classes {
      current.firstTouches[kind] += followed[kind]
      accesses[kind] += touched[kind]
    }
  }

  // MARK: Windows

  private mutating func closeWindow() {
    var closed = current
    if interval > 1 { closed.settle(accesses) }
    windows.append(closed)
    current = ReuseWindow()
    for kind in accesses.indices { accesses[kind] = 0 }
    if windows.count == Self.windowsMax { joinWindows() }
    windowEnd = time.addingSaturated(windowLength)
  }

  private mutating func joinWindows() {
    for pair in 0..<windows.count / 2 {
      windows[pair] = windows[2 * pair]
      windows[pair].merge(windows[2 * pair + 1])
    }
    windows.removeLast(windows.count / 2)
    windowLength *= 2
  }

  /// The profile; a last window shorter than a quarter of the others goes into the one before it.
  public consuming func finish(source: ReuseProfile.Source) -> ReuseProfile {
    let left = time - min(time, windowEnd - windowLength)
    if left > 0 && left < windowLength {
      if interval > 1 { current.settle(accesses) }
      if let last = windows.indices.last, left < windowLength / 4 {
        windows[last].merge(current)
      } else {
        windows.append(current)
      }
    }
    return ReuseProfile(source: source, interval: interval, pages: table.pages, windows: windows)
  }
}

extension ReuseWindow {
  static var noCounts: InlineArray<3, UInt64> { InlineArray(repeating: 0) }

  /// Makes the accesses of each class as many as were seen.
  ///
  /// The pages that are followed have more or fewer of the accesses than their share, mostly as one
  /// hot page is among them or not; what hot pages change is the number of the shortest reuses
  /// (SHARDS-adj, ibidem).
  mutating func settle(_ seen: [UInt64]) {
    for kind in AccessClass.allCases {
      let counted = accesses(kind)
      let wanted = seen[Int(kind.rawValue)]
      if counted < wanted {
        add(wanted - counted, kind, bin: 1)
        continue
      }
      var excess = counted - wanted
      for bin in 1..<ReuseBins.count where excess > 0 {
        let index = Int(kind.rawValue) * ReuseBins.count + bin
        let taken = min(excess, reuses[index])
        reuses[index] -= taken
        excess -= taken
      }
    }
  }
}
