/// Which of several time-ordered streams comes next: a tree of losers (Knuth, The Art of Computer
/// Programming, volume 3, 5.4.1).
///
/// The next stream has won against all others, and each inner node holds who lost there. When it moves
/// on, it plays again on its own way to the root: as many comparisons as the tree is high, where a
/// heap takes twice as many. Ties go to the lower stream number.
///
/// A class because it owns its nodes, in memory that needs no check whether others hold it too.
final class StreamTree {
  /// A stream by its next time; no stream comes last.
  private struct Player {
    /// Behind all times, and one below the highest number: see ``precedes(_:fromLeft:)``.
    private static let atEnd = UInt64.max - 1

    var time = Player.atEnd
    var stream = UInt64.max

    init() {}
    init(time: UInt64, stream: UInt64) {
      self.time = min(time, Self.atEnd - 1)
      self.stream = stream
    }

    /// 1 if it comes before `other`, else 0. Streams lie in the tree by their numbers, so at equal times
    /// it does if it comes `fromLeft`, 1, and not 0.
    ///
    /// One comparison and no branch: who wins cannot be predicted where CPUs take turns.
    @inline(__always)
    func precedes(_ other: Player, fromLeft: UInt64) -> UInt64 {
      time < other.time &+ fromLeft ? 1 : 0
    }

    /// Without a branch, either.
    @inline(__always)
    mutating func swap(with other: inout Player, unless stays: UInt64) {
      let mask = stays &- 1
      let (otherTime, otherStream) = (other.time, other.stream)
      let times = (time ^ otherTime) & mask
      let streams = (stream ^ otherStream) & mask
      other.time = otherTime ^ times
      other.stream = otherStream ^ streams
      time ^= times
      stream ^= streams
    }
  }

  /// The losers from 1 on; the winner at 0.
  private let nodes: UnsafeMutablePointer<Player>
  private let leaves: Int

  /// A tree of streams by their number; nil for those that are at their end already.
  init(_ times: [UInt64?]) {
    var size = 1
    while size < times.count { size *= 2 }
    leaves = size
    // First all winners, from the leaves up, then at each node the one of two that goes no further.
    var winners = Array(repeating: Player(), count: 2 * size)
    for (stream, time) in times.enumerated() {
      if let time { winners[size + stream] = Player(time: time, stream: UInt64(stream)) }
    }
    nodes = .allocate(capacity: size)
    nodes.initialize(repeating: Player(), count: size)
    for node in stride(from: size - 1, to: 0, by: -1) {
      winners[node] = winners[2 * node]
      nodes[node] = winners[2 * node + 1]
      winners[node].swap(
        with: &nodes[node], unless: winners[node].precedes(nodes[node], fromLeft: 1))
    }
    nodes[0] = winners[1]
  }

  deinit { nodes.deallocate() }

  /// Whether no stream is left.
  var isEmpty: Bool { nodes[0].stream == .max }

  /// The stream that comes next.
  var first: Int { Int(truncatingIfNeeded: nodes[0].stream) }

  /// The first stream has moved on to `time`.
  func replaceFirst(time: UInt64) { play(Player(time: time, stream: nodes[0].stream)) }

  /// The first stream is at its end.
  func removeFirst() { play(Player()) }

  /// How far the first stream may run before another comes first: up to this time, inclusive. It may
  /// lie before the first stream's own time where that is one of the two highest numbers.
  var limit: UInt64 {
    var node = (leaves + first) >> 1
    var next = Player()
    while node > 0 {
      let isEarlier = nodes[node].time < next.time
      if isEarlier || (nodes[node].time == next.time && nodes[node].stream < next.stream) {
        next = nodes[node]
      }
      node >>= 1
    }
    if next.stream == .max { return .max }
    // At equal times the lower number goes first.
    return nodes[0].stream < next.stream ? next.time : (next.time == 0 ? 0 : next.time - 1)
  }

  private func play(_ player: Player) {
    var winner = player
    var child = UInt(bitPattern: leaves + first)
    while child > 1 {
      let node = nodes + Int(bitPattern: child &>> 1)
      winner.swap(
        with: &node.pointee,
        unless: winner.precedes(node.pointee, fromLeft: UInt64(~child & 1)))
      child &>>= 1
    }
    nodes[0] = winner
  }
}
