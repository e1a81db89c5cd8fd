/// What the trace has told about each page frame that it named.
///
/// Frames are kept in chunks of ``chunkFrames`` consecutive pfns, found through an open-addressing
/// table, so memory is proportional to the frames that a trace names and not to the highest pfn. A
/// chunk's frames have consecutive indices, which policies use for state of their own. States lie in
/// owned raw memory: one is read and written at nearly every allocation and free.
///
/// Invariant: an index, once given, stands for the same pfn until the end; it lies below
/// ``indexCount``, which is at most the capacity.
struct FrameTable: ~Copyable {
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
      get { bits[bit: 29] }
      set { bits[bit: 29] = newValue }
    }
    /// Whether it was ever freed with a flush of one mm, whatever became of it since.
    var wasUnmapped: Bool {
      get { bits[bit: 28] }
      set { bits[bit: 28] = newValue }
    }
    /// Whether it is free and was freed behind a flush of one mm.
    var isFreedBehindFlush: Bool {
      get { bits[bit: 27] }
      set { bits[bit: 27] = newValue }
    }
    /// The batch, 0 is none; of a frame freed with one or behind a flush its number among
    /// ``BatchNumbers``. Others wrap (``batchLimit``), far beyond any frame's stay in a batch.
    var batch: UInt32 {
      get { bits & (Self.batchLimit - 1) }
      set { bits = bits & ~(Self.batchLimit - 1) | newValue & (Self.batchLimit - 1) }
    }

    static let batchLimit: UInt32 = 1 << 27
  }

  private var states: UnsafeMutablePointer<State>
  /// Chunks that there is room for.
  private var capacity = 64
  /// Frames that were not followed because the table was full or the number impossible.
  private(set) var untracked = 0
  /// Frames seen at least once.
  private(set) var framesSeen = 0

  private var keys: [UInt64]
  private var chunks: [UInt32]
  private var chunkKeys: [UInt64] = []
  private let chunkLimit: Int
  /// Chunks found lately, by the lower bits of their keys: frames are freed and allocated near each
  /// other.
  private let recent: UnsafeMutablePointer<(key: UInt64, base: Int)>
  private static let recentCount = 512

  private static let emptyKey = UInt64.max

  init(chunksMax: Int = FrameTable.chunksMax) {
    chunkLimit = min(chunksMax, Self.chunksMax)
    keys = Array(repeating: Self.emptyKey, count: 1024)
    chunks = Array(repeating: 0, count: 1024)
    states = .allocate(capacity: capacity * Self.chunkFrames)
    recent = .allocate(capacity: Self.recentCount)
    recent.initialize(repeating: (Self.emptyKey, 0), count: Self.recentCount)
  }

  deinit {
    states.deallocate()
    recent.deallocate()
  }

  /// Indices given so far lie below this.
  var indexCount: Int { chunkKeys.count * Self.chunkFrames }

  /// The index of a frame; adds it. nil when it cannot be followed.
  @inline(__always)
  mutating func index(of pfn: UInt64) -> Int? {
    let key = pfn >> 6
    let slot = Int(truncatingIfNeeded: key) & (Self.recentCount &- 1)
    if recent[slot].key != key {
      guard let base = chunkBase(key) else { return nil }
      recent[slot] = (key, base)
    }
    return recent[slot].base &+ Int(truncatingIfNeeded: pfn & 63)
  }

  /// The index of a frame if it has one.
  func knownIndex(of pfn: UInt64) -> Int? {
    let key = pfn >> 6
    let slot = Int(truncatingIfNeeded: key) & (Self.recentCount - 1)
    let offset = Int(truncatingIfNeeded: pfn & 63)
    if recent[slot].key == key { return recent[slot].base + offset }
    return knownBase(key).map { $0 + offset }
  }

  /// The frame number of an index.
  func pfn(_ index: Int) -> UInt64 {
    chunkKeys[index / Self.chunkFrames] << 6 | UInt64(index % Self.chunkFrames)
  }

  /// State of a frame by index.
  subscript(index: Int) -> State {
    @inline(__always) get {
      precondition(index >= 0 && index < indexCount, "no such frame")
      return states[index]
    }
    @inline(__always) set {
      precondition(index >= 0 && index < indexCount, "no such frame")
      if states[index].life == .unknown, newValue.life != .unknown { framesSeen += 1 }
      states[index] = newValue
    }
  }

  private func knownBase(_ key: UInt64) -> Int? {
    var slot = Self.hash(key) & (keys.count - 1)
    while keys[slot] != Self.emptyKey {
      if keys[slot] == key { return Int(chunks[slot]) * Self.chunkFrames }
      slot = (slot + 1) & (keys.count - 1)
    }
    return nil
  }

  @inline(never)
  private mutating func chunkBase(_ key: UInt64) -> Int? {
    if let base = knownBase(key) { return base }
    guard key < Self.pfnLimit >> 6, chunkKeys.count < chunkLimit else {
      untracked += 1
      return nil
    }
    if chunkKeys.count == capacity { makeRoom() }
    let chunk = chunkKeys.count
    chunkKeys.append(key)
    (states + chunk * Self.chunkFrames).initialize(repeating: State(), count: Self.chunkFrames)
    enter(key, UInt32(chunk))
    if chunkKeys.count * 2 > keys.count { grow() }
    return chunk * Self.chunkFrames
  }

  private mutating func makeRoom() {
    let more = UnsafeMutablePointer<State>.allocate(capacity: capacity * 2 * Self.chunkFrames)
    more.update(from: states, count: capacity * Self.chunkFrames)
    states.deallocate()
    states = more
    capacity *= 2
  }

  private mutating func enter(_ key: UInt64, _ chunk: UInt32) {
    var slot = Self.hash(key) & (keys.count - 1)
    while keys[slot] != Self.emptyKey { slot = (slot + 1) & (keys.count - 1) }
    keys[slot] = key
    chunks[slot] = chunk
  }

  private mutating func grow() {
    keys = Array(repeating: Self.emptyKey, count: keys.count * 2)
    chunks = Array(repeating: 0, count: keys.count)
    for (chunk, key) in chunkKeys.enumerated() { enter(key, UInt32(chunk)) }
  }

  /// Fibonacci hashing: consecutive chunk numbers spread over the table.
  private static func hash(_ key: UInt64) -> Int {
    Int(truncatingIfNeeded: (key &* 0x9e37_79b9_7f4a_7c15) >> 33)
  }
}
