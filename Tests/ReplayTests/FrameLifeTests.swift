import Testing
import TraceBuilding
import TraceEvents

@testable import Replay

/// Frames from free to allocation, by their engine and by a dictionary.
@Suite struct FrameLifeTests {
  /// One frame of the plain twin.
  private struct Frame: Equatable {
    var isFree: Bool?
    var isOfBatch = false
  }

  /// What the plain twin counts.
  private struct Twin {
    var frames: [UInt64: Frame] = [:]
    var freed = 0
    var freedTwice = 0
    var reused = 0
    var allocatedTwice = 0
    var firstSeenAllocated = 0
    var ofBatch = 0
    var ofBatchReused = 0

    mutating func allocate(_ pfn: UInt64, _ order: UInt64) {
      for pfn in pfn..<pfn + (1 << order) {
        switch frames[pfn]?.isFree {
        case nil: firstSeenAllocated += 1
        case true?: reused += 1
        case false?: allocatedTwice += 1
        }
        if frames[pfn]?.isOfBatch == true { ofBatchReused += 1 }
        frames[pfn] = Frame(isFree: false)
      }
    }

    mutating func free(_ pfn: UInt64, _ order: UInt64) {
      for pfn in pfn..<pfn + (1 << order) {
        if frames[pfn]?.isFree == true {
          freedTwice += 1
        } else {
          freed += 1
          frames[pfn] = Frame(isFree: true)
        }
      }
    }

    /// Reclaim unmaps allocated pages, flushes, and frees them.
    mutating func reclaim(_ pfns: [UInt64]) {
      for pfn in pfns { frames[pfn] = Frame(isFree: false) }
      for pfn in pfns {
        frames[pfn] = Frame(isFree: true, isOfBatch: true)
        freed += 1
        ofBatch += 1
      }
    }
  }

  /// Blocks are freed as they were taken, in halves, or merged with their neighbour, as buddy does.
  @Test(arguments: 1...40 as ClosedRange<UInt64>)
  func equalsItsPlainTwin(_ seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var script = BatchScript()
    var twin = Twin()
    script.directory.name(task: 40, "kswapd0")
    for _ in 0..<1500 {
      let order = random.next() % 4
      let pfn = 0x4000 + (random.next() % 512) / (1 << order) * (1 << order)
      let cpu = Int(random.next() % 3)
      let task = Int32(100 + cpu)
      switch random.next() % 8 {
      case 0...2:
        script.allocate(cpu: cpu, task: task, pfn: pfn, order: order)
        twin.allocate(pfn, order)
      case 3, 4:
        script.free(cpu: cpu, task: task, pfn: pfn, order: order)
        twin.free(pfn, order)
      case 5:
        // Split: the halves go one by one.
        guard order > 0 else { break }
        for half in [pfn, pfn + (1 << (order - 1))] {
          script.free(cpu: cpu, task: task, pfn: half, order: order - 1)
          twin.free(half, order - 1)
        }
      case 6:
        let pfns = (0..<(1 + random.next() % 4)).map { 0x4000 + (pfn + $0) % 512 }
        script.reclaim(cpu: 3, task: 40, pfns: pfns, receivers: [(cpu, task)])
        twin.reclaim(pfns)
      default:
        script.add(
          random.next() & 1 == 0 ? .pageAllocZoneLocked : .pagePCPDrain, cpu: cpu, task: task,
          [pfn, order, 1])
      }
    }
    var reconstruction = Reconstruction(
      ReplayContext(cpuCount: 4, flushFunction: FunctionName.flushTLBFunction))
    script.forEachBatch(of: 1 + Int(random.next() % 400)) {
      reconstruction.consume($0, script.directory)
    }
    reconstruction.close()
    let counts = reconstruction.counts
    #expect(counts.framesFreed == twin.freed && counts.framesFreedTwice == twin.freedTwice)
    #expect(counts.framesReused == twin.reused)
    #expect(counts.framesAllocatedTwice == twin.allocatedTwice)
    #expect(counts.framesFirstSeenAllocated == twin.firstSeenAllocated)
    #expect(counts.batchFramesFreed == twin.ofBatch)
    #expect(counts.batchFramesReused == twin.ofBatchReused)
    #expect(counts.causes.framesFreed.reduce(0, +) == twin.ofBatch)
    for (pfn, frame) in twin.frames {
      guard let index = reconstruction.frames.index(of: pfn) else {
        Issue.record("frame \(pfn) is not followed")
        continue
      }
      let state = reconstruction.frames[index]
      #expect(state.life == (frame.isFree == true ? .free : .allocated))
      #expect(state.isFreedWithBatch == frame.isOfBatch)
    }
    #expect(twin.ofBatchReused > 0 && twin.freedTwice > 0 && twin.allocatedTwice > 0)
  }
}
