import ArgumentParser
import Machine
import Replay
import Reporting
import TraceEvents
import TraceFiles

/// A grid of parameters over one recorded trace, which is read once for all of it.
struct TraceSweep {
  private let axes: [SweepAxis]
  private let grid: [[String]]

  /// A grid; refuses what no recorded trace can answer.
  init(_ axes: [SweepAxis], grid: [[String]]) throws {
    self.axes = axes
    self.grid = grid
    for axis in axes where axis.parameter.way == nil {
      throw ValidationError(
        "\(axis.parameter.name) cannot be varied on a trace: \(axis.parameter.traceRefusal).")
    }
    let names = axes.map(\.parameter.name)
    if names.contains("policy"), names.contains("batch") {
      throw ValidationError(
        "batch is a policy by itself (batch-N): vary policy or batch, not both.")
    }
    try refuse("cpus", beside: [])
    try refuse("ceiling", beside: ["machine"])
  }

  private func refuse(_ name: String, beside allowed: [String]) throws {
    let names = axes.map(\.parameter.name)
    guard names.contains(name),
      let other = names.first(where: { $0 != name && !allowed.contains($0) })
    else { return }
    throw ValidationError(
      "\(name) looks at the recorded run's own flushes, and \(other) at replays of it: vary one of "
        + "them.")
  }

  /// The value of an axis at a point; nil where it is not varied.
  private func value(_ name: String, _ point: [String]) -> String? {
    axes.firstIndex { $0.parameter.name == name }.map { point[$0] }
  }

  func run(_ input: InputOptions, progress: Progress) throws -> SweepResult {
    let loaded = try LoadedInput(input)
    let trace = try loaded.describe(input, progress: progress)
    let names = axes.map(\.parameter.name)
    if names.contains("cpus") { return try folded(loaded, trace, progress) }
    if names.contains("ceiling") { return try flushSizes(loaded, trace, progress) }
    return try replayed(loaded, trace, progress)
  }

  /// Gives every batch of the instance, in order of time, to `body`.
  private func read(
    _ loaded: LoadedInput, _ trace: TraceDescription, _ progress: Progress,
    _ body: (borrowing EventBatch, EventDirectory) -> Void
  ) throws(TraceError) {
    var reader = try loaded.trace.makeReader(
      ReadRequest(order: .time, instance: trace.instanceFacts.name))
    var batch = EventBatch()
    while try reader.next(into: &batch) {
      body(batch, reader.directory)
      progress.advance(by: batch.count)
    }
    progress.finish()
  }

  // MARK: Replays

  /// Replays that share what is told them of the trace; a class because sessions cannot be copied.
  private final class Variant {
    private var session: ReplaySession?
    private(set) var outcome: Outcome?

    init(_ context: ReplayContext, _ policies: [PolicyBlueprint]) {
      session = ReplaySession(context, blueprints: policies)
    }

    func consume(_ batch: borrowing EventBatch, _ directory: EventDirectory) {
      session?.consume(batch, directory: directory)
    }

    func finish() throws(ReplayError) {
      guard let ended = session.take() else { return }
      outcome = try ended.finish()
    }
  }

  /// Sessions at the same time: each has a record of every frame.
  private static let variantsMax = 64

  /// The values that replays differ by, beside the policy.
  private func variantKey(_ point: [String]) -> String {
    "\(value("flush-duration", point) ?? "") \(value("generation-bits", point) ?? "")"
  }

  private func policyName(_ point: [String]) -> String {
    value("policy", point) ?? value("batch", point).map { "batch-\($0)" }
      ?? PolicyCatalog.defaultNames.last ?? PolicyCatalog.recordedName
  }

