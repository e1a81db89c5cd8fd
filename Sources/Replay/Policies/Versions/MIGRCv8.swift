extension LazyFlushRules {
  /// MIGRC v8 (linux-mm, 2024): the source folios of promotion and demotion are held until
  /// one system-wide flush is done. A write-protect fault and an allocation in trouble end deferral.
  public static let migrc8 = LazyFlushRules(
    name: "migrc-v8", flushesOnWriteProtectFault: true, flushesAfterRefill: false,
    scope: .numaMigration, holdsFolios: true, countsHeldAsFree: true, pausesUnderPressure: true)

  static let migrc8Entry = PolicyEntry(
    summary: "holds source folios of demotion and promotion until one flush of all",
    source: "MIGRC v8, linux-mm, 2024", migrc8.blueprint)
}
