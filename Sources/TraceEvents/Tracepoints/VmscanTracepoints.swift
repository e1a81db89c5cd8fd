/// Payload slots of the kswapd events.
public enum Kswapd {
  /// NUMA node.
  public static let node = 0
  /// Allocation order that woke it.
  public static let order = 1
}

/// Payload slots of `vmscan:mm_vmscan_lru_shrink_inactive`.
public enum ShrinkInactive {
  /// NUMA node.
  public static let node = 0
  /// Pages looked at.
  public static let scanned = 1
  /// Pages freed or demoted.
  public static let reclaimed = 2
  /// `RECLAIM_WB_*`: anon 1, file 2, async 8 and so on.
  public static let reclaimFlags = 3
}

extension Tracepoint {
  /// Linux 6.12 `include/trace/events/vmscan.h`.
  static let vmscan = [
    Tracepoint(
      .kswapdWake, "vmscan", "mm_vmscan_kswapd_wake",
      [TracepointField("nid"), TracepointField("order")]
    ),
    Tracepoint(.kswapdSleep, "vmscan", "mm_vmscan_kswapd_sleep", [TracepointField("nid")]),
    Tracepoint(
      .wakeupKswapd, "vmscan", "mm_vmscan_wakeup_kswapd",
      [TracepointField("nid"), TracepointField("order")]),
    Tracepoint(
      .directReclaimBegin, "vmscan", "mm_vmscan_direct_reclaim_begin", [TracepointField("order")]),
    Tracepoint(
      .directReclaimEnd, "vmscan", "mm_vmscan_direct_reclaim_end",
      [TracepointField("nr_reclaimed")]),
    Tracepoint(
      .shrinkInactive, "vmscan", "mm_vmscan_lru_shrink_inactive",
      [
        TracepointField("nid"), TracepointField("nr_scanned"), TracepointField("nr_reclaimed"),
        TracepointField(
          "reclaim_flags",
          .flags(names: [
            "RECLAIM_WB_NONE": 0, "RECLAIM_WB_ANON": 1, "RECLAIM_WB_FILE": 2,
            "RECLAIM_WB_MIXED": 0x10,
            "RECLAIM_WB_SYNC": 4, "RECLAIM_WB_ASYNC": 8,
          ]), aliases: ["flags"]),
      ]),
    Tracepoint(.lruIsolate, "vmscan", "mm_vmscan_lru_isolate"),
    Tracepoint(
      .vmscanWriteFolio, "vmscan", "mm_vmscan_write_folio", formerNames: ["mm_vmscan_writepage"],
      [TracepointField("pfn")]),
  ]
}