  private func replayed(
    _ loaded: LoadedInput, _ trace: TraceDescription, _ progress: Progress
  ) throws -> SweepResult {
    var policies: [String: PolicyBlueprint?] = [:]
    var wanted: [PolicyBlueprint] = []
    for name in grid.map(policyName) where policies[name] == nil {
      let made = try PolicyChoice.blueprints([name]).first
      policies[name] = made
      if let made, !wanted.contains(where: { $0.name == made.name }) { wanted.append(made) }
      if made == nil { policies.updateValue(nil, forKey: name) }
    }
    var variants: [String: Variant] = [:]
    for point in grid where variants[variantKey(point)] == nil {
      var context = try loaded.replayContext(
        trace, flushDuration: value("flush-duration", point).flatMap(UInt64.init))
      if let bits = value("generation-bits", point).flatMap(Int.init) {
        context.generationBits = bits
      }
      variants[variantKey(point)] = Variant(context, wanted)
      guard variants.count <= Self.variantsMax else {
        throw ValidationError(
          "more than \(Self.variantsMax) combinations of flush-duration and generation-bits.")
      }
    }
    let running = Array(variants.values)
    try read(loaded, trace, progress) { batch, directory in
      for variant in running { variant.consume(batch, directory) }
    }
    for variant in running {
      do throws(ReplayError) {
        try variant.finish()
      } catch {
        throw InternalError(description: "\(loaded.name): the replay's own checks failed: \(error)")
      }
    }
    let points = try grid.map { point in
      let name = policyName(point)
      guard let outcome = variants[variantKey(point)]?.outcome else {
        return SweepPoint(point, [:])
      }
      return SweepPoint(
        point, trace, outcome,
        policy: (policies[name] ?? nil)?.name ?? PolicyCatalog.recordedName,
        machine: try value("machine", point).map(MachineFile.machine), costs: try costs(point))
    }
    return try result(loaded, trace, points, variants.values.compactMap(\.outcome).first)
  }

  private func costs(_ point: [String]) throws -> CostTable? {
    var table = CostTable.standard
    var isVaried = false
    for axis in axes where axis.parameter.name.hasPrefix(SweepParameter.costPrefix) {
      let name = axis.parameter.name.dropFirst(SweepParameter.costPrefix.count)
      isVaried = true
      do throws(CostError) {
        try table.set("\(name)=\(value(axis.parameter.name, point) ?? "")")
      } catch {
        throw ValidationError("\(error).")
      }
    }
    return isVaried ? table : nil
  }

  private func result(
    _ loaded: LoadedInput, _ trace: TraceDescription, _ points: [SweepPoint], _ outcome: Outcome?
  ) throws -> SweepResult {
    let names = axes.map(\.parameter.name)
    // What a parameter moves comes before what it may leave alone.
    var columns: [SweepColumn] = []
    var notes = [
      "%change is against the recorded run. bounds: whatever holds of what this trace does not show, "
        + "another run included. [modelled: open loop, the workload is taken as recorded.]"
    ]
    if !names.contains("policy"), !names.contains("batch") {
      notes.append("Policy: \(policyName([])).")
    }
    if names.contains("generation-bits") {
      columns.append(.wraps)
      notes.append(
        "wraps: frames that slept through more flushes than generations of this width tell apart, so "
          + "that their flush may be left out or done again.")
    }
    if names.contains("machine") {
      columns.append(.refills)
      notes.append(
        "refills <=: page walks for translations that these flushes drop, at most: each finds all "
          + "entries in use. report --profile predicts them.")
    }
    if names.contains(where: { $0.hasPrefix(SweepParameter.costPrefix) }) {
      columns.append(.time)
      notes.append("CPU ms: time of all CPUs in shootdowns, not run time.")
    }
    let recorded = outcome?.policies.first?.figures.map { Double($0.tlbRowTotal) }
    if let missing = outcome?.policies.first(where: { $0.figures == nil }) {
      notes.append(
        "\(missing.name) is not observable in this trace: \(missing.notes.joined(separator: "; "))."
      )
    }
    return SweepResult(
      input: loaded.name, axes: axes, columns: columns + SweepColumn.replayed, points: points,
      recorded: recorded, notes: notes)
  }

  // MARK: The recorded run's own flushes

