/// A stretch of records in memory whose times do not decrease, and where its merging stands.
struct SortedRun {
  /// Time of the record at ``position``.
  var time: UInt64
  /// Its CPU: of records of one time the lower CPU comes first.
  var cpu: UInt16
  /// The first record not yet taken.
  var position: UnsafeRawPointer
  /// Where the stretch ends.
  var end: UnsafeRawPointer
  /// Order of arrival, for records that agree in time and CPU; set by the sorter.
  fileprivate(set) var arrival: UInt64 = 0
  /// Which held buffer it lies in; set by the sorter.
  fileprivate(set) var hold: Int32 = -1

  init(
    time: UInt64, cpu: UInt16, position: UnsafeRawPointer, end: UnsafeRawPointer
  ) {
    self.time = time
    self.cpu = cpu
    self.position = position
    self.end = end
  }

  @inline(__always)
  fileprivate func precedes(_ other: SortedRun) -> Bool {
    if time != other.time { return time < other.time }
    if cpu != other.cpu { return cpu < other.cpu }
    return arrival < other.arrival
  }
}

/// Merges records that arrive in rounds, by time.
///
/// A recorder empties the CPUs' buffers one after the other and marks the end of each such round. A
/// record that is older than everything seen before the *previous* mark should not come any more:
///
///     CPU 0  |--a---b-|----e---|----h---|
///     CPU 1  |-c---d--|--f---g-|-i------|       after mark 2 all up to d should be complete
///            mark 1 ^    mark 2 ^    mark 3 ^   and go after mark 3
///
/// It does come in practice, where the CPUs' clocks differ by more than the recorder's pace allows
/// (seen: 250 us late, in a recording that perf script prints out of order), so one more round is
/// waited for; that costs next to nothing here.
///
/// Within a CPU's buffer records are nearly sorted, so what is held are stretches (40 bytes each),
/// not records: the records stay where they are, in the mapped file or in decompressed buffers that
/// the sorter keeps alive as long as it needs them.
///
/// Source of the rule: `process_finished_round` of tools/perf/util/ordered-events.c, Linux 6.12.
struct RoundSorter {
  private struct Hold {
    var bytes: OwnedBytes?
    var runs: Int
  }

  /// Stretches held at most; more means that the input is hardly sorted at all.
  static let runsMax = 1 << 18
  /// Bytes of decompressed buffers held at most.
  static let heldBytesMax = 256 << 20

  private var heap: [SortedRun] = []
  private var holds: [Hold] = []
  private var arrivals: UInt64 = 0
  private var latest: UInt64 = 0
  private var latestAtMark: UInt64 = 0
  private var latestAtMarkBefore: UInt64 = 0
  /// Decompressed bytes kept alive now.
  private(set) var heldBytes = 0
  /// Records up to this time may be taken; `nil` before the first mark.
  private(set) var limit: UInt64?

  /// Whether nothing is left.
  var isEmpty: Bool { heap.isEmpty }

  /// Whether so much is held that records must be let go before their time.
  var isOverfull: Bool {
    heap.count > Self.runsMax || heldBytes > Self.heldBytesMax
  }

  /// Adds a stretch whose last record has `lastTime`; `bytes` are what it lies in, if it needs them kept.
  mutating func add(_ run: SortedRun, lastTime: UInt64, in bytes: OwnedBytes?) {
    var added = run
    added.arrival = arrivals
    arrivals += 1
    latest = max(latest, lastTime)
    if let bytes {
      if let last = holds.last, last.bytes === bytes {
        holds[holds.count - 1].runs += 1
      } else {
        holds.append(Hold(bytes: bytes, runs: 1))
        heldBytes += bytes.buffer.count
      }
      added.hold = Int32(truncatingIfNeeded: holds.count - 1)
    }
    heap.append(added)
    siftUp(heap.count - 1)
  }

  /// A round has ended: everything up to the latest time before the mark before the previous one may go.
  mutating func finishRound() {
    limit = max(limit ?? 0, latestAtMarkBefore)
    latestAtMarkBefore = latestAtMark
    latestAtMark = latest
  }

  /// The input has ended: everything may go.
  mutating func finish() { limit = .max }

  /// Too much is held: lets the older half of the time span go.
  mutating func release() {
    guard let first = heap.first else { return }
    let oldest = min(first.time, latest)
    limit = max(limit ?? 0, oldest + (latest - oldest) / 2)
  }

  /// The stretch with the earliest record, if that may be taken.
  @inline(__always)
  var next: SortedRun? {
    guard let limit, let first = heap.first, first.time <= limit else { return nil }
    return first
  }

  /// The earliest stretch's first record has been taken; its next one is at `position`.
  @inline(__always)
  mutating func advance(to position: UnsafeRawPointer, time: UInt64, cpu: UInt16) {
    heap[0].position = position
    heap[0].time = time
    heap[0].cpu = cpu
    siftDown()
  }

  /// The earliest stretch's last record has been taken.
  mutating func removeFirst() {
    guard let last = heap.popLast() else { return }
    var gone = last
    if !heap.isEmpty {
      gone = heap[0]
      heap[0] = last
      siftDown()
    }
    guard gone.hold >= 0 else { return }
    let hold = Int(gone.hold)
    holds[hold].runs -= 1
    if holds[hold].runs == 0 {
      heldBytes -= holds[hold].bytes?.buffer.count ?? 0
      holds[hold].bytes = nil
    }
  }

  private mutating func siftUp(_ start: Int) {
    var index = start
    while index > 0 {
      let parent = (index - 1) / 2
      guard heap[index].precedes(heap[parent]) else { return }
      heap.swapAt(index, parent)
      index = parent
    }
  }

  @inline(__always)
  private mutating func siftDown() {
    heap.withUnsafeMutableBufferPointer { heap in
      let moved = heap[0]
      var index = 0
      while true {
        var child = index &* 2 &+ 1
        if child >= heap.count { break }
        if child &+ 1 < heap.count, heap[child &+ 1].precedes(heap[child]) { child &+= 1 }
        if moved.precedes(heap[child]) { break }
        heap[index] = heap[child]
        index = child
      }
      heap[index] = moved
    }
  }
}
