import Replay
import TraceEvents

/// How the kernel's operations were put together from the events.
extension ReplayReport {
  /// Shootdowns by cause, what was left over and unexplained; if `isDetailed`, also receivers,
  /// frames, mappings, and what explains the events.
  static func reconstruction(
    _ counts: ReconstructionCounts, _ names: [EventName], isDetailed: Bool
  ) -> Report.Section {
    var blocks: [Report.Block] = []
    if let causes = causes(counts.causes) {
      blocks.append(.table(causes))
      blocks.append(
        .note(
          "named: by an event, else concluded; local: no other CPU had the mm loaded; pages: seen "
            + "unmapped by the batches; freed: frames freed with them."))
    }
    let facts = operations(counts, isDetailed) + events(counts.events, names, isDetailed)
    return Report.Section(
      "Reconstruction of the whole trace [derived]", blocks + [.facts(facts)])
  }

  // MARK: Causes

  private static func causes(_ causes: CauseCounts) -> Report.Table? {
    let rows = FlushCause.allCases.compactMap { cause -> [String]? in
      let index = Int(cause.rawValue)
      let counts = [
        causes.shootdowns, causes.shootdownsRecorded, causes.localFlushes, causes.batches,
        causes.pagesUnmapped, causes.framesFreed,
      ].map { index < $0.count ? $0[index] : 0 }
      guard counts.contains(where: { $0 != 0 }) else { return nil }
      return [cause.label] + counts.map(count)
    }
    guard !rows.isEmpty else { return nil }
    return Report.Table(
      columns: ["flushes by cause", "shootdowns", "named", "local", "batches", "pages", "freed"],
      rows: rows)
  }

  // MARK: Operations

  private static func operations(
    _ counts: ReconstructionCounts, _ isDetailed: Bool
  ) -> [(name: String, value: String)] {
    let batchTotal = counts.batchShootdowns.reduce(0, +)
    let evidence = UnmapEvidence.allCases.map { ($0.label, batches(counts, $0)) }
    let facts: [(name: String, value: String?)] = [
      (
        "shootdowns",
        "\(count(counts.mmShootdowns)) of one mm, \(count(batchTotal)) of unmap batches "
          + "(\(count(counts.batchKindsRecorded)) named by an event, "
          + "\(count(counts.batchKindsConcluded)) concluded)"
      ), ("batches", nonzero(evidence)),
    ]
    let details: [(name: String, value: String?)] = [
      ("receivers", receivers(counts)), ("wait window", waitWindow(counts.waitWindow)),
      ("frames", frames(counts)), ("mappings", nonzero(addressSpaces(counts.addressSpaces))),
    ]
    let shown = facts + (isDetailed ? details : []) + [("left over", nonzero(leftOver(counts)))]
    return shown.compactMap { fact in fact.value.map { (fact.name, $0) } }
  }

  static func batches(_ counts: ReconstructionCounts, _ evidence: UnmapEvidence) -> Int {
    let index = Int(evidence.rawValue)
    return index < counts.batchShootdowns.count ? counts.batchShootdowns[index] : 0
  }

  private static func receivers(_ counts: ReconstructionCounts) -> String? {
    nonzero([
      ("matched by their request", counts.interruptsMatchedExactly),
      ("by the initiator's wait", counts.receiversInWaitWindow),
      ("ambiguous (the oldest waiting initiator taken)", counts.receiversAmbiguous),
      ("named by an ipi event only", counts.waitWindow.receiversAnnounced),
    ])
  }

  /// The two ways of matching, where the trace has both.
  private static func waitWindow(_ counts: WaitWindowCounts) -> String? {
    guard counts.compared > 0 else { return nil }
    let agreed = counts.agreed + counts.agreedAmbiguous
    return "alone it would name the same shootdown for \(count(agreed)) of "
      + "\(count(counts.compared)) receivers "
      + "(\(count(counts.agreedAmbiguous)) of them chosen among several), another "
      + "for \(count(counts.disagreed + counts.disagreedAmbiguous)), none for "
      + "\(count(counts.missed)); \(count(counts.silentReceivers)) left no event to match"
  }

  private static func frames(_ counts: ReconstructionCounts) -> String {
    "\(count(counts.framesFreed)) freed, \(count(counts.framesReused)) of them allocated again; "
      + "with an unmap batch \(count(counts.batchFramesFreed)) freed "
      + "(\(count(counts.batchFramesByOrder)) by the order of events only), "
      + "\(count(counts.batchFramesReused)) allocated again"
  }

