/// I4, I5 with Amit-a, I8 with Amit-d, I11: what happens at an address where an entry was replaced
/// without a flush.
///
/// Addresses are known of migrations only (`migrate:set_migration_pte`); reclaim names none. That
/// event does not name the mm either, and two processes may have different pages at one address. So
/// a finding needs a CPU that runs the very mm of the task that faults or unmaps, which
/// `kmem:rss_stat` names; without it the occasion counts as unclear.
struct ReplacedEntries: SafetyCheck {
  /// Faults followed at a time.
  private static let openMax = 1024

  /// A write fault at a deferred address, until its task's next event tells how it was handled.
  private struct WriteFault {
    var moment: Moment
    var unmap: UInt32
    var frame: UInt32
  }
  /// The call of a task that unmaps or maps over a range.
  private struct Call {
    var isOpen = false
    var isFlushed = false
    /// The flush of the mm inside it that did not happen, held; 0 none.
    var missing: UInt32 = 0
  }

  private var entries = HeldTable()
  /// Frames of pages that were migrated on while the first migration's flush was owed.
  private var chained = HeldTable()
  private var faults: [WriteFault] = []
  /// By task, as far as any has made such a call.
  private var calls: [Call] = []
  private var unchecked = 0
  private var leftOut = 0
  private var unmaps = 0
  private var addresses = 0
  /// Unmaps left unflushed that name none of their addresses.
  private var nameless = 0
  private var ranges = RuleFindings()
  private var unclearRanges = 0
  private var replaced = RuleFindings()
  private var unclearEntries = 0
  private var chains = RuleFindings()
  private var callsWhileStale = 0
  private var callsFlushed = 0

  var hears: SafetyNews { [.putOff, .callFlushes, .handouts] }
  var awaitsFlushes: Bool { !faults.isEmpty }
  var awaitsHandouts: Bool { !chained.isEmpty }
  var moments: MomentKindSet { MomentKindSet([.pageMapped]) }
  var momentsAlways: MomentKindSet { MomentKindSet([.unmappedFault, .unmapRange, .fixedMapping]) }
  var momentsWhileAwaiting: MomentKindSet { MomentKindSet([.fileWriteEnd]) }

  mutating func shootdown(
    _ shootdown: borrowing Shootdown, leaving unmap: UInt32, _ moment: Moment,
    _ source: borrowing Reconstruction, _ stale: inout StaleTranslations
  ) {
    guard shootdown.kind == .unmapBatch else {
      flushedMM(shootdown, shootdown.taskIndex, leaving: unmap, &stale)
      return
    }
    unmaps += 1
    leftOut = source.unmappedPages.leftOut
    if shootdown.unmappedPages.isEmpty { nameless += 1 }
    for page in source.unmappedPages[shootdown.unmappedPages] {
      addresses += 1
      let key = page.number | 1 << 63
      if let slot = entries.find(key), page.frame != .max, entries[slot].successor == page.frame,
        stale.staleCPU(entries[slot].unmap) != nil
      {
        chained.insert(UInt64(entries[slot].frame) + 1, unmap, frame: page.frame, &stale)
        chained.insert(UInt64(page.frame) + 1, unmap, frame: page.frame, &stale)
      }
      entries.insert(key, unmap, frame: page.frame, &stale)
    }
  }

  /// The task flushes its mm: for the fault that it handles, and for the call that it is in.
  private mutating func flushedMM(
    _ shootdown: borrowing Shootdown, _ task: UInt32, leaving unmap: UInt32,
    _ stale: inout StaleTranslations
  ) {
    if unmap == 0, !faults.isEmpty {
      for fault in faults where fault.moment.task == task { stale.release(fault.unmap) }
      faults.removeAll { $0.moment.task == task }
    }
    let index = Int(task)
    guard index < calls.count, calls[index].isOpen else { return }
    if unmap == 0 {
      if shootdown.pages == -1 { calls[index].isFlushed = true }
    } else {
      stale.hold(unmap)
      stale.release(calls[index].missing)
      calls[index].missing = unmap
    }
  }

