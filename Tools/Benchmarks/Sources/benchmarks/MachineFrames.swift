/// Frames of a machine of two nodes: who has which, in the order in which Linux takes and gives them.
///
/// A frame is in one place: in use, on a per-CPU list, or in buddy. Both of the latter are stacks,
/// so that what was freed last is taken first.
struct MachineFrames {
  static let nodes = 2
  /// Frames of each node that the mix moves about.
  static let framesPerNode = 98_304
  /// Pages moved at a time between buddy and a per-CPU list, and where such a list is full. Linux
  /// 6.12 `mm/page_alloc.c` `zone_batchsize`; the latter adapts, this is a common value.
  static let listBatch = 63
  static let listHigh = 256
  /// Free pages of a node: below the first kswapd wakes, at the second it sleeps.
  static let lowWatermark = 4_000
  static let highWatermark = 8_000
  static let minWatermark = 600

  /// A page of a file in the page cache.
  struct FilePage {
    var frame: UInt32
    var inode: UInt16
    var index: UInt32
  }

  private(set) var buddy: [[UInt32]] = []
  /// File pages by node, longest in the cache first, from `oldest` on. No page is in both.
  private var cache: [[FilePage]] = []
  private var oldest = [Int](repeating: 0, count: nodes)
  private var lists: [[UInt32]]

  init(cpus: Int) {
    lists = Array(repeating: [], count: cpus * Self.nodes)
    for node in 0..<Self.nodes {
      // Runs of neighbours, far apart from each other: memory that has been in use for a while.
      let run = 32
      let runs = Self.framesPerNode / run
      let frames = (0..<Self.framesPerNode).map { place in
        UInt32(0x10_0000 * (node + 1) + place / run * 1_319 % runs * run + place % run)
      }
      buddy.append(Array(frames[..<Self.highWatermark]))
      cache.append(
        frames[Self.highWatermark...].enumerated().map {
          FilePage(frame: $1, inode: UInt16(100 + $0 % 8), index: UInt32($0 / 8 + node << 16))
        })
    }
  }

  static func node(of frame: UInt32) -> Int { Int(frame >> 20) - 1 }

  /// Whether a CPU may allocate as much as an episode ever does.
  func hasRoom(_ node: Int) -> Bool { buddy[node].count > Self.minWatermark }

  func cached(_ node: Int) -> Int { cache[node].count - oldest[node] }

  /// A frame of a per-CPU list; nil if that is empty.
  mutating func take(_ cpu: Int, _ node: Int) -> UInt32? {
    lists[cpu * Self.nodes + node].popLast()
  }

  /// Fills a per-CPU list from buddy; the frames moved.
  mutating func refill(_ cpu: Int, _ node: Int) -> [UInt32] {
    let moved = Array(buddy[node].suffix(Self.listBatch).reversed())
    buddy[node].removeLast(moved.count)
    lists[cpu * Self.nodes + node] += moved.reversed()
    return moved
  }

  /// Gives a frame to a per-CPU list; whether that is full then.
  mutating func give(_ frame: UInt32, _ cpu: Int) -> Bool {
    let list = cpu * Self.nodes + Self.node(of: frame)
    lists[list].append(frame)
    return lists[list].count > Self.listHigh
  }

  /// Takes the oldest of a per-CPU list out, to be put into buddy when their events are written.
  mutating func drain(_ cpu: Int, _ node: Int) -> [UInt32] {
    let list = cpu * Self.nodes + node
    let moved = Array(lists[list].prefix(Self.listBatch))
    lists[list].removeFirst(moved.count)
    return moved
  }

  mutating func putInBuddy(_ frames: [UInt32]) {
    for frame in frames { buddy[Self.node(of: frame)].append(frame) }
  }

  mutating func putInCache(_ pages: [FilePage]) {
    for page in pages { cache[Self.node(of: page.frame)].append(page) }
  }

  /// Takes out the file pages that have been in the cache for longest.
  mutating func takeOldest(_ node: Int, _ count: Int) -> ArraySlice<FilePage> {
    let end = min(oldest[node] + count, cache[node].count)
    let taken = cache[node][oldest[node]..<end]
    oldest[node] = end
    if oldest[node] > 1 << 16 {
      cache[node].removeFirst(oldest[node])
      oldest[node] = 0
    }
    return taken
  }
}
