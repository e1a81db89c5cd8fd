import Testing
import TraceBuilding
import TraceEvents

@testable import Replay

/// What each flush was for, in streams written by hand.
@Suite struct FlushCauseTests {
  private let kswapd: Int32 = 40
  private let user: Int32 = 100
  private let other: [(cpu: Int, task: Int32)] = [(1, 101)]

  private func script() -> BatchScript {
    let script = BatchScript()
    script.directory.name(task: kswapd, "kswapd0")
    for task in 100...103 { script.directory.name(task: Int32(task), "app") }
    return script
  }

  private func causes(_ script: BatchScript) throws -> CauseCounts {
    try ReplaySessionTests.replay(script).reconstruction.causes
  }

  /// One shootdown, of this cause, recorded or concluded.
  private func expectOne(
    _ script: BatchScript, _ cause: FlushCause, isRecorded: Bool,
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    let counts = try causes(script)
    var expected = Array(repeating: 0, count: FlushCause.allCases.count)
    expected[Int(cause.rawValue)] = 1
    #expect(counts.shootdowns == expected, sourceLocation: location)
    #expect(
      counts.shootdownsRecorded.reduce(0, +) == (isRecorded ? 1 : 0), sourceLocation: location)
  }

  private func migration(
    _ reason: Int64, task: Int32, mode: UInt64 = 0, localReason: Int64 = 2
  ) -> BatchScript {
    var script = script()
    script.add(.migratePagesStart, cpu: 0, task: task, [mode, UInt64(bitPattern: reason)])
    script.setEntry(cpu: 0, task: task, pfn: 7, type: 28)
    script.shootdown(cpu: 0, task: task, receivers: other, localReason: localReason)
    script.free(cpu: 0, task: task, pfn: 7)
    script.add(.migratePages, cpu: 0, task: task, [1, 0, 0, 0, 0, 0, mode, UInt64(reason)])
    return script
  }

  @Test func migrationsCarryTheirReason() throws {
    let causes: [(MigrationReason, FlushCause)] = [
      (.compaction, .compaction), (.memoryHotplug, .memoryHotplug), (.syscall, .movePages),
      (.numaMisplaced, .promotion), (.contigRange, .contiguousRange),
      (.longtermPin, .longtermPin), (.demotion, .directDemotion), (.damon, .otherMigration),
    ]
    for (reason, cause) in causes {
      try expectOne(migration(Int64(reason.rawValue), task: user), cause, isRecorded: true)
      // Synchronous migration flushes as one mm, for the same cause.
      try expectOne(
        migration(Int64(reason.rawValue), task: user, mode: 1, localReason: 3), cause,
        isRecorded: true)
    }
    try expectOne(migration(8, task: kswapd), .kswapdDemotion, isRecorded: true)
  }

  @Test func reclaimIsToldByItsTask() throws {
    var background = script()
    background.reclaim(cpu: 0, task: kswapd, pfns: [1, 2, 3], receivers: other)
    try expectOne(background, .kswapdReclaim, isRecorded: true)
    let counts = try causes(background)
    #expect(counts.pagesUnmapped[Int(FlushCause.kswapdReclaim.rawValue)] == 3)
    #expect(counts.framesFreed[Int(FlushCause.kswapdReclaim.rawValue)] == 3)

    var direct = script()
    direct.add(.directReclaimBegin, cpu: 0, task: user, [0])
    direct.reclaim(cpu: 0, task: user, pfns: [1], receivers: other)
    direct.add(.directReclaimEnd, cpu: 0, task: user, [1])
    try expectOne(direct, .directReclaim, isRecorded: true)

    var unannounced = script()
    unannounced.reclaim(cpu: 0, task: user, pfns: [1], receivers: other)
    try expectOne(unannounced, .directReclaim, isRecorded: false)
  }

  @Test func entriesOfABatchAreCountedByKind() throws {
    var script = script()
    script.add(.migratePagesStart, cpu: 0, task: user, [0, 8])
    for (pfn, type) in [(5, 28), (5, 30), (6, 30), (7, 3)] as [(UInt64, UInt64)] {
      script.setEntry(cpu: 0, task: user, pfn: pfn, type: type)
    }
    script.shootdown(cpu: 0, task: user, receivers: other, localReason: 2)
    for pfn in 5...7 as ClosedRange<UInt64> { script.free(cpu: 0, task: user, pfn: pfn) }
    script.add(.migratePages, cpu: 0, task: user, [3, 0, 0, 0, 0, 0, 0, 8])
    let counts = try causes(script)
    let cause = Int(FlushCause.directDemotion.rawValue)
    #expect(counts.batches[cause] == 1 && counts.pagesUnmapped[cause] == 3)
    #expect(counts.readOnlyEntries[cause] == 1 && counts.writableEntries[cause] == 2)
    #expect(counts.unclearEntries[cause] == 1 && counts.framesFreed[cause] == 3)
  }

  @Test func systemCallsNameTheirFlushes() throws {
    let named: [(EventKind, EventKind, FlushCause)] = [
      (.sysEnterMunmap, .sysExitMunmap, .munmap), (.sysEnterMprotect, .sysExitMprotect, .mprotect),
      (.sysEnterMadvise, .sysExitMadvise, .madvise), (.sysEnterMremap, .sysExitMremap, .mremap),
      (.sysEnterMmap, .sysExitMmap, .mmap),
    ]
    for (enter, exit, cause) in named {
      var script = script()
      // An earlier call shows that ends are recorded too.
      script.add(enter, cpu: 0, task: user, [0x1000, 0x1000, 0, 0, 0])
      script.add(exit, cpu: 0, task: user, [0])
      script.add(enter, cpu: 0, task: user, [0x1000, 0x1000, 0, 0, 0])
      script.shootdown(cpu: 0, task: user, receivers: other, localReason: 3, pages: 1)
      script.add(exit, cpu: 0, task: user, [0])
      try expectOne(script, cause, isRecorded: true)
    }
    for (number, cause) in [(11, FlushCause.munmap), (10, .mprotect), (60, .exit), (57, .fork)] {
      var script = script()
      script.add(.rawSysEnter, cpu: 0, task: user, [1, 0, 0, 0, 0, 0, 0])
      script.add(.rawSysExit, cpu: 0, task: user, [1, 0])
      script.add(.rawSysEnter, cpu: 0, task: user, [UInt64(number), 0, 0, 0, 0, 0, 0])
      script.shootdown(cpu: 0, task: user, receivers: other, localReason: 3, pages: 4)
      try expectOne(script, cause, isRecorded: true)
    }
  }

  @Test func scansAndCopiesAreConcluded() throws {
    var scan = script()
    scan.add(.rawSysEnter, cpu: 0, task: user, [1, 0, 0, 0, 0, 0, 0])
    scan.add(.rawSysExit, cpu: 0, task: user, [1, 0])
    scan.shootdown(cpu: 0, task: user, receivers: other, localReason: 3)
    scan.shootdown(cpu: 0, task: user, receivers: other, localReason: 3)
    scan.add(.pageFaultUser, cpu: 0, task: user, [0x7000, 0, 4])
    scan.shootdown(cpu: 0, task: user, receivers: other, localReason: 3)
    let outcome = try ReplaySessionTests.replay(scan)
    let counts = outcome.reconstruction
    #expect(counts.causes.shootdowns[Int(FlushCause.numaScan.rawValue)] == 3)
    #expect(counts.causes.shootdownsRecorded.reduce(0, +) == 0)
    #expect(counts.addressSpaces.numaScans == 2)

    var copy = script()
    copy.add(.pageFaultUser, cpu: 0, task: user, [0x7000, 0, 7])
    copy.allocate(cpu: 0, task: user, pfn: 9)
    copy.shootdown(cpu: 0, task: user, receivers: other, localReason: 3, pages: 1)
    try expectOne(copy, .copyOnWrite, isRecorded: false)

    // A first touch copies nothing.
    var touch = script()
    touch.add(.pageFaultUser, cpu: 0, task: user, [0x7000, 0, 6])
    touch.shootdown(cpu: 0, task: user, receivers: other, localReason: 3, pages: 1)
    try expectOne(touch, .unknown, isRecorded: false)
  }

  @Test func flushesOfOneCPUAreCountedApart() throws {
    var script = script()
    script.add(.sysEnterMunmap, cpu: 0, task: user, [0x1000, 0x3000])
    script.flush(cpu: 0, task: user, reason: 3, pages: 3)
    let counts = try causes(script)
    #expect(counts.localFlushes[Int(FlushCause.munmap.rawValue)] == 1)
    #expect(counts.shootdowns.reduce(0, +) == 0)
  }
}
