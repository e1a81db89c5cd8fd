/// What is assumed where a trace does not tell whether unmapped pages were mapped read-only.
public enum ReadOnlyCase: Int, Sendable, CaseIterable {
  /// Only what is proven read-only is deferred.
  case onlyProven
  /// Proven, and file pages that reclaim takes out of the page cache: clean ones, or they would have
  /// been written first, and mapped writable only in shared writable mappings.
  case expected
  /// All that is not proven ineligible.
  case allPossible

  func isEligible(_ evidence: UnmapEvidence) -> Bool {
    switch evidence {
    case .provenReadOnly: true
    case .provenIneligible, .otherPath: false
    case .reclaimedFile: self != .onlyProven
    case .unseen: self == .allPossible
    }
  }
}
