import TraceEvents

extension EventFormat {
  /// Linux 6.12 x86-64: `include/trace/events/migrate.h` and `thp.h`.
  static let migrate: [EventFormat] = [
    EventFormat(
      .migratePages, id: 683,
      [
        FieldLayout("unsigned long succeeded", 8, 8),
        FieldLayout("unsigned long failed", 16, 8),
        FieldLayout("unsigned long thp_succeeded", 24, 8),
        FieldLayout("unsigned long thp_failed", 32, 8),
        FieldLayout("unsigned long thp_split", 40, 8),
        FieldLayout("unsigned long large_folio_split", 48, 8),
        FieldLayout("enum migrate_mode mode", 56, 4),
        FieldLayout("int reason", 60, 4, signed: true),
      ],
      printFormat: #"""
        "nr_succeeded=%lu nr_failed=%lu nr_thp_succeeded=%lu nr_thp_failed=%lu \#
        nr_thp_split=%lu nr_split=%lu mode=%s reason=%s", REC->succeeded, REC->failed, \#
        REC->thp_succeeded, REC->thp_failed, REC->thp_split, REC->large_folio_split, \#
        __print_symbolic(REC->mode, {0, "MIGRATE_ASYNC"}, {1, "MIGRATE_SYNC_LIGHT"}, {2, \#
        "MIGRATE_SYNC"}), __print_symbolic(REC->reason, {0, "compaction"}, {1, \#
        "memory_failure"}, {2, "memory_hotplug"}, {3, "syscall_or_cpuset"}, {4, \#
        "mempolicy_mbind"}, {5, "numa_misplaced"}, {6, "contig_range"}, {7, \#
        "longterm_pin"}, {8, "demotion"}, {9, "damon"})
        """#),
    EventFormat(
      .migratePagesStart, id: 682,
      [
        FieldLayout("enum migrate_mode mode", 8, 4),
        FieldLayout("int reason", 12, 4, signed: true),
      ],
      printFormat: #"""
        "mode=%s reason=%s", __print_symbolic(REC->mode, {0, "MIGRATE_ASYNC"}, {1, \#
        "MIGRATE_SYNC_LIGHT"}, {2, "MIGRATE_SYNC"}), __print_symbolic(REC->reason, {0, \#
        "compaction"}, {1, "memory_failure"}, {2, "memory_hotplug"}, {3, \#
        "syscall_or_cpuset"}, {4, "mempolicy_mbind"}, {5, "numa_misplaced"}, {6, \#
        "contig_range"}, {7, "longterm_pin"}, {8, "demotion"}, {9, "damon"})
        """#),
    EventFormat(
      .removeMigrationPTE, id: 680,
      [
        FieldLayout("unsigned long addr", 8, 8),
        FieldLayout("unsigned long pte", 16, 8),
        FieldLayout("int order", 24, 4, signed: true),
      ],
      printFormat: #"""
        "addr=%lx, pte=%lx order=%d", REC->addr, REC->pte, REC->order
        """#),
    EventFormat(
      .setMigrationPTE, id: 681,
      [
        FieldLayout("unsigned long addr", 8, 8),
        FieldLayout("unsigned long pte", 16, 8),
        FieldLayout("int order", 24, 4, signed: true),
      ],
      printFormat: #"""
        "addr=%lx, pte=%lx order=%d", REC->addr, REC->pte, REC->order
        """#),
    EventFormat(
      .removeMigrationPMD, id: 723,
      [
        FieldLayout("unsigned long addr", 8, 8),
        FieldLayout("unsigned long pmd", 16, 8),
      ],
      printFormat: #"""
        "addr=%lx, pmd=%lx", REC->addr, REC->pmd
        """#),
    EventFormat(
      .setMigrationPMD, id: 724,
      [
        FieldLayout("unsigned long addr", 8, 8),
        FieldLayout("unsigned long pmd", 16, 8),
      ],
      printFormat: #"""
        "addr=%lx, pmd=%lx", REC->addr, REC->pmd
        """#),
  ]
}
