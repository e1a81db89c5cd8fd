import Testing
import TraceBuilding
import TraceEvents

@testable import Replay

/// Moments that say more than they have room for.
@Suite struct SideRecordTests {
  private func reconstruct(
    _ script: BatchScript, telling kinds: MomentKindSet = .all,
    _ body: (borrowing Reconstruction) -> Void
  ) {
    var reconstruction = Reconstruction(
      ReplayContext(cpuCount: 4, flushFunction: FunctionName.flushTLBFunction), telling: kinds)
    script.forEachBatch { reconstruction.consume($0, script.directory) }
    reconstruction.close()
    body(reconstruction)
  }

  @Test func aMomentFitsHalfACacheLine() { #expect(MemoryLayout<Moment>.stride == 32) }

  @Test func faultsSayWhatTheirMappingPermits() {
    var script = BatchScript()
    // A shared read-only mapping, a private one, and one that another fault proves writable.
    script.add(.rawSysEnter, cpu: 0, task: 100, [9, 0, 0x4000, 1, 0x1, 3, 0])
    script.add(.rawSysExit, cpu: 0, task: 100, [9, 0x7f00_0000_0000])
    script.add(.rawSysEnter, cpu: 0, task: 100, [9, 0, 0x4000, 1, 0x2, 3, 0])
    script.add(.rawSysExit, cpu: 0, task: 100, [9, 0x7f00_0001_0000])
    let addresses: [(UInt64, UInt64)] = [
      (0x7f00_0000_1000, 4), (0x7f00_0001_3000, 4), (0x7f00_4000_0000, 4),
      (0x7f00_4000_1000, 6), (0x7f00_4000_0000, 4), (0x7f00_4000_1000, 4),
    ]
    for (address, error) in addresses {
      script.add(.pageFaultUser, cpu: 0, task: 100, [address, 0, error])
    }
    reconstruct(script) { reconstruction in
      var found: [MayWrite] = []
      for moment in reconstruction.moments where moment.kind == .userFault {
        let fault = reconstruction.userFaults[moment.subject]
        #expect(fault.address == addresses[found.count].0)
        #expect(UInt64(fault.errorCode) == addresses[found.count].1)
        found.append(fault.mayWrite)
      }
      #expect(found == [.sharedReadOnly, .recorded, .unknown, .recorded, .concluded, .recorded])
      #expect(reconstruction.counts.addressSpaces.mayWriteFaults == 4)
      #expect(reconstruction.counts.addressSpaces.readOnlyFaults == 1)
    }
  }

  @Test func aPromotedPageLiesInAWritableOrAnonymousMapping() {
    var script = BatchScript()
    let address: UInt64 = 0x7f00_4000_0000
    script.add(.pageFaultUser, cpu: 0, task: 100, [address, 0, 4])
    script.add(.migratePagesStart, cpu: 0, task: 100, [0, 5])
    script.add(.setMigrationPTE, cpu: 0, task: 100, [address, 29 << 59 | ~7 & 0xffff << 9, 0])
    script.add(.migratePages, cpu: 0, task: 100, [1, 0, 0, 0, 0, 0, 0, 5])
    script.add(.pageFaultUser, cpu: 0, task: 100, [address, 0, 4])
    reconstruct(script) { reconstruction in
      let faults = reconstruction.moments.filter { $0.kind == .userFault }
      #expect(faults.count == 2)
      #expect(reconstruction.userFaults[faults[0].subject].mayWrite == .unknown)
      #expect(reconstruction.userFaults[faults[1].subject].mayWrite == .recorded)
    }
  }

  @Test func rangesAreToldAtBothEndsOfTheCall() {
    var script = BatchScript()
    script.add(.sysEnterMunmap, cpu: 0, task: 100, [0x5000, 0x2000])
    script.add(.sysExitMunmap, cpu: 0, task: 100, [0])
    // Fixed, fixed without replacement, and one that fails.
    script.add(.sysEnterMmap, cpu: 0, task: 100, [0x5000, 0x1000, 3, 0x12, 0])
    script.add(.sysExitMmap, cpu: 0, task: 100, [0x5000])
    script.add(.sysEnterMmap, cpu: 0, task: 100, [0x9000, 0x1000, 3, 0x10_0012, 0])
    script.add(.sysExitMmap, cpu: 0, task: 100, [0x9000])
    script.add(.sysEnterMprotect, cpu: 0, task: 100, [0x5000, 0x1000, 1])
    script.add(.sysExitMprotect, cpu: 0, task: 100, [UInt64(bitPattern: -12)])
    reconstruct(script) { reconstruction in
      var told: [String] = []
      for moment in reconstruction.moments {
        guard moment.kind == .unmapRange || moment.kind == .fixedMapping else { continue }
        let range = reconstruction.addressRanges[moment.subject]
        told.append("\(moment.kind) \(range.call) \(range.address >> 12) \(range.isEnd)")
      }
      #expect(
        told == [
          "unmapRange munmap 5 false", "unmapRange munmap 5 true", "fixedMapping mmap 5 false",
          "fixedMapping mmap 5 true", "unmapRange mprotect 5 false",
        ])
      #expect(reconstruction.counts.addressSpaces.fixedMmaps == 1)
    }
  }

