import Replay
import TraceEvents

/// The JSON form of `report`.
enum ReplayReportData {
  static func document(_ trace: TraceDescription, _ outcome: Outcome) -> JSONValue {
    .object([
      "schema": .string("tlbreplay.report/1"), "input": trace.inputData,
      "window": window(trace), "policies": .array(outcome.policies.map(policy)),
      "tlb_row": snapshots(trace, outcome),
    ])
  }

  private static func window(_ trace: TraceDescription) -> JSONValue {
    guard case .object(var members) = trace.windowData else { return .null }
    // `stat` has the events of the window; here they would only repeat them.
    members["events"] = nil
    return .object(members)
  }

  private static func policy(_ policy: PolicyOutcome) -> JSONValue {
    .object([
      "name": .string(policy.name), "tlb_row": row(policy), "tlb_flush": flushes(policy),
      "ipis_avoided": policy.ipisAvoided.map { JSONValue($0) } ?? .null,
      "grade": .string(policy.rowGrade.rawValue),
      "ledger": policy.figures.map { ledger($0.ledger, $0.pending.framesMax) } ?? .null,
      "safety": policy.figures?.safety.map(safety) ?? .null,
      "tlb_misses": .object([
        "dtlb_load": .null, "dtlb_store": .null, "itlb": .null,
        "reason": .string("no event of this trace shows memory accesses"),
      ]),
      "cases": .array(policy.cases.map(caseData)),
      "notes": .array(policy.notes.map { .string($0) }),
    ])
  }

  private static func row(_ policy: PolicyOutcome) -> JSONValue {
    .object([
      "per_cpu": policy.figures.map { .array($0.tlbRow.map { JSONValue($0) }) } ?? .null,
      "total": policy.figures.map { JSONValue($0.tlbRowTotal) } ?? .null,
      "lower": policy.rowLower.map { JSONValue($0) } ?? .null,
      "upper": policy.rowUpper.map { JSONValue($0) } ?? .null,
      "grade": .string(policy.rowGrade.rawValue),
    ])
  }

  private static func flushes(_ policy: PolicyOutcome) -> JSONValue {
    var reasons: [String: JSONValue] = [:]
    for reason in FlushReason.allCases {
      guard let figures = policy.figures, reason.rawValue < figures.tlbFlush.count else { continue }
      let total = ReplayReport.total(figures, reason)
      guard total != 0 || figures.tlbFlush[reason.rawValue].contains(where: { $0 != 0 }) else {
        continue
      }
      reasons["\(reason.rawValue)"] = .object([
        "total": JSONValue(total),
        "per_cpu": .array(figures.tlbFlush[reason.rawValue].map { JSONValue($0) }),
      ])
    }
    return .object([
      "total": policy.figures.map { JSONValue($0.tlbFlushTotal) } ?? .null,
      "by_reason": .object(reasons), "grade": .string(policy.flushGrade.rawValue),
    ])
  }

  private static func ledger(_ ledger: Ledger, _ framesPendingMax: Int) -> JSONValue {
    .object([
      "deferred": JSONValue(ledger.deferred), "absorbed": JSONValue(ledger.absorbed),
      "forced_by_allocation": JSONValue(ledger.forcedByAllocation),
      "forced_by_permission": JSONValue(ledger.forcedByPermission),
      "forced_by_file_write": JSONValue(ledger.forcedByFileWrite),
      "forced_by_pressure": JSONValue(ledger.forcedByPressure),
      "refused": JSONValue(ledger.refused), "pending": JSONValue(ledger.pending),
      "forced_flushes": JSONValue(ledger.forcedFlushes),
      "frames_pending_max": JSONValue(framesPendingMax),
      "grade": .string(Grade.modelled.rawValue),
    ])
  }

  private static func safety(_ safety: SafetyVerdict) -> JSONValue {
    var first = JSONValue.null
    if let violation = safety.first {
      first = .object([
        "rule": .string(violation.rule), "time": JSONValue(violation.time),
        "event_index": JSONValue(violation.eventIndex), "cpu": JSONValue(violation.cpu),
        "pfn": JSONValue(violation.pfn),
      ])
    }
    return .object([
      "violations": JSONValue(safety.violations), "first": first,
      "frames_checked": JSONValue(safety.framesChecked),
      "rules": .array([.string("I1")]), "grade": .string(Grade.modelled.rawValue),
    ])
  }

  private static func caseData(_ figures: CaseFigures) -> JSONValue {
    .object([
      "assumption": JSONValue(figures.assumption?.name),
      "tlb_row": .object([
        "total": JSONValue(figures.tlbRowTotal),
        "per_cpu": .array(figures.tlbRow.map { JSONValue($0) }),
      ]),
      "tlb_flush": .object(["total": JSONValue(figures.tlbFlushTotal)]),
      "ledger": ledger(figures.ledger, figures.pending.framesMax),
      "safety": figures.safety.map(safety) ?? .null,
    ])
  }

  private static func snapshots(_ trace: TraceDescription, _ outcome: Outcome) -> JSONValue {
    guard let recorded = trace.recordedRow else { return .null }
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
