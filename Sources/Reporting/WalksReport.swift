public import Machine
import TraceEvents

/// `profile --machine`: the walks of a memory trace, simulated exactly.
public enum WalksReport {
  private static let names: [(AccessClass, String, String)] = [
    (.load, "dTLB load", "dtlb_load"), (.store, "dTLB store", "dtlb_store"),
    (.fetch, "iTLB", "itlb"),
  ]

  /// The runs of `walks` on the machine called `machine`, with what the formula says from `profile`.
  public static func build(
    _ walks: ExactWalks, profile: ReuseProfile, machine: String, entries: Int, input: String
  ) -> Report {
    var report = Report(title: "tlbreplay profile: \(input) on \(machine)")
    let curves = profile.windows.map { WalkCurve(FootprintCurve($0), entries: entries) }
    report.sections = [
      Report.Section(
        "Completed page walks",
        [
          .table(table(walks, profile, curves)),
          .note(
            "flush every: accesses from one full flush of the address space to the next; exact: "
              + "simulated access by access; more per flush: over the run without flushes, exact and "
              + "by the formula that report --profile uses, with \(entries) entries of 4 KiB pages. "
              + "The accesses are user mode's, as the memory trace has them [modelled: true LRU, no "
              + "speculation, no prefetch, one CPU to itself]."),
        ])
    ]
    report.data = .object([
      "schema": .string("tlbreplay.profile/1"), "grade": .string("modelled"),
      "machine": .string(machine), "entries": JSONValue(entries),
      "accesses": JSONValue(profile.accesses),
      "runs": .array(walks.runs.map { data($0, walks, profile, curves) }),
    ])
    return report
  }

  private static func table(
    _ walks: ExactWalks, _ profile: ReuseProfile, _ curves: [WalkCurve]
  ) -> Report.Table {
    var rows: [[String]] = []
    for run in walks.runs {
      for (index, (kind, name, _)) in names.enumerated() {
        let gap = run.gap.map { Int64(clamping: $0).grouped } ?? "never"
        rows.append([
          index == 0 ? gap : "", name, Int64(clamping: run.counts.firstLevelMisses[kind]).grouped,
          Int64(clamping: run.counts.walks[kind]).grouped,
          run.flushes == 0 ? "" : digits(walks.walksPerFlush(kind, of: run)),
          run.flushes == 0 ? "" : digits(formula(kind, run, profile, curves)),
        ])
      }
    }
    return Report.Table(
      columns: ["flush every", "class", "L1 misses", "exact", "more per flush", "formula"],
      rows: rows)
  }

  /// Walks per flush by the formula: of each window by the accesses that lie in it.
  private static func formula(
    _ kind: AccessClass, _ run: ExactWalks.Run, _ profile: ReuseProfile, _ curves: [WalkCurve]
  ) -> Double {
    guard let gap = run.gap, profile.accesses > 0 else { return 0 }
    return zip(profile.windows, curves).reduce(0) { sum, part in
      let share = Double(part.0.accesses) / Double(profile.accesses)
      return sum + share * part.1.flushWalks(kind, gap: gap)
    }
  }

  private static func digits(_ value: Double) -> String {
    let hundredths = Int64((value * 100).rounded())
    let rest = abs(hundredths % 100)
    let sign = hundredths < 0 ? "-" : ""
    return "\(sign)\(abs(hundredths) / 100).\(rest < 10 ? "0" : "")\(rest)"
  }

  private static func data(
    _ run: ExactWalks.Run, _ walks: ExactWalks, _ profile: ReuseProfile, _ curves: [WalkCurve]
  ) -> JSONValue {
    var fields: [String: JSONValue] = [
      "flush_every": run.gap.map { JSONValue($0) } ?? .null, "flushes": JSONValue(run.flushes),
    ]
    for (kind, _, name) in names {
      fields[name] = .object([
        "l1_misses": JSONValue(run.counts.firstLevelMisses[kind]),
        "walks": JSONValue(run.counts.walks[kind]),
        "per_flush": run.flushes == 0 ? .null : .number(walks.walksPerFlush(kind, of: run)),
        "per_flush_formula": run.flushes == 0
          ? .null : .number(formula(kind, run, profile, curves)),
      ])
    }
    return .object(fields)
  }
}
