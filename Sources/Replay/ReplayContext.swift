public import TraceEvents

/// What a replay must be told beforehand.
public struct ReplayContext: Sendable {
  /// CPUs of the traced machine; rows of higher ones are counted and left out.
  public var cpuCount: Int
  /// What is counted; everything by default. State is followed from the first event on.
  public var window: TimeWindow
  /// The word that `csd` events hold for `flush_tlb_func`; nil where neither symbols nor a survey
  /// tell, then receivers are found through the initiator's wait.
  public var flushFunction: UInt64?
  /// Swap type of writable migration entries, from ``MigrationEntrySurvey/writeType``.
  public var writeEntryType: UInt8?
  /// Span in which forced flushes count as one burst: a millisecond in the trace's unit, nil where
  /// the unit is not known.
  public var burstSpan: UInt64? = 1_000_000
  /// How long a flush lasts, in the trace's unit; nil takes it from the recorded flushes.
  public var flushDuration: UInt64?
  /// A millisecond in the trace's unit; nil where the unit is not known.
  var millisecond: UInt64? { burstSpan }
  /// Whether the safety oracle watches every case and not only the one that is shown.
  var checksEveryCase = false
  /// Whether every replay looks at every moment of a frame, as the plain twin of those that skip some.
  var visitsEveryFrame = false
  /// The rules beside I1 that the safety oracle judges.
  var safetyChecks = SafetyChecks.all

  /// A context.
  public init(
    cpuCount: Int, window: TimeWindow? = nil, flushFunction: UInt64? = nil,
    writeEntryType: UInt8? = nil
  ) {
    self.cpuCount = min(max(cpuCount, 1), CPUMask.cpuLimit)
    self.window = window ?? TimeWindow(start: 0, end: .max)
    self.flushFunction = flushFunction
    self.writeEntryType = writeEntryType
  }
}

extension ReplayContext {
  /// What a survey of the instance tells: which function word flushes, which migration entries are
  /// writable.
  public init(
    _ survey: InstanceSurvey, facts: TraceFacts, cpuCount: Int, window: TimeWindow?
  ) {
    let flush = survey.functions.flush(known: facts.flushTLBFunction)
    self.init(
      cpuCount: cpuCount, window: window,
      flushFunction: flush?.entry.function ?? facts.flushTLBFunction,
      writeEntryType: survey.migrationEntries.writeType)
  }
}

extension TimeWindow {
  /// Whether a moment lies inside.
  func contains(_ time: UInt64) -> Bool { time >= start && time <= end }
}
