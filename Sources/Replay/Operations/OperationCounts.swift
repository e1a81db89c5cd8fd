import TraceEvents

/// The kernel operation that an event belongs to.
public enum OperationFamily: UInt8, Sendable, CaseIterable {
  /// A TLB flush that other CPUs were asked for, or that a CPU did for itself.
  case shootdown
  /// Another function that one CPU ran for another, and the interrupts that brought it.
  case functionCall
  /// A change of task or of mm.
  case contextSwitch
  /// Page-table entries were taken away for a migration, and put back.
  case migration
  /// kswapd or direct reclaim.
  case reclaim
  /// A frame was allocated or freed, or moved between buddy and a per-CPU list.
  case frameLife
  /// A page came into the page cache or left it.
  case pageCache
  /// A page fault.
  case pageFault
  /// A system call that changes mappings, memory or files.
  case systemCall
  /// A task began, executed or ended, or its memory was counted.
  case taskLife
}

/// Which events the operations explain. Arrays are indexed by ``EventKind`` raw value.
///
/// Invariant, once the replay has finished: `explained + unexplained + unused` of a kind is the
/// number of its events.
public struct EventAccounts: Sendable, Equatable {
  /// Events that belong to an operation.
  public internal(set) var explained = Array(repeating: 0, count: Int(EventKind.knownCount))
  /// Events of a used kind that belong to none: what they need is not in the trace, or damaged.
  public internal(set) var unexplained = Array(repeating: 0, count: Int(EventKind.knownCount))
  /// Events of kinds that tell this engine nothing.
  public internal(set) var unused = Array(repeating: 0, count: Int(EventKind.knownCount))
  /// Events that the tool does not know.
  public internal(set) var unknownEvents = 0
  /// Explained events by ``OperationFamily`` raw value.
  public internal(set) var explainedByFamily = Array(
    repeating: 0, count: OperationFamily.allCases.count)

  /// Events of each kind until ``close(seen:otherCalls:)`` sorts them.
  var seen = Array(repeating: 0, count: Int(EventKind.knownCount) + 1)
  /// Of `csd` and `ipi` kinds: events of another function.
  var otherCalls = Array(repeating: 0, count: Int(EventKind.knownCount))
  /// `tlb_flush` events of context switches.
  var switches = 0

  /// Counts the events of a batch by kind.
  mutating func see(_ batch: borrowing EventBatch) {
    let last = seen.count - 1
    seen.withUnsafeMutableBufferPointer { seen in
      for row in 0..<batch.count { seen[min(Int(batch.event(row)), last)] &+= 1 }
    }
  }

  /// Sorts what was seen: all of a kind that nobody complained about is explained.
  mutating func close() {
    unknownEvents = seen[Int(EventKind.knownCount)]
    for kind in EventKind.allCases {
      let index = Int(kind.rawValue)
      guard let family = Self.family(kind) else {
        unused[index] = seen[index]
        continue
      }
      explained[index] = seen[index] - unexplained[index]
      var own = explained[index]
      if kind == .tlbFlush {
        explainedByFamily[Int(OperationFamily.contextSwitch.rawValue)] += switches
        own -= switches
      }
      explainedByFamily[Int(OperationFamily.functionCall.rawValue)] += otherCalls[index]
      explainedByFamily[Int(family.rawValue)] += own - otherCalls[index]
    }
  }

  mutating func failToExplain(_ kind: EventKind) { unexplained[Int(kind.rawValue)] += 1 }
  mutating func noteOtherCall(_ kind: EventKind) { otherCalls[Int(kind.rawValue)] += 1 }

