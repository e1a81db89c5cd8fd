import TraceEvents

/// Which kinds of event a trace holds, and what follows from those that it does not.
struct SeenEvents {
  static let noFlushes = "no tlb:tlb_flush events: shootdowns are not visible"

  private var kinds = Array(repeating: false, count: Int(EventKind.knownCount))
  private var hasCPU = false
  private var hasTask = false

  mutating func note(_ batch: borrowing EventBatch) {
    for row in 0..<batch.count {
      let event = Int(batch.event(row))
      if event < kinds.count { kinds[event] = true }
    }
    guard batch.count > 0 else { return }
    if batch.cpu(0) != EventBatch.unknownCPU { hasCPU = true }
    if batch.task(0) != EventBatch.unknownTask { hasTask = true }
  }

  private func has(_ kind: EventKind) -> Bool { kinds[Int(kind.rawValue)] }

  var hasFlushes: Bool { has(.tlbFlush) }

  /// Why lazy unmap flush cannot be replayed; empty where it can.
  func missing(_ reconstruction: borrowing Reconstruction) -> [String] {
    var missing: [String] = []
    if !hasFlushes { missing.append(Self.noFlushes) }
    if !hasCPU { missing.append("no CPU column: who flushes whom is not visible") }
    if !hasTask { missing.append("no thread ids: which flush pays for which unmap is not visible") }
    if !has(.pageAlloc) {
      missing.append(
        "no kmem:mm_page_alloc events: when a freed frame is taken again, which forces the "
          + "flush, is not visible")
    }
    if !has(.pageFree), !has(.pageFreeBatched) {
      missing.append(
        "no kmem:mm_page_free events: which frames a batch freed is not visible")
    }
    return missing
  }

  /// What the figures leave out.
  func limits(
    _ counts: ReconstructionCounts, of policy: PolicyBlueprint, isCSDTraced: Bool
  ) -> [String] {
    var notes = [
      "open loop: the workload is taken as recorded, also where fewer flushes would have let it do "
        + "more; the bounds cover what the trace does not show, not that"
    ]
    let unseen = counts.batchShootdowns[Int(UnmapEvidence.unseen.rawValue)]
    let files = counts.batchShootdowns[Int(UnmapEvidence.reclaimedFile.rawValue)]
    if files + unseen > 0, policy.asksForPermissions {
      notes.append(
        "\(files + unseen) unmap batches do not show whether they were read-only (reclaim has no "
          + "event for it): the bounds assume none and all of them; the figure shown defers the "
          + "\(files) that took pages out of the page cache")
    }
    if !isCSDTraced {
      notes.append(
        "no csd events: receivers are those that wrote an event while an initiator waited "
          + "(\(counts.receiversAmbiguous) ambiguous)")
    }
    if !has(.setMigrationPTE), has(.migratePages), policy.asksForPermissions {
      notes.append("no migrate:set_migration_pte events: writable migrations are not visible")
    }
    if !has(.filemapDelete), unseen > 0, policy.asksForPermissions {
      notes.append(
        "no filemap:mm_filemap_delete_from_page_cache events: reclaimed file pages, which would be "
          + "deferred, look like anonymous ones")
    }
    if !has(.schedSwitch) {
      notes.append("no sched:sched_switch events: lazy CPUs are only known from their own events")
    }
    notes += policy.triggers.compactMap(missing)
    return notes
  }

  /// Which end of a deferral the trace cannot show.
  private func missing(_ trigger: PolicyBlueprint.Trigger) -> String? {
    switch trigger {
    case .refill:
      has(.pageAllocZoneLocked)
        ? nil : "no kmem:mm_page_alloc_zone_locked events: refills do not force flushes here"
    case .writeProtectFault:
      has(.pageFaultUser)
        ? nil
        : "no exceptions:page_fault_user events: write-protect faults do not end deferral"
    case .writableMapping:
      has(.sysEnterMmap) || has(.rawSysEnter)
        ? nil : "no mmap system calls: writable mappings do not end deferral"
    case .fileWrite:
      has(.sysExitWrite) || has(.sysExitPwrite64) || has(.rawSysExit)
        ? nil : "no write system calls: writes to files do not end deferral"
    case .userFault:
      has(.pageFaultUser)
        ? nil : "no exceptions:page_fault_user events: faults do not end deferral"
    case .unmapRange:
      has(.rawSysEnter) || has(.sysEnterMunmap)
        ? nil : "no munmap and mprotect system calls: they do not end deferral"
    case .truncate:
      has(.filemapDelete)
        ? nil
        : "no filemap:mm_filemap_delete_from_page_cache events: truncation does not end deferral"
    case .pressure:
      has(.directReclaimBegin) || has(.wakeupKswapd)
        ? nil
        : "no vmscan:mm_vmscan_direct_reclaim_begin and mm_vmscan_wakeup_kswapd events: pressure "
          + "does not end deferral"
    case .drain:
      has(.pagePCPDrain)
        ? nil : "no kmem:mm_page_pcpu_drain events: no frame is seen to pass through buddy"
    }
  }
}
