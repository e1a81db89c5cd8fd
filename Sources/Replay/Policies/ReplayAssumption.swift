/// What is assumed where a trace does not tell: which unmapped pages were mapped read-only, how long
/// a flush lasts that the recorded run did not do, and which threads are one process.
///
/// The bounds of a policy are the least and the greatest result over all of these. For a policy
/// that asks for processes ``onlyProven`` goes by what the trace shows of a thread, ``allPossible``
/// by all that it does not rule out; what that means its notes say.
public enum ReplayAssumption: Int, Sendable, CaseIterable {
  /// Only what is proven read-only is deferred; flushes last as the recorded ones.
  case onlyProven
  /// Proven, and file pages that reclaim takes out of the page cache: clean ones, or they would have
  /// been written first, and writable only in shared writable mappings. The figure that is shown.
  case expected
  /// All that is not proven ineligible.
  case allPossible
  /// The same, and flushes take no time, so no deferral is refused because another one runs. The
  /// recorded waits are those of CPUs that all flush at once; with fewer flushes they shrink.
  case allPossibleAtOnce

  func isEligible(_ evidence: UnmapEvidence) -> Bool {
    switch evidence {
    case .provenReadOnly: true
    case .provenIneligible, .otherPath: false
    case .reclaimedFile: self != .onlyProven
    case .unseen: self == .allPossible || self == .allPossibleAtOnce
    }
  }
}

/// What a trace shows at some moments that makes ``ReplayAssumption/allPossible`` differ from
/// ``ReplayAssumption/expected``: until then both are one replay.
struct ReplayDoubts: OptionSet {
  let rawValue: UInt8
  /// An unmap batch of which nothing tells whether it may be put off.
  static let eligibility = ReplayDoubts(rawValue: 1)
  /// A frame that a batch freed is allocated where nobody can wait.
  static let atomicAllocation = ReplayDoubts(rawValue: 2)
}