  private func flushSizes(
    _ loaded: LoadedInput, _ trace: TraceDescription, _ progress: Progress
  ) throws -> SweepResult {
    var sizes = FlushSizes(window: trace.window?.marks.span)
    try read(loaded, trace, progress) { batch, _ in sizes.absorb(batch) }
    guard trace.whole.total(Int(EventKind.tlbFlush.rawValue)) > 0 else {
      throw TraceError(
        "has no tlb:tlb_flush events: how many pages flushes had is not observable",
        file: loaded.name)
    }
    var columns = [
      SweepColumn("full_flushes", "full", unit: "full flushes", grade: .derived),
      SweepColumn("ranged_flushes", "ranged", unit: "ranged flushes", grade: .derived),
      SweepColumn("pages", "pages", unit: "pages flushed one by one", grade: .derived),
    ]
    columns.append(
      SweepColumn("refills_max", "refills <=", unit: "page walks at most", grade: .modelled))
    let points = try grid.map { point -> SweepPoint in
      let counts = sizes.under(value("ceiling", point).flatMap(Int.init) ?? 0)
      let machine = try MachineFile.machine(
        value("machine", point) ?? MachineCatalog.defaultName)
      let entries = MissRequest(machine).entries.max() ?? 0
      return SweepPoint(
        point,
        [
          "full_flushes": SweepFigure(Double(counts.full)),
          "ranged_flushes": SweepFigure(Double(counts.ranged)),
          "pages": SweepFigure(Double(counts.pages)),
          "refills_max": SweepFigure(Double(counts.full) * Double(entries) + Double(counts.pages)),
        ])
    }
    return SweepResult(
      input: loaded.name, axes: axes, columns: columns, points: points,
      notes: [
        "Counted from the pages of tlb_flush events; who is interrupted does not depend on the "
          + "ceiling. refills <=: page walks that these flushes cause at most, each of them finding all "
          + "entries in use.",
        (sizes.largestRange == 0
          ? "Every flush of this trace is a full one, which no ceiling changes. "
          : "The largest ranged flush recorded has \(sizes.largestRange) pages. ")
          + "What was flushed in full "
          + "because it was larger than the recorded kernel's ceiling stays full: ceilings above "
          + "\(FlushCeiling.highest) are not observable.",
      ])
  }

  private func folded(
    _ loaded: LoadedInput, _ trace: TraceDescription, _ progress: Progress
  ) throws -> SweepResult {
    let counts = axes[0].values.compactMap(Int.init)
    if let more = counts.first(where: { $0 > trace.cpus }) {
      throw ValidationError(
        "cpus=\(more): the trace is of \(trace.cpus) CPUs and says nothing of more; a scenario can "
          + "have them: sweep SCENARIO.toml.")
    }
    let context = try loaded.replayContext(trace, flushDuration: nil)
    var folded = FoldedShootdowns(counts, context)
    try read(loaded, trace, progress) { batch, _ in folded.absorb(batch) }
    guard folded.requests > 0 else {
      throw TraceError(
        "shows no receivers of shootdowns (record csd:csd_queue_cpu): fewer CPUs are not observable",
        file: loaded.name)
    }
    let points = zip(grid, folded.rows).map { point, row in
      SweepPoint(
        point,
        ["tlb_row": SweepFigure(Double(row.reduce(0, +)), perCPU: row)])
    }
    return SweepResult(
      input: loaded.name, axes: axes,
      columns: [SweepColumn("tlb_row", "TLB row", unit: "shootdowns")], points: points,
      recorded: Double(folded.requests),
      notes: [
        "Recorded shootdowns folded onto fewer CPUs (CPU number modulo their count): each interrupts "
          + "a CPU once, and never its own. Threads that would run one after the other instead of at "
          + "the same time, and leave their CPUs' masks, are not in it, so fewer interrupts are likely "
          + "still. %change is against all requests that were recorded. Policies are not "
          + "replayed on folded CPUs; a scenario (sweep SCENARIO.toml) varies them together."
      ])
  }
}
