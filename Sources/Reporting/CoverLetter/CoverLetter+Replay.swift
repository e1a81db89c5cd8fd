import Machine
import Replay
import TraceEvents

extension CoverLetter {
  /// The letter of a replay: the recorded run, and what the first policy beside it would have made of
  /// it; nil where either is not observable.
  init?(_ trace: TraceDescription, _ outcome: Outcome, _ misses: MissPrediction) {
    guard outcome.policies.count > 1, let before = outcome.policies[0].figures,
      let after = outcome.policies[1].figures
    else { return nil }
    let policy = outcome.policies[1]
    self.init()
    let bounds = Self.bounds(policy, after)
    claims = [
      Self.claim(
        "tlb shootdown interrupts would be", Self.percent(before.tlbRowTotal, after.tlbRowTotal),
        ["modelled: \(policy.name)", "\(before.tlbRowTotal) to \(after.tlbRowTotal)"] + bounds),
      Self.claim(
        "tlb flushes would be", Self.percent(before.tlbFlushTotal, after.tlbFlushTotal),
        ["modelled: \(policy.name)"]),
    ].compactMap(\.self)
    environment = RunEnvironment(trace).facts.map { ($0.name, $0.value) }
    testSet = [Self.capture(trace)]
    let labelWidth = trace.recordedRow?.labelWidth ?? 3
    func row(_ figures: CaseFigures, _ policy: PolicyOutcome, _ bounds: [String]) -> Side {
      let counts = (0..<max(trace.cpus, figures.tlbRow.count)).map {
        $0 < figures.tlbRow.count ? UInt64(clamping: figures.tlbRow[$0]) : 0
      }
      return Side(
        label: policy.name, content: .row(counts, labelWidth: labelWidth),
        source: [ReplayReport.rowSource(policy)] + bounds)
    }
    blocks = [
      Block(
        title: "tlb shootdowns received by each CPU, as /proc/interrupts counts them",
        before: row(before, outcome.policies[0], []),
        after: row(
          after, policy, ["total \(after.tlbRowTotal)" + bounds.map { ", \($0)" }.joined()])),
      Self.counters(outcome, misses),
    ]
    notes = policy.notes.map { "\($0)." }
    if outcome.policies.count > 2 {
      let others = outcome.policies[2...].map(\.name).joined(separator: ", ")
      notes.append("Replayed too, and not shown here: \(others).")
    }
  }

  private static func percent(_ before: Int, _ after: Int) -> Double? {
    before > 0 ? 100 * (Double(after) - Double(before)) / Double(before) : nil
  }

  private static func bounds(_ policy: PolicyOutcome, _ figures: CaseFigures) -> [String] {
    var bounds: [String] = []
    if let range = figures.anotherRun {
      bounds.append("another run \(range.lowerBound) to \(range.upperBound)")
    }
    if let least = policy.leastRow {
      bounds.append(
        "bounds \(least) to \(policy.greatestRow.map { "\($0)" } ?? "an unknown number")")
    }
    return bounds
  }

  private static func counters(_ outcome: Outcome, _ misses: MissPrediction) -> Block {
    func side(_ index: Int, _ source: String) -> Side {
      let policy = outcome.policies[index]
      var counters: [(name: String, count: Double)] = []
      if let figures = policy.figures {
        counters.append(("tlb:tlb_flush", Double(figures.tlbFlushTotal)))
      }
      let predicted = misses.counters(index)
      var sources = ["tlb:tlb_flush \(source)"]
      if let made = predicted.source {
        counters += predicted.counts
        sources.append("misses \(made)")
      }
      return Side(label: policy.name, content: .counters(counters), source: sources)
    }
    return Block(
      title: "tlb numbers as 'perf stat' prints them", before: side(0, "measured"),
      after: side(1, "modelled: \(outcome.policies[1].name) replayed on this trace"))
  }

  /// The capture, its window and how long it is.
  private static func capture(_ trace: TraceDescription) -> String {
    var parts = [trace.name, trace.windowName]
    let span = trace.window?.marks.span
    if trace.instanceFacts.timeUnit.isNanoseconds,
      let first = span?.start ?? trace.whole.firstTime,
      let last = span?.end ?? trace.whole.lastTime,
      last >= first
    {
      parts.append("\(TraceOverview.seconds(last - first)) s")
    }
    parts.append("\(trace.rowBasis.eventTotal) events")
    if !trace.statistics.lost.isEmpty {
      parts.append("lost: \(TraceOverview.lost(trace.statistics.lost))")
    }
    return parts.joined(separator: ", ")
  }
}

extension TraceDescription {
  /// `TB_BEGIN to TB_END`, or that all of it counts.
  var windowName: String {
    window.map { "\($0.marks.startLabel) to \($0.marks.endLabel)" } ?? "the whole trace"
  }
}

extension MissPrediction {
  /// The walks of a policy by the names that `perf stat` has for them, and their grade; no source
  /// where there are none.
  func counters(_ index: Int) -> (counts: [(name: String, count: Double)], source: String?) {
    guard reason == nil, index < policies.count, let misses = policies[index],
      !misses.walks.isEmpty
    else { return ([], nil) }
    let names: [(name: String, kind: AccessClass)] = [
      ("dTLB-load-misses", .load), ("dTLB-store-misses", .store), ("iTLB-load-misses", .fetch),
    ]
    let counts = names.map { name, kind in
      (name: name, count: misses.walks[Int(kind.rawValue)].total.value.rounded())
    }
    let isMeasured = source == .calibrated && index == 0
    return (counts, isMeasured ? "measured" : "modelled, curve: \(source.rawValue)")
  }
}
