import Testing
import TraceBuilding

@testable import Replay

@Suite struct RemovedPagesTests {
  /// By page and by frame in dictionaries.
  private struct Twin {
    var byKey: [UInt64: (frame: UInt32, batch: UInt32)] = [:]
    var byFrame: [UInt32: UInt64] = [:]

    mutating func keep(_ index: UInt64, _ frame: UInt32, _ batch: UInt32) {
      if let old = byFrame[frame], byKey[old]?.frame == frame { byKey[old] = nil }
      byKey[index] = (frame, batch)
      byFrame[frame] = index
    }

    mutating func take(_ index: UInt64) -> (frame: UInt32, batch: UInt32)? {
      guard let found = byKey.removeValue(forKey: index) else { return nil }
      byFrame[found.frame] = nil
      return found
    }
  }

  private func change(_ index: UInt64, frame: UInt32? = nil) -> PageCacheChange {
    // Of three files.
    PageCacheChange(device: 8, inode: 77 + index % 3, index: index, frame: frame)
  }

  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func equalsItsPlainTwin(_ seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var pages = RemovedPages()
    var numbers = BatchNumbers()
    var twin = Twin()
    var found = 0
    for step in 0..<20_000 as Range<UInt64> {
      let index = random.next() % 3000
      // A page lies in one frame at a time: a second removal comes only after it was put back.
      if random.next() & 1 == 0, twin.byKey[index] == nil {
        let frame = UInt32(random.next() % 4096)
        let batch = numbers.open(at: step)
        pages.add(change(index, frame: frame), by: 3)
        pages.close(batch, by: 3, &numbers, at: step)
        twin.keep(index, frame, batch)
      } else {
        let taken = pages.take(change(index))
        let expected = twin.take(index)
        #expect(taken?.frame == expected?.frame && taken?.batch == expected?.batch)
        if taken != nil { found += 1 }
      }
    }
    #expect(found > 1000)
  }

  @Test func onlyThePagesOfTheTaskThatFlushesAreKept() {
    var pages = RemovedPages()
    var numbers = BatchNumbers()
    let batch = numbers.open(at: 0)
    pages.add(change(1, frame: 10), by: 3)
    pages.add(change(2, frame: 11), by: 4)
    pages.add(change(3), by: 3)
    pages.close(batch, by: 3, &numbers, at: 1)
    let first = pages.take(change(1))
    #expect(first?.frame == 10 && first?.batch == batch)
    let others = [2, 3].map { pages.take(change($0)) }
    #expect(others.allSatisfy { $0 == nil })
    #expect(pages.leftOut == 1)
  }
}

@Suite struct BatchNumbersTests {
  @Test func aNumberIsGivenAgainOnlyToWhatBeganAfterItWasFree() {
    var numbers = BatchNumbers()
    let first = numbers.open(at: 10)
    numbers.hold(first)
    numbers.release(first, at: 20)
    let held = numbers.open(at: 30)
    numbers.release(first, at: 40)
    let early = numbers.open(at: 39)
    let again = numbers.open(at: 40)
    #expect(held != first && early != first && again == first)
    #expect(numbers.count == 4)
  }
}
