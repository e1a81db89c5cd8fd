import Testing
import TraceBuilding

@testable import TraceFiles

@Suite struct StreamTreeTests {
  /// Merging by the tree equals sorting everything by (time, stream).
  @Test(arguments: 0..<20)
  func mergesLikeASort(_ seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let streams = (0..<Int.random(in: 1...9, using: &random)).map { _ in
      var time: UInt64 = 0
      return (0..<Int.random(in: 0...50, using: &random)).map { _ -> UInt64 in
        time += UInt64.random(in: 0...3, using: &random)
        return time
      }
    }
    let tree = StreamTree(streams.map(\.first))
    var next = [Int](repeating: 0, count: streams.count)
    var merged: [[UInt64]] = []
    while !tree.isEmpty {
      let number = tree.first
      let limit = tree.limit
      let before = merged.count
      while next[number] < streams[number].count, streams[number][next[number]] <= limit {
        merged.append([streams[number][next[number]], UInt64(number)])
        next[number] += 1
      }
      // Every turn makes progress, or the merge would never end.
      #expect(merged.count > before)
      if next[number] == streams[number].count {
        tree.removeFirst()
      } else {
        tree.replaceFirst(time: streams[number][next[number]])
      }
    }
    let plain = streams.enumerated().flatMap { number, times in times.map { [$0, UInt64(number)] } }
      .sorted { ($0[0], $0[1]) < ($1[0], $1[1]) }
    #expect(merged == plain)
  }

  /// Times that no clock reaches, as damage has them, neither end the merge early nor keep it going.
  @Test func goesThroughTheHighestTimes() {
    let top = UInt64.max
    let streams: [[UInt64]] = [[1, top - 1, top], [top - 3, top - 2], [], [2, top, top]]
    let tree = StreamTree(streams.map(\.first))
    var next = [Int](repeating: 0, count: streams.count)
    var merged: [UInt64] = []
    while !tree.isEmpty, merged.count < 100 {
      let number = tree.first
      merged.append(streams[number][next[number]])
      next[number] += 1
      if next[number] == streams[number].count {
        tree.removeFirst()
      } else {
        tree.replaceFirst(time: streams[number][next[number]])
      }
    }
    #expect(merged.sorted() == streams.flatMap(\.self).sorted())
    // Only the two highest are not told apart.
    #expect(merged.prefix(3) == [1, 2, top - 3])
  }
}
