import Replay

/// Which share of each cause's interrupts each policy avoids, which share none does, and what else
/// helps.
enum RemovalSection {
  /// One cause.
  struct Row {
    var cause: FlushCause
    var interrupts: Int
    /// Interrupts avoided by each policy, nil where it cannot be replayed on this trace.
    var avoided: [Double?]
    /// The most that any of them avoids.
    var best: Double? {
      let known = avoided.compactMap(\.self)
      return known.max().map { min(max($0, 0), Double(interrupts)) }
    }
  }

  static func policies(_ subject: WhoReport.Subject) -> [PolicyOutcome] {
    Array(subject.outcome.policies.dropFirst())
  }

  static func rows(_ subject: WhoReport.Subject) -> [Row] {
    subject.culprits.groups(by: .cause).map { group in
      Row(
        cause: group.cause, interrupts: group.sums.interrupts,
        avoided: policies(subject).map { $0.figures?.byCause.avoided(group.cause) })
    }
  }

  static func section(_ subject: WhoReport.Subject) -> Report.Section? {
    let policies = policies(subject)
    let rows = rows(subject).filter { $0.interrupts > 0 }
    guard !rows.isEmpty else { return nil }
    var blocks: [Report.Block] = []
    if !policies.isEmpty {
      let cells = rows.map { row -> [String] in
        [row.cause.label, WhoReport.count(row.interrupts)]
          + row.avoided.map { share($0, row.interrupts) }
          + [row.best.map { share(Double(row.interrupts) - $0, row.interrupts) } ?? "-"]
      }
      blocks.append(
        .table(
          Report.Table(
            columns: ["cause", "interrupts"] + policies.map(\.name) + ["none"],
            rows: cells + [sums(subject, rows, policies)])))
      blocks.append(
        .note(
          "Per cent of the cause's interrupts that a policy avoids [modelled]; flushes that it has to "
            + "do later are charged to the causes that they pay for. Negative: it costs more. none: "
            + "what even the best of these columns leaves. -: the trace does not hold what the "
            + "policy needs. tlbreplay policies says what each does."))
    }
    // Why columns are empty is said once, however many they are.
    var reasons: [(name: String, value: String)] = []
    for policy in policies where policy.figures == nil {
      let reason = policy.notes.first ?? "not observable in this trace"
      if let known = reasons.firstIndex(where: { $0.value == "\(reason)." }) {
        reasons[known].name += ", \(policy.name)"
      } else {
        reasons.append((policy.name, "\(reason)."))
      }
    }
    if !reasons.isEmpty { blocks.append(.facts(reasons)) }
    let advice = rows.prefix(subject.options.top).compactMap { row in
      CauseAdvice.text(row.cause).map { (name: row.cause.label, value: $0) }
    }
    if !advice.isEmpty { blocks.append(.facts(advice)) }
    return Report.Section("What could remove them", blocks)
  }

  private static func sums(
    _ subject: WhoReport.Subject, _ rows: [Row], _ policies: [PolicyOutcome]
  ) -> [String] {
    let total = rows.reduce(0) { $0 + $1.interrupts }
    let avoided = policies.indices.map { index -> String in
      let known = rows.compactMap { $0.avoided[index] }
      return known.isEmpty ? "-" : share(known.reduce(0, +), total)
    }
    let best = rows.compactMap(\.best)
    let left = best.isEmpty ? "-" : share(Double(total) - best.reduce(0, +), total)
    return ["all", WhoReport.count(total)] + avoided + [left]
  }

  private static func share(_ part: Double?, _ whole: Int) -> String {
    guard let part, whole > 0 else { return "-" }
    return WhoReport.tenths(part * 1000 / Double(whole))
  }
}
