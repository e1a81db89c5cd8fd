import Testing
import TraceBuilding

@testable import Replay

@Suite struct BuddyBlocksTests {
  /// A set of frame numbers does the same, without a table.
  @Test(arguments: [1, 2, 3] as [UInt64])
  func equalsItsPlainTwin(_ seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var table = FrameTable()
    var blocks = BuddyBlocks()
    var free: Set<UInt64> = []
    for step in 0..<60_000 {
      // Mostly freed at first, mostly taken in the end; two regions that do not touch.
      let pfn = random.next(upperBound: 1 << 10 as UInt64) + (step & 1 == 0 ? 0x800 : 0x4_0000)
      guard let index = table.index(of: pfn) else { continue }
      blocks.growTo(frames: table.indexCount)
      if random.next(upperBound: 60_000 as UInt64) > UInt64(step) {
        blocks.entered(index)
        free.insert(pfn)
      } else {
        let left = blocks.left(index, table)
        #expect(left == order(of: pfn, in: free))
        free.remove(pfn)
      }
    }
  }

  private func order(of pfn: UInt64, in free: Set<UInt64>) -> UInt64? {
    guard free.contains(pfn) else { return nil }
    return (0...10).last { order in
      let start = pfn & ~(1 << order - 1)
      return (start..<start + 1 << order).allSatisfy { free.contains($0) }
    }
  }

  @Test func aWholeBlockIsOfTheGreatestOrder() throws {
    var table = FrameTable()
    var blocks = BuddyBlocks()
    for pfn in 0x800 as UInt64..<0x1000 {
      guard let index = table.index(of: pfn) else { continue }
      blocks.growTo(frames: table.indexCount)
      blocks.entered(index)
    }
    // What stays behind are the halves.
    for (pfn, order) in zip(0x800 as UInt64..<0x805, [10, 0, 1, 0, 2] as [UInt64]) {
      let known = table.knownIndex(of: pfn)
      let index = try #require(known)
      let left = blocks.left(index, table)
      #expect(left == order)
    }
  }
}
