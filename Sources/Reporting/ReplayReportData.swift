import Replay
import TraceEvents

/// The JSON form of `report`.
enum ReplayReportData {
  /// The document; `parts` are those of the modelled machine, by name.
  static func document(
    _ trace: TraceDescription, _ outcome: Outcome, _ misses: MissPrediction,
    _ parts: [String: JSONValue?] = [:]
  ) -> JSONValue {
    let unit = trace.instanceFacts.timeUnit.durationUnit
    var members: [String: JSONValue] = [
      "schema": .string("tlbreplay.report/1"), "input": trace.inputData,
      "window": window(trace),
      "policies": .array(
        outcome.policies.enumerated().map { index, each in
          FilteredFigures.masked(policy(each, unit, misses.data(index)), trace)
        }),
      "reconstruction": reconstruction(outcome.reconstruction, trace.eventNames),
      "tlb_row": snapshots(trace, outcome),
    ]
    for (name, part) in parts { members[name] = JSONValue(orNull: part) }
    return .object(members)
  }

  private static func window(_ trace: TraceDescription) -> JSONValue {
    guard case .object(var members) = trace.windowData else { return .null }
    // `stat` has the events of the window; here they would only repeat them.
    members["events"] = nil
    return .object(members)
  }

  private static func policy(
    _ policy: PolicyOutcome, _ unit: String, _ misses: JSONValue
  ) -> JSONValue {
    let isRecorded = policy.name == PolicyCatalog.recordedName
    // The recorded run puts nothing off: it has no such figures.
    let modelled = isRecorded ? nil : policy.figures
    var members: [String: JSONValue] = [
      "name": .string(policy.name), "tlb_row": row(policy), "tlb_flush": flushes(policy),
      "grade": .string(policy.rowGrade.rawValue),
      "cases": .array(policy.cases.map { caseData($0, unit) }),
      "notes": .array(policy.notes.map { .string($0) }),
    ]
    members["ipis_avoided"] = JSONValue(orNull: policy.ipisAvoided.map { JSONValue($0) })
    members["ledger"] = JSONValue(
      orNull: policy.figures.map { ledger($0.ledger, $0.pending.framesMax) })
    members["pending_frames"] = JSONValue(orNull: modelled.map { pending($0.pending, unit) })
    members["ages"] = JSONValue(orNull: modelled.map { ages($0.ages, unit) })
    members["bursts"] = JSONValue(orNull: modelled.map { bursts($0.bursts, unit) })
    members["payers"] = JSONValue(orNull: modelled.map(payers))
    members["safety"] = JSONValue(orNull: policy.figures?.safety.map(safety))
    members["tlb_misses"] = misses
    members["timeline"] = timeline(policy, unit)
    members["senders"] = senders(policy)
    return .object(members)
  }

  private static func row(_ policy: PolicyOutcome) -> JSONValue {
    .object([
      "per_cpu": policy.figures.map { .array($0.tlbRow.map { JSONValue($0) }) } ?? .null,
      "total": policy.figures.map { JSONValue($0.tlbRowTotal) } ?? .null,
      "lower": policy.leastRow.map { JSONValue($0) } ?? .null,
      "upper": policy.greatestRow.map { JSONValue($0) } ?? .null,
      "trace_lower": policy.rowLower.map { JSONValue($0) } ?? .null,
      "trace_upper": policy.rowUpper.map { JSONValue($0) } ?? .null,
      "another_run": anotherRun(policy.figures),
      "grade": .string(policy.rowGrade.rawValue),
    ])
  }

  /// Where another run lies if what the trace does not show is as assumed.
  private static func anotherRun(_ figures: CaseFigures?) -> JSONValue {
    guard let range = figures?.anotherRun else { return .null }
    return .object([
      "lower": JSONValue(range.lowerBound), "upper": JSONValue(range.upperBound),
      "grade": .string(Grade.modelled.rawValue),
    ])
  }

  private static func flushes(_ policy: PolicyOutcome) -> JSONValue {
    .object([
      "total": policy.figures.map { JSONValue($0.tlbFlushTotal) } ?? .null,
      "by_reason": policy.figures.map(byReason) ?? .object([:]),
      "grade": .string(policy.flushGrade.rawValue),
    ])
  }

  private static func byReason(_ figures: CaseFigures) -> JSONValue {
    var reasons: [String: JSONValue] = [:]
    for reason in FlushReason.allCases where reason.rawValue < figures.tlbFlush.count {
      let perCPU = figures.tlbFlush[reason.rawValue]
      guard perCPU.contains(where: { $0 != 0 }) else { continue }
      reasons["\(reason.rawValue)"] = .object([
        "total": JSONValue(ReplayReport.total(figures, reason)),
        "per_cpu": .array(perCPU.map { JSONValue($0) }),
      ])
    }
    return .object(reasons)
  }

  private static func caseData(_ figures: CaseFigures, _ unit: String) -> JSONValue {
    .object([
      "assumption": JSONValue(figures.assumption?.name),
      "tlb_row": .object([
        "total": JSONValue(figures.tlbRowTotal),
        "per_cpu": .array(figures.tlbRow.map { JSONValue($0) }),
        "another_run": anotherRun(figures), "grade": .string(Grade.modelled.rawValue),
      ]),
      "tlb_flush": .object([
        "total": JSONValue(figures.tlbFlushTotal), "by_reason": byReason(figures),
        "grade": .string(Grade.modelled.rawValue),
      ]),
      "ledger": ledger(figures.ledger, figures.pending.framesMax),
      "pending_frames": pending(figures.pending, unit), "ages": ages(figures.ages, unit),
      "bursts": bursts(figures.bursts, unit), "payers": payers(figures),
      "safety": figures.safety.map(safety) ?? .null,
    ])
  }

  private static func snapshots(_ trace: TraceDescription, _ outcome: Outcome) -> JSONValue {
    guard trace.filtered == nil, let recorded = trace.recordedRow else { return .null }
    let total = recorded.perCPU.reduce(0, +)
    let inTrace = outcome.policies.first?.figures?.tlbRowTotal
    return .object([
      "recorded": .object([
        "per_cpu": JSONValue(recorded.perCPU), "total": JSONValue(total),
        "grade": .string(Grade.measured.rawValue),
      ]),
      "difference": inTrace.map { .integer(Int64(clamping: total) - Int64($0)) } ?? .null,
    ])
  }
}
