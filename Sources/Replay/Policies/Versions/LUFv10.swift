extension LazyFlushRules {
  /// LUF v10, patchwork series of 10 May 2024 (linux-mm): one system-wide pending batch, frames
  /// carry its generation, any folio that reclaim or asynchronous migration unmaps read-only.
  public static let v10 = LazyFlushRules(
    name: "luf-v10", flushesOnWriteProtectFault: true, flushesOnWritableMapping: true)

  /// v10 as its text was posted: patch 5 of 12 stores a buddy block's order where its generation
  /// belongs, so a frame that passes through buddy has that, which is soon a generation long done.
  /// Not safe.
  public static let v10AsPosted = LazyFlushRules(
    name: "luf-v10-as-posted", flushesOnWriteProtectFault: true, flushesOnWritableMapping: true,
    forgetsInBuddy: true)

  static let v10Entry = PolicyEntry(
    summary:
      "lazy unmap flush: read-only unmaps are flushed when one of their frames is taken again",
    source: "LUF v10, linux-mm, 10 May 2024", v10.blueprint)

  static let v10AsPostedEntry = PolicyEntry(
    summary: "the same with the posted defect: frames that pass through buddy forget; not safe",
    source: "LUF v10 patch 5/12 as posted", v10AsPosted.blueprint)
}
