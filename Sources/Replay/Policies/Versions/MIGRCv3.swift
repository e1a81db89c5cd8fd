extension LazyFlushRules {
  /// MIGRC v3 (linux-mm, 2023): the source folios of promotion and of demotion by kswapd are
  /// held until their flush is done, each with a request of its own; CPUs that have fully flushed
  /// since are left out. A write-protect fault on such a page and an allocation in trouble end
  /// deferral.
  public static let migrc3 = LazyFlushRules(
    name: "migrc-v3", flushesOnWriteProtectFault: true, flushesAfterRefill: false,
    givesUpWhileFlushing: false, scope: .numaMigration, defersDemotionOfKswapdOnly: true,
    holdsFolios: true, countsHeldAsFree: true, pausesUnderPressure: true, domain: .node,
    credit: .fullFlushes)

  static let migrc3Entry = PolicyEntry(
    summary: "holds source folios of kswapd's demotion and of promotion until their own flush",
    source: "MIGRC v3, linux-mm, 2023", migrc3.blueprint)
}