  private static func addressSpaces(_ counts: AddressSpaceCounts) -> [(String, Int)] {
    [
      ("munmap", counts.munmaps), ("mprotect", counts.mprotects), ("mremap", counts.mremaps),
      ("madvise", counts.madvises), ("mmap", counts.mmaps), ("writable", counts.writableMmaps),
      ("fixed", counts.fixedMmaps), ("NUMA scans", counts.numaScans),
      ("user faults", counts.userFaults), ("of writes", counts.writeFaults),
      ("of writes to present pages", counts.writeProtectFaults),
      ("changes of mm", counts.mmSwitches), ("with a flush", counts.mmSwitchesFlushing),
      ("atomic allocations", counts.atomicAllocations),
    ]
  }

  /// What could not be put together, or was seen only in part.
  private static func leftOver(_ counts: ReconstructionCounts) -> [(String, Int)] {
    [
      ("interrupts without their shootdown", counts.interruptsWithoutShootdown),
      ("receivers' events without their shootdown", counts.remoteEventsWithoutShootdown),
      ("requests without a send", counts.requestsWithoutSend),
      ("requests unanswered", counts.requestsUnanswered),
      ("shootdowns open at the end", counts.shootdownsOpenAtEnd),
      ("shootdowns cut short", counts.shootdownsCutShort),
      ("frames first seen allocated", counts.framesFirstSeenAllocated),
      ("frames allocated twice", counts.framesAllocatedTwice),
      ("frames freed twice", counts.framesFreedTwice),
      ("impossible blocks", counts.impossibleBlocks),
      ("rows of unknown CPUs", counts.rowsOfUnknownCPUs),
      ("frames untracked", counts.framesUntracked), ("tasks untracked", counts.tasksUntracked),
    ]
  }

  // MARK: Events

  private static func events(
    _ accounts: EventAccounts, _ names: [EventName], _ isDetailed: Bool
  ) -> [(name: String, value: String)] {
    let explained = accounts.explained.reduce(0, +)
    let rest = accounts.unexplained.reduce(0, +) + accounts.unused.reduce(0, +)
    guard explained + rest > 0 else { return [] }
    let families = OperationFamily.allCases.compactMap { family -> (String, Int)? in
      let index = Int(family.rawValue)
      guard index < accounts.explainedByFamily.count else { return nil }
      return (family.label, accounts.explainedByFamily[index])
    }
    var facts: [(name: String, value: String)] = [
      (
        "explained",
        "\(count(explained)) events" + (isDetailed ? ": \(nonzero(families) ?? "none")" : "")
      ),
      ("unexplained", nonzero(byName(accounts.unexplained, names)) ?? "none"),
    ]
    if isDetailed, let unused = nonzero(byName(accounts.unused, names)) {
      facts.append(("unused", unused))
    }
    if accounts.unknownEvents > 0 {
      facts.append(("unknown", "\(count(accounts.unknownEvents)) events of other kinds"))
    }
    return facts
  }

  /// Counts by event name, the known events standing first among the names.
  static func byName(_ counts: [Int], _ names: [EventName]) -> [(String, Int)] {
    zip(names, counts).map { ($0.full, $1) }
  }

  /// `name count, name count` of those that are there; nil where none is.
  static func nonzero(_ counts: [(String, Int)]) -> String? {
    let shown = counts.filter { $0.1 != 0 }.map { "\($0.0) \(count($0.1))" }
    return shown.isEmpty ? nil : shown.joined(separator: ", ")
  }
}

extension UnmapEvidence {
  /// What is known of the unmapped pages, for people.
  var label: String {
    switch self {
    case .provenReadOnly: "proven read-only"
    case .provenIneligible: "proven not eligible"
    case .reclaimedFile: "reclaimed file pages"
    case .unseen: "unseen pages"
    case .otherPath: "other paths"
    }
  }

  /// Its name in JSON.
  var name: String {
    switch self {
    case .provenReadOnly: "proven_read_only"
    case .provenIneligible: "proven_ineligible"
    case .reclaimedFile: "reclaimed_file"
    case .unseen: "unseen"
    case .otherPath: "other_path"
    }
  }
}

extension OperationFamily {
  /// The words for it in a report; with underscores its name in JSON.
  var label: String {
    switch self {
    case .shootdown: "shootdowns"
    case .functionCall: "other function calls"
    case .contextSwitch: "context switches"
    case .migration: "migration"
    case .reclaim: "reclaim"
    case .frameLife: "frame life"
    case .pageCache: "page cache"
    case .pageFault: "page faults"
    case .systemCall: "system calls"
    case .taskLife: "task life"
    }
  }
}
