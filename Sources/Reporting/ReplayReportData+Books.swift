import Replay

/// The books of a policy, and the verdicts on it, in JSON.
extension ReplayReportData {
  private static let modelled = JSONValue.string(Grade.modelled.rawValue)

  static func ledger(_ ledger: Ledger, _ framesPendingMax: Int) -> JSONValue {
    var flushes: [String: JSONValue] = [:]
    for fate in DeferralFate.allCases {
      flushes[fate.name] = JSONValue(ledger.flushes[fate.rawValue])
    }
    return .object([
      "deferred": JSONValue(ledger.deferred), "absorbed": JSONValue(ledger.absorbed),
      "forced_by_allocation": JSONValue(ledger.forcedByAllocation),
      "forced_by_permission": JSONValue(ledger.forcedByPermission),
      "forced_by_file_write": JSONValue(ledger.forcedByFileWrite),
      "forced_by_pressure": JSONValue(ledger.forcedByPressure),
      "refused": JSONValue(ledger.refused), "pending": JSONValue(ledger.pending),
      "broadcasts": JSONValue(ledger.broadcasts),
      "balanced": .bool(ledger.isBalanced),
      "forced_flushes": JSONValue(ledger.forcedFlushes),
      "forced_flushes_by_cause": .object(flushes),
      "frames_pending_max": JSONValue(framesPendingMax), "grade": modelled,
    ])
  }

  static func pending(_ pending: PendingFrames, _ unit: String) -> JSONValue {
    .object([
      "max": JSONValue(pending.framesMax),
      "mean": pending.framesMean.map { JSONValue($0) } ?? .null,
      "series": .array(pending.series.map { JSONValue($0) }),
      "start": pending.start.map { JSONValue($0) } ?? .null,
      "width": JSONValue(pending.width), "unit": .string(unit), "grade": modelled,
    ])
  }

  static func ages(_ ages: DeferralAges, _ unit: String) -> JSONValue {
    let isThere = ages.count > 0
    func age(_ value: UInt64) -> JSONValue { isThere ? JSONValue(value) : .null }
    return .object([
      "count": JSONValue(ages.count), "p50": age(ages.median), "p90": age(ages.percentile90),
      "p99": age(ages.percentile99), "longest": age(ages.longest), "unit": .string(unit),
      "percentiles": .string("lower ends of buckets 12.5 % wide"), "grade": modelled,
    ])
  }

  /// `spans_by_flushes[n]` counts the spans with 2^n to 2^(n+1) - 1 flushes.
  static func bursts(_ bursts: FlushBursts, _ unit: String) -> JSONValue {
    guard let span = bursts.span else { return .null }
    return .object([
      "span": JSONValue(span), "flushes_max": JSONValue(bursts.flushesMax),
      "spans_by_flushes": .array(bursts.spansByFlushes.map { JSONValue($0) }),
      "unit": .string(unit), "grade": modelled,
    ])
  }

  static func payers(_ figures: CaseFigures) -> JSONValue {
    var members: [String: JSONValue] = ["grade": modelled]
    for payer in TaskClass.allCases {
      let payment = ReplayReport.payment(figures, payer)
      members[payer.name] = .object([
        "flushes": JSONValue(payment.flushes), "interrupts": JSONValue(payment.interrupts),
      ])
    }
    return .object(members)
  }

  static func safety(_ safety: SafetyVerdict) -> JSONValue {
    .object([
      "violations": JSONValue(safety.violations), "first": violation(safety.first),
      "frames_checked": JSONValue(safety.framesChecked),
      "rules": .array(safety.rules.map(rule)), "grade": modelled,
    ])
  }

  private static func rule(_ verdict: RuleVerdict) -> JSONValue {
    .object([
      "rule": .string(verdict.rule.rawValue), "title": .string(verdict.rule.title),
      "verdict": .string(verdict.name), "checked": JSONValue(verdict.checked),
      "violations": JSONValue(verdict.violations), "first": violation(verdict.first),
      "record": JSONValue(verdict.record),
      "detail": verdict.detail.isEmpty ? .null : .string(verdict.detail), "grade": modelled,
    ])
  }

  private static func violation(_ violation: Violation?) -> JSONValue {
    guard let violation else { return .null }
    return .object([
      "rule": .string(violation.rule), "time": JSONValue(violation.time),
      "event_index": JSONValue(violation.eventIndex), "cpu": JSONValue(violation.cpu),
      "pfn": JSONValue(violation.pfn),
    ])
  }
}
