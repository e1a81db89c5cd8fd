import Replay

/// How the kernel's operations were put together from the events.
extension ReplayReport {
  /// Shootdowns, receivers, frames, and what was left over.
  static func reconstruction(_ counts: ReconstructionCounts) -> Report.Section {
    let batchTotal = counts.batchShootdowns.reduce(0, +)
    var facts: [(name: String, value: String)] = [
      (
        "shootdowns",
        "\(count(counts.mmShootdowns)) of one mm, \(count(batchTotal)) of unmap batches "
          + "(\(count(counts.batchKindsRecorded)) named by an event, "
          + "\(count(counts.batchKindsConcluded)) concluded)"
      )
    ]
    let evidence = UnmapEvidence.allCases.map { ($0.label, batches(counts, $0)) }
    if let shown = nonzero(evidence) { facts.append(("batches", shown)) }
    let receivers = [
      ("by their request", counts.interruptsMatchedExactly),
      ("by the initiator's wait", counts.receiversInWaitWindow),
      ("ambiguous (the oldest waiting initiator)", counts.receiversAmbiguous),
    ]
    if let shown = nonzero(receivers) { facts.append(("receivers", "matched \(shown)")) }
    facts.append(
      (
        "frames",
        "\(count(counts.framesFreed)) freed, \(count(counts.framesReused)) of them allocated again; "
          + "with an unmap batch \(count(counts.batchFramesFreed)) freed "
          + "(\(count(counts.batchFramesByOrder)) by the order of events only), "
          + "\(count(counts.batchFramesReused)) allocated again"
      ))
    if let shown = nonzero(leftOver(counts)) { facts.append(("left over", shown)) }
    return Report.Section("Reconstruction of the whole trace [derived]", [.facts(facts)])
  }

  static func batches(_ counts: ReconstructionCounts, _ evidence: UnmapEvidence) -> Int {
    let index = Int(evidence.rawValue)
    return index < counts.batchShootdowns.count ? counts.batchShootdowns[index] : 0
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
