public import TraceEvents

/// What a replay must be told beforehand.
public struct ReplayContext: Sendable {
  /// CPUs of the traced machine; rows of higher ones are counted and left out.
  public var cpuCount: Int
  /// What is counted; everything by default. State is followed from the first event on.
  public var window: TimeWindow
  /// CPUs whose counters count; nil all. Of what concerns two CPUs, each counts its own: a receiver its
  /// interrupt, the sender its announcement.
  public var countedCPUs: CPUList?
  /// Tasks whose doings count, with the interrupts that they cause; nil all. What the trace shows no
  /// sender of then belongs to nobody.
  public var countedTasks: TaskSelection?
  /// Whether all that lies in the window counts.
  var countsEverything: Bool { countedCPUs == nil && countedTasks == nil }
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
  /// Whether the shootdowns of the cases that are shown are kept by time and by sender, for drawings.
  public var recordsTimeline = false
  /// First and last time of what a survey counted; nil without a survey.
  private var surveyed: TimeWindow?
  /// How wide the generations of a lazy policy are: ``SafetyRule/generationWrap`` counts the frames that
  /// sleep through more flushes than such numbers tell apart. LUF v9 to v11 have 16 bits.
  public var generationBits = 16
  /// A millisecond in the trace's unit; nil where the unit is not known.
  var millisecond: UInt64? { burstSpan }
  /// Whether the safety oracle watches every case and not only the one that is shown.
  var checksEveryCase = false
  /// Whether every replay looks at every moment of a frame and every flush of one mm, and every case by
  /// itself: the plain twin of those that skip some.
  var visitsEveryFrame = false
  /// Moments that are put together before they are replayed.
  var momentsAtOnce = ReadyMoments.span
  /// Whether cases that do not differ so far are one replay.
  var joinsCases: Bool { !visitsEveryFrame && !checksEveryCase }
  /// Whether replays keep what they decide for an observer.
  var isObserved = false
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
    if let first = survey.firstTime, let last = survey.lastTime {
      surveyed = TimeWindow(start: first, end: max(first, last))
    }
  }

  /// What timelines cover: the window, as far as there are events.
  var timelineSpan: TimeWindow {
    guard let surveyed else { return window }
    let start = max(window.start, surveyed.start)
    return TimeWindow(start: start, end: max(min(window.end, surveyed.end), start))
  }
}

extension ReplayContext {
  /// Whether what is counted for a CPU counts.
  @inline(__always)
  func counts(cpu: Int) -> Bool { countedCPUs?.contains(cpu) ?? true }

  /// Whether what a task does counts.
  @inline(__always)
  func counts(task: Int32, at time: UInt64) -> Bool {
    countedTasks?.contains(task, at: time) ?? true
  }
}

extension TimeWindow {
  /// Whether a moment lies inside.
  func contains(_ time: UInt64) -> Bool { time >= start && time <= end }
}
