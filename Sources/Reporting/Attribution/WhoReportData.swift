import Machine
import Replay
import TraceEvents

/// The document `tlbreplay.who/1`.
enum WhoReportData {
  static func document(_ subject: WhoReport.Subject) -> JSONValue {
    let attribution = subject.attribution
    var by: [String: JSONValue] = [:]
    for grouping in subject.options.groupings {
      by[grouping.rawValue] = groups(subject, grouping)
    }
    return .object([
      "schema": .string("tlbreplay.who/1"), "input": subject.trace.inputData,
      "window": subject.trace.windowData,
      "shootdowns": .object([
        "total": JSONValue(attribution.total.shootdowns),
        "sends": JSONValue(attribution.total.sends), "grade": .string("measured"),
      ]),
      "tlb_row": .object([
        "per_cpu": .array(attribution.row.map { JSONValue($0) }),
        "total": JSONValue(subject.interrupts), "unattributed": JSONValue(attribution.unattributed),
        "method": .string(attribution.method.rawValue), "grade": .string("derived"),
      ]),
      "receiver_time": receiverTime(subject), "culprits": .object(by),
      "evidence": evidence(subject), "victims": victims(subject), "matrix": matrix(subject),
      "removal": removal(subject), "agreement": agreement(subject),
      "other_calls": .array(
        attribution.otherCalls.map {
          .object([
            "function": .string(subject.culprits.names.kernel($0.function)),
            "runs": JSONValue($0.runs),
          ])
        }),
    ])
  }

  private static func receiverTime(_ subject: WhoReport.Subject) -> JSONValue {
    let range = TimeEstimate(subject.options.costs).receivers(
      CostCounts(sends: 0, interrupts: subject.interrupts))
    return .object([
      "expected_ns": .number(range.expected), "lower_ns": .number(range.lower),
      "upper_ns": .number(range.upper), "grade": .string("modelled"),
    ])
  }

  static func groups(
    _ subject: WhoReport.Subject, _ grouping: CulpritGrouping
  ) -> JSONValue {
    let groups = subject.culprits.groups(by: grouping)
    var rest = ShootdownSums()
    for group in groups.dropFirst(subject.options.top) { rest.add(group.sums) }
    return .object([
      "groups": .array(
        groups.prefix(subject.options.top).map { group in
          var members = sums(group.sums)
          members["name"] = .string(group.name)
          if grouping != .cause, grouping != .cpu { members["mostly"] = .string(group.cause.label) }
          if grouping == .kernelPath || grouping == .userPath {
            members["functions"] = .array(subject.culprits.functions(group).map(JSONValue.string))
          }
          if let task = group.task, task != EventBatch.unknownTask {
            members["task"] = JSONValue(Int(task))
          }
          if grouping == .task || grouping == .process {
            members["process"] = group.process.map { JSONValue(Int($0)) } ?? .null
          }
          return .object(members)
        }),
      "distinct": JSONValue(groups.count), "rest": .object(sums(rest)),
    ])
  }

  private static func sums(_ sums: ShootdownSums) -> [String: JSONValue] {
    [
      "shootdowns": JSONValue(sums.shootdowns), "sends": JSONValue(sums.sends),
      "interrupts": JSONValue(sums.interrupts), "cpus_hit": JSONValue(sums.cpus.count),
    ]
  }

  private static func evidence(_ subject: WhoReport.Subject) -> JSONValue {
    var counts: [String: Int] = [:]
    for evidence in CauseEvidence.allCases { counts[key(evidence)] = 0 }
    for group in subject.attribution.groups {
      counts[key(group.evidence), default: 0] += group.sums.shootdowns
    }
    return .object(counts.mapValues { JSONValue($0) })
  }

  private static func key(_ evidence: CauseEvidence) -> String {
    switch evidence {
    case .callPath: "call_path"
    case .event: "event"
    case .concluded: "concluded"
    }
  }

  private static func victims(_ subject: WhoReport.Subject) -> JSONValue {
    let names = subject.culprits.names
    let attribution = subject.attribution
    func bursts(_ bursts: BurstCounts) -> JSONValue {
      guard subject.trace.instanceFacts.timeUnit.isNanoseconds else { return .null }
      return .object([
        "p50": JSONValue(bursts.percentile(50)), "p99": JSONValue(bursts.percentile(99)),
        "max": JSONValue(bursts.greatest), "milliseconds": JSONValue(bursts.spanCount),
      ])
    }
    let cpus = VictimSections.rows(subject).map { row -> JSONValue in
      .object([
        "cpu": JSONValue(row.cpu), "interrupts": JSONValue(row.interrupts),
        "per_ms": bursts(row.victim.bursts), "switches": JSONValue(row.victim.switches),
        "isolated": .bool(row.isIsolated), "quiet": row.isQuiet.map { .bool($0) } ?? .null,
      ])
    }
    let series = attribution.overTime
    return .object([
      "cpus": .array(cpus), "per_ms": bursts(attribution.machine),
      "distinct_tasks": JSONValue(attribution.victims.count),
      "tasks": .array(
        attribution.victims.prefix(subject.options.top).map { victim in
          .object([
            "name": .string(names.comm(victim.task)),
            "task": victim.task == EventBatch.unknownTask ? .null : JSONValue(Int(victim.task)),
            "process": names.group(victim.task).map { JSONValue(Int($0)) } ?? .null,
            "interrupts": JSONValue(victim.interrupts),
          ])
        }),
      "over_time": .object([
        "start": series.start.map { JSONValue($0) } ?? .null, "width": JSONValue(series.width),
        "unit": .string(subject.trace.instanceFacts.timeUnit.durationUnit),
        "interrupts": .array(series.counts.map { JSONValue($0) }),
      ]),
    ])
  }

  private static func matrix(_ subject: WhoReport.Subject) -> JSONValue {
    .object([
      "total": JSONValue(subject.attribution.matrix.total),
      "pairs": .array(
        subject.attribution.matrix.pairs.prefix(1 << 16).map {
          .array([JSONValue($0.sender), JSONValue($0.receiver), JSONValue($0.interrupts)])
        }),
    ])
  }

  private static func removal(_ subject: WhoReport.Subject) -> JSONValue {
    let policies = RemovalSection.policies(subject)
    return .array(
      RemovalSection.rows(subject).map { row in
        var avoided: [String: JSONValue] = [:]
        for (policy, value) in zip(policies, row.avoided) {
          avoided[policy.name] = value.map { .number(($0 * 1000).rounded() / 1000) } ?? .null
        }
        return .object([
          "cause": .string(row.cause.label), "interrupts": JSONValue(row.interrupts),
          "avoided": .object(avoided), "grade": .string("modelled"),
          "none": row.best.map { .number(((Double(row.interrupts) - $0) * 1000).rounded() / 1000) }
            ?? .null,
          "advice": JSONValue(CauseAdvice.text(row.cause)),
        ])
      })
  }

  private static func agreement(_ subject: WhoReport.Subject) -> JSONValue {
    let agreement = subject.attribution.agreement
    guard agreement.total > 0 else { return .null }
    var pairs: [JSONValue] = []
    for events in FlushCause.allCases {
      for path in FlushCause.allCases {
        let count = agreement.shootdowns[Int(events.rawValue)][Int(path.rawValue)]
        guard count > 0 else { continue }
        pairs.append(
          .object([
            "events": .string(events.label), "path": .string(path.label),
            "shootdowns": JSONValue(count),
          ]))
      }
    }
    return .object([
      "pairs": .array(pairs), "unexplained": JSONValue(agreement.unexplained),
      "total": JSONValue(agreement.total),
    ])
  }
}
