import Replay
import TraceEvents

/// What one capture says, as numbers by name: what `stat` measures, and the memory counters.
public struct CapturedRun: Sendable {
  /// One number.
  struct Measurement: Sendable {
    var name: String
    var unit: String
    var grade: Grade
    var value: Double
  }

  /// A TLB row and where it comes from.
  struct Row: Sendable {
    var perCPU: [UInt64]
    var source: String
    var grade: Grade
    var isLowerBound: Bool
  }

  /// What the user called it.
  let name: String
  /// What is known of its machine.
  let environment: RunEnvironment
  /// What of it counts: between which marks.
  let windowName: String
  /// In reading order.
  private(set) var measurements: [Measurement] = []
  /// The row between the /proc snapshots.
  private(set) var recordedRow: Row?
  /// The row that the trace's events tell.
  private(set) var derivedRow: Row?
  /// `prec` of the row.
  let labelWidth: Int
  /// What limits the numbers.
  private(set) var notes: [String] = []

  /// Measures the window of `trace`, or all of it where it has none.
  public init(_ trace: TraceDescription) {
    name = trace.name
    environment = RunEnvironment(trace)
    windowName = trace.windowName
    labelWidth = trace.recordedRow?.labelWidth ?? 3
    // Snapshots cover the whole window and every CPU and task.
    let isRequested = trace.window?.isRequested ?? false || trace.filtered != nil
    if !trace.statistics.lost.isEmpty || trace.statistics.isDamaged {
      notes.append("\(name): events were lost or the file is damaged; its counts are lower bounds.")
    }
    if let problem = trace.snapshotProblem { notes.append("\(name): \(problem).") }
    addRows(trace, usesSnapshots: !isRequested)
    addFlushes(trace)
    addWork(trace, usesSnapshots: !isRequested)
    if isRequested, trace.recordedRow != nil || trace.memory.counters != nil {
      notes.append(
        "\(name): the snapshots of /proc cover more than --between and the filters, and are not used."
      )
    }
  }

  /// A number by name.
  subscript(_ name: String) -> Measurement? { measurements.first { $0.name == name } }

  mutating func add(_ name: String, _ unit: String, _ grade: Grade, _ value: Double) {
    guard value.isFinite else { return }
    measurements.append(Measurement(name: name, unit: unit, grade: grade, value: value))
  }

  private mutating func addRows(_ trace: TraceDescription, usesSnapshots: Bool) {
    if usesSnapshots, let recorded = trace.recordedRow {
      recordedRow = Row(
        perCPU: recorded.perCPU, source: "measured: /proc/interrupts, after - before",
        grade: .measured, isLowerBound: false)
    }
    if let row = trace.derivedRow, let perCPU = row.perCPU {
      derivedRow = Row(
        perCPU: perCPU, source: row.source, grade: .derived, isLowerBound: row.isLowerBound)
    }
  }

  private mutating func addFlushes(_ trace: TraceDescription) {
    let survey = trace.rowBasis
    let total = survey.total(Int(EventKind.tlbFlush.rawValue))
    guard total > 0 else { return }
    add("tlb_flush", "events", .measured, Double(total))
    var switches: UInt64 = 0
    for reason in survey.flushReasonsSeen {
      let count = FlushedPages.allCases.reduce(0) { $0 + survey.flushes(reason, $1) }
      if reason == 0 { switches = count }
      add("tlb_flush.reason_\(reason)", "events", .measured, Double(count))
    }
    // Task switches flush whatever unmapping does, and some recordings filter them out.
    add("tlb_flush.without_switches", "events", .measured, Double(total - switches))
  }

  private mutating func addWork(_ trace: TraceDescription, usesSnapshots: Bool) {
    if usesSnapshots, let counters = trace.memory.counters {
      let reclaim = MigrationCounters.reclaimNames.compactMap { counters[$0] }
      if !reclaim.isEmpty {
        add("reclaimed", "pages", .measured, reclaim.reduce(0) { $0 + Double($1) })
      }
      if let migrated = counters["pgmigrate_success"] {
        add("migrated", "pages", .measured, Double(migrated))
      }
    }
    guard case .nanoseconds = trace.instanceFacts.timeUnit else { return }
    let survey = trace.rowBasis
    let start = trace.window?.marks.span.start ?? survey.firstTime
    let end = trace.window?.marks.span.end ?? survey.lastTime
    if let start, let end, end > start {
      add("window", "s", .measured, Double(end - start) / 1e9)
    }
  }
}
