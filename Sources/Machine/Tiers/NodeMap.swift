public import TraceEvents

/// Which node a page frame belongs to, from the zones of /proc/zoneinfo.
///
/// Invariant: ranges ascend and do not overlap; frames that zones of two nodes span (interleaved
/// memory) belong to no range.
public struct NodeMap: Sendable, Equatable {
  /// Frames of one node.
  struct Range: Equatable {
    var start: UInt64
    var end: UInt64
    /// Index into ``nodes``.
    var node: Int
  }

  /// Node numbers, ascending.
  public let nodes: [Int]
  /// Frames that several nodes span, so that their node is unknown.
  public let framesAmbiguous: UInt64
  let ranges: [Range]

  /// No node is known.
  public static let unknown = NodeMap(MemorySnapshot(zones: []))

  /// The nodes of a snapshot.
  public init(_ snapshot: MemorySnapshot) {
    let numbers = Set(snapshot.zones.map(\.node)).sorted()
    let spans = snapshot.zones.filter { $0.spanned > 0 }.map { zone in
      Range(
        start: zone.startFrame, end: zone.startFrame &+ zone.spanned,
        node: numbers.firstIndex(of: zone.node) ?? 0)
    }
    nodes = numbers
    (ranges, framesAmbiguous) = Self.disjoint(spans)
  }

  /// Index into ``nodes`` of a frame's node; nil where no zone or more than one node has it.
  public func node(of frame: UInt64) -> Int? { node(ofAll: frame, frame) }

  /// The node of all frames from `start` to before `end`; nil where they are not all of one.
  func node(ofAll start: UInt64, _ end: UInt64) -> Int? {
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].end <= start { low = middle + 1 } else { high = middle }
    }
    guard low < ranges.count, ranges[low].start <= start, ranges[low].end >= end else { return nil }
    return ranges[low].node
  }

  /// Cuts spans at every edge and leaves out what more than one node has: a sweep over the edges.
  private static func disjoint(_ spans: [Range]) -> ([Range], UInt64) {
    var edges: [(place: UInt64, node: Int, opens: Bool)] = []
    for span in spans {
      edges.append((span.start, span.node, true))
      edges.append((span.end, span.node, false))
    }
    edges.sort { $0.place < $1.place }
    var open: [Int: Int] = [:]
    var found: [Range] = []
    var ambiguous: UInt64 = 0
    var last: UInt64 = 0
    for edge in edges {
      if edge.place > last, let node = open.keys.first {
        if open.count > 1 {
          ambiguous &+= edge.place - last
        } else if let tail = found.last, tail.end == last, tail.node == node {
          found[found.count - 1].end = edge.place
        } else {
          found.append(Range(start: last, end: edge.place, node: node))
        }
      }
      last = edge.place
      let count = (open[edge.node] ?? 0) + (edge.opens ? 1 : -1)
      open[edge.node] = count == 0 ? nil : count
    }
    return (found, ambiguous)
  }
}
