extension LazyFlushRules {
  /// LUF RFC v12 (linux-mm, 20 February 2025): every deferred batch has CPUs and a generation of its
  /// own, CPUs that flushed since are left out, frames that pass through buddy share their zone's
  /// batch. A fault in a mapping that may be written, munmap and the like, and writes to the file end
  /// deferral; nothing is refused because another flush runs.
  public static let v12 = LazyFlushRules(
    name: "luf-v12", flushesOnFileWrite: true, flushesAfterRefill: false,
    givesUpWhileFlushing: false, domain: .table, flushesOnMayWriteFault: true,
    flushesOnUnmap: true, flushesOnlyWrittenFile: true, flushesOnTruncate: true,
    credit: .batchAndUnmapFlushes, skipsForAtomicAllocations: true)

  /// The faults, writes and truncations that end deferral in v12, on the one pending batch of v10 and
  /// v11: more pessimistic than v12, and what a kernel without v12's tables can do. munmap and the
  /// like only do the flush that `flush_tlb_batched_pending` does anyway.
  public static let v12Rules = LazyFlushRules(
    name: "luf-v12r", flushesOnFileWrite: true, creditsWhileFlushing: false,
    flushesOnMayWriteFault: true, flushesOnlyWrittenFile: true, flushesOnTruncate: true)

  static let v12Entry = PolicyEntry(
    summary: "each batch for itself; may-write faults, munmap and writes to the file end deferral",
    source: "LUF RFC v12, linux-mm, 20 February 2025", v12.blueprint)

  static let v12RulesEntry = PolicyEntry(
    summary: "what ends deferral in v12, on the one pending batch of v10 and v11",
    source: "LUF RFC v12 and v11", v12Rules.blueprint)
}
