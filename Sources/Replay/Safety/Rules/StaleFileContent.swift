/// I3: a page of a file that reclaim took away without a flush comes back in another frame and is
/// written there, while a CPU can still read the old frame.
///
/// Which file a write(2) goes to is in no event. What is proven: a page that the writing call itself
/// brings into the page cache is written before it ends. Any other write while a page that came back,
/// or one that was migrated, is stale somewhere is a possible hazard and no finding, as it may go to
/// another file.
struct StaleFileContent: SafetyCheck {
  private static let writesMax = 1024
  private static let record =
    "writeback:writeback_dirty_folio, which names the page of the file that is changed"

  private struct Write {
    var task: UInt32
    var key: UInt64
  }

  private var open = OpenUnmaps()
  private var pages = HeldTable()
  private var writes: [Write] = []
  private var unchecked = 0
  private var findings = RuleFindings()
  private var unmaps = 0
  private var removals = 0
  private var cameBack = 0
  /// The last unmap with a page that came back, and the last of a migration, whose pages stay in the
  /// page cache all the time; held.
  private var lastBack: UInt32 = 0
  private var lastMigration: UInt32 = 0
  private var possible = 0

  var hears: SafetyNews { .shootdowns }
  var moments: MomentKindSet { MomentKindSet([.pageCacheAdded, .fileWriteEnd]) }
  var momentsAlways: MomentKindSet { MomentKindSet([.pageCacheRemoved]) }

  private static func key(_ change: PageCacheChange) -> UInt64 {
    var key = change.inode &* 0x9e37_79b9_7f4a_7c15
    key = (key ^ key >> 29 ^ change.device) &* 0xbf58_476d_1ce4_e5b9
    key = (key ^ key >> 32 ^ change.index) &* 0x94d0_49bb_1331_11eb
    return (key ^ key >> 31) | 1
  }

  mutating func shootdown(
    _ shootdown: borrowing Shootdown, leaving unmap: UInt32, _ moment: Moment,
    _ source: borrowing Reconstruction, _ stale: inout StaleTranslations
  ) {
    guard shootdown.kind == .unmapBatch else { return }
    if unmap != 0 { unmaps += 1 }
    if unmap != 0, shootdown.evidence == .provenReadOnly {
      stale.hold(unmap)
      stale.release(lastMigration)
      lastMigration = unmap
    }
    open.take(by: shootdown.taskIndex) { key, frame in
      if unmap != 0 { pages.insert(key, unmap, frame: frame, &stale) }
    }
  }

  mutating func observe(
    _ moment: Moment, _ source: borrowing Reconstruction, _ stale: inout StaleTranslations
  ) {
    switch moment.kind {
    case .pageCacheRemoved:
      removals += 1
      // A user outside reclaim truncates or invalidates, and unmaps by another way.
      guard moment.payer != .user, moment.payer != .idle else { return }
      let change = source.cacheChanges[moment.subject]
      open.add(Self.key(change), frame: change.frame, by: moment.task)
    case .pageCacheAdded:
      guard !pages.isEmpty else { return }
      let change = source.cacheChanges[moment.subject]
      guard let slot = pages.find(Self.key(change)) else { return }
      cameBack(slot, change, moment, &stale)
    default: writeEnded(moment, source, &stale)
    }
  }

  private mutating func cameBack(
    _ slot: Int, _ change: PageCacheChange, _ moment: Moment, _ stale: inout StaleTranslations
  ) {
    let unmap = pages[slot].unmap
    guard stale.staleCPU(unmap) != nil else {
      pages.remove(slot, &stale)
      return
    }
    cameBack += 1
    stale.hold(unmap)
    stale.release(lastBack)
    lastBack = unmap
    guard change.isInWrite else { return }
    if writes.count < Self.writesMax {
      writes.append(Write(task: moment.task, key: pages[slot].key))
    } else {
      unchecked += 1
    }
  }

  private mutating func writeEnded(
    _ moment: Moment, _ source: borrowing Reconstruction, _ stale: inout StaleTranslations
  ) {
    if stale.staleCPU(lastBack) != nil || stale.staleCPU(lastMigration) != nil { possible += 1 }
    guard !writes.isEmpty else { return }
    for write in writes where write.task == moment.task {
      guard let slot = pages.find(write.key) else { continue }
      findings.checked += 1
      guard let cpu = stale.staleCPU(pages[slot].unmap) else { continue }
      let frame = pages[slot].frame
      findings.violated(
        .staleFileContent, moment, cpu: cpu, pfn: frame == .max ? 0 : source.frames.pfn(Int(frame)))
    }
    writes.removeAll { $0.task == moment.task }
  }

  func verdicts(_ handouts: HandoutCounts) -> [RuleVerdict] {
    let left = pages.unchecked + open.unchecked + unchecked
    let detail =
      "\(cameBack) pages of files came back while a CPU could read their old frame; "
      + "\(findings.checked) of them in a write; \(possible) writes ended while it could, or "
      + "could read what a migrated page left, to whichever file"
      + (left > 0 ? "; \(left) pages left out for room" : "")
    if unmaps > 0, removals == 0 {
      let record = "filemap:mm_filemap_delete_from_page_cache and mm_filemap_add_to_page_cache"
      return [findings.verdict(.staleFileContent, orRecord: record, detail)]
    }
    if possible > 0 || left > 0 {
      return [findings.verdict(.staleFileContent, orRecord: Self.record, detail)]
    }
    return [findings.verdict(.staleFileContent, detail)]
  }
}
