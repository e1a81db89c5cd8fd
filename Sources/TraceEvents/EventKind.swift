/// What an event means to a replay, independent of the dialect that it was read from.
///
/// The raw value doubles as the event's index in every ``EventDirectory``, so a loop can switch on
/// the `events` column of an ``EventBatch`` without a look-up. Events that the tool does not know
/// get indices from ``EventKind/knownCount`` on.
public enum EventKind: UInt16, CaseIterable, Sendable {
  // tlb
  case tlbFlush
  // migrate, thp
  case migratePages, migratePagesStart, setMigrationPTE, removeMigrationPTE
  case setMigrationPMD, removeMigrationPMD
  // kmem
  case pageAlloc, pageFree, pageFreeBatched, pagePCPDrain, pageAllocZoneLocked, pageAllocExtfrag
  case rssStat
  // pagemap, filemap
  case lruInsertion, lruActivate
  case filemapAdd, filemapDelete, filemapFault, filemapMapPages, filemapGetPages
  // vmscan
  case kswapdWake, kswapdSleep, wakeupKswapd, directReclaimBegin, directReclaimEnd
  case shrinkInactive, lruIsolate, vmscanWriteFolio
  // exceptions
  case pageFaultUser, pageFaultKernel
  // csd, ipi, irq_vectors
  case csdQueueCPU, csdFunctionEntry, csdFunctionExit
  case ipiSendCPU, ipiSendCPUMask
  case callFunctionEntry, callFunctionExit, callFunctionSingleEntry, callFunctionSingleExit
  // sched
  case schedSwitch, schedMigrateTask, schedMoveNUMA, schedStickNUMA, schedSwapNUMA
  case schedProcessFork, schedProcessExec, schedProcessExit
  // mmap
  case vmUnmappedArea, exitMmap
  case mmapLockStartLocking, mmapLockAcquireReturned, mmapLockReleased
  // signal
  case signalGenerate
  // syscalls
  case sysEnterMmap, sysEnterMunmap, sysEnterMprotect, sysEnterMadvise, sysEnterMremap
  case sysEnterWrite, sysEnterPwrite64, sysEnterExit, sysEnterExitGroup, sysEnterMovePages
  case sysExitMmap, sysExitMunmap, sysExitMprotect, sysExitMadvise, sysExitMremap
  case sysExitWrite, sysExitPwrite64, sysExitMovePages
  case rawSysEnter, rawSysExit
  // ftrace
  case print, kernelStack, userStack

  /// How many kinds there are; the first index that an ``EventDirectory`` gives to other events.
  public static let knownCount = UInt16(EventKind.allCases.count)
}

/// A set of event kinds.
public struct EventKindSet: Sendable, Equatable {
  private var low: UInt64
  private var high: UInt64

  /// Every kind.
  public static let all = EventKindSet(EventKind.allCases)

  /// Some kinds.
  public init(_ kinds: [EventKind]) {
    precondition(EventKind.allCases.count <= 128, "the set's two words hold 128 kinds")
    low = 0
    high = 0
    for kind in kinds {
      if kind.rawValue < 64 { low |= 1 << kind.rawValue } else { high |= 1 << (kind.rawValue - 64) }
    }
  }

  /// Whether `kind` is one of them.
  public func contains(_ kind: EventKind) -> Bool {
    kind.rawValue < 64 ? low >> kind.rawValue & 1 == 1 : high >> (kind.rawValue - 64) & 1 == 1
  }
}
