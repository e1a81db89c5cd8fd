/// Which of several time-ordered streams comes next: a tree of losers (Knuth, The Art of Computer
/// Programming, volume 3, 5.4.1).
///
/// The next stream has won against all others, and each inner node holds who lost there. When it moves
/// on, it plays again on its own way to the root: as many comparisons as the tree is high, where a
/// heap takes twice as many. Ties go to the lower stream number.
struct StreamTree {
  /// A stream by its next time, then its number; no stream comes last.
  private struct Player {
    var time = UInt64.max
    var stream = UInt64.max

    @inline(__always)
    func precedes(_ other: Player) -> Bool {
      time == other.time ? stream < other.stream : time < other.time
    }

    /// Without a branch: who wins cannot be predicted where CPUs take turns.
    @inline(__always)
    mutating func swap(with other: inout Player, unless stays: Bool) {
      let mask: UInt64 = (stays ? 1 : 0) &- 1
      let times = (time ^ other.time) & mask
      let streams = (stream ^ other.stream) & mask
      time ^= times
      other.time ^= times
      stream ^= streams
      other.stream ^= streams
    }
  }

  /// The losers from 1 on; the winner at 0.
  private var nodes: [Player]
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
    nodes = Array(repeating: Player(), count: size)
    for node in stride(from: size - 1, to: 0, by: -1) {
      let isLeft = winners[2 * node].precedes(winners[2 * node + 1])
      winners[node] = winners[isLeft ? 2 * node : 2 * node + 1]
      nodes[node] = winners[isLeft ? 2 * node + 1 : 2 * node]
    }
    nodes[0] = winners[1]
  }

  /// Whether no stream is left.
  var isEmpty: Bool { nodes[0].stream == .max }

  /// The stream that comes next.
  var first: Int { Int(truncatingIfNeeded: nodes[0].stream) }

  /// The first stream has moved on to `time`.
  mutating func replaceFirst(time: UInt64) { play(Player(time: time, stream: nodes[0].stream)) }

  /// The first stream is at its end.
  mutating func removeFirst() { play(Player()) }

  /// How far the first stream may run before another comes first: up to this time, inclusive.
  var limit: UInt64 {
    var node = (leaves + first) >> 1
    var next = Player()
    nodes.withUnsafeBufferPointer { nodes in
      while node > 0 {
        if nodes[node].precedes(next) { next = nodes[node] }
        node >>= 1
      }
    }
    // At equal times the lower number goes first.
    return nodes[0].stream < next.stream ? next.time : (next.time == 0 ? 0 : next.time - 1)
  }

  private mutating func play(_ player: Player) {
    var winner = player
    var node = (leaves + first) >> 1
    nodes.withUnsafeMutableBufferPointer { nodes in
      while node > 0 {
        var loser = nodes[node]
        winner.swap(with: &loser, unless: winner.precedes(loser))
        nodes[node] = loser
        node >>= 1
      }
      nodes[0] = winner
    }
  }
}
