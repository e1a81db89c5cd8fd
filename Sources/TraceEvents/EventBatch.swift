/// Up to ``EventBatch/capacity`` events of one buffer instance, as columns.
///
/// A reader fills a batch, everybody behind it reads it. The columns are owned raw memory of fixed
/// size that is reused from batch to batch: no allocation an event, no growth. A row's payload is a
/// run of 64-bit words in one pool, in the order of its ``Tracepoint/fields``; rows of events that
/// the tool does not know carry none.
///
/// Invariant: `0 <= count <= capacity`, every `payloadStarts[i]` is a valid index into the pool, and
/// the pool holds at least the row's schema from there on.
@frozen
public struct EventBatch: ~Copyable {
  /// Rows in a batch: 16 Ki rows of some 48 bytes stay inside a 1 MiB L2 cache.
  @inlinable public static var capacity: Int { 16_384 }
  /// Words in the pool; a batch is full when either runs out.
  @inlinable public static var wordCapacity: Int { 98_304 }
  /// The most words that one row may need (8 fields and a mask of 4096 CPUs).
  @inlinable public static var wordsPerRowMax: Int { 80 }
  /// What a payload word holds when the trace does not record the field.
  @inlinable public static var absent: UInt64 { 1 << 63 }
  /// What the `cpus` column holds in dialects without a CPU column.
  @inlinable public static var unknownCPU: UInt16 { .max }
  /// What the `tasks` column holds in dialects without a thread id.
  @inlinable public static var unknownTask: Int32 { .min }

  @usableFromInline var rowsUsed = 0
  @usableFromInline var wordsUsed = 0
  /// The buffer instance that all rows belong to: an index into ``TraceFacts/instances``.
  public var instance = 0

  @usableFromInline let timestampColumn: UnsafeMutablePointer<UInt64>
  @usableFromInline let cpuColumn: UnsafeMutablePointer<UInt16>
  @usableFromInline let eventColumn: UnsafeMutablePointer<UInt16>
  @usableFromInline let taskColumn: UnsafeMutablePointer<Int32>
  @usableFromInline let payloadColumn: UnsafeMutablePointer<UInt32>
  @usableFromInline let wordPool: UnsafeMutablePointer<UInt64>

  /// An empty batch.
  public init() {
    timestampColumn = .allocate(capacity: Self.capacity)
    cpuColumn = .allocate(capacity: Self.capacity)
    eventColumn = .allocate(capacity: Self.capacity)
    taskColumn = .allocate(capacity: Self.capacity)
    payloadColumn = .allocate(capacity: Self.capacity)
    wordPool = .allocate(capacity: Self.wordCapacity)
  }

  deinit {
    timestampColumn.deallocate()
    cpuColumn.deallocate()
    eventColumn.deallocate()
    taskColumn.deallocate()
    payloadColumn.deallocate()
    wordPool.deallocate()
  }

  /// Forgets all rows.
  public mutating func removeAll() {
    rowsUsed = 0
    wordsUsed = 0
  }

  /// Rows in use.
  @inlinable
  public var count: Int { rowsUsed }

  /// Words in use.
  @inlinable
  public var wordCount: Int { wordsUsed }

  /// Whether another row of any shape may not fit.
  @inlinable
  public var isFull: Bool {
    count == Self.capacity || wordCount > Self.wordCapacity - Self.wordsPerRowMax
  }

  // MARK: Writing

  /// Adds a row and returns the pool where the caller must now write its `words` payload words.
  ///
  /// - Precondition: the batch is not full, `words <= wordsPerRowMax`.
  @inlinable
  @inline(__always)
  public mutating func append(
    timestamp: UInt64, cpu: UInt16, event: UInt16, task: Int32, words: Int
  ) -> UnsafeMutablePointer<UInt64> {
    precondition(
      count < Self.capacity && words <= Self.wordsPerRowMax
        && wordCount <= Self.wordCapacity - Self.wordsPerRowMax)
    let row = count
    timestampColumn[row] = timestamp
    cpuColumn[row] = cpu
    eventColumn[row] = event
    taskColumn[row] = task
    payloadColumn[row] = UInt32(truncatingIfNeeded: wordCount)
    let payload = wordPool + wordCount
    rowsUsed = row &+ 1
    wordsUsed &+= words
    return payload
  }

