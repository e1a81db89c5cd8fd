/// A flush policy and its parameters.
enum FlushPolicy: Equatable {
  case lazy(LazyFlushRules)
  case ideal
  /// One flush for every so many unmapped pages of a task.
  case batching(pagesMax: Int)

  /// Whether it makes a difference to it how pages were mapped.
  var asksForPermissions: Bool {
    if case .batching = self { false } else { true }
  }

  /// What only this policy leaves out, for the notes of a report.
  var limits: [String] {
    switch self {
    case .lazy(let rules):
      var notes: [String] = []
      if rules.flushesOnFileWrite {
        notes.append(
          "which writes go to regular files is not visible: every write(2) and pwrite64(2) that ends "
            + "inside the trace counts as one; raced faults, which v11 also looks at, have no event"
        )
      }
      if !rules.creditsWhileFlushing {
        notes.append(
          "who fails to get the lock is not visible: approximated by batch flushes that start while "
            + "another one runs")
      }
      if rules.forgetsInBuddy {
        notes.append(
          "a frame forgets the flush that it owes when mm_page_pcpu_drain moves it to buddy, where "
            + "its block's order (at most 10) stands for the generation: not safe, shown for what the "
            + "posted text does. Generations start at 1 with the trace, as on a kernel that has just "
            + "switched it on; blocks that were free before are not known")
      }
      return notes
    case .ideal:
      return [
        "a bound and no proposal: every flush, change of mm and end of lazy mode is credited to its "
          + "CPU, and each frame interrupts only those that still owe it; tlb_flush counts leave out "
          + "flushes that a CPU does of itself"
      ]
    case .batching:
      return [
        "pages are those freed with a batch, the only ones that are visible; a batch ends early when "
          + "one of its frames is allocated"
      ]
    }
  }
}

/// The flush policies that can be replayed, by name.
public enum PolicyCatalog {
  /// The recorded run itself: identity.
  public static let recordedName = "recorded"
  /// What `report` shows when nothing is asked for.
  public static let defaultNames = [recordedName, LazyFlushRules.v10.name]
  /// Every policy once, the one with a number at 64.
  public static let sampleNames = entries.map {
    $0.name == batchPrefix + "N" ? batchPrefix + "64" : $0.name
  }
  /// Pages of a batch in `batch-N` lie below this.
  public static let batchPagesLimit = 1 << 20

  private static let unbatchedName = "unbatched"
  private static let batchPrefix = "batch-"
  private static let idealName = "luf-ideal"
  private static let lazy: [LazyFlushRules] = [.v10, .v10AsPosted, .v11]

  /// A policy's name, one line on it, and where its rules come from.
  public static let entries: [(name: String, summary: String, source: String)] = [
    (recordedName, "what the trace recorded, unchanged", "the trace"),
    (
      unbatchedName, "one flush for every page that reclaim or migration unmaps",
      "Linux before batched unmap flushes, 4.3"
    ),
    (
      batchPrefix + "N", "one flush for every N pages that a task unmaps, as in batch-64",
      "Linux 6.12 mm/vmscan.c batches up to 31, mm/migrate.c up to 512"
    ),
    (
      LazyFlushRules.v10.name,
      "lazy unmap flush: read-only unmaps are flushed when one of their frames is taken again",
      "LUF v10, linux-mm, 10 May 2024"
    ),
    (
      LazyFlushRules.v10AsPosted.name,
      "the same with the posted defect: frames that pass through buddy forget; not safe",
      "LUF v10 patch 5/12 as posted"
    ),
    (
      LazyFlushRules.v11.name,
      "the end of a write to a file ends deferral, mmap and write-protect faults do not",
      "LUF v11, linux-mm, 31 May 2024"
    ),
    (
      idealName,
      "the bound that none can beat: credits every flush and context switch to its CPU",
      "no kernel does this"
    ),
  ]

  /// Whether a policy has this name.
  public static func isKnown(_ name: String) -> Bool {
    name == recordedName || policy(named: name) != nil
  }

  /// The policy of this name; nil for the recorded run, which needs none, and unknown names.
  static func policy(named name: String) -> FlushPolicy? {
    if name == idealName { return .ideal }
    if name == unbatchedName { return .batching(pagesMax: 1) }
    if let rules = lazy.first(where: { $0.name == name }) { return .lazy(rules) }
    guard name.hasPrefix(batchPrefix), let pages = Int(name.dropFirst(batchPrefix.count)),
      pages >= 1, pages < batchPagesLimit
    else { return nil }
    return .batching(pagesMax: pages)
  }
}
