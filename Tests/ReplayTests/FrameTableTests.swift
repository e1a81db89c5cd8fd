import Testing
import TraceBuilding

@testable import Replay

@Suite struct FrameTableTests {
  /// A dictionary does the same, slowly.
  @Test(arguments: [1, 2, 3] as [UInt64])
  func equalsItsPlainTwin(_ seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var table = FrameTable(chunksMax: 700)
    var twin: [UInt64: FrameTable.State] = [:]
    var chunks: Set<UInt64> = []
    var refused = 0
    for _ in 0..<40_000 {
      let pfn =
        switch random.next(upperBound: 4 as UInt64) {
        case 0: random.next(upperBound: 1 << 14 as UInt64)
        case 1: 0x10_0000 + random.next(upperBound: 1 << 15 as UInt64)
        case 2: random.next(upperBound: 1 << 39 as UInt64)
        default: random.next()
        }
      guard let index = table.index(of: pfn) else {
        refused += 1
        #expect(pfn >= FrameTable.pfnLimit || (chunks.count == 700 && !chunks.contains(pfn / 64)))
        continue
      }
      chunks.insert(pfn / 64)
      #expect(table.pfn(index) == pfn)
      #expect(table[index] == twin[pfn, default: FrameTable.State()])
      var state = table[index]
      state.life = random.next() & 1 == 0 ? .free : .allocated
      state.batch = UInt32(truncatingIfNeeded: random.next())
      state.isFreedWithBatch = random.next() & 1 == 0
      table[index] = state
      twin[pfn] = state
    }
    #expect(chunks.count == 700)
    #expect(table.untracked == refused)
    #expect(table.framesSeen == twin.count)
    #expect(table.indexCount == 700 * 64)
  }

  @Test func stateKeepsItsPartsApart() {
    var state = FrameTable.State()
    state.batch = .max
    #expect(state.batch == FrameTable.State.batchLimit - 1)
    #expect(state.life == .unknown && !state.isFreedWithBatch)
    state.life = .free
    state.isFreedWithBatch = true
    state.batch = 5
    #expect(state.life == .free && state.isFreedWithBatch && state.batch == 5)
    state.isFreedWithBatch = false
    #expect(state.life == .free && state.batch == 5)
  }
}