  @Test func pagesComeAndGo() {
    var script = BatchScript()
    script.directory.name(task: 100, "app")
    script.add(.filemapAdd, cpu: 0, task: 100, [0x40, 12, 7, 0xfe00, 0])
    script.add(.wakeupKswapd, cpu: 0, task: 100, [0, 0])
    script.add(.directReclaimBegin, cpu: 0, task: 100, [0])
    script.add(.filemapDelete, cpu: 0, task: 100, [0x40, 12, 7, 0xfe00, 0])
    script.flush(cpu: 0, task: 100, reason: 2, pages: -1)
    script.free(cpu: 0, task: 100, pfn: 0x40)
    script.add(.directReclaimEnd, cpu: 0, task: 100, [1])
    script.add(.filemapAdd, cpu: 0, task: 100, [0x48, 12, 7, 0xfe00, 0])
    script.add(.removeMigrationPTE, cpu: 0, task: 100, [0x7000, 0x41 << 12 | 3, 0])
    // Reclaim unmaps what it takes out of the cache, and is not told of; truncation is.
    script.add(.filemapDelete, cpu: 0, task: 100, [0x48, 12, 7, 0xfe00, 0])
    reconstruct(script) { reconstruction in
      #expect(
        reconstruction.moments.map(\.kind) == [
          .kswapdWakeup, .directReclaimBegin, .pageReclaimed, .shootdown, .framesFreed, .frameFreed,
          .directReclaimEnd, .pageReturned, .pageMapped, .pageCacheRemoved,
        ])
      let returned = reconstruction.moments[7]
      let page = reconstruction.returnedPages[returned.subject]
      #expect(returned.batch == reconstruction.shootdowns[0].batch && !page.isInWrite)
      #expect(reconstruction.frames.pfn(Int(page.frame)) == 0x40)
      let mapping = reconstruction.pageMappings[reconstruction.moments[8].subject]
      #expect(mapping.isWritable && mapping.address == 0x7000)
      #expect(mapping.frame.map { reconstruction.frames.pfn(Int($0)) } == 0x41)
    }
    reconstruct(script, telling: .unmapFlushes) {
      #expect($0.moments.map(\.kind) == [.shootdown, .framesFreed])
    }
  }

  @Test func recordsLiveAsLongAsTheirMoments() {
    var records = SideRecords<Int>()
    var numbers: [UInt32] = []
    for value in 0..<100 { numbers.append(records.append(value, at: UInt64(value) * 3)) }
    records.drop(before: 0)
    records.drop(before: 150)
    for value in 50..<100 { #expect(records[numbers[value]] == value) }
    #expect(records.append(100, at: 300) == numbers[99] + 1)
    records.drop(before: 301)
    #expect(records.append(101, at: 303) == numbers[99] + 2)
  }

  @Test func allocationsThatCannotWaitAreMarked() {
    var script = BatchScript()
    script.directory.name(task: 40, "kswapd0")
    script.reclaim(cpu: 3, task: 40, pfns: [1, 2], receivers: [(0, 100)])
    script.add(.pageAlloc, cpu: 0, task: 100, [1, 0, 0x820, 0])
    script.add(.pageAlloc, cpu: 0, task: 100, [2, 0, 0xcc0, 0])
    reconstruct(script) { reconstruction in
      let taken = reconstruction.moments.filter { $0.kind == .frameAllocated }
      #expect(taken.map(\.isAtomic) == [true, false])
      #expect(reconstruction.counts.addressSpaces.atomicAllocations == 1)
    }
  }
}
