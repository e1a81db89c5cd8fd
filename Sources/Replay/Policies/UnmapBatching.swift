/// Flushes of unmapped pages, one for every `pagesMax` pages that a task unmaps.
///
/// With 1 it is the kernel before batched unmap flushes; with more, batches that the kernel cut
/// shorter are put together and longer ones split. Pages are those that a batch is seen to unmap
/// (page cache removals and migration entries); a batch without any counts as one page. A flush is
/// due at the latest when a migrated page gets its new entry, or a frame of the batch its new owner.
struct UnmapBatching: FlushPolicy {
  /// The pages that a task has unmapped and not yet flushed.
  private struct Group {
    var number: UInt32 = 1
    var owing = CPUMask()
    var pages = 0
    /// Batches that no flush has paid for yet.
    var open: [UInt32] = []
  }
  /// The group that a deferral belongs to.
  private struct Membership {
    var group: UInt32 = 0
    var task: UInt32 = 0
  }

  let pagesMax: Int
  private var groups: [Group] = []
  /// By deferral.
  private var memberships: [Membership] = []

  init(pagesMax: Int) { self.pagesMax = max(pagesMax, 1) }

  var listens: MomentKindSet { MomentKindSet([.pageMapped]) }

  mutating func growTo(tasks: Int, frames: Int) {
    while groups.count < tasks { groups.append(Group()) }
  }

  mutating func batchFlush(
    _ shootdown: borrowing Shootdown, mayDefer: Bool, until end: UInt64, as deferral: UInt32,
    _ now: Situation, _ actions: inout [FlushAction]
  ) -> FlushDecision {
    let task = Int(shootdown.taskIndex)
    let pages = groups[task].pages + max(Int(shootdown.unmapped.pages), 1)
    let flushes = pages / pagesMax
    guard pages % pagesMax != 0 else {
      // The recorded flush is the last of them; it pays for what was owed before as well.
      let earlier = groups[task].owing.subtracting(shootdown.mask)
      if !earlier.isEmpty { actions.append(.flush(earlier, .absorbed)) }
      if flushes > 1 { actions.append(.flush(shootdown.mask, .absorbed, times: flushes - 1)) }
      settle(task, .absorbed, &actions)
      return .asRecorded(isRefused: false)
    }
    groups[task].owing.formUnion(shootdown.mask)
    if flushes > 0 {
      actions.append(.flush(groups[task].owing, .absorbed, times: flushes))
      settle(task, .absorbed, &actions)
      groups[task].owing = shootdown.mask
    }
    groups[task].pages = pages % pagesMax
    groups[task].open.append(deferral)
    while memberships.count <= Int(deferral) { memberships.append(Membership()) }
    memberships[Int(deferral)] = Membership(
      group: groups[task].number, task: shootdown.taskIndex)
    return .putOff
  }

  mutating func allocated(
    with deferral: UInt32, _ passage: BuddyPassage, _ now: Situation,
    _ actions: inout [FlushAction]
  ) {
    guard deferral != 0 else { return }
    let membership = memberships[Int(deferral)]
    let task = Int(membership.task)
    guard groups[task].number == membership.group, groups[task].pages > 0 else { return }
    flush(task, .allocation, &actions)
  }

  mutating func other(
    _ moment: Moment, _ source: borrowing Reconstruction, _ now: Situation,
    _ actions: inout [FlushAction]
  ) {
    if groups[now.task].pages > 0 { flush(now.task, .permission, &actions) }
  }

  mutating func finish(_ actions: inout [FlushAction]) {
    for task in groups.indices where groups[task].pages > 0 {
      flush(task, .absorbed, &actions)
    }
  }

  private mutating func flush(
    _ task: Int, _ fate: DeferralFate, _ actions: inout [FlushAction]
  ) {
    actions.append(.flush(groups[task].owing, fate))
    settle(task, fate, &actions)
  }

  private mutating func settle(
    _ task: Int, _ fate: DeferralFate, _ actions: inout [FlushAction]
  ) {
    for deferral in groups[task].open { actions.append(.settle(deferral, fate)) }
    groups[task].open.removeAll(keepingCapacity: true)
    groups[task].owing.removeAll()
    groups[task].pages = 0
    groups[task].number &+= 1
  }
}

extension UnmapBatching {
  private static let limits = [
    "pages are those that leave the page cache or get a migration entry, the only ones that are "
      + "visible; a batch ends early when a migrated page gets its new entry or one of its frames is "
      + "allocated"
  ]

  static let unbatchedEntry = PolicyEntry(
    summary: "one flush for every page that reclaim or migration unmaps",
    source: "Linux before batched unmap flushes, 4.3",
    PolicyBlueprint(name: "unbatched", limits: limits, asksForPermissions: false) { _, _ in
      UnmapBatching(pagesMax: 1)
    })

  static let entry = PolicyEntry(
    prefix: "batch-", numbers: 1...(1 << 20), sample: 64,
    summary: "one flush for every N pages that a task unmaps, as in batch-64",
    source: "Linux 6.12 mm/vmscan.c batches up to 31, mm/migrate.c up to 512"
  ) { name, pages in
    PolicyBlueprint(name: name, limits: limits, asksForPermissions: false) { _, _ in
      UnmapBatching(pagesMax: pages)
    }
  }
}
