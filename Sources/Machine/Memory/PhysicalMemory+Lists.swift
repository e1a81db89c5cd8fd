extension PhysicalMemory {
  // MARK: LRU lists

  /// Frames on a node's list.
  public func count(_ kind: LRUKind, _ node: Int) -> Int {
    zones[node].lru[Int(kind.rawValue)].count
  }

  /// The oldest frame of a list.
  public func oldest(_ kind: LRUKind, _ node: Int) -> Int32? {
    let frame = zones[node].lru[Int(kind.rawValue)].tail
    return frame < 0 ? nil : frame
  }

  /// The list that a frame is on.
  public func list(of frame: Int32) -> LRUKind? {
    lruOf[Int(frame)] == 0 ? nil : LRUKind(rawValue: lruOf[Int(frame)] - 1)
  }

  /// Puts an allocated frame that is on no list at the head of one.
  public mutating func insert(_ frame: Int32, _ kind: LRUKind) {
    precondition(lruOf[Int(frame)] == 0 && place(frame) == .allocated)
    let node = node(of: frame)
    links.pushHead(frame, &zones[node].lru[Int(kind.rawValue)])
    lruOf[Int(frame)] = kind.rawValue + 1
  }

  /// Takes a frame off its list, if it is on one.
  public mutating func isolate(_ frame: Int32) {
    guard let kind = list(of: frame) else { return }
    let node = node(of: frame)
    links.remove(frame, &zones[node].lru[Int(kind.rawValue)])
    lruOf[Int(frame)] = 0
  }

  /// `PG_referenced` of a frame.
  public func isReferenced(_ frame: Int32) -> Bool { referencedMarks[Int(frame)] }
  /// See ``isReferenced(_:)``.
  public mutating func setReferenced(_ frame: Int32, _ isReferenced: Bool) {
    referencedMarks[Int(frame)] = isReferenced
  }

  /// Whether a node's inactive list is so short that active pages have to move to it.
  ///
  /// Linux 6.12 `mm/vmscan.c` `inactive_is_low`: the active list may be the root of ten times the GiB
  /// of both as long, at least as long.
  public func isInactiveLow(_ kind: LRUKind, _ node: Int) -> Bool {
    let inactive = count(kind, node)
    let active = count(kind.opposite, node)
    let gibibytes = (inactive + active) >> 18
    let ratio = gibibytes > 0 ? integerRoot(10 * gibibytes) : 1
    return inactive * ratio < active
  }

  // MARK: Conservation

  /// What is wrong with the books of frames; nil where every frame is in exactly one place.
  public func imbalance() -> String? {
    var seen = Array(repeating: false, count: frameCount)
    for node in zones.indices {
      var free = 0
      for order in 0...Self.orderMax {
        guard let frames = members(zones[node].free[order]) else { return "a free list is broken" }
        for frame in frames {
          for body in Int(frame)..<Int(frame) + 1 << order {
            if seen[body] { return "frame \(body) is free twice" }
            seen[body] = true
            let wanted = body == Int(frame) ? FramePlace.buddyHead : .buddyBody
            if place(Int32(body)) != wanted { return "frame \(body) is not marked free" }
          }
        }
        free += frames.count << order
      }
      if free != zones[node].freePages { return "node \(node) counts \(free) free pages wrong" }
      for list in zones[node].perCPU {
        guard let frames = members(list.list) else { return "a per-CPU list is broken" }
        for frame in frames {
          if seen[Int(frame)] { return "frame \(frame) is on two lists" }
          seen[Int(frame)] = true
          if place(frame) != .perCPU { return "frame \(frame) is not marked per-CPU" }
        }
      }
      for (index, list) in zones[node].lru.enumerated() {
        guard let frames = members(list) else { return "an LRU list is broken" }
        for frame in frames {
          if seen[Int(frame)] { return "frame \(frame) is on two lists" }
          seen[Int(frame)] = true
          if place(frame) != .allocated || Int(lruOf[Int(frame)]) != index + 1 {
            return "frame \(frame) is on the wrong LRU list"
          }
        }
      }
    }
    for frame in seen.indices where !seen[frame] {
      let place = place(Int32(frame))
      if place != .hole, place != .allocated || lruOf[frame] != 0 {
        return "frame \(frame) is on no list but marked so"
      }
    }
    return nil
  }

  /// The frames of a list; nil if it does not end where and as it says.
  private func members(_ list: FrameList) -> [Int32]? {
    var found: [Int32] = []
    var frame = list.head
    var last: Int32 = -1
    while frame >= 0 {
      guard found.count < list.count, links.previous[Int(frame)] == last else { return nil }
      found.append(frame)
      last = frame
      frame = links.next[Int(frame)]
    }
    return found.count == list.count && last == list.tail ? found : nil
  }
}
