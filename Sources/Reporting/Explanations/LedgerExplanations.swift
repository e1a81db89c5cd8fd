import Replay
import TraceEvents

extension Explanations {
  private static let bookEvents: [EventKind] = [
    .tlbFlush, .csdQueueCPU, .csdFunctionEntry, .pageFree, .pageFreeBatched, .pageAlloc,
    .pageAllocZoneLocked, .filemapDelete, .setMigrationPTE,
  ]
  private static let books = [
    "an unmap batch is one arch_tlbbatch_flush of reclaim or migration (try_to_unmap_flush, Linux 6.12 "
      + "mm/rmap.c)",
    "each deferred batch ends in exactly one way: deferred = absorbed + forced + pending, checked at "
      + "the end of every replay",
  ]
  private static let cases =
    "the same figure in every case of policies.*.cases: what assumes less defers less"

  private static func fate(
    _ path: String, unit: Explanation.Unit = "batches", _ meaning: String,
    events: [EventKind] = [], rules: [String] = []
  ) -> Explanation {
    Explanation(
      path, unit: unit, meaning, events: bookEvents + events, rules: books + rules,
      parameters: [.window, .policy, .flushDuration], bounds: cases)
  }

  /// What became of the flushes that a policy put off.
  static let ledger = [
    fate("policies.*.ledger.deferred", "unmap batches of the window whose flush was put off"),
    fate(
      "policies.*.ledger.absorbed",
      "deferred batches that another flush paid for, or that no CPU owed any more"),
    fate(
      "policies.*.ledger.forced_by_allocation",
      "deferred batches whose flush was done as one of their frames was taken again",
      rules: [
        "the flush precedes the frame's next use: check_luf_flush in the page allocator (LUF v10 patch "
          + "series); a refill of a per-CPU list may force it too"
      ]),
    fate(
      "policies.*.ledger.forced_by_permission",
      "deferred batches whose flush a write-protect fault or a writable mapping forced",
      events: [.pageFaultUser, .sysEnterMmap],
      rules: ["luf_flush in do_wp_page and in do_mmap with PROT_WRITE (LUF v10 patch series)"]),
    fate(
      "policies.*.ledger.forced_by_file_write",
      "deferred batches whose flush a write to a file, a truncation or an eviction forced",
      events: [.sysExitWrite, .sysExitPwrite64]),
    fate(
      "policies.*.ledger.forced_by_pressure",
      "deferred batches whose flush memory pressure forced",
      events: [.wakeupKswapd, .directReclaimBegin]),
    fate(
      "policies.*.ledger.refused",
      "batches flushed at once though they might have been put off: another flush was running, or no "
        + "place was left; not part of deferred"),
    fate("policies.*.ledger.pending", "deferred batches whose flush was owed at the window's end"),
    fate(
      "policies.*.ledger.broadcasts", unit: "flushes",
      "recorded shootdowns that the policy does without interrupts; not part of deferred"),
    fate(
      "policies.*.ledger.frames_held", unit: "frames",
      "frames that the recorded run took while the policy would have held them"),
    fate(
      "policies.*.ledger.frames_recycled", unit: "frames",
      "frames that went back to the process that freed them, flush unpaid"),
    fate(
      "policies.*.ledger.forced_flushes", unit: "flushes",
      "flushes of the window that the recorded run did not do"),
    fate(
      "policies.*.ledger.forced_flushes_by_cause.*", unit: "flushes",
      "of these, those that this forced"),
    fate(
      "policies.*.ledger.frames_pending_max", unit: "frames",
      "most frames that were free with a flush owed at one time"),
  ]

  /// How long flushes were put off, how many frames waited, and who paid.
  static let deferrals = [
    fate(
      "policies.*.ages.count", unit: "deferrals",
      "deferrals of the window whose end was seen"),
    fate(
      "policies.*.ages.{p50,p90,p99,longest}", unit: .time,
      "from a batch's shootdown, had it been done, to the end of its deferral; percentiles are the lower "
        + "ends of buckets 12.5 % wide"),
    fate(
      "policies.*.bursts.{flushes_max,spans_by_flushes}", unit: "",
      "most forced flushes in one span; spans with 2^n to 2^(n+1) - 1 of them, by n"),
    fate("policies.*.bursts.span", unit: .time, "length of the spans: a millisecond"),
    fate(
      "policies.*.pending_frames.{max,mean,series}", unit: "frames",
      "frames free with a flush owed: most, mean over time since the first, and most in each span"),
    fate(
      "policies.*.pending_frames.{start,width}", unit: .time,
      "where the series begins and how long its spans are"),
    fate(
      "policies.*.payers.*.flushes", unit: "flushes",
      "forced flushes that tasks of this class would have done", events: [.schedSwitch]),
    fate(
      "policies.*.payers.*.interrupts", unit: "interrupts",
      "interrupts that these flushes send", events: [.schedSwitch],
      rules: [
        "one for each CPU of the flush's mask but the initiator and lazy CPUs (flush_tlb_multi, Linux "
          + "6.12)"
      ]),
  ]
}
