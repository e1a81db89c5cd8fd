/// What the recorded run does to stale translations apart from flushes of unmap batches, among the
/// moments that are ready: changes of mm, CPUs that go lazy or come back, flushes of one mm.
///
/// Most of it makes no difference to any flush that was put off, and there is much of it. So whoever
/// checks a replay catches up with this list, which costs a few instructions an entry, instead of
/// visiting each moment.
struct CPUCleanings {
  struct Entry {
    /// Place among the moments that are ready.
    var position: UInt32
    var cpu: UInt16
    /// Of ``Moment/Kind/mmShootdown`` the flush is the next of ``CPUCleanings/flushes``.
    var kind: Moment.Kind
  }

  private static let kinds = MomentKindSet([
    .switchedMM, .lazyBegin, .lazyEnd, .mmShootdown, .unmapRange, .fixedMapping,
  ])

  /// In the order of their places.
  private(set) var entries: [Entry] = []
  /// Those of `entries` that are flushes.
  private(set) var flushes: [MMFlush] = []
  /// Tasks, by index, inside a call that unmaps or maps over a range.
  private var isInCall: [Bool] = []

  /// Looks through the first `count` moments of `source`, which are ready; what is later than the window
  /// nobody is told.
  mutating func find(_ source: borrowing Reconstruction, _ count: Int) {
    entries.removeAll(keepingCapacity: true)
    flushes.removeAll(keepingCapacity: true)
    for position in 0..<count where Self.kinds.contains(source.moments[position].kind) {
      let moment = source.moments[position]
      guard moment.time <= source.context.window.end else { break }
      switch moment.kind {
      case .unmapRange, .fixedMapping:
        let task = Int(moment.task)
        while isInCall.count <= task { isInCall.append(false) }
        isInCall[task] = !source.addressRanges[moment.subject].isEnd
        continue
      case .mmShootdown:
        let task = Int(moment.task)
        let slot = Int(moment.subject &- source.shootdownsBase)
        flushes.append(
          MMFlush(
            source.shootdowns[lent: slot], isInCall: task < isInCall.count && isInCall[task]))
      default: break
      }
      entries.append(
        Entry(
          position: UInt32(truncatingIfNeeded: position), cpu: moment.cpu, kind: moment.kind))
    }
  }
}

/// A flush of one mm, as far as it matters to CPUs that owe other flushes.
struct MMFlush {
  /// CPUs that have no stale translation left after it, if they owed a flush before.
  ///
  /// Generations are raised at the unmap, flushed or not. A flush of a few pages is done as one only on
  /// a CPU that is exactly one generation behind (Linux 6.12 `arch/x86/mm/tlb.c` `flush_tlb_func`), so
  /// one that owes a flush of the same mm flushes everything.
  var cleaned: CPUMask
  /// CPUs that flushed a few pages only: all of them would if they owed another flush.
  var ranged: CPUMask
  var rangedCount: Int
  /// Whether its task was inside a call that unmaps, and it flushed every page.
  var isOfCall: Bool

  /// What a recorded one did; `isInCall`: its task was inside a call that unmaps, or may have been.
  init(_ shootdown: borrowing Shootdown, isInCall: Bool) {
    ranged = shootdown.ranged
    rangedCount = ranged.count
    cleaned = shootdown.cleaned
    cleaned.formUnion(ranged)
    isOfCall = isInCall && shootdown.pages == -1
  }
}
