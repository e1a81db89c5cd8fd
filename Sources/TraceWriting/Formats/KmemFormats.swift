import TraceEvents

extension EventFormat {
  /// Linux 6.12 x86-64: `include/trace/events/kmem.h`.
  static let kmem: [EventFormat] = [
    EventFormat(
      .pageAlloc, id: 621,
      [
        FieldLayout("unsigned long pfn", 8, 8),
        FieldLayout("unsigned int order", 16, 4),
        FieldLayout("unsigned long gfp_flags", 24, 8),
        FieldLayout("int migratetype", 32, 4, signed: true),
      ],
      printFormat: #"""
        "page=%p pfn=0x%lx order=%d migratetype=%d gfp_flags=%s", \#
        REC->pfn != -1UL ? (((struct page *)vmemmap_base) + (REC->pfn)) : ((void *)0), \#
        REC->pfn != -1UL ? REC->pfn : 0, REC->order, REC->migratetype, \#
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
      .pageAllocExtfrag, id: 618,
      [
        FieldLayout("unsigned long pfn", 8, 8),
        FieldLayout("int alloc_order", 16, 4, signed: true),
        FieldLayout("int fallback_order", 20, 4, signed: true),
        FieldLayout("int alloc_migratetype", 24, 4, signed: true),
        FieldLayout("int fallback_migratetype", 28, 4, signed: true),
        FieldLayout("int change_ownership", 32, 4, signed: true),
      ],
      printFormat: #"""
        "page=%p pfn=0x%lx alloc_order=%d fallback_order=%d pageblock_order=%d \#
        alloc_migratetype=%d fallback_migratetype=%d fragmenting=%d change_ownership=%d", \#
        (((struct page *)vmemmap_base) + (REC->pfn)), REC->pfn, REC->alloc_order, \#
        REC->fallback_order, (((unsigned int)((21 - 12))) < ((unsigned int)(10)) ? \#
        ((unsigned int)((21 - 12))) : ((unsigned int)(10))), REC->alloc_migratetype, \#
        REC->fallback_migratetype, REC->fallback_order < (((unsigned int)((21 - 12))) < \#
        ((unsigned int)(10)) ? ((unsigned int)((21 - 12))) : ((unsigned int)(10))), \#
        REC->change_ownership
        """#),
    EventFormat(
      .pageAllocZoneLocked, id: 620,
      [
        FieldLayout("unsigned long pfn", 8, 8),
        FieldLayout("unsigned int order", 16, 4),
        FieldLayout("int migratetype", 20, 4, signed: true),
        FieldLayout("int percpu_refill", 24, 4, signed: true),
      ],
      printFormat: #"""
        "page=%p pfn=0x%lx order=%u migratetype=%d percpu_refill=%d", \#
        REC->pfn != -1UL ? (((struct page *)vmemmap_base) + (REC->pfn)) : ((void *)0), \#
        REC->pfn != -1UL ? REC->pfn : 0, REC->order, REC->migratetype, REC->percpu_refill
        """#),
    EventFormat(
      .pageFree, id: 623,
      [
        FieldLayout("unsigned long pfn", 8, 8),
        FieldLayout("unsigned int order", 16, 4),
      ],
      printFormat: #"""
        "page=%p pfn=0x%lx order=%d", (((struct page *)vmemmap_base) + (REC->pfn)), \#
        REC->pfn, REC->order
        """#),
    EventFormat(
      .pageFreeBatched, id: 622,
      [
        FieldLayout("unsigned long pfn", 8, 8)
      ],
      printFormat: #"""
        "page=%p pfn=0x%lx order=0", (((struct page *)vmemmap_base) + (REC->pfn)), REC->pfn
        """#),
    EventFormat(
      .pagePCPDrain, id: 619,
      [
        FieldLayout("unsigned long pfn", 8, 8),
        FieldLayout("unsigned int order", 16, 4),
        FieldLayout("int migratetype", 20, 4, signed: true),
      ],
      printFormat: #"""
        "page=%p pfn=0x%lx order=%d migratetype=%d", (((struct page *)vmemmap_base) + \#
        (REC->pfn)), REC->pfn, REC->order, REC->migratetype
        """#),
    EventFormat(
      .rssStat, id: 616,
      [
        FieldLayout("unsigned int mm_id", 8, 4),
        FieldLayout("unsigned int curr", 12, 4),
        FieldLayout("int member", 16, 4, signed: true),
        FieldLayout("long size", 24, 8, signed: true),
      ],
      printFormat: #"""
        "mm_id=%u curr=%d type=%s size=%ldB", REC->mm_id, REC->curr, \#
        __print_symbolic(REC->member, { 0, "MM_FILEPAGES" }, { 1, "MM_ANONPAGES" }, { 2, \#
        "MM_SWAPENTS" }, { 3, "MM_SHMEMPAGES" }), REC->size
        """#),
  ]
}
