import TraceEvents

extension EventFormat {
  /// Linux 6.12 x86-64: `include/trace/events/pagemap.h` and `filemap.h`.
  static let pageCache: [EventFormat] = [
    EventFormat(
      .lruActivate, id: 591,
      [
        FieldLayout("struct folio * folio", 8, 8),
        FieldLayout("unsigned long pfn", 16, 8),
      ],
      printFormat: #"""
        "folio=%p pfn=0x%lx", REC->folio, REC->pfn
        """#),
    EventFormat(
      .lruInsertion, id: 592,
      [
        FieldLayout("struct folio * folio", 8, 8),
        FieldLayout("unsigned long pfn", 16, 8),
        FieldLayout("enum lru_list lru", 24, 4),
        FieldLayout("unsigned long flags", 32, 8),
      ],
      printFormat: #"""
        "folio=%p pfn=0x%lx lru=%d flags=%s%s%s%s%s%s", REC->folio, REC->pfn, REC->lru, \#
        REC->flags & 0x0001u ? "M" : " ", REC->flags & 0x0002u ? "a" : "f", \#
        REC->flags & 0x0008u ? "s" : " ", REC->flags & 0x0010u ? "b" : " ", \#
        REC->flags & 0x0020u ? "d" : " ", REC->flags & 0x0040u ? "B" : " "
        """#),
    EventFormat(
      .filemapAdd, id: 575,
      [
        FieldLayout("unsigned long pfn", 8, 8),
        FieldLayout("unsigned long i_ino", 16, 8),
        FieldLayout("unsigned long index", 24, 8),
        FieldLayout("dev_t s_dev", 32, 4),
        FieldLayout("unsigned char order", 36, 1),
      ],
      printFormat: #"""
        "dev %d:%d ino %lx pfn=0x%lx ofs=%lu order=%u", ((unsigned int) ((REC->s_dev) >> \#
        20)), ((unsigned int) ((REC->s_dev) & ((1U << 20) - 1))), REC->i_ino, REC->pfn, \#
        REC->index << 12, REC->order
        """#),
    EventFormat(
      .filemapDelete, id: 576,
      [
        FieldLayout("unsigned long pfn", 8, 8),
        FieldLayout("unsigned long i_ino", 16, 8),
        FieldLayout("unsigned long index", 24, 8),
        FieldLayout("dev_t s_dev", 32, 4),
        FieldLayout("unsigned char order", 36, 1),
      ],
      printFormat: #"""
        "dev %d:%d ino %lx pfn=0x%lx ofs=%lu order=%u", ((unsigned int) ((REC->s_dev) >> \#
        20)), ((unsigned int) ((REC->s_dev) & ((1U << 20) - 1))), REC->i_ino, REC->pfn, \#
        REC->index << 12, REC->order
        """#),
    EventFormat(
      .filemapFault, id: 572,
      [
        FieldLayout("unsigned long i_ino", 8, 8),
        FieldLayout("dev_t s_dev", 16, 4),
        FieldLayout("unsigned long index", 24, 8),
      ],
      printFormat: #"""
        "dev=%d:%d ino=%lx ofs=%lld", ((unsigned int) ((REC->s_dev) >> 20)), \#
        ((unsigned int) ((REC->s_dev) & ((1U << 20) - 1))), REC->i_ino, \#
        ((loff_t)REC->index) << 12
        """#),
    EventFormat(
      .filemapGetPages, id: 574,
      [
        FieldLayout("unsigned long i_ino", 8, 8),
        FieldLayout("dev_t s_dev", 16, 4),
        FieldLayout("unsigned long index", 24, 8),
        FieldLayout("unsigned long last_index", 32, 8),
      ],
      printFormat: #"""
        "dev=%d:%d ino=%lx ofs=%lld-%lld", ((unsigned int) ((REC->s_dev) >> 20)), \#
        ((unsigned int) ((REC->s_dev) & ((1U << 20) - 1))), REC->i_ino, \#
        ((loff_t)REC->index) << 12, ((((loff_t)REC->last_index + 1) << 12) - 1)
        """#),
    EventFormat(
      .filemapMapPages, id: 573,
      [
        FieldLayout("unsigned long i_ino", 8, 8),
        FieldLayout("dev_t s_dev", 16, 4),
        FieldLayout("unsigned long index", 24, 8),
        FieldLayout("unsigned long last_index", 32, 8),
      ],
      printFormat: #"""
        "dev=%d:%d ino=%lx ofs=%lld-%lld", ((unsigned int) ((REC->s_dev) >> 20)), \#
        ((unsigned int) ((REC->s_dev) & ((1U << 20) - 1))), REC->i_ino, \#
        ((loff_t)REC->index) << 12, ((((loff_t)REC->last_index + 1) << 12) - 1)
        """#),
  ]
}
