/// A rule of lazy unmap flush that a policy file can set by name, with the values that it can have.
public struct PolicyToggle: Sendable {
  /// Its key in a policy file.
  public let name: String
  /// Its values; `true` and `false` alone make it a TOML boolean.
  public let values: [String]
  /// One line on what it decides.
  public let summary: String
  /// Values of versions that are known but cannot be replayed, and what is missing.
  let missing: [(value: String, reason: String)]
  let read: @Sendable (LazyFlushRules) -> String
  let write: @Sendable (String, inout LazyFlushRules) -> Void

  /// Whether it is a TOML boolean.
  public var isFlag: Bool { values == ["false", "true"] }

  private init(
    _ name: String, _ values: [String], _ summary: String,
    missing: [(value: String, reason: String)] = [],
    read: @escaping @Sendable (LazyFlushRules) -> String,
    write: @escaping @Sendable (String, inout LazyFlushRules) -> Void
  ) {
    self.name = name
    self.values = values
    self.summary = summary
    self.missing = missing
    self.read = read
    self.write = write
  }

  /// A toggle of two values, the second of which sets a rule.
  private init(
    _ name: String, _ off: String = "false", _ on: String = "true", _ summary: String,
    missing: [(value: String, reason: String)] = [],
    _ rule: any WritableKeyPath<LazyFlushRules, Bool> & Sendable
  ) {
    self.init(
      name, [off, on], summary, missing: missing, read: { $0[keyPath: rule] ? on : off },
      write: { $1[keyPath: rule] = $0 == on })
  }

  /// A toggle that follows from others or that no trace shows: it can only be confirmed.
  private init(
    fixed name: String, _ summary: String, missing: [(value: String, reason: String)],
    _ read: @escaping @Sendable (LazyFlushRules) -> String
  ) {
    self.init(name, [], summary, missing: missing, read: read, write: { _, _ in })
  }

  /// All toggles, by what they are about.
  public static let all = unmaps + pending + triggers + fixed

  private static let unmaps = [
    PolicyToggle(
      "scope", LazyFlushRules.Scope.allCases.map(\.rawValue), "which unmaps may be put off",
      read: { $0.scope.rawValue },
      write: { word, rules in
        if let scope = LazyFlushRules.Scope(rawValue: word) { rules.scope = scope }
      }),
    PolicyToggle(
      "demotion_by", "any", "kswapd", "whose demotions may be put off",
      \.defersDemotionOfKswapdOnly),
    PolicyToggle(
      "hold_source", "false", "true",
      "whether an unmapped folio stays allocated until its flush", \.holdsFolios),
    PolicyToggle(
      "pressure_pause", "false", "true",
      "whether an allocation in trouble flushes all and stops deferral", \.pausesUnderPressure),
    PolicyToggle(
      "giveup_when_flushing", "false", "true",
      "whether a batch is flushed at once while another flush runs", \.givesUpWhileFlushing),
  ]

  private static let pending = [
    PolicyToggle(
      "pending_domain", LazyFlushRules.Domain.allCases.map(\.rawValue),
      "what is flushed at one time", read: { $0.domain.rawValue },
      write: { word, rules in
        if let domain = LazyFlushRules.Domain(rawValue: word) { rules.domain = domain }
      }),
    PolicyToggle(
      "credit_batch_flush", LazyFlushRules.Credit.allCases.map(\.rawValue),
      "which recorded flushes are credited to a CPU", read: { $0.credit.rawValue },
      write: { word, rules in
        if let credit = LazyFlushRules.Credit(rawValue: word) { rules.credit = credit }
      }),
    PolicyToggle(
      "credit_while_flushing", "false", "true",
      "whether a batch flush beside another one is credited", \.creditsWhileFlushing),
    PolicyToggle(
      "refill_flush", "exact", "any", "whether a refill with a pending frame forces the flush",
      \.flushesAfterRefill),
    PolicyToggle(
      "buddy_ugen", "correct", "lost", "whether a frame in buddy forgets its generation",
      \.forgetsInBuddy),
    PolicyToggle(
      "atomic_alloc", "flush", "skip", "what an allocation that cannot wait does",
      missing: [("reserve", "watermarks are in no event")], \.skipsForAtomicAllocations),
  ]

  private static let triggers = [
    PolicyToggle(
      "cancel_wp_fault", "none", "any", "which write-protect faults end deferral",
      missing: [("marked", "which folio a fault is on is in no event")],
      \.flushesOnWriteProtectFault),
    PolicyToggle(
      "cancel_maywrite_fault", "false", "true",
      "whether a fault where writing is allowed ends deferral", \.flushesOnMayWriteFault),
    PolicyToggle(
      "cancel_mmap_write", "false", "true", "whether mmap with PROT_WRITE ends deferral",
      \.flushesOnWritableMapping),
    PolicyToggle(
      "cancel_unmap", "false", "true",
      "whether munmap, mprotect, madvise and mremap end deferral", \.flushesOnUnmap),
    PolicyToggle(
      "cancel_file_write", ["none", "each", "mapping"], "which ends of write(2) end deferral",
      read: { !$0.flushesOnFileWrite ? "none" : $0.flushesOnlyWrittenFile ? "mapping" : "each" },
      write: { word, rules in
        rules.flushesOnFileWrite = word != "none"
        rules.flushesOnlyWrittenFile = word == "mapping"
      }),
    PolicyToggle(
      "cancel_truncate_evict", "false", "true",
      "whether a page that leaves the page cache ends deferral", \.flushesOnTruncate),
  ]

  private static let fixed = [
    PolicyToggle(
      fixed: "flush_on_exit", "what a frame that leaves is flushed by",
      missing: [
        ("generation", "it follows from pending_domain (global or node)"),
        ("zone", "it follows from pending_domain (table)"),
      ]
    ) { $0.domain == .table ? "zone" : "generation" },
    PolicyToggle(
      fixed: "watermark_credit", "whether held folios count as free",
      missing: [
        ("true", "watermarks are in no event"), ("false", "watermarks are in no event"),
      ]
    ) { $0.countsHeldAsFree ? "true" : "false" },
    PolicyToggle(
      fixed: "cancel_raced_fault", "whether a fault that another one beat ends deferral",
      missing: [("true", "raced faults are in no event")]
    ) { _ in "false" },
    PolicyToggle(
      fixed: "kept_folio", "what becomes of an unmapped folio that is not freed",
      missing: [("flush", "unmapped folios that are kept are in no event")]
    ) { _ in "leave" },
    PolicyToggle(
      fixed: "credit_tlb_gen", "whether generations of TLBs are compared",
      missing: [("all", "that is the policy luf-ideal")]
    ) { _ in "none" },
    PolicyToggle(
      fixed: "non_luf_first", "whether allocations prefer frames that owe nothing",
      missing: [("true", "which other frames are free, and where, is in no event")]
    ) { _ in "false" },
    PolicyToggle(
      fixed: "large_folios", "whether large folios are put off",
      missing: [
        ("allow", "batches with a large folio are not told apart from those with a writable page")
      ]
    ) { _ in "refuse" },
    PolicyToggle(
      fixed: "nonluf_batch_flushes_luf", "whether a full normal batch flushes the deferred one",
      missing: [("false", "a batch of the trace is put off or flushed as a whole")]
    ) { _ in "true" },
    PolicyToggle(
      fixed: "generation_bits", "how wide generations are",
      missing: [("16", "generations do not wrap here"), ("64", "generations do not wrap here")]
    ) { _ in "32" },
  ]
}
