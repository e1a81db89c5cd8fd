import TraceEvents

extension EventFormat {
  /// Linux 6.12 x86-64: `include/trace/events/vmscan.h`.
  static let vmscan: [EventFormat] = [
    EventFormat(
      .directReclaimBegin, id: 607,
      [
        FieldLayout("int order", 8, 4, signed: true),
        FieldLayout("unsigned long gfp_flags", 16, 8),
      ],
      printFormat: #"""
        "order=%d gfp_flags=%s", REC->order, (REC->gfp_flags) ? \#
        __print_flags(REC->gfp_flags, "|", {0x1c24ca, "GFP_TRANSHUGE"}, {0x1c20ca, \#
        "GFP_TRANSHUGE_LIGHT"}, {0x100cca, "GFP_HIGHUSER_MOVABLE"}, {0x100cc2, \#
        "GFP_HIGHUSER"}, {0x100cc0, "GFP_USER"}, {0x400cc0, "GFP_KERNEL_ACCOUNT"}, {0xcc0, \#
        "GFP_KERNEL"}, {0xc40, "GFP_NOFS"}, {0x820, "GFP_ATOMIC"}, {0xc00, "GFP_NOIO"}, \#
        {0x2800, "GFP_NOWAIT"}, {0x1, "GFP_DMA"}, {0x2, "__GFP_HIGHMEM"}, {0x4, \#
        "GFP_DMA32"}, {0x20, "__GFP_HIGH"}, {0x40, "__GFP_IO"}, {0x80, "__GFP_FS"}, \#
        {0x2000, "__GFP_NOWARN"}, {0x4000, "__GFP_RETRY_MAYFAIL"}, {0x8000, \#
        "__GFP_NOFAIL"}, {0x10000, "__GFP_NORETRY"}, {0x40000, "__GFP_COMP"}, {0x100, \#
        "__GFP_ZERO"}, {0x80000, "__GFP_NOMEMALLOC"}, {0x20000, "__GFP_MEMALLOC"}, \#
        {0x100000, "__GFP_HARDWALL"}, {0x200000, "__GFP_THISNODE"}, {0x10, \#
        "__GFP_RECLAIMABLE"}, {0x8, "__GFP_MOVABLE"}, {0x400000, "__GFP_ACCOUNT"}, {0x1000, \#
        "__GFP_WRITE"}, {0xc00, "__GFP_RECLAIM"}, {0x400, "__GFP_DIRECT_RECLAIM"}, {0x800, \#
        "__GFP_KSWAPD_RECLAIM"}, {0x800000, "__GFP_ZEROTAGS"}) : "none"
        """#),
    EventFormat(
      .directReclaimEnd, id: 604,
      [
        FieldLayout("unsigned long nr_reclaimed", 8, 8)
      ],
      printFormat: #"""
        "nr_reclaimed=%lu", REC->nr_reclaimed
        """#),
    EventFormat(
      .kswapdSleep, id: 610,
      [
        FieldLayout("int nid", 8, 4, signed: true)
      ],
      printFormat: #"""
        "nid=%d", REC->nid
        """#),
    EventFormat(
      .kswapdWake, id: 609,
      [
        FieldLayout("int nid", 8, 4, signed: true),
        FieldLayout("int zid", 12, 4, signed: true),
        FieldLayout("int order", 16, 4, signed: true),
      ],
      printFormat: #"""
        "nid=%d order=%d", REC->nid, REC->order
        """#),
    EventFormat(
      .lruIsolate, id: 599,
      [
        FieldLayout("int highest_zoneidx", 8, 4, signed: true),
        FieldLayout("int order", 12, 4, signed: true),
        FieldLayout("unsigned long nr_requested", 16, 8),
        FieldLayout("unsigned long nr_scanned", 24, 8),
        FieldLayout("unsigned long nr_skipped", 32, 8),
        FieldLayout("unsigned long nr_taken", 40, 8),
        FieldLayout("int lru", 48, 4, signed: true),
      ],
      printFormat: #"""
        "classzone=%d order=%d nr_requested=%lu nr_scanned=%lu nr_skipped=%lu nr_taken=%lu \#
        lru=%s", REC->highest_zoneidx, REC->order, REC->nr_requested, REC->nr_scanned, \#
        REC->nr_skipped, REC->nr_taken, __print_symbolic(REC->lru, {0, "inactive_anon"}, \#
        {1, "active_anon"}, {2, "inactive_file"}, {3, "active_file"}, {4, "unevictable"})
        """#),
    EventFormat(
      .shrinkInactive, id: 597,
      [
        FieldLayout("int nid", 8, 4, signed: true),
        FieldLayout("unsigned long nr_scanned", 16, 8),
        FieldLayout("unsigned long nr_reclaimed", 24, 8),
        FieldLayout("unsigned long nr_dirty", 32, 8),
        FieldLayout("unsigned long nr_writeback", 40, 8),
        FieldLayout("unsigned long nr_congested", 48, 8),
        FieldLayout("unsigned long nr_immediate", 56, 8),
        FieldLayout("unsigned int nr_activate0", 64, 4),
        FieldLayout("unsigned int nr_activate1", 68, 4),
        FieldLayout("unsigned long nr_ref_keep", 72, 8),
        FieldLayout("unsigned long nr_unmap_fail", 80, 8),
        FieldLayout("int priority", 88, 4, signed: true),
        FieldLayout("int reclaim_flags", 92, 4, signed: true),
      ],
      printFormat: #"""
        "nid=%d nr_scanned=%ld nr_reclaimed=%ld nr_dirty=%ld nr_writeback=%ld \#
        nr_congested=%ld nr_immediate=%ld nr_activate_anon=%d nr_activate_file=%d \#
        nr_ref_keep=%ld nr_unmap_fail=%ld priority=%d flags=%s", REC->nid, REC->nr_scanned, \#
        REC->nr_reclaimed, REC->nr_dirty, REC->nr_writeback, REC->nr_congested, \#
        REC->nr_immediate, REC->nr_activate0, REC->nr_activate1, REC->nr_ref_keep, \#
        REC->nr_unmap_fail, REC->priority, (REC->reclaim_flags) ? \#
        __print_flags(REC->reclaim_flags, "|", {0x0001u, "RECLAIM_WB_ANON"}, {0x0002u, \#
        "RECLAIM_WB_FILE"}, {0x0010u, "RECLAIM_WB_MIXED"}, {0x0004u, "RECLAIM_WB_SYNC"}, \#
        {0x0008u, "RECLAIM_WB_ASYNC"} ) : "RECLAIM_WB_NONE"
        """#),
    EventFormat(
      .wakeupKswapd, id: 608,
      [
        FieldLayout("int nid", 8, 4, signed: true),
        FieldLayout("int zid", 12, 4, signed: true),
        FieldLayout("int order", 16, 4, signed: true),
        FieldLayout("unsigned long gfp_flags", 24, 8),
      ],
      printFormat: #"""
        "nid=%d order=%d gfp_flags=%s", REC->nid, REC->order, \#
        (REC->gfp_flags) ? __print_flags(REC->gfp_flags, "|", {0x1c24ca, "GFP_TRANSHUGE"}, \#
        {0x1c20ca, "GFP_TRANSHUGE_LIGHT"}, {0x100cca, "GFP_HIGHUSER_MOVABLE"}, {0x100cc2, \#
        "GFP_HIGHUSER"}, {0x100cc0, "GFP_USER"}, {0x400cc0, "GFP_KERNEL_ACCOUNT"}, {0xcc0, \#
        "GFP_KERNEL"}, {0xc40, "GFP_NOFS"}, {0x820, "GFP_ATOMIC"}, {0xc00, "GFP_NOIO"}, \#
        {0x2800, "GFP_NOWAIT"}, {0x1, "GFP_DMA"}, {0x2, "__GFP_HIGHMEM"}, {0x4, \#
        "GFP_DMA32"}, {0x20, "__GFP_HIGH"}, {0x40, "__GFP_IO"}, {0x80, "__GFP_FS"}, \#
        {0x2000, "__GFP_NOWARN"}, {0x4000, "__GFP_RETRY_MAYFAIL"}, {0x8000, \#
        "__GFP_NOFAIL"}, {0x10000, "__GFP_NORETRY"}, {0x40000, "__GFP_COMP"}, {0x100, \#
        "__GFP_ZERO"}, {0x80000, "__GFP_NOMEMALLOC"}, {0x20000, "__GFP_MEMALLOC"}, \#
        {0x100000, "__GFP_HARDWALL"}, {0x200000, "__GFP_THISNODE"}, {0x10, \#
        "__GFP_RECLAIMABLE"}, {0x8, "__GFP_MOVABLE"}, {0x400000, "__GFP_ACCOUNT"}, {0x1000, \#
        "__GFP_WRITE"}, {0xc00, "__GFP_RECLAIM"}, {0x400, "__GFP_DIRECT_RECLAIM"}, {0x800, \#
        "__GFP_KSWAPD_RECLAIM"}, {0x800000, "__GFP_ZEROTAGS"}) : "none"
        """#),
    EventFormat(
      .vmscanWriteFolio, id: 598,
      [
        FieldLayout("unsigned long pfn", 8, 8),
        FieldLayout("int reclaim_flags", 16, 4, signed: true),
      ],
      printFormat: #"""
        "page=%p pfn=0x%lx flags=%s", (((struct page *)vmemmap_base) + (REC->pfn)), \#
        REC->pfn, (REC->reclaim_flags) ? __print_flags(REC->reclaim_flags, "|", {0x0001u, \#
        "RECLAIM_WB_ANON"}, {0x0002u, "RECLAIM_WB_FILE"}, {0x0010u, "RECLAIM_WB_MIXED"}, \#
        {0x0004u, "RECLAIM_WB_SYNC"}, {0x0008u, "RECLAIM_WB_ASYNC"} ) : "RECLAIM_WB_NONE"
        """#),
  ]
}
