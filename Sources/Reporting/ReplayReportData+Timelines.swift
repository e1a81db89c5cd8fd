import Replay

/// Shootdowns by time and by sender in JSON.
extension ReplayReportData {
  /// `per_cpu` by CPU, then span; null where it was not recorded.
  static func timeline(_ policy: PolicyOutcome, _ unit: String) -> JSONValue {
    guard let timeline = policy.figures?.timeline else { return .null }
    return .object([
      "start": JSONValue(timeline.start), "width": JSONValue(timeline.width),
      "unit": .string(unit), "total": .array(timeline.series.map { JSONValue($0) }),
      "per_cpu": .array(
        (0..<timeline.cpuCount).map { cpu in
          .array(timeline.series(ofCPU: cpu).map { JSONValue($0) })
        }),
      "grade": .string(policy.rowGrade.rawValue),
    ])
  }

  /// `matrix` by sender, then receiver, each of `cpus_per_group` CPUs.
  static func senders(_ policy: PolicyOutcome) -> JSONValue {
    guard let figures = policy.figures, let senders = figures.senders else { return .null }
    let groups = 0..<senders.groupCount
    return .object([
      "cpus_per_group": JSONValue(senders.cpusPerGroup),
      "matrix": .array(
        groups.map { from in
          .array(groups.map { JSONValue(senders.count(from: from, to: $0)) })
        }),
      "matched": JSONValue(senders.total),
      "sender_not_in_trace": JSONValue(figures.interruptsOfUnknownSenders ?? 0),
      "grade": .string(policy.rowGrade.rawValue),
    ])
  }
}