  mutating func observe(
    _ moment: Moment, _ source: borrowing Reconstruction, _ stale: inout StaleTranslations
  ) {
    if moment.kind == .pageMapped {
      mapped(source.pageMappings[moment.subject], moment, source, &stale)
      return
    }
    if !faults.isEmpty { settleFaults(of: moment.task, source, &stale) }
    switch moment.kind {
    case .unmappedFault: faulted(source.userFaults[moment.subject], moment, &stale)
    case .unmapRange, .fixedMapping:
      let range = source.addressRanges[moment.subject]
      if range.isEnd { ended(range, moment, source, &stale) } else { began(moment, &stale) }
    default: break
    }
  }

  private func pfn(_ frame: UInt32, _ source: borrowing Reconstruction) -> UInt64 {
    frame == .max ? 0 : source.frames.pfn(Int(frame))
  }

  // MARK: New entries

  private mutating func mapped(
    _ page: PageMapping, _ moment: Moment, _ source: borrowing Reconstruction,
    _ stale: inout StaleTranslations
  ) {
    guard !entries.isEmpty, let slot = entries.find(page.address >> 12 | 1 << 63) else { return }
    entries[slot].successor = page.frame
    guard let cpu = stale.staleCPU(entries[slot].unmap) else {
      entries.remove(slot, &stale)
      return
    }
    replaced.checked += 1
    // The entry that was saved was not writable, or the flush would not have been put off.
    guard page.isWritable else { return }
    replaced.violated(.replacedEntry, moment, cpu: cpu, pfn: pfn(entries[slot].frame, source))
  }

  private mutating func faulted(
    _ fault: UserFault, _ moment: Moment, _ stale: inout StaleTranslations
  ) {
    guard fault.isWrite, !entries.isEmpty, !stale.owing.isEmpty,
      let slot = entries.find(fault.address >> 12 | 1 << 63)
    else { return }
    // While the migration lasts, the fault waits for it; behind it, it faults again.
    guard entries[slot].successor != nil,
      stale.staleCPU(entries[slot].unmap, except: Int(moment.cpu)) != nil
    else { return }
    replaced.checked += 1
    guard faults.count < Self.openMax else {
      unchecked += 1
      return
    }
    stale.hold(entries[slot].unmap)
    faults.append(
      WriteFault(moment: moment, unmap: entries[slot].unmap, frame: entries[slot].frame))
  }

  /// The task goes on, and has not flushed its mm: it made the page that it had writable.
  private mutating func settleFaults(
    of task: UInt32, _ source: borrowing Reconstruction, _ stale: inout StaleTranslations
  ) {
    for fault in faults where fault.moment.task == task {
      let cpu = stale.staleCPU(fault.unmap, except: Int(fault.moment.cpu))
      stale.release(fault.unmap)
      guard let cpu else { continue }
      switch isSameMM(task, as: cpu, source) {
      case true?:
        replaced.violated(.replacedEntry, fault.moment, cpu: cpu, pfn: pfn(fault.frame, source))
      case nil: unclearEntries += 1
      case false?: break
      }
    }
    faults.removeAll { $0.moment.task == task }
  }

  /// Whether a CPU runs the mm of a task, as far as `rss_stat` names it.
  private func isSameMM(
    _ task: UInt32, as cpu: Int, _ source: borrowing Reconstruction
  ) -> Bool? {
    let own = source.tasks.states[Int(task)].process
    let other = source.tasks.states[Int(source.cpus[cpu].userTaskIndex)].process
    return own == 0 || other == 0 ? nil : own == other
  }

  // MARK: Calls

  private mutating func began(_ moment: Moment, _ stale: inout StaleTranslations) {
    let task = Int(moment.task)
    while calls.count <= task { calls.append(Call()) }
    stale.release(calls[task].missing)
    calls[task] = Call(isOpen: true)
  }

