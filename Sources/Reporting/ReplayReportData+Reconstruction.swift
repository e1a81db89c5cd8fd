import Replay

/// How the operations were put together, in JSON.
extension ReplayReportData {
  static func reconstruction(_ counts: ReconstructionCounts) -> JSONValue {
    .object([
      "shootdowns": shootdowns(counts), "receivers": receivers(counts), "frames": frames(counts),
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
}
