/// A rule that a flush policy has to keep, or a question a reviewer asked, with its source.
public enum SafetyRule: String, Sendable, CaseIterable {
  /// No CPU may use a translation to a frame that was handed out again.
  case staleFrame = "I1"
  /// No frame with a flush owed may be written while it is free.
  case writtenWhileFree = "I2"
  /// No CPU may read old content of a file after it changed.
  case staleFileContent = "I3"
  /// No access after munmap or MAP_FIXED may be served by the old translation.
  case unmappedRange = "I4"
  /// A new entry where a deferred one was: no CPU may keep the old frame if it differs or turns
  /// writable.
  case replacedEntry = "I5"
  /// References taken by other means (get_user_pages) see and make the same writes.
  case otherReferences = "I6"
  /// Putting off must not cost more, in full flushes, than it saves.
  case fullFlushes = "I7"
  /// Code that reads page tables must not take "no entry" for "no translation".
  case entryInspection = "I8"
  /// No CPU is flushed twice for one batch.
  case flushedTwice = "I9"
  /// An allocation that cannot sleep neither sends interrupts nor gets a frame with a flush owed.
  case atomicAllocation = "I10"
  /// Two migrations of a page in a row do not mix their states.
  case migratedTwice = "I11"
  /// write(2) does not interrupt others for files that it does not touch.
  case writeScalability = "I12"
  /// Which tasks pay with allocation latency.
  case allocationLatency = "I13"
  /// Free-page statistics and watermarks stay right.
  case freeStatistics = "I14"
  /// Nadav Amit, MIGRC RFC: a new entry with deferred flushes pending needs a full flush.
  case amitNewEntry = "Amit-a"
  /// ... a reference taken by other means may need a flush.
  case amitOtherReferences = "Amit-b"
  /// ... long deferral makes later events need full flushes.
  case amitFullFlushes = "Amit-c"
  /// ... other code decides from page tables as if the flush had been done.
  case amitEntryInspection = "Amit-d"
  /// ... the generation may overflow.
  case generationWrap = "wrap"

  /// Whether breaking it adds to ``SafetyVerdict/violations``: somebody could read or write what is
  /// no longer theirs, or old content. The others are about cost and progress, or restate one of
  /// these: what breaks I11 or `wrap` breaks I1 too, Amit-a is I5, Amit-b is I6, Amit-d is I8.
  public var isMemorySafety: Bool {
    switch self {
    case .staleFrame, .writtenWhileFree, .staleFileContent, .unmappedRange, .replacedEntry,
      .otherReferences, .entryInspection:
      true
    case .fullFlushes, .flushedTwice, .atomicAllocation, .migratedTwice, .writeScalability,
      .allocationLatency, .freeStatistics, .amitNewEntry, .amitOtherReferences, .amitFullFlushes,
      .amitEntryInspection, .generationWrap:
      false
    }
  }
}

/// Where a rule was broken first.
public struct Violation: Sendable, Equatable {
  /// The broken rule (`I1`).
  public let rule: String
  /// When, in the trace's unit, and which event: its place among all events in time order, from 0.
  public let time: UInt64
  /// See ``time``.
  public let eventIndex: UInt64
  /// The CPU that had not flushed, or that was interrupted.
  public let cpu: Int
  /// The frame; 0 where the rule is not about one.
  public let pfn: UInt64
}

/// What the independent check says of one rule.
public struct RuleVerdict: Sendable, Equatable {
  /// Whether the rule was kept.
  public enum Kind: Sendable, Equatable {
    /// Kept wherever it could be looked at.
    case holds
    /// Broken; see ``RuleVerdict/first``.
    case violated
    /// The trace does not show it; what to record to see it.
    case notObservable(record: String)
  }

  /// The rule.
  public let rule: SafetyRule
  /// Whether it was kept.
  public let kind: Kind
  /// Occasions looked at, and those that broke it.
  public let checked: Int
  /// See ``checked``.
  public let violations: Int
  /// The first of them; nil without any.
  public let first: Violation?
  /// What was counted or compared, for a reader; empty where the rule's text says it all.
  public let detail: String
}

/// What the independent check of a policy found.
public struct SafetyVerdict: Sendable, Equatable {
  /// Frames handed out too early, and every other rule of memory safety broken
  /// (``SafetyRule/isMemorySafety``).
  public internal(set) var violations = 0
  /// The first of them.
  public internal(set) var first: Violation?
  /// Frames checked: freed with a deferred batch and handed out again.
  public internal(set) var framesChecked = 0
  /// Every rule by itself, in the order of ``SafetyRule``.
  public internal(set) var rules: [RuleVerdict] = []

  /// Nothing found.
  public init() {}

  /// What was found of each rule.
  init(_ verdicts: [RuleVerdict], framesChecked: Int) {
    self.framesChecked = framesChecked
    for rule in SafetyRule.allCases {
      for verdict in verdicts where verdict.rule == rule {
        rules.append(verdict)
        guard rule.isMemorySafety else { continue }
        violations += verdict.violations
        if let found = verdict.first, first.map({ found.eventIndex < $0.eventIndex }) ?? true {
          first = found
        }
      }
    }
  }
}
