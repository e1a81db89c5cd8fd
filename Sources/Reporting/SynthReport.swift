public import Scenarios

/// `synth`: what the modelled machine did.
public enum SynthReport {
  private static let reasons = [
    "flush on task switch", "remote shootdown", "local shootdown", "local mm shootdown",
    "remote ipi send", "remote ipi send by hypercall",
  ]

  /// The counts of a run.
  public static func build(
    _ run: RunSummary, scenario: String, scale: Double?, seed: UInt64
  ) -> Report {
    var report = Report(title: "tlbreplay synth: \(scenario) under \(run.policy)")
    report.sections = [
      Report.Section(
        "Run (modelled machine; every figure is modelled)",
        [
          .facts([
            ("run time", "\(Int64(run.runTime / 1000).grouped) us"), ("seed", "\(seed)"),
            ("events", grouped(run.events)), ("pages touched", grouped(run.touched)),
            ("faults", "\(grouped(run.faults)), of NUMA hinting \(grouped(run.hintingFaults))"),
            ("pages read", grouped(run.cached)),
            (
              "reclaimed",
              "\(grouped(run.reclaimed)), by tasks themselves \(grouped(run.reclaimedDirectly))"
            ),
            ("scanned", grouped(run.scanned)), ("demoted", grouped(run.demoted)),
            ("promoted", grouped(run.promoted)),
          ])
        ]),
      Report.Section(
        "Shootdowns",
        [
          .facts(
            [
              ("TLB row", grouped(run.tlbRowTotal)),
              ("per reclaimed page", perReclaimedPage(run)),
              ("deferred batches", grouped(run.deferred)), ("refused", grouped(run.refused)),
              ("deferred flushes run", grouped(run.deferredFlushes)),
            ]
              + run.flushes.indices.filter { run.flushes[$0] > 0 }.map {
                (
                  reasons[$0],
                  "\(grouped(run.flushes[$0])), of nothing \(grouped(run.flushesOfNothing[$0]))"
                )
              })
        ]),
    ]
    report.data = data(run, scenario, scale, seed)
    return report
  }

  private static func grouped(_ value: Int) -> String { Int64(value).grouped }

  private static func perReclaimedPage(_ run: RunSummary) -> String {
    guard run.reclaimed > 0 else { return "-" }
    let millionths = run.tlbRowTotal * 1_000_000 / run.reclaimed
    let digits = String(millionths % 1_000_000)
    return "\(millionths / 1_000_000)." + String(repeating: "0", count: 6 - digits.count) + digits
  }

  private static func data(
    _ run: RunSummary, _ scenario: String, _ scale: Double?, _ seed: UInt64
  ) -> JSONValue {
    func counts(_ values: [Int]) -> JSONValue { .array(values.map { JSONValue($0) }) }
    return .object([
      "schema": .string("tlbreplay.synth/1"), "grade": .string("modelled"),
      "scenario": .string(scenario), "policy": .string(run.policy),
      "scale": scale.map { .number($0) } ?? .null, "seed": JSONValue(seed),
      "run_time_ns": JSONValue(run.runTime),
      "tlb_row": .object(["per_cpu": counts(run.tlbRow), "total": JSONValue(run.tlbRowTotal)]),
      "tlb_flush": .object([
        "by_reason": counts(run.flushes), "of_nothing": counts(run.flushesOfNothing),
        "total": JSONValue(run.flushes.reduce(0, +)),
      ]),
      "deferred": JSONValue(run.deferred), "refused": JSONValue(run.refused),
      "deferred_flushes": JSONValue(run.deferredFlushes),
      "flush_duration_ns": JSONValue(run.flushDuration),
      "batch_flushes": JSONValue(run.batchFlushes),
      "reclaimed": JSONValue(run.reclaimed),
      "reclaimed_directly": JSONValue(run.reclaimedDirectly), "scanned": JSONValue(run.scanned),
      "demoted": JSONValue(run.demoted), "promoted": JSONValue(run.promoted),
      "cached": JSONValue(run.cached), "faults": JSONValue(run.faults),
      "hinting_faults": JSONValue(run.hintingFaults), "touched": JSONValue(run.touched),
      "allocated": JSONValue(run.allocated), "direct_reclaims": JSONValue(run.directReclaims),
      "kswapd_wakes": JSONValue(run.kswapdWakes), "events": JSONValue(run.events),
    ])
  }
}