  /// Adds words behind the row just appended (the limbs of a CPU mask) and returns their index.
  @inlinable
  public mutating func appendWord(_ word: UInt64) -> Int {
    precondition(wordCount < Self.wordCapacity)
    wordPool[wordsUsed] = word
    wordsUsed &+= 1
    return wordCount &- 1
  }

  /// Puts a row, with its payload, in the place of an earlier one.
  @inlinable
  @inline(__always)
  public mutating func copyRow(_ row: Int, to place: Int) {
    precondition(place >= 0 && place <= row && row < count)
    timestampColumn[place] = timestampColumn[row]
    cpuColumn[place] = cpuColumn[row]
    eventColumn[place] = eventColumn[row]
    taskColumn[place] = taskColumn[row]
    payloadColumn[place] = payloadColumn[row]
  }

  /// Forgets all but the first rows.
  @inlinable
  public mutating func keepFirst(_ rows: Int) {
    precondition(rows >= 0 && rows <= count)
    rowsUsed = rows
  }

  // MARK: Reading

  /// Nanoseconds, or ticks of a clock that does not count them: see ``TraceFacts/timeUnit``.
  @inlinable
  @inline(__always)
  public func timestamp(_ row: Int) -> UInt64 {
    assert(row < count)
    return timestampColumn[row]
  }

  /// CPU number, or ``unknownCPU``.
  @inlinable
  @inline(__always)
  public func cpu(_ row: Int) -> UInt16 {
    assert(row < count)
    return cpuColumn[row]
  }

  /// Index into ``EventDirectory/names``; below ``EventKind/knownCount`` an ``EventKind``'s value.
  @inlinable
  @inline(__always)
  public func event(_ row: Int) -> UInt16 {
    assert(row < count)
    return eventColumn[row]
  }

  /// What the row means, nil for an event that the tool does not know.
  @inlinable
  public func kind(_ row: Int) -> EventKind? { EventKind(rawValue: event(row)) }

  /// Thread id of the task that ran, or ``unknownTask``.
  @inlinable
  @inline(__always)
  public func task(_ row: Int) -> Int32 {
    assert(row < count)
    return taskColumn[row]
  }

  /// Payload word `slot` of a row whose kind has that slot.
  @inlinable
  @inline(__always)
  public func word(_ row: Int, _ slot: Int) -> UInt64 {
    assert(row < count && Int(payloadColumn[row]) + slot < wordCount)
    return wordPool[Int(payloadColumn[row]) &+ slot]
  }

  /// The same word as a signed number.
  @inlinable
  @inline(__always)
  public func signedWord(_ row: Int, _ slot: Int) -> Int64 {
    Int64(bitPattern: word(row, slot))
  }

  /// Payload word `slot`, nil where the trace does not record the field.
  @inlinable
  public func value(_ row: Int, _ slot: Int) -> UInt64? {
    let found = word(row, slot)
    return found == Self.absent ? nil : found
  }

  /// The CPUs of a mask field, ascending; nil where the dialect cannot show the mask.
  ///
  /// The word of a mask is `start << 32 | count` of its 64-bit limbs in the pool, least significant
  /// first.
  public func cpuMask(row: Int, slot: Int) -> [Int]? {
    guard let packed = value(row, slot) else { return nil }
    let start = Int(packed >> 32)
    let limbs = Int(packed & 0xffff_ffff)
    guard start + limbs <= wordCount else { return nil }
    var cpus: [Int] = []
    for limb in 0..<limbs {
      var bits = wordPool[start + limb]
      while bits != 0 {
        cpus.append(limb * 64 + bits.trailingZeroBitCount)
        bits &= bits - 1
      }
    }
    return cpus
  }

  /// Limb `index` of the CPU mask that a mask field's word packs; nil beyond its end.
  public func maskLimb(_ packed: UInt64, _ index: Int) -> UInt64? {
    let place = Int(packed >> 32) &+ index
    guard index >= 0, index < Int(packed & 0xffff_ffff), place < wordCount else { return nil }
    return wordPool[place]
  }

  /// Writes the limbs of a CPU mask behind the row just appended and returns the word for its slot.
  public mutating func appendMask(_ limbs: [UInt64]) -> UInt64 {
    let start = wordCount
    for limb in limbs.prefix(64) { _ = appendWord(limb) }
    return UInt64(start) << 32 | UInt64(min(limbs.count, 64))
  }
}
