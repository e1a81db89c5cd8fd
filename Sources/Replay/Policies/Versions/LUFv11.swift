extension LazyFlushRules {
  /// LUF v11, series of 31 May 2024 (linux-mm): the end of a write to a regular file ends deferral,
  /// mmap and write-protect faults do not; the lock is only tried when a batch flush starts, and one
  /// that fails to get it is not credited. Who fails is not visible: taken for those that start while
  /// another flush runs, which is at least all of them.
  public static let v11 = LazyFlushRules(
    name: "luf-v11", flushesOnFileWrite: true, creditsWhileFlushing: false)

  static let v11Entry = PolicyEntry(
    summary: "the end of a write to a file ends deferral, mmap and write-protect faults do not",
    source: "LUF v11, linux-mm, 31 May 2024", v11.blueprint)
}
