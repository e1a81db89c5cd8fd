import Testing
import TraceBuilding

@testable import TraceFiles

@Suite struct RoundSorterTests {
  /// Bytes that stand for records: a record is one byte, its time is given beside it.
  private let memory = OwnedBytes(count: 4096)

  private var start: UnsafeRawPointer { memory.bytes.start }

  /// Adds the run of `times` at `offset` of the memory.
  private func add(
    _ times: [UInt64], cpu: UInt16, at offset: Int, to sorter: inout RoundSorter,
    in bytes: OwnedBytes? = nil
  ) {
    sorter.add(
      SortedRun(
        time: times[0], cpu: cpu, position: start + offset, end: start + offset + times.count),
      lastTime: times[times.count - 1], in: bytes)
  }

  /// Takes everything that may be taken; `times` are those of the records in memory.
  private func drain(_ sorter: inout RoundSorter, _ times: [Int: UInt64]) -> [UInt64] {
    var taken: [UInt64] = []
    while let run = sorter.next {
      taken.append(run.time)
      let next = run.position + 1
      if next < run.end, let time = times[next - start] {
        sorter.advance(to: next, time: time, cpu: run.cpu)
      } else {
        sorter.removeFirst()
      }
    }
    return taken
  }

  @Test func nothingGoesBeforeItsRoundIsComplete() {
    var sorter = RoundSorter()
    add([10, 30], cpu: 0, at: 0, to: &sorter)
    #expect(sorter.next == nil)
    sorter.finishRound()
    #expect(sorter.next == nil)
    add([20, 60], cpu: 1, at: 2, to: &sorter)
    sorter.finishRound()
    #expect(sorter.next == nil)
    sorter.finishRound()
    let times: [Int: UInt64] = [1: 30, 3: 60]
    #expect(drain(&sorter, times) == [10, 20, 30])
    sorter.finishRound()
    #expect(drain(&sorter, times) == [60])
    #expect(sorter.isEmpty)
  }

  @Test func manyRunsComeOutSorted() {
    var sorter = RoundSorter()
    var random = SplitMix64(seed: 7)
    var times: [Int: UInt64] = [:]
    var all: [UInt64] = []
    for run in 0..<200 {
      var sorted = (0..<20).map { _ in UInt64.random(in: 1...1000, using: &random) }
      sorted.sort()
      for (index, time) in sorted.enumerated() { times[run * 20 + index] = time }
      all += sorted
      add(sorted, cpu: UInt16(run % 4), at: run * 20, to: &sorter)
    }
    sorter.finish()
    #expect(drain(&sorter, times) == all.sorted())
  }

  @Test func equalTimesGoByCPUThenByArrival() {
    var sorter = RoundSorter()
    add([5], cpu: 2, at: 0, to: &sorter)
    add([5], cpu: 0, at: 1, to: &sorter)
    add([5], cpu: 2, at: 2, to: &sorter)
    add([5], cpu: 1, at: 3, to: &sorter)
    sorter.finish()
    var places: [Int] = []
    while let run = sorter.next {
      places.append(run.position - start)
      sorter.removeFirst()
    }
    #expect(places == [1, 3, 0, 2])
  }

  @Test func buffersAreKeptOnlyAsLongAsNeeded() {
    var sorter = RoundSorter()
    weak var watched: OwnedBytes?
    do {
      let bytes = OwnedBytes(count: 100)
      watched = bytes
      add([1], cpu: 0, at: 0, to: &sorter, in: bytes)
      add([2], cpu: 0, at: 1, to: &sorter, in: bytes)
    }
    #expect(watched != nil)
    #expect(sorter.heldBytes == 100)
    sorter.finish()
    sorter.removeFirst()
    #expect(watched != nil)
    sorter.removeFirst()
    #expect(watched == nil)
    #expect(sorter.heldBytes == 0)
  }

  @Test func anOverfullSorterLetsTheOlderHalfGo() {
    var sorter = RoundSorter()
    for run in 0...RoundSorter.runsMax {
      add([UInt64(run + 1)], cpu: 0, at: 0, to: &sorter)
    }
    #expect(sorter.isOverfull)
    let hasReleased = sorter.release(upTo: 0)
    #expect(!hasReleased)
    sorter.releaseOlderHalf()
    let taken = drain(&sorter, [:])
    #expect(taken.count == (RoundSorter.runsMax + 1) / 2 + 1)
    #expect(!sorter.isOverfull)
  }
}
