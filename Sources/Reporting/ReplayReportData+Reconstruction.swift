import Replay
import TraceEvents

/// How the operations were put together, in JSON.
extension ReplayReportData {
  static func reconstruction(
    _ counts: ReconstructionCounts, _ names: [EventName]
  ) -> JSONValue {
    .object([
      "shootdowns": shootdowns(counts), "receivers": receivers(counts), "frames": frames(counts),
      "causes": causes(counts.causes), "wait_window": waitWindow(counts.waitWindow),
      "address_spaces": addressSpaces(counts.addressSpaces),
      "events": events(counts.events, names),
      "impossible_blocks": JSONValue(counts.impossibleBlocks),
      "rows_of_unknown_cpus": JSONValue(counts.rowsOfUnknownCPUs),
      "tasks_untracked": JSONValue(counts.tasksUntracked),
      // Also what lies outside the window: its frames and tasks matter inside it.
      "scope": .string("trace"), "grade": .string(Grade.derived.rawValue),
    ])
  }

  private static func shootdowns(_ counts: ReconstructionCounts) -> JSONValue {
    var evidence: [String: JSONValue] = [:]
    for kind in UnmapEvidence.allCases {
      evidence[kind.name] = JSONValue(ReplayReport.batches(counts, kind))
    }
    return .object([
      "mm": JSONValue(counts.mmShootdowns),
      "unmap_batch": JSONValue(counts.batchShootdowns.reduce(0, +)),
      "unmap_batch_by_evidence": .object(evidence),
      "batch_kinds_recorded": JSONValue(counts.batchKindsRecorded),
      "batch_kinds_concluded": JSONValue(counts.batchKindsConcluded),
      "open_at_end": JSONValue(counts.shootdownsOpenAtEnd),
      "cut_short": JSONValue(counts.shootdownsCutShort),
    ])
  }

  private static func receivers(_ counts: ReconstructionCounts) -> JSONValue {
    .object([
      "matched_exactly": JSONValue(counts.interruptsMatchedExactly),
      "in_wait_window": JSONValue(counts.receiversInWaitWindow),
      "ambiguous": JSONValue(counts.receiversAmbiguous),
      "interrupts_without_shootdown": JSONValue(counts.interruptsWithoutShootdown),
      "remote_events_without_shootdown": JSONValue(counts.remoteEventsWithoutShootdown),
      "requests_without_send": JSONValue(counts.requestsWithoutSend),
      "requests_unanswered": JSONValue(counts.requestsUnanswered),
    ])
  }

  private static func frames(_ counts: ReconstructionCounts) -> JSONValue {
    .object([
      "allocations": JSONValue(counts.allocations), "freed": JSONValue(counts.framesFreed),
      "reused": JSONValue(counts.framesReused),
      "first_seen_allocated": JSONValue(counts.framesFirstSeenAllocated),
      "allocated_twice": JSONValue(counts.framesAllocatedTwice),
      "freed_twice": JSONValue(counts.framesFreedTwice),
      "batch_freed": JSONValue(counts.batchFramesFreed),
      "batch_reused": JSONValue(counts.batchFramesReused),
      "batch_freed_by_order": JSONValue(counts.batchFramesByOrder),
      "untracked": JSONValue(counts.framesUntracked),
    ])
  }

  /// Causes that occur, by name.
  private static func causes(_ counts: CauseCounts) -> JSONValue {
    var members: [String: JSONValue] = [:]
    for cause in FlushCause.allCases {
      let index = Int(cause.rawValue)
      let own: [(String, Int)] = [
        ("shootdowns", counts.shootdowns), ("shootdowns_recorded", counts.shootdownsRecorded),
        ("local_flushes", counts.localFlushes), ("batches", counts.batches),
        ("pages_unmapped", counts.pagesUnmapped), ("frames_freed", counts.framesFreed),
        ("read_only_entries", counts.readOnlyEntries),
        ("writable_entries", counts.writableEntries), ("unclear_entries", counts.unclearEntries),
      ].map { ($0.0, index < $0.1.count ? $0.1[index] : 0) }
      guard own.contains(where: { $0.1 != 0 }) else { continue }
      members[identifier(cause.label)] = object(own)
    }
    return .object(members)
  }

  private static func waitWindow(_ counts: WaitWindowCounts) -> JSONValue {
    object([
      ("agreed", counts.agreed), ("agreed_ambiguous", counts.agreedAmbiguous),
      ("disagreed", counts.disagreed), ("disagreed_ambiguous", counts.disagreedAmbiguous),
      ("missed", counts.missed), ("silent_receivers", counts.silentReceivers),
      ("receivers_announced", counts.receiversAnnounced),
    ])
  }

  private static func addressSpaces(_ counts: AddressSpaceCounts) -> JSONValue {
    object([
      ("munmaps", counts.munmaps), ("mprotects", counts.mprotects), ("mremaps", counts.mremaps),
      ("madvises", counts.madvises), ("mmaps", counts.mmaps),
      ("writable_mmaps", counts.writableMmaps), ("fixed_mmaps", counts.fixedMmaps),
      ("numa_scans", counts.numaScans), ("user_faults", counts.userFaults),
      ("write_faults", counts.writeFaults), ("write_protect_faults", counts.writeProtectFaults),
      ("may_write_faults", counts.mayWriteFaults), ("read_only_faults", counts.readOnlyFaults),
      ("context_switches", counts.contextSwitches), ("mm_switches", counts.mmSwitches),
      ("mm_switches_flushing", counts.mmSwitchesFlushing),
      ("atomic_allocations", counts.atomicAllocations),
    ])
  }

  private static func events(_ accounts: EventAccounts, _ names: [EventName]) -> JSONValue {
    var families: [String: JSONValue] = [:]
    for family in OperationFamily.allCases {
      let index = Int(family.rawValue)
      guard index < accounts.explainedByFamily.count else { continue }
      families[identifier(family.label)] = JSONValue(accounts.explainedByFamily[index])
    }
    func byName(_ counts: [Int]) -> JSONValue {
      object(ReplayReport.byName(counts, names).filter { $0.1 != 0 })
    }
    return .object([
      "explained": byName(accounts.explained), "unexplained": byName(accounts.unexplained),
      "unused": byName(accounts.unused), "unknown": JSONValue(accounts.unknownEvents),
      "explained_by_operation": .object(families),
    ])
  }

  private static func object(_ counts: [(String, Int)]) -> JSONValue {
    .object(Dictionary(counts.map { ($0.0, JSONValue($0.1)) }) { first, _ in first })
  }

  /// A label as a key: `NUMA scan` is `numa_scan`.
  private static func identifier(_ label: String) -> String {
    String(label.lowercased().map { $0 == " " ? "_" : $0 })
  }
}
