/// Payload slots of `migrate:mm_migrate_pages`.
public enum MigratePages {
  /// Folios moved.
  public static let succeeded = 0
  /// Folios left where they were.
  public static let failed = 1
  /// Huge folios moved, failed and split; large folios split.
  public static let hugeSucceeded = 2
  /// See ``hugeSucceeded``.
  public static let hugeFailed = 3
  /// See ``hugeSucceeded``.
  public static let hugeSplit = 4
  /// See ``hugeSucceeded``.
  public static let largeSplit = 5
  /// `enum migrate_mode`.
  public static let mode = 6
  /// `enum migrate_reason`: see ``MigrationReason``.
  public static let reason = 7
}

/// Payload slots of `migrate:mm_migrate_pages_start`.
public enum MigratePagesStart {
  /// `enum migrate_mode`.
  public static let mode = 0
  /// `enum migrate_reason`: see ``MigrationReason``.
  public static let reason = 1
}

/// Payload slots of `migrate:set_migration_pte` and `remove_migration_pte` (and their pmd twins).
public enum MigrationPTE {
  /// User virtual address.
  public static let address = 0
  /// The page-table entry: the migration entry that was set, or the present entry that replaced it.
  public static let pte = 1
  /// Folio order as the kernel prints it (on every pte at set, on the head only at remove).
  public static let order = 2
}

extension Tracepoint {
  /// Linux 6.12 `include/trace/events/migrate.h`, `MIGRATE_REASON`; `cma` is the name before 5.14.
  static let migrationReasonNames: [String: Int64] = [
    "compaction": 0, "memory_failure": 1, "memory_hotplug": 2, "syscall_or_cpuset": 3,
    "mempolicy_mbind": 4, "numa_misplaced": 5, "contig_range": 6, "cma": 6, "longterm_pin": 7,
    "demotion": 8, "damon": 9,
  ]

  /// Linux 6.12 `include/trace/events/migrate.h`, `MIGRATE_MODE`.
  static let migrationModeNames: [String: Int64] = [
    "MIGRATE_ASYNC": 0, "MIGRATE_SYNC_LIGHT": 1, "MIGRATE_SYNC": 2, "MIGRATE_SYNC_NO_COPY": 3,
  ]

  static let migrate = [
    Tracepoint(
      .migratePages, "migrate", "mm_migrate_pages",
      [
        TracepointField("succeeded", aliases: ["nr_succeeded"]),
        TracepointField("failed", aliases: ["nr_failed"]),
        TracepointField("thp_succeeded", aliases: ["nr_thp_succeeded"]),
        TracepointField("thp_failed", aliases: ["nr_thp_failed"]),
        TracepointField("thp_split", aliases: ["nr_thp_split"]),
        TracepointField("large_folio_split", aliases: ["nr_split"]),
        TracepointField("mode", .symbolic(names: migrationModeNames)),
        TracepointField("reason", .symbolic(names: migrationReasonNames)),
      ]),
    Tracepoint(
      .migratePagesStart, "migrate", "mm_migrate_pages_start",
      [
        TracepointField("mode", .symbolic(names: migrationModeNames)),
        TracepointField("reason", .symbolic(names: migrationReasonNames)),
      ]),
    Tracepoint(
      .setMigrationPTE, "migrate", "set_migration_pte",
      [
        TracepointField("addr", .hexadecimal), TracepointField("pte", .hexadecimal),
        TracepointField("order"),
      ]),
    Tracepoint(
      .removeMigrationPTE, "migrate", "remove_migration_pte",
      [
        TracepointField("addr", .hexadecimal), TracepointField("pte", .hexadecimal),
        TracepointField("order"),
      ]),
    Tracepoint(
      .setMigrationPMD, "thp", "set_migration_pmd",
      [TracepointField("addr", .hexadecimal), TracepointField("pmd", .hexadecimal)]),
    Tracepoint(
      .removeMigrationPMD, "thp", "remove_migration_pmd",
      [TracepointField("addr", .hexadecimal), TracepointField("pmd", .hexadecimal)]),
  ]
}
