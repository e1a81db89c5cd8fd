/// The checks that watch a run.
enum SafetyChecks {
  /// Every check once. A new one adds its line here.
  static let all: [any SafetyCheck] = [
    FullFlushes(), RepeatedFlushes(), AtomicAllocations(), WriteScalability(), AllocationLatency(),
    GenerationWrap(), StaleFileContent(), ReplacedEntries(), UnseenRules(),
  ]
}