  /// The operation that events of a kind tell of; nil where the engine does not use the kind.
  static func family(_ kind: EventKind) -> OperationFamily? {
    switch kind {
    case .tlbFlush, .csdQueueCPU, .csdFunctionEntry, .csdFunctionExit, .ipiSendCPU, .ipiSendCPUMask:
      .shootdown
    case .callFunctionEntry, .callFunctionExit, .callFunctionSingleEntry, .callFunctionSingleExit:
      .functionCall
    case .schedSwitch: .contextSwitch
    case .migratePages, .migratePagesStart, .setMigrationPTE, .removeMigrationPTE,
      .setMigrationPMD, .removeMigrationPMD:
      .migration
    case .kswapdWake, .kswapdSleep, .wakeupKswapd, .directReclaimBegin, .directReclaimEnd:
      .reclaim
    case .pageAlloc, .pageFree, .pageFreeBatched, .pagePCPDrain, .pageAllocZoneLocked: .frameLife
    case .filemapAdd, .filemapDelete: .pageCache
    case .pageFaultUser, .pageFaultKernel: .pageFault
    case .sysEnterMmap, .sysEnterMunmap, .sysEnterMprotect, .sysEnterMadvise, .sysEnterMremap,
      .sysEnterWrite, .sysEnterPwrite64, .sysEnterExit, .sysEnterExitGroup, .sysEnterMovePages,
      .sysExitMmap, .sysExitMunmap, .sysExitMprotect, .sysExitMadvise, .sysExitMremap,
      .sysExitWrite, .sysExitPwrite64, .sysExitMovePages, .rawSysEnter, .rawSysExit:
      .systemCall
    case .schedProcessFork, .schedProcessExec, .schedProcessExit, .schedMoveNUMA, .rssStat:
      .taskLife
    case .pageAllocExtfrag, .lruInsertion, .lruActivate, .filemapFault, .filemapMapPages,
      .filemapGetPages, .shrinkInactive, .lruIsolate, .vmscanWriteFolio, .schedMigrateTask,
      .schedStickNUMA, .schedSwapNUMA, .vmUnmappedArea, .exitMmap, .mmapLockStartLocking,
      .mmapLockAcquireReturned, .mmapLockReleased, .signalGenerate, .print, .kernelStack,
      .userStack:
      nil
    }
  }
}

/// Flushes and unmap batches by ``FlushCause`` raw value.
public struct CauseCounts: Sendable, Equatable {
  private static let none = Array(repeating: 0, count: FlushCause.allCases.count)

  /// Shootdowns, and those of them whose cause an event names.
  public internal(set) var shootdowns = none
  /// See ``shootdowns``.
  public internal(set) var shootdownsRecorded = none
  /// Flushes of one mm that only their own CPU did: no other had it loaded.
  public internal(set) var localFlushes = none
  /// Shootdowns that paid for an unmap batch.
  public internal(set) var batches = none
  /// Pages that those batches are seen to have unmapped.
  public internal(set) var pagesUnmapped = none
  /// Frames freed with them.
  public internal(set) var framesFreed = none
  /// Page-table entries that they replaced: read-only, writable, and those whose entry tells neither.
  public internal(set) var readOnlyEntries = none
  /// See ``readOnlyEntries``.
  public internal(set) var writableEntries = none
  /// See ``readOnlyEntries``.
  public internal(set) var unclearEntries = none

  mutating func note(_ shootdown: borrowing Shootdown) {
    let cause = Int(shootdown.cause.rawValue)
    shootdowns[cause] += 1
    if shootdown.isCauseRecorded { shootdownsRecorded[cause] += 1 }
    guard shootdown.kind == .unmapBatch else { return }
    batches[cause] += 1
    pagesUnmapped[cause] += Int(shootdown.unmapped.pages)
    readOnlyEntries[cause] += Int(shootdown.unmapped.readOnlyEntries)
    writableEntries[cause] += Int(shootdown.unmapped.writableEntries)
    unclearEntries[cause] += Int(shootdown.unmapped.unclearEntries)
  }
}

/// Operations on address spaces, and switches between them.
public struct AddressSpaceCounts: Sendable, Equatable {
  /// System calls begun.
  public internal(set) var munmaps = 0
  /// See ``munmaps``.
  public internal(set) var mprotects = 0
  /// See ``munmaps``.
  public internal(set) var mremaps = 0
  /// See ``munmaps``.
  public internal(set) var madvises = 0
  /// `mmap` calls: all, with PROT_WRITE, with MAP_FIXED.
  public internal(set) var mmaps = 0
  /// See ``mmaps``.
  public internal(set) var writableMmaps = 0
  /// See ``mmaps``.
  public internal(set) var fixedMmaps = 0
  /// NUMA scans seen by their flushes: flushes in a row of one task are one scan.
  public internal(set) var numaScans = 0
  /// Page faults on user addresses: all, of writes, of writes to present pages.
  public internal(set) var userFaults = 0
  /// See ``userFaults``.
  public internal(set) var writeFaults = 0
  /// See ``userFaults``. Each copies a page or makes it writable again.
  public internal(set) var writeProtectFaults = 0
  /// Faults in mappings that may be written, as recorded or concluded, and in those that may not.
  public internal(set) var mayWriteFaults = 0
  /// See ``mayWriteFaults``.
  public internal(set) var readOnlyFaults = 0
  /// `sched_switch` events.
  public internal(set) var contextSwitches = 0
  /// Changes of mm that `tlb_flush` reason 0 tells of, and those of them that flushed.
  public internal(set) var mmSwitches = 0
  /// See ``mmSwitches``.
  public internal(set) var mmSwitchesFlushing = 0
  /// Allocations that could not wait (no `__GFP_DIRECT_RECLAIM`).
  public internal(set) var atomicAllocations = 0
}
