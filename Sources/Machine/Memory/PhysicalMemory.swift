/// All memory of the modelled machine: free lists, per-CPU lists and LRU lists of every node.
///
/// One zone a node and one migratetype: the order in which frames come back is the kernel's, the
/// splitting of memory by mobility is left out. Frames are numbered from 0 over all nodes, each node
/// from a whole block of order 10 on.
///
/// Invariant: each frame is in exactly one ``FramePlace``, and in a list as that place says.
public struct PhysicalMemory: Sendable {
  /// `MAX_PAGE_ORDER` of x86-64.
  public static let orderMax = 10

  /// A node's zone.
  struct Zone: Sendable {
    var base: Int32
    var end: Int32
    var managed: Int
    var watermarks: ZoneWatermarks
    var free: [FrameList]
    var freePages = 0
    var perCPU: [PerCPUPages]
    /// `ZONE_BELOW_HIGH` and `ZONE_RECLAIM_ACTIVE`.
    var isBelowHigh = false
    var isReclaimActive = false
    var lru: [FrameList]
  }

  var links: FrameLinks
  var zones: [Zone] = []
  /// Place of each frame; order of the free block that a head begins; LRU list + 1, 0 none.
  private(set) var places: [UInt8]
  private var orders: [UInt8]
  var lruOf: [UInt8]
  /// `PG_referenced`.
  var referencedMarks: [Bool]

  /// Frames that the last call moved from buddy to a per-CPU list, or back, in that order.
  public private(set) var refilled: [Int32] = []
  /// See ``refilled``.
  public private(set) var drained: [Int32] = []

  /// Memory in which everything is free.
  public init(
    nodes: [MemoryNode], cpus: Int, minFreeKilobytes: Int?, watermarkScaleFactor: Int
  ) {
    let managed = nodes.map { max($0.pages, 1) }
    let block = 1 << Self.orderMax
    let frames = managed.reduce(0) { $0 + ($1 + block - 1) / block * block }
    links = FrameLinks(frames: frames)
    places = Array(repeating: FramePlace.hole.rawValue, count: frames)
    orders = Array(repeating: 0, count: frames)
    lruOf = Array(repeating: 0, count: frames)
    referencedMarks = Array(repeating: false, count: frames)
    let marks = ZoneWatermarks.zones(
      managed: managed,
      minFreeKilobytes: minFreeKilobytes
        ?? ZoneWatermarks.defaultMinFreeKilobytes(managedPages: managed.reduce(0, +)),
      scaleFactor: watermarkScaleFactor)
    var base = 0
    for (node, shape) in nodes.enumerated() {
      let end = base + (managed[node] + block - 1) / block * block
      let sharing = shape.cpus.isEmpty ? cpus : shape.cpus.count
      let list = PerCPUPages(
        managed: managed[node], lowWatermark: marks[node].low, cpusSharing: sharing)
      zones.append(
        Zone(
          base: Int32(base), end: Int32(end), managed: managed[node], watermarks: marks[node],
          free: Array(repeating: FrameList(), count: Self.orderMax + 1),
          perCPU: Array(repeating: list, count: cpus),
          lru: Array(repeating: FrameList(), count: LRUKind.allCases.count)))
      addFree(node, managed[node])
      base = end
    }
  }

  /// Cuts a new zone into the largest blocks, lowest address first in each list.
  private mutating func addFree(_ node: Int, _ pages: Int) {
    var frame = Int(zones[node].base)
    let end = frame + pages
    while frame < end {
      var order = Self.orderMax
      while frame & (1 << order - 1) != 0 || frame + 1 << order > end { order -= 1 }
      putBlock(Int32(frame), order, node, atTail: true)
      zones[node].freePages += 1 << order
      frame += 1 << order
    }
  }

  // MARK: What it says of itself

  /// Frame numbers lie below this.
  public var frameCount: Int { places.count }
  /// Nodes.
  public var nodeCount: Int { zones.count }
  /// A node's watermarks.
  public func watermarks(_ node: Int) -> ZoneWatermarks { zones[node].watermarks }
  /// Free pages of a node, per-CPU lists not counted (`NR_FREE_PAGES`).
  public func freePages(_ node: Int) -> Int { zones[node].freePages }
  /// Pages that the kernel manages on it.
  public func managedPages(_ node: Int) -> Int { zones[node].managed }
  /// Place of a frame.
  public func place(_ frame: Int32) -> FramePlace {
    FramePlace(rawValue: places[Int(frame)]) ?? .hole
  }
  /// Node of a frame.
  public func node(of frame: Int32) -> Int {
    var node = 0
    while frame >= zones[node].end { node += 1 }
    return node
  }

  // MARK: Allocation

  /// Whether an allocation of one page may use a node up to the low mark, or only up to the min mark.
  ///
  /// Linux 6.12 `get_page_from_freelist`: crossing the high mark is noted on the way.
  public mutating func admits(_ node: Int, upToMin: Bool = false) -> Bool {
    if !zones[node].isBelowHigh {
      if zones[node].freePages > zones[node].watermarks.high { return true }
      zones[node].isBelowHigh = true
    }
    let marks = zones[node].watermarks
    return zones[node].freePages > (upToMin ? marks.min : marks.low)
  }

  /// Whether `cpu`'s list of a node is empty, so that the next frame comes from buddy.
  public func needsRefill(_ node: Int, cpu: Int) -> Bool {
    zones[node].perCPU[cpu].list.count == 0
  }

