/// Migrations for NUMA hinting faults as before Linux 6.4: each flushes the batch that it unmapped.
///
/// The scan that makes entries inaccessible flushes them already, so commit 4d4b6d66db63 ("mm,unmap:
/// avoid flushing TLB in batch if PTE is inaccessible") leaves them out of the batch. Before it such
/// a migration added `mm_cpumask` to the batch and flushed it (`set_tlb_ubc_flush_pending`,
/// `mm/rmap.c`), unless the process ran on that one CPU only (`should_defer_flush`).
struct InaccessibleFlush: FlushPolicy {
  /// Which CPUs `mm_cpumask` held, which no event says.
  enum Reach: Sendable {
    /// No other CPU: no flush.
    case nobody
    /// Those that the last flush of this process' mm reached.
    case lastFlush
    /// All that are not lazy.
    case everybody
  }

  private let reach: Reach
  private let everybody: CPUMask
  private let identity = ProcessIdentity.name
  /// CPUs of the last flush of each process.
  private var masks: [CPUMask] = []

  init(_ reach: Reach, cpuCount: Int) {
    self.reach = reach
    everybody = CPUMask(0..<cpuCount)
  }

  static var putsOffNoBatch: Bool { true }
  static var asksForProcesses: Bool { true }
  var listens: MomentKindSet { MomentKindSet([.mmShootdown, .inaccessibleUnmap]) }

  mutating func growTo(tasks: Int, frames: Int) {
    let count = ProcessIdentity.count(tasks: tasks)
    guard masks.count < count else { return }
    masks.append(contentsOf: repeatElement(CPUMask(), count: count - masks.count))
  }

  mutating func batchFlush(
    _ shootdown: borrowing Shootdown, mayDefer: Bool, until end: UInt64, as deferral: UInt32,
    _ now: Situation, _ actions: inout [FlushAction]
  ) -> FlushDecision { .asRecorded(isRefused: false) }

  mutating func mmFlush(
    _ shootdown: borrowing Shootdown, as deferral: UInt32, _ now: Situation,
    _ actions: inout [FlushAction]
  ) -> FlushDecision {
    // Without a local flush it is another's mm.
    if shootdown.isLocal { masks[identity.process(now)] = shootdown.mask }
    return .asRecorded(isRefused: false)
  }

  mutating func other(
    _ moment: Moment, _ source: borrowing Reconstruction, _ now: Situation,
    _ actions: inout [FlushAction]
  ) {
    guard moment.kind == .inaccessibleUnmap else { return }
    var mask =
      switch reach {
      case .nobody: CPUMask()
      case .lastFlush: masks[identity.process(now)]
      case .everybody: everybody
      }
    mask.insert(now.cpu)
    if mask.count > 1 { actions.append(.flush(mask, .unmap)) }
  }
}

extension InaccessibleFlush {
  private static let limits = [
    "which CPUs a process runs on is in no event: the figure shown takes those that the last flush "
      + "of one mm by a thread of the same name reached, the lower bound none, the upper bound all "
      + "that are not idle or in a kernel thread",
    "modelled: every migration with reason numa_misplaced that set migration entries "
      + "(migrate:set_migration_pte, migrate:mm_migrate_pages_start) and flushed no batch flushes "
      + "one; unmaps of inaccessible pages by reclaim leave no event and are not there",
  ]

  static let entry = PolicyEntry(
    summary: "promotions by hinting faults flush the entries that no CPU can use, as before 6.4",
    source: "Linux 6.3 mm/rmap.c; undone by commit 4d4b6d66db63",
    PolicyBlueprint(
      name: "no-inaccessible-skip", limits: limits, triggers: [.promotion],
      asksForPermissions: false, asksForProcesses: true, asksForFrames: false,
      changesOtherFlushes: true
    ) { assumption, context in
      let reach: Reach =
        switch assumption {
        case .onlyProven: .nobody
        case .expected: .lastFlush
        case .allPossible, .allPossibleAtOnce: .everybody
        }
      return InaccessibleFlush(reach, cpuCount: context.cpuCount)
    })
}
