public import TraceEvents

/// How sure a number is.
public enum Grade: String, Sendable {
  /// Counted in the trace or in a snapshot.
  case measured
  /// Follows from the trace and the kernel's rules.
  case derived
  /// Comes from a model; the report says which.
  case modelled
}

/// The TLB row of /proc/interrupts as a trace tells it.
public struct DerivedTLBRow: Sendable, Equatable {
  /// Where the numbers come from.
  public enum Method: String, Sendable {
    /// `csd_function_entry` of `flush_tlb_func` with a csd: exact, the counter is bumped in it.
    case csdFunctionEntry = "csd_function_entry"
    /// `csd_queue_cpu` of `flush_tlb_func` by target: exact but for what is in flight at the edges.
    case csdQueueCPU = "csd_queue_cpu"
    /// `tlb_flush` of reasons 1 and 5: a lower bound, early exits of the handler write no event.
    case flushEvents = "tlb_flush"
  }

  /// Interrupts received, by CPU; nil in dialects without a CPU column.
  public var perCPU: [UInt64]?
  /// Their sum.
  public var total: UInt64
  /// Where they come from.
  public var method: Method
  /// Whether `flush_tlb_func` was recognised by what ran in it and not by its symbol.
  public var functionIsInferred: Bool

  /// The event that tells.
  public var kind: EventKind {
    switch method {
    case .csdFunctionEntry: .csdFunctionEntry
    case .csdQueueCPU: .csdQueueCPU
    case .flushEvents: .tlbFlush
    }
  }

  /// Whether the numbers can only be too small.
  public var isLowerBound: Bool { method == .flushEvents }

  /// The row of what `survey` counted; nil if the trace has no event that tells.
  ///
  /// Linux 6.12 `arch/x86/mm/tlb.c` `flush_tlb_func()`: `inc_irq_stat(irq_tlb_count)` comes first
  /// when the CPU is not the initiator, before every early return.
  public init?(_ survey: InstanceSurvey, facts: TraceFacts, cpus: Int) {
    func padded(_ table: [UInt64]) -> [UInt64] {
      (0..<max(cpus, table.count)).map { $0 < table.count ? table[$0] : 0 }
    }
    if let (entry, inferred) = survey.functions.flush(known: facts.flushTLBFunction) {
      functionIsInferred = inferred
      if !entry.remoteRuns.isEmpty || entry.remoteRunsWithoutCPU > 0 || !entry.localRuns.isEmpty {
        method = .csdFunctionEntry
        perCPU = facts.hasCPUColumn ? padded(entry.remoteRuns) : nil
        total = entry.remoteRuns.reduce(entry.remoteRunsWithoutCPU, +)
        return
      }
      if !entry.queuedTo.isEmpty {
        method = .csdQueueCPU
        perCPU = padded(entry.queuedTo)
        total = entry.queuedTo.reduce(0, +)
        return
      }
    }
    if facts.flushTLBFunction != nil, survey.total(Int(EventKind.csdFunctionEntry.rawValue)) > 0 {
      // The symbol is known, csd runs are recorded, and none was a flush: the row did not move.
      functionIsInferred = false
      method = .csdFunctionEntry
      perCPU = facts.hasCPUColumn ? padded([]) : nil
      total = 0
      return
    }
    guard survey.total(Int(EventKind.tlbFlush.rawValue)) > 0 else { return nil }
    self = DerivedTLBRow(flushesOf: survey, facts: facts, cpus: cpus)
  }

  /// The row of a part of what `reference` was derived from, told from the same events: a part may
  /// lack what the whole was recognised by.
  public init(
    _ part: InstanceSurvey, like reference: DerivedTLBRow, function: UInt64?, facts: TraceFacts,
    cpus: Int
  ) {
    guard reference.method != .flushEvents else {
      self = DerivedTLBRow(flushesOf: part, facts: facts, cpus: cpus)
      return
    }
    let entry = part.functions.entries.first { $0.function == function }
    let isQueued = reference.method == .csdQueueCPU
    let counts = (isQueued ? entry?.queuedTo : entry?.remoteRuns) ?? []
    let withoutCPU = isQueued ? 0 : entry?.remoteRunsWithoutCPU ?? 0
    method = reference.method
    functionIsInferred = reference.functionIsInferred
    total = counts.reduce(withoutCPU, +)
    perCPU =
      reference.perCPU == nil
      ? nil : (0..<max(cpus, counts.count)).map { $0 < counts.count ? counts[$0] : 0 }
  }

  private init(flushesOf survey: InstanceSurvey, facts: TraceFacts, cpus: Int) {
    functionIsInferred = false
    let reasons = [FlushReason.remoteShootdown.rawValue, FlushReason.remoteWrongCPU.rawValue]
    method = .flushEvents
    total = reasons.reduce(0) { sum, reason in
      FlushedPages.allCases.reduce(sum) { $0 + survey.flushes(reason, $1) }
    }
    perCPU =
      facts.hasCPUColumn
      ? (0..<cpus).map { cpu in
        reasons.reduce(0) { sum, reason in
          FlushedPages.allCases.reduce(sum) { $0 + survey.flushes(reason, $1, cpu: cpu) }
        }
      } : nil
  }
}