  private mutating func ended(
    _ range: AddressRange, _ moment: Moment, _ source: borrowing Reconstruction,
    _ stale: inout StaleTranslations
  ) {
    let task = Int(moment.task)
    guard task < calls.count, calls[task].isOpen else { return }
    let call = calls[task]
    calls[task] = Call()
    defer { stale.release(call.missing) }
    guard !stale.owing.isEmpty else { return }
    callsWhileStale += 1
    if call.isFlushed { callsFlushed += 1 }
    guard range.call == .munmap || range.call == .mremap || moment.kind == .fixedMapping else {
      return
    }
    if let cpu = stale.staleCPU(call.missing) {
      ranges.checked += 1
      ranges.violated(.unmappedRange, moment, cpu: cpu)
      return
    }
    guard range.mayHoldMigrated, let pages = range.pages else { return }
    for slot in entries.slots(in: pages.lowerBound | 1 << 63..<pages.upperBound | 1 << 63) {
      guard let cpu = stale.staleCPU(entries[slot].unmap, except: Int(moment.cpu)) else { continue }
      ranges.checked += 1
      guard !call.isFlushed else { continue }
      switch isSameMM(moment.task, as: cpu, source) {
      case true?:
        ranges.violated(.unmappedRange, moment, cpu: cpu, pfn: pfn(entries[slot].frame, source))
      case nil: unclearRanges += 1
      case false?: break
      }
    }
  }

  mutating func handedOut(
    _ handout: FrameHandout, _ moment: Moment, _ stale: inout StaleTranslations
  ) {
    guard !chained.isEmpty, let slot = chained.find(UInt64(handout.frame) + 1) else { return }
    chained.remove(slot, &stale)
    chains.checked += 1
    if let cpu = handout.staleCPU {
      chains.violated(.migratedTwice, moment, cpu: cpu, pfn: handout.pfn)
    }
  }

  // MARK: Verdicts

  func verdicts(_ counts: SafetyCounts) -> [RuleVerdict] {
    let left = entries.unchecked + leftOut + chained.unchecked + unchecked
    let room =
      "; of \(unmaps) unflushed unmaps \(nameless) name no address"
      + (left > 0 ? "; \(left) occasions left out for room" : "")
    return [
      observable(
        ranges, .unmappedRange, unclear: unclearRanges,
        "\(ranges.checked) deferred entries lay in ranges that were unmapped or mapped over while a "
          + "CPU was stale; \(unclearRanges) of an mm that is not known" + room),
      observable(replaced, .replacedEntry, unclear: unclearEntries, entryDetail + room),
      observable(replaced, .amitNewEntry, unclear: unclearEntries, entryDetail + room),
      inspection(.entryInspection), inspection(.amitEntryInspection), twice(room),
    ]
  }

  private var entryDetail: String {
    "\(replaced.checked) new or writable entries where a deferred one was and a CPU was stale; "
      + "\(unclearEntries) writes without a flush, by an mm that is not known"
  }

  private func observable(
    _ findings: RuleFindings, _ rule: SafetyRule, unclear: Int, _ detail: String
  ) -> RuleVerdict {
    if unmaps > 0, addresses == 0 {
      let record =
        "the addresses that reclaim unmaps: try_to_unmap has no event, so a probe on "
        + "try_to_unmap_one"
      return findings.verdict(rule, orRecord: record, detail)
    }
    if unclear > 0 {
      return findings.verdict(
        rule, orRecord: "kmem:rss_stat, the only event that names a task's mm", detail)
    }
    return findings.verdict(rule, detail)
  }

  private func inspection(_ rule: SafetyRule) -> RuleVerdict {
    RuleFindings().verdict(
      rule, orRecord: "a probe on flush_tlb_batched_pending, or kernel stacks of mm flushes",
      "\(callsWhileStale) calls of munmap, mprotect, madvise, mremap and mmap over a mapping ended "
        + "while a CPU owed a flush; \(callsFlushed) flushed their whole mm inside")
  }

  private func twice(_ room: String) -> RuleVerdict {
    let detail =
      "\(chains.checked) frames of pages that were migrated on, with the first flush owed, were "
      + "handed out again" + room
    if unmaps > 0, addresses == 0 {
      return chains.verdict(
        .migratedTwice, orRecord: "migrate:set_migration_pte and remove_migration_pte", detail)
    }
    return chains.verdict(.migratedTwice, detail)
  }
}
