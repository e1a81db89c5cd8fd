import Machine
import Replay
import TraceEvents

extension MissPrediction {
  private static let names = [
    (AccessClass.load, "dTLB load", "dtlb_load"), (.store, "dTLB store", "dtlb_store"),
    (.fetch, "iTLB", "itlb"),
  ]

  // MARK: Text

  /// The section of the text report.
  func section(_ outcome: Outcome) -> Report.Section {
    guard reason == nil else {
      return Report.Section("TLB misses", bounds(outcome))
    }
    let columns =
      ["policy, class", "by flushes", "range", "%change", "others"]
      + (source == .calibrated ? ["all"] : [])
    var rows: [[String]] = []
    for (policy, misses) in zip(outcome.policies, policies) {
      for (kind, name, _) in Self.names {
        guard let misses, let before = policies.first.flatMap(\.self) else {
          rows.append(
            ["\(policy.name) \(name)"] + columns.dropFirst().map { _ in "-" })
          continue
        }
        let walks = misses.walks[Int(kind.rawValue)]
        let recorded = before.walks[Int(kind.rawValue)].flushMade.value
        rows.append(
          [
            "\(policy.name) \(name)", Self.count(walks.flushMade.value),
            Self.range(walks.flushMade),
            policy.name == outcome.policies.first?.name
              ? ""
              : ReplayReport.change(
                Self.integer(walks.flushMade.value), Self.integer(recorded)),
            Self.count(walks.base.value),
          ] + (source == .calibrated ? [Self.range(walks.total)] : []))
      }
    }
    return Report.Section(
      "TLB misses: completed page walks",
      [
        .table(
          Report.Table(
            columns: columns,
            rows: rows)),
        .note(source == .calibrated ? calibration : assumptions),
      ])
  }

  private var assumptions: String {
    let rate = request.accessesPerSecond
    let entries = request.entries.map { "\($0)" }.joined(separator: " or ")
    return """
      [modelled, curve: \(source.rawValue)] by flushes: walks that would not be \
      without full flushes; others: capacity misses and first touches, were every CPU to run the \
      profiled workload all the time. Ranges: \(entries) entries (\(request.machine)), \
      \(Self.count(rate.lower)) to \(Self.count(rate.upper)) accesses a second and CPU \
      (\(rate.source)), the phases of the profile but for a tenth of it at either end, and for \
      policies the moments of their flushes, of which only the number is known. Flushes of single \
      pages count in the upper ends only. Kernel accesses, speculation and prefetch are not in \
      the profile.
      """
  }

  private var calibration: String {
    """
    [modelled, curve: calibrated] walks = base + walks per flush x full flushes, from the measured \
    walks of the recorded run. One run does not say how they divide: the range goes from none by \
    flushes to all (\(request.entries.max() ?? 0) a flush at the most), the figure is the middle. \
    Walks per flush are taken as equal under all policies, though they grow with the time between \
    flushes.
    """
  }

  private func bounds(_ outcome: Outcome) -> [Report.Block] {
    let why = reason ?? "nothing is known of accesses"
    let note = "TLB misses are not predictable from this trace: \(why)."
    let rows = zip(outcome.policies, policies).compactMap { policy, misses -> [String]? in
      guard let misses else { return nil }
      return [
        policy.name, Self.count(misses.load.expected.flushes), "0-\(Self.count(misses.bound))",
      ]
    }
    guard !rows.isEmpty else { return [.note(note)] }
    let entries = request.entries.max() ?? 0
    return [
      .note(note),
      .table(Report.Table(columns: ["policy", "full flushes", "walks by flushes"], rows: rows)),
      .note(
        """
        Bounds: a full flush makes no more walks than the TLB has entries (\(entries), \
        \(request.machine)), or than there are accesses until the next; a flushed page makes one. A \
        profile of the workload says more (tlbreplay profile, report --profile).
        """),
    ]
  }

  // MARK: JSON

  /// The `tlb_misses` of the policy at `index`.
  func data(_ index: Int) -> JSONValue {
    var members: [String: JSONValue] = [
      "dtlb_load": .null, "dtlb_store": .null, "itlb": .null, "reason": JSONValue(reason),
      "source": .string(source.rawValue),
      "bound": .null,
    ]
    guard index < policies.count, let misses = policies[index] else {
      if reason == nil { members["reason"] = .string("the policy's flushes are not observable") }
      return .object(members)
    }
    members["bound"] = .object([
      "flush_made_upper": .integer(Int64(clamping: Self.integer(misses.bound))),
      "full_flushes": .integer(Int64(clamping: Self.integer(misses.load.expected.flushes))),
      "grade": .string(Grade.modelled.rawValue),
    ])
    guard !misses.walks.isEmpty else { return .object(members) }
    for (kind, _, key) in Self.names {
      let walks = misses.walks[Int(kind.rawValue)]
      let isMeasured = source == .calibrated && index == 0
      guard case .object(var values) = Self.data(walks.total) else { continue }
      values["flush_made"] = Self.data(walks.flushMade)
      values["base"] = Self.data(walks.base)
      values["grade"] = .string((isMeasured ? Grade.measured : .modelled).rawValue)
      members[key] = .object(values)
    }
    members["assumptions"] = .object([
      "machine": .string(request.machine),
      "entries": .array(request.entries.map { JSONValue($0) }),
      "accesses_per_second": .object([
        "expected": .number(request.accessesPerSecond.expected),
        "lower": .number(request.accessesPerSecond.lower),
        "upper": .number(request.accessesPerSecond.upper),
        "source": .string(request.accessesPerSecond.source),
      ]),
    ])
    return .object(members)
  }

  private static func data(_ estimate: WalkEstimate) -> JSONValue {
    .object([
      "value": .integer(Int64(integer(estimate.value))),
      "lower": .integer(Int64(integer(estimate.lower))),
      "upper": .integer(Int64(integer(estimate.upper))),
    ])
  }

  // MARK: Numbers

  /// Rounded; walks beyond what a computer can do are cut.
  private static func integer(_ value: Double) -> Int {
    value.isFinite ? Int(min(max(value, 0), 9e15).rounded()) : 0
  }

  private static func count(_ value: Double) -> String { ReplayReport.count(integer(value)) }

  private static func range(_ estimate: WalkEstimate) -> String {
    ReplayReport.range(integer(estimate.lower), integer(estimate.upper))
  }
}
