/// Which of several time-ordered streams comes next: a binary heap of (time, stream number).
///
/// Ties go to the lower stream number, so that the merged order does not depend on the heap's history.
struct StreamHeap {
  private var times: [UInt64] = []
  private var streams: [Int] = []

  /// Whether no stream is left.
  var isEmpty: Bool { times.isEmpty }

  /// The stream that comes next.
  var first: Int { streams[0] }

  /// Adds a stream whose next time is `time`.
  mutating func insert(_ stream: Int, time: UInt64) {
    times.append(time)
    streams.append(stream)
    var child = times.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard precedes(child, parent) else { break }
      swap(child, parent)
      child = parent
    }
  }

  /// The first stream has moved on to `time`.
  mutating func replaceFirst(time: UInt64) {
    times[0] = time
    sink()
  }

  /// The first stream is at its end.
  mutating func removeFirst() {
    let last = times.count - 1
    swap(0, last)
    times.removeLast()
    streams.removeLast()
    if last > 0 { sink() }
  }

  /// How far the first stream may run before another comes first: up to this time, inclusive.
  var limit: UInt64 {
    guard times.count > 1 else { return .max }
    let runnerUp = times.count > 2 && precedes(2, 1) ? 2 : 1
    let time = times[runnerUp]
    // At equal times the lower number goes first.
    return streams[0] < streams[runnerUp] ? time : (time == 0 ? 0 : time - 1)
  }

  private func precedes(_ a: Int, _ b: Int) -> Bool {
    times[a] < times[b] || (times[a] == times[b] && streams[a] < streams[b])
  }

  private mutating func swap(_ a: Int, _ b: Int) {
    times.swapAt(a, b)
    streams.swapAt(a, b)
  }

  private mutating func sink() {
    var parent = 0
    while true {
      var child = 2 * parent + 1
      guard child < times.count else { return }
      if child + 1 < times.count, precedes(child + 1, child) { child += 1 }
      guard precedes(child, parent) else { return }
      swap(child, parent)
      parent = child
    }
  }
}
