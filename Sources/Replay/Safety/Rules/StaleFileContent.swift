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

  /// A page that a write brought in again; the unmap is held.
  private struct Write {
    var task: UInt32
    var unmap: UInt32
    var frame: UInt32
  }

  private var writes: [Write] = []
  private var unchecked = 0
  private var leftOut = 0
  private var findings = RuleFindings()
  private var unmaps = 0
  private var areRemovalsTraced = false
  private var cameBack = 0
  /// The last unmap with a page that came back, and the last of a migration, whose pages stay in the
  /// page cache all the time; held.
  private var lastBack: UInt32 = 0
  private var lastMigration: UInt32 = 0
  private var possible = 0

  var hears: SafetyNews { .putOff }
  var moments: MomentKindSet { MomentKindSet([.pageReturned, .fileWriteEnd]) }

  mutating func shootdown(
    _ shootdown: borrowing Shootdown, leaving unmap: UInt32, _ moment: Moment,
    _ source: borrowing Reconstruction, _ stale: inout StaleTranslations
  ) {
    guard shootdown.kind == .unmapBatch else { return }
    unmaps += 1
    if shootdown.evidence == .provenReadOnly {
      stale.hold(unmap)
      stale.release(lastMigration)
      lastMigration = unmap
    }
    areRemovalsTraced = source.arePageRemovalsTraced
    leftOut = source.removedPages.leftOut
  }

  mutating func observe(
    _ moment: Moment, _ source: borrowing Reconstruction, _ stale: inout StaleTranslations
  ) {
    guard moment.kind == .pageReturned else {
      writeEnded(moment, source, &stale)
      return
    }
    let unmap = stale.unmap(ofBatch: moment.batch)
    guard stale.staleCPU(unmap) != nil else { return }
    cameBack += 1
    stale.hold(unmap)
    stale.release(lastBack)
    lastBack = unmap
    let page = source.returnedPages[moment.subject]
    guard page.isInWrite else { return }
    if writes.count < Self.writesMax {
      stale.hold(unmap)
      writes.append(Write(task: moment.task, unmap: unmap, frame: page.frame))
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
      findings.checked += 1
      let cpu = stale.staleCPU(write.unmap)
      stale.release(write.unmap)
      guard let cpu else { continue }
      findings.violated(
        .staleFileContent, moment, cpu: cpu, pfn: source.frames.pfn(Int(write.frame)))
    }
    writes.removeAll { $0.task == moment.task }
  }

  func verdicts(_ counts: SafetyCounts) -> [RuleVerdict] {
    let left = leftOut + unchecked
    let detail =
      "\(cameBack) pages of files came back while a CPU could read their old frame; "
      + "\(findings.checked) of them in a write; \(possible) writes ended while it could, or "
      + "could read what a migrated page left, to whichever file"
      + (left > 0 ? "; \(left) pages left out for room" : "")
    if unmaps > 0, !areRemovalsTraced {
      let record = "filemap:mm_filemap_delete_from_page_cache and mm_filemap_add_to_page_cache"
      return [findings.verdict(.staleFileContent, orRecord: record, detail)]
    }
    if possible > 0 || left > 0 {
      return [findings.verdict(.staleFileContent, orRecord: Self.record, detail)]
    }
    return [findings.verdict(.staleFileContent, detail)]
  }
}