  /// Takes a frame of a node through `cpu`'s list; nil if it has none. ``refilled`` tells what moved.
  public mutating func take(_ node: Int, cpu: Int) -> Int32? {
    refilled.removeAll(keepingCapacity: true)
    if zones[node].perCPU[cpu].list.count == 0 {
      var wanted = zones[node].perCPU[cpu].refillSize(isZoneBelowHigh: zones[node].isBelowHigh)
      while wanted > 0, let frame = takeFromBuddy(node) {
        places[Int(frame)] = FramePlace.perCPU.rawValue
        links.pushTail(frame, &zones[node].perCPU[cpu].list)
        refilled.append(frame)
        wanted -= 1
      }
    }
    let frame = zones[node].perCPU[cpu].list.head
    guard frame >= 0 else { return nil }
    links.remove(frame, &zones[node].perCPU[cpu].list)
    zones[node].perCPU[cpu].noteAllocation()
    places[Int(frame)] = FramePlace.allocated.rawValue
    return frame
  }

  /// Gives a frame back to `cpu`'s list. ``drained`` tells what moved on to buddy.
  ///
  /// - Precondition: it is allocated and on no LRU list.
  public mutating func give(_ frame: Int32, cpu: Int) {
    precondition(places[Int(frame)] == FramePlace.allocated.rawValue && lruOf[Int(frame)] == 0)
    drained.removeAll(keepingCapacity: true)
    let node = node(of: frame)
    referencedMarks[Int(frame)] = false
    places[Int(frame)] = FramePlace.perCPU.rawValue
    links.pushHead(frame, &zones[node].perCPU[cpu].list)
    let leaving = zones[node].perCPU[cpu].noteFree(
      isReclaimActive: zones[node].isReclaimActive, isZoneBelowHigh: zones[node].isBelowHigh)
    drain(node, cpu, leaving)
    if leaving > 0, zones[node].isBelowHigh,
      zones[node].freePages > zones[node].watermarks.high
    {
      zones[node].isBelowHigh = false
    }
  }

  /// Empties `cpu`'s list of a node (`drain_all_pages`, for one CPU). ``drained`` tells what moved.
  public mutating func drainAll(_ node: Int, cpu: Int) {
    drained.removeAll(keepingCapacity: true)
    drain(node, cpu, zones[node].perCPU[cpu].list.count)
  }

  /// The second's decay of `cpu`'s list of a node. ``drained`` tells what moved.
  public mutating func decay(_ node: Int, cpu: Int) {
    drained.removeAll(keepingCapacity: true)
    let leaving = zones[node].perCPU[cpu].decay()
    drain(node, cpu, leaving)
  }

  /// Says whether kswapd works on a node (`ZONE_RECLAIM_ACTIVE`), which keeps per-CPU lists short.
  public mutating func setReclaimActive(_ node: Int, _ isActive: Bool) {
    zones[node].isReclaimActive = isActive
  }

  private mutating func drain(_ node: Int, _ cpu: Int, _ count: Int) {
    for _ in 0..<count {
      let frame = zones[node].perCPU[cpu].list.tail
      guard frame >= 0 else { return }
      links.remove(frame, &zones[node].perCPU[cpu].list)
      drained.append(frame)
      giveToBuddy(frame, node)
    }
  }

  // MARK: Buddy

  private mutating func putBlock(_ frame: Int32, _ order: Int, _ node: Int, atTail: Bool) {
    places[Int(frame)] = FramePlace.buddyHead.rawValue
    orders[Int(frame)] = UInt8(order)
    for body in Int(frame) + 1..<Int(frame) + 1 << order {
      places[body] = FramePlace.buddyBody.rawValue
    }
    if atTail {
      links.pushTail(frame, &zones[node].free[order])
    } else {
      links.pushHead(frame, &zones[node].free[order])
    }
  }

  private func isFreeBlock(_ frame: Int32, _ order: Int, _ node: Int) -> Bool {
    frame >= zones[node].base && frame < zones[node].end
      && places[Int(frame)] == FramePlace.buddyHead.rawValue && Int(orders[Int(frame)]) == order
  }

  /// `rmqueue_buddy` for order 0: the smallest block's first page, halves go back (`expand`).
  private mutating func takeFromBuddy(_ node: Int) -> Int32? {
    for order in 0...Self.orderMax where zones[node].free[order].count > 0 {
      let frame = zones[node].free[order].head
      links.remove(frame, &zones[node].free[order])
      var half = order
      while half > 0 {
        half -= 1
        putBlock(frame + 1 << half, half, node, atTail: false)
      }
      places[Int(frame)] = FramePlace.allocated.rawValue
      zones[node].freePages -= 1
      return frame
    }
    return nil
  }

  /// `__free_one_page` for order 0: merges, and goes to the tail where a further merge is likely.
  private mutating func giveToBuddy(_ freed: Int32, _ node: Int) {
    var frame = freed
    var order = 0
    zones[node].freePages += 1
    while order < Self.orderMax {
      let buddy = frame ^ Int32(1 << order)
      guard isFreeBlock(buddy, order, node) else { break }
      links.remove(buddy, &zones[node].free[order])
      places[Int(max(frame, buddy))] = FramePlace.buddyBody.rawValue
      frame = min(frame, buddy)
      order += 1
    }
    var isMergeLikely = false
    if order < Self.orderMax - 1 {
      let parent = frame & ~Int32(1 << order)
      isMergeLikely = isFreeBlock(parent ^ Int32(1 << (order + 1)), order + 1, node)
    }
    // The rest of the block is marked already: only the first frame's state changes.
    places[Int(frame)] = FramePlace.buddyHead.rawValue
    if frame != freed { places[Int(freed)] = FramePlace.buddyBody.rawValue }
    orders[Int(frame)] = UInt8(order)
    if isMergeLikely {
      links.pushTail(frame, &zones[node].free[order])
    } else {
      links.pushHead(frame, &zones[node].free[order])
    }
  }
}
