extension LazyFlushRules {
  /// MIGRC v9 (linux-mm, 2024): the source folios of any migration are freed at once and carry
  /// the generation of one system-wide pending batch. A write-protect fault ends deferral.
  public static let migrc9 = LazyFlushRules(
    name: "migrc-v9", flushesOnWriteProtectFault: true, flushesAfterRefill: false,
    scope: .anyMigration)

  static let migrc9Entry = PolicyEntry(
    summary: "frees source folios of any migration at once; flushed when one is taken again",
    source: "MIGRC v9, linux-mm, 2024", migrc9.blueprint)
}
