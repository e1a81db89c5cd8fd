/// What the trace has told about each page frame that it named.
///
/// Frames are kept in chunks of ``chunkFrames`` consecutive pfns, found through an open-addressing
/// table, so memory is proportional to the frames that a trace names and not to the highest pfn. A
/// chunk's frames have consecutive indices, which policies use for state of their own.
///
/// Invariant: an index, once given, stands for the same pfn until the end.
struct FrameTable {
  /// Frames in a chunk: small enough that scattered pfns cost little, and one cache line or four.
  static let chunkFrames = 64
  /// Chunks kept: 2^20 of 64 frames of 4 KiB are 256 GiB of memory that the trace touched.
  static let chunksMax = 1 << 20
  /// Frame numbers are below this: 52 bits of physical address less 12 of offset (Intel SDM 4.5).
  static let pfnLimit: UInt64 = 1 << 40

  /// What is known of a frame, and which unmap batch it was last seen in.
  ///
  /// Two bits of state, one that says that its free belongs to a flushed batch, one that it belongs to
  /// a flush of one mm, one that it did some time, 27 of batch number.
  struct State: Equatable {
    private var bits: UInt32 = 0

    enum Life: UInt32 { case unknown = 0, allocated = 1, free = 2 }

    var life: Life {
      get { Life(rawValue: bits >> 30) ?? .unknown }
      set { bits = bits & 0x3fff_ffff | newValue.rawValue << 30 }
    }
    /// Whether the frame is free and was freed with a flushed unmap batch.
    var isFreedWithBatch: Bool {
      get { bits >> 29 & 1 != 0 }
      set { bits = bits & ~(1 << 29) | (newValue ? 1 << 29 : 0) }
    }
    /// Whether it was ever freed with a flush of one mm, whatever became of it since.
    var wasUnmapped: Bool {
      get { bits >> 28 & 1 != 0 }
      set { bits = bits & ~(1 << 28) | (newValue ? 1 << 28 : 0) }
    }
    /// Whether it is free and was freed behind a flush of one mm.
    var isFreedBehindFlush: Bool {
      get { bits >> 27 & 1 != 0 }
      set { bits = bits & ~(1 << 27) | (newValue ? 1 << 27 : 0) }
    }
    /// The batch, 0 is none; of a frame freed with one or behind a flush its number among
    /// ``BatchNumbers``. Others wrap (``batchLimit``), far beyond any frame's stay in a batch.
    var batch: UInt32 {
      get { bits & (Self.batchLimit - 1) }
      set { bits = bits & ~(Self.batchLimit - 1) | newValue & (Self.batchLimit - 1) }
    }

    static let batchLimit: UInt32 = 1 << 27
  }

  private(set) var states: [State] = []
  /// Frames that were not followed because the table was full or the number impossible.
  private(set) var untracked = 0
  /// Frames seen at least once.
  private(set) var framesSeen = 0

  private var keys: [UInt64]
  private var chunks: [UInt32]
  private var chunkKeys: [UInt64] = []
  private let chunkLimit: Int
  private var lastKey = UInt64.max
  private var lastBase = 0

  private static let emptyKey = UInt64.max

  init(chunksMax: Int = FrameTable.chunksMax) {
    chunkLimit = min(chunksMax, Self.chunksMax)
    keys = Array(repeating: Self.emptyKey, count: 1024)
    chunks = Array(repeating: 0, count: 1024)
  }

  /// Indices given so far lie below this.
  var indexCount: Int { states.count }

  /// The index of a frame; adds it. nil when it cannot be followed.
  mutating func index(of pfn: UInt64) -> Int? {
    let key = pfn >> 6
    if key == lastKey { return lastBase &+ Int(pfn & 63) }
    guard pfn < Self.pfnLimit else {
      untracked += 1
      return nil
    }
    guard let base = chunkBase(key) else {
      untracked += 1
      return nil
    }
    lastKey = key
    lastBase = base
    return base + Int(pfn & 63)
  }

  /// The index of a frame if it has one.
  func knownIndex(of pfn: UInt64) -> Int? {
    let key = pfn >> 6
    if key == lastKey { return lastBase &+ Int(pfn & 63) }
    var slot = Self.hash(key) & (keys.count - 1)
    while keys[slot] != Self.emptyKey {
      if keys[slot] == key { return Int(chunks[slot]) * Self.chunkFrames + Int(pfn & 63) }
      slot = (slot + 1) & (keys.count - 1)
    }
    return nil
  }

  /// The frame number of an index.
  func pfn(_ index: Int) -> UInt64 {
    chunkKeys[index / Self.chunkFrames] << 6 | UInt64(index % Self.chunkFrames)
  }

  /// State of a frame by index.
  subscript(index: Int) -> State {
    get { states[index] }
    set {
      if states[index].life == .unknown, newValue.life != .unknown { framesSeen += 1 }
      states[index] = newValue
    }
  }

  private mutating func chunkBase(_ key: UInt64) -> Int? {
    var slot = Self.hash(key) & (keys.count - 1)
    while keys[slot] != Self.emptyKey {
      if keys[slot] == key { return Int(chunks[slot]) * Self.chunkFrames }
      slot = (slot + 1) & (keys.count - 1)
    }
    guard chunkKeys.count < chunkLimit else { return nil }
    keys[slot] = key
    chunks[slot] = UInt32(chunkKeys.count)
    let base = chunkKeys.count * Self.chunkFrames
    chunkKeys.append(key)
    states.append(contentsOf: repeatElement(State(), count: Self.chunkFrames))
    if chunkKeys.count * 2 > keys.count { grow() }
    return base
  }

  private mutating func grow() {
    let oldKeys = keys
    let oldChunks = chunks
    keys = Array(repeating: Self.emptyKey, count: oldKeys.count * 2)
    chunks = Array(repeating: 0, count: oldKeys.count * 2)
    for old in oldKeys.indices where oldKeys[old] != Self.emptyKey {
      var slot = Self.hash(oldKeys[old]) & (keys.count - 1)
      while keys[slot] != Self.emptyKey { slot = (slot + 1) & (keys.count - 1) }
      keys[slot] = oldKeys[old]
      chunks[slot] = oldChunks[old]
    }
  }

  /// Fibonacci hashing: consecutive chunk numbers spread over the table.
  private static func hash(_ key: UInt64) -> Int {
    Int(truncatingIfNeeded: (key &* 0x9e37_79b9_7f4a_7c15) >> 33)
  }
}
