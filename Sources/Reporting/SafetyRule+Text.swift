import Replay

extension SafetyRule {
  /// What the rule demands, in a few words.
  var title: String {
    switch self {
    case .staleFrame: "no stale translation to a frame in use"
    case .writtenWhileFree: "no write to a free frame with a flush owed"
    case .staleFileContent: "no stale file content"
    case .unmappedRange: "munmap and MAP_FIXED take effect"
    case .replacedEntry: "a new entry replaces the old one everywhere"
    case .otherReferences: "other references see the same writes"
    case .fullFlushes: "full flushes cost less than they save"
    case .entryInspection: "\"no entry\" is not taken for \"no translation\""
    case .flushedTwice: "no CPU is flushed twice for a batch"
    case .atomicAllocation: "atomic allocations neither flush nor wait"
    case .migratedTwice: "two migrations in a row do not mix"
    case .writeScalability: "write(2) disturbs no other file's readers"
    case .allocationLatency: "allocations that wait for a flush are accounted for"
    case .freeStatistics: "free-page statistics stay right"
    case .amitNewEntry: "a new entry needs a full flush"
    case .amitOtherReferences: "other references need a flush"
    case .amitFullFlushes: "long deferral does not make later flushes full"
    case .amitEntryInspection: "code that trusts the page tables stays right"
    case .generationWrap: "generations do not wrap"
    }
  }
}

extension RuleVerdict {
  /// The verdict's name in JSON.
  var name: String {
    switch kind {
    case .holds: "holds"
    case .violated: "violated"
    case .notObservable: "not_observable"
    }
  }

  /// What to record to see it; nil where it is seen.
  var record: String? {
    if case .notObservable(let record) = kind { record } else { nil }
  }
}
