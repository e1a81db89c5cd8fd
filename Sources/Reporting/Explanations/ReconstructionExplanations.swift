import Replay
import TraceEvents

extension Explanations {
  private static let flushEvents: [EventKind] = [
    .tlbFlush, .csdQueueCPU, .csdFunctionEntry, .csdFunctionExit, .ipiSendCPU, .ipiSendCPUMask,
  ]
  private static let frameLife: [EventKind] = [
    .pageAlloc, .pageFree, .pageFreeBatched, .pagePCPDrain, .pageAllocZoneLocked,
  ]
  private static let evidence: [EventKind] = [
    .filemapDelete, .setMigrationPTE, .removeMigrationPTE, .migratePagesStart, .migratePages,
  ]
  private static let shootdown =
    "a shootdown begins with the initiator's csd_queue_cpu or its tlb_flush of reason 4 and ends with "
    + "its last receiver (flush_tlb_multi and smp_call_function_many_cond, Linux 6.12)"
  private static let receiving =
    "a csd_function_entry belongs to the request with the same csd; without these events to the oldest "
    + "initiator that waits"

  private static func put(
    _ paths: String, unit: Explanation.Unit, _ meaning: String, _ events: [EventKind],
    _ rules: [String] = []
  ) -> Explanation {
    // Also what lies outside the window: its frames and tasks matter inside it.
    Explanation(paths, unit: unit, meaning, events: events, rules: rules)
  }

  /// How the kernel's operations were put together from the events.
  static let reconstruction = operations + framesAndTasks + accounts

  private static let operations = [
    put(
      "reconstruction.shootdowns.{mm,unmap_batch,open_at_end,cut_short}", unit: "shootdowns",
      "shootdowns of one mm and of unmap batches, those open at the trace's end, and those that another "
        + "operation of their initiator cut short", flushEvents, [shootdown]),
    put(
      "reconstruction.shootdowns.{batch_kinds_recorded,batch_kinds_concluded}",
      unit: "shootdowns",
      "of unmap batches, those that a local event names and those concluded from what the task did",
      flushEvents + evidence, [shootdown]),
    put(
      "reconstruction.shootdowns.unmap_batch_by_evidence.*", unit: "shootdowns",
      "unmap batches by what is seen of the pages that they unmapped", flushEvents + evidence,
      [
        "migration entries say whether the entry before them was writable; reclaim has no event for it, "
          + "only pages that leave the page cache"
      ]),
    put(
      "reconstruction.receivers.{matched_exactly,in_wait_window,ambiguous}", unit: "interrupts",
      "receivers by how their shootdown was found", flushEvents, [receiving]),
    put(
      "reconstruction.receivers.{interrupts_without_shootdown,remote_events_without_shootdown,requests_without_send,requests_unanswered}",
      unit: "events", "events of shootdowns that found no partner", flushEvents, [receiving]),
    put(
      "reconstruction.wait_window.{agreed,agreed_ambiguous,disagreed,disagreed_ambiguous,missed,silent_receivers,receivers_announced}",
      unit: "interrupts",
      "where the trace has both: whether the initiator's wait alone would find the same shootdown",
      flushEvents, [receiving]),
    put(
      "reconstruction.causes.*.{shootdowns,shootdowns_recorded,local_flushes,batches}",
      unit: "flushes",
      "flushes for this cause; recorded: an event names it; local: no other CPU had the mm loaded",
      flushEvents + [
        .kswapdWake, .directReclaimBegin, .migratePagesStart, .sysEnterMunmap, .sysEnterMadvise,
        .sysEnterMprotect, .pageFaultUser,
      ], ["what the initiator's task was doing: in reclaim, a migration, a system call or a fault"]),
    put(
      "reconstruction.causes.*.{pages_unmapped,read_only_entries,writable_entries,unclear_entries}",
      unit: "pages", "pages that batches of this cause are seen to unmap, by their entries",
      evidence),
    put(
      "reconstruction.causes.*.frames_freed", unit: "frames",
      "frames that were freed with batches of this cause", frameLife),
  ]

  private static let framesAndTasks = [
    put(
      "reconstruction.frames.*", unit: "frames",
      "frames by their life: allocations, frees, reuse, those freed with a batch, and contradictions",
      frameLife,
      [
        "a free right behind a batch's flush, by the same task, is of that batch "
          + "(free_unref_folios, Linux 6.12 mm/page_alloc.c)"
      ]),
    put(
      "reconstruction.impossible_blocks", unit: "events",
      "events of blocks that no machine has", frameLife),
    put(
      "reconstruction.rows_of_unknown_cpus", unit: "events",
      "events of CPUs beyond those of the machine", []),
    put(
      "reconstruction.tasks_untracked", unit: "tasks", "tasks that were not followed", []),
    put(
      "reconstruction.address_spaces.*", unit: "operations",
      "system calls, faults and changes of mm that bear on deferred flushes",
      [
        .sysEnterMmap, .sysEnterMunmap, .sysEnterMprotect, .sysEnterMremap, .sysEnterMadvise,
        .pageFaultUser, .schedSwitch, .pageAlloc,
      ],
      [
        "the write bit of a fault's error code, PROT_WRITE of mmap, and no __GFP_DIRECT_RECLAIM of "
          + "allocations (bit 10, include/linux/gfp_types.h)"
      ]),
  ]

  private static let accounts = [
    put(
      "reconstruction.events.{explained,unexplained,unused}.*", unit: "events",
      "events of the kind that belong to an operation, to none, or tell this engine nothing", [],
      ["explained + unexplained + unused is the number of its events"]),
    put(
      "reconstruction.events.explained_by_operation.*", unit: "events",
      "explained events by the family of the operation", []),
    put(
      "reconstruction.events.unknown", unit: "events", "events that the tool does not know", []),
  ]
}
