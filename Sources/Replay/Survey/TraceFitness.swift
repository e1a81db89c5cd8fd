public import TraceEvents

/// Which questions a trace can answer, and why not the others.
public struct TraceFitness: Sendable {
  /// How well a question can be answered.
  public enum Verdict: String, Sendable {
    /// From the trace alone, exactly.
    case yes
    /// Between bounds.
    case bounded
    /// Not from this trace.
    case no
  }

  /// A question and its verdict.
  public struct Answer: Sendable, Equatable {
    /// The question, in a user's words.
    public var question: String
    /// How well it can be answered.
    public var verdict: Verdict
    /// Why, and for a `no` what to record.
    public var reason: String
  }

  /// Questions in the order in which users ask them.
  public private(set) var answers: [Answer] = []
  /// Why a replay of frame lifetimes is impossible; empty if it is not.
  public private(set) var obstacles: [String] = []

  /// Whether `report` can replay the trace.
  public var isFitForReplay: Bool { obstacles.isEmpty }

  private let survey: InstanceSurvey
  private let facts: TraceFacts

  /// What `survey` of an instance with `unit` times can tell.
  public init(
    _ survey: InstanceSurvey, facts: TraceFacts, instance: TraceInstance,
    statistics: IngestStatistics
  ) {
    self.survey = survey
    self.facts = facts
    answers = [row(), reasons(), matching(), lifetimes(instance), readOnly(), victims()]
    answers += [migrations(), completeness(statistics), misses()]
  }

  private func has(_ kind: EventKind) -> Bool { survey.total(Int(kind.rawValue)) > 0 }

  private func row() -> Answer {
    let question = "TLB shootdowns received by each CPU"
    guard let row = DerivedTLBRow(survey, facts: facts, cpus: survey.cpusSeen) else {
      return Answer(
        question: question, verdict: .no,
        reason: "record tlb:tlb_flush, better csd:csd_function_entry too")
    }
    if row.perCPU == nil {
      return Answer(
        question: question, verdict: .no, reason: "this dialect has no CPU column: only a total")
    }
    if row.isLowerBound {
      return Answer(
        question: question, verdict: .bounded,
        reason: "from tlb_flush reasons 1 and 5: handlers that return early write no event; "
          + "record csd:csd_function_entry for an exact row")
    }
    return Answer(question: question, verdict: .yes, reason: "from \(row.method.rawValue)")
  }

  private func reasons() -> Answer {
    let question = "Flushes by reason and by how much they flush"
    return has(.tlbFlush)
      ? Answer(question: question, verdict: .yes, reason: "from tlb_flush")
      : Answer(question: question, verdict: .no, reason: "record tlb:tlb_flush")
  }

  private func matching() -> Answer {
    let question = "Which CPU interrupted which"
    guard facts.hasCPUColumn else {
      return Answer(question: question, verdict: .no, reason: "this dialect has no CPU column")
    }
    if has(.csdQueueCPU) || has(.ipiSendCPU) || has(.ipiSendCPUMask) {
      return Answer(question: question, verdict: .yes, reason: "from csd and ipi events")
    }
    if has(.tlbFlush) {
      return Answer(
        question: question, verdict: .bounded,
        reason: "only by time, from reason 4 to the reason 1 events behind it; record "
          + "csd:csd_queue_cpu (kernel 6.5 and later)")
    }
    return Answer(
      question: question, verdict: .no, reason: "record csd:csd_queue_cpu or tlb:tlb_flush")
  }

  private mutating func lifetimes(_ instance: TraceInstance) -> Answer {
    let question = "What lazy unmap flush would have saved"
    if !has(.tlbFlush) { obstacles.append("no tlb:tlb_flush events") }
    if !has(.pageAlloc) { obstacles.append("no kmem:mm_page_alloc events") }
    if !has(.pageFree) && !has(.pageFreeBatched) {
      obstacles.append("no kmem:mm_page_free or mm_page_free_batched events")
    }
    if !facts.hasCPUColumn { obstacles.append("no CPU column") }
    if instance.timeUnit == .none {
      obstacles.append("no times, so no order between CPUs is certain")
    }
    guard obstacles.isEmpty else {
      return Answer(question: question, verdict: .no, reason: obstacles.joined(separator: "; "))
    }
    return Answer(
      question: question, verdict: .bounded,
      reason:
        "frame lifetimes are there; which reclaimed pages were mapped read-only is in no event")
  }

  private func readOnly() -> Answer {
    let question = "Which unmapped pages were read-only"
    if has(.setMigrationPTE) {
      return Answer(
        question: question, verdict: .bounded,
        reason: "migrated pages: exactly, from set_migration_pte; reclaimed pages: no event tells")
    }
    return Answer(
      question: question, verdict: .no,
      reason:
        "record migrate:set_migration_pte (kernel 5.18 and later); for reclaimed pages no event "
        + "tells")
  }

  private func victims() -> Answer {
    let question = "Which tasks were interrupted"
    guard facts.hasTaskColumn else {
      return Answer(question: question, verdict: .no, reason: "this dialect has no task column")
    }
    if has(.tlbFlush) || has(.csdFunctionEntry) {
      return Answer(
        question: question, verdict: .yes, reason: "the receiver's events carry the task that ran")
    }
    return Answer(question: question, verdict: .no, reason: "record csd:csd_function_entry")
  }

  private func migrations() -> Answer {
    let question = "Promotion and demotion"
    return has(.migratePages)
      ? Answer(question: question, verdict: .yes, reason: "from mm_migrate_pages and its reason")
      : Answer(
        question: question, verdict: .no,
        reason: "no mm_migrate_pages events: none happened, or they were not recorded")
  }

  private func completeness(_ statistics: IngestStatistics) -> Answer {
    let question = "Is the trace complete"
    var flaws: [String] = []
    if statistics.lost.known > 0 { flaws.append("\(statistics.lost.known) events lost") }
    if statistics.lost.unknownMarks > 0 {
      flaws.append("\(statistics.lost.unknownMarks) losses of unknown size")
    }
    flaws += statistics.findings.filter { $0.severity != .note }.map(\.name)
    return flaws.isEmpty
      ? Answer(question: question, verdict: .yes, reason: "no loss and no damage is recorded")
      : Answer(question: question, verdict: .no, reason: flaws.joined(separator: ", "))
  }

  private func misses() -> Answer {
    Answer(
      question: "TLB misses", verdict: .no,
      reason: "need an access stream or a reuse profile of the workload; no trace event shows them")
  }
}
