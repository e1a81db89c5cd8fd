/// What a trace has told of each page frame that it named: a byte a frame.
///
/// Frames are kept in chunks of ``chunkFrames`` consecutive ones, found through an open-addressing
/// table, so memory is proportional to the frames that a trace names and not to the highest of them.
/// States lie in owned raw memory: one is read and written at nearly every allocation and free.
///
/// Invariant: an index that was given lies below `chunkKeys.count * chunkFrames`, which is at most
/// the capacity.
struct FrameStates: ~Copyable {
  /// Frames in a chunk: 2 MiB of memory, the kernel's pageblock.
  static let chunkFrames = 512
  /// Chunks kept: 2^17 of 2 MiB are 256 GiB of memory that the trace touched.
  static let chunksMax = 1 << 17
  /// Frame numbers are below this: 52 bits of physical address less 12 of offset (Intel SDM 4.5).
  static let frameLimit: UInt64 = 1 << 40

  /// Nothing known; in use; free. Bits 0 and 1 of a state.
  static let unknown: UInt8 = 0
  static let used: UInt8 = 1
  static let free: UInt8 = 2
  static let life: UInt8 = 3
  /// The frame is the target of a migration that is under way.
  static let isTarget: UInt8 = 4

  private var states: UnsafeMutablePointer<UInt8>
  /// By chunk: index of the node of all its frames; -1 where they are not all of one.
  private var nodes: UnsafeMutablePointer<Int32>
  /// Chunks that there is room for.
  private var capacity = 64
  /// Events on frames that were not followed because the table was full.
  private(set) var untracked = 0

  private let map: NodeMap
  private let chunkLimit: Int
  private var keys: [UInt64]
  private var chunks: [UInt32]
  private var chunkKeys: [UInt64] = []
  /// Chunks found lately, by the lower bits of their keys.
  private let recent: UnsafeMutablePointer<(key: UInt64, chunk: Int)>
  private static let recentCount = 256
  private static let emptyKey = UInt64.max

  init(_ map: NodeMap, chunksMax: Int = FrameStates.chunksMax) {
    self.map = map
    chunkLimit = min(chunksMax, Self.chunksMax)
    keys = Array(repeating: Self.emptyKey, count: 1024)
    chunks = Array(repeating: 0, count: 1024)
    states = .allocate(capacity: capacity * Self.chunkFrames)
    nodes = .allocate(capacity: capacity)
    recent = .allocate(capacity: Self.recentCount)
    recent.initialize(repeating: (Self.emptyKey, 0), count: Self.recentCount)
  }

  deinit {
    states.deallocate()
    nodes.deallocate()
    recent.deallocate()
  }

  /// The index of a frame; adds it. nil when it cannot be followed.
  @inline(__always)
  mutating func index(of frame: UInt64) -> Int? {
    let key = frame >> 9
    let slot = Int(truncatingIfNeeded: key) & (Self.recentCount &- 1)
    if recent[slot].key != key {
      guard let found = chunk(key) else { return nil }
      recent[slot] = (key, found)
    }
    return recent[slot].chunk &* Self.chunkFrames &+ Int(truncatingIfNeeded: frame & 511)
  }

  /// Index of the node of a frame, -1 where unknown; `index` is that of the frame.
  @inline(__always)
  func node(_ frame: UInt64, _ index: Int) -> Int {
    let node = Int(nodes[index / Self.chunkFrames])
    return node >= 0 ? node : map.node(of: frame) ?? -1
  }

  subscript(index: Int) -> UInt8 {
    @inline(__always) get {
      assert(index < chunkKeys.count * Self.chunkFrames)
      return states[index]
    }
    @inline(__always) set {
      assert(index < chunkKeys.count * Self.chunkFrames)
      states[index] = newValue
    }
  }

  @inline(never)
  private mutating func chunk(_ key: UInt64) -> Int? {
    guard key < Self.frameLimit >> 9 else {
      untracked += 1
      return nil
    }
    var slot = Self.hash(key) & (keys.count - 1)
    while keys[slot] != Self.emptyKey {
      if keys[slot] == key { return Int(chunks[slot]) }
      slot = (slot + 1) & (keys.count - 1)
    }
    guard chunkKeys.count < chunkLimit else {
      untracked += 1
      return nil
    }
    let chunk = chunkKeys.count
    if chunk == capacity { makeRoom() }
    keys[slot] = key
    chunks[slot] = UInt32(chunk)
    chunkKeys.append(key)
    (states + chunk * Self.chunkFrames).initialize(repeating: Self.unknown, count: Self.chunkFrames)
    let start = key << 9
    nodes[chunk] = Int32(map.node(ofAll: start, start + UInt64(Self.chunkFrames)) ?? -1)
    if chunkKeys.count * 2 > keys.count { grow() }
    return chunk
  }

  private mutating func makeRoom() {
    let moreStates = UnsafeMutablePointer<UInt8>.allocate(
      capacity: capacity * 2 * Self.chunkFrames)
    moreStates.update(from: states, count: capacity * Self.chunkFrames)
    let moreNodes = UnsafeMutablePointer<Int32>.allocate(capacity: capacity * 2)
    moreNodes.update(from: nodes, count: capacity)
    states.deallocate()
    nodes.deallocate()
    (states, nodes) = (moreStates, moreNodes)
    capacity *= 2
  }

  private mutating func grow() {
    keys = Array(repeating: Self.emptyKey, count: keys.count * 2)
    chunks = Array(repeating: 0, count: keys.count)
    for (chunk, key) in chunkKeys.enumerated() {
      var slot = Self.hash(key) & (keys.count - 1)
      while keys[slot] != Self.emptyKey { slot = (slot + 1) & (keys.count - 1) }
      keys[slot] = key
      chunks[slot] = UInt32(chunk)
    }
  }

  /// Fibonacci hashing: consecutive chunk numbers spread over the table.
  private static func hash(_ key: UInt64) -> Int {
    Int(truncatingIfNeeded: (key &* 0x9e37_79b9_7f4a_7c15) >> 33)
  }
}
