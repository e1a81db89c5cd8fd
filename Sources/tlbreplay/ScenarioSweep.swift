import ArgumentParser
import Machine
import Replay
import Reporting
import Scenarios
import TraceFiles

/// A grid of parameters over one scenario: the modelled machine runs once for each point.
struct ScenarioSweep {
  private let axes: [SweepAxis]
  private let grid: [[String]]
  private let path: String

  init(_ path: String, _ axes: [SweepAxis], grid: [[String]]) throws {
    self.path = path
    self.axes = axes
    self.grid = grid
    for axis in axes {
      guard let why = axis.parameter.scenarioRefusal else { continue }
      throw ValidationError("\(axis.parameter.name) cannot be varied here: \(why).")
    }
    let names = axes.map(\.parameter.name)
    if names.contains("policy"), names.contains("batch") {
      throw ValidationError(
        "batch is a policy by itself (batch-N): vary policy or batch, not both.")
    }
  }

  private func value(_ name: String, _ point: [String]) -> String? {
    axes.firstIndex { $0.parameter.name == name }.map { point[$0] }
  }

  /// What one point needs, made before any runs so that all mistakes are said first.
  private struct Job: Sendable {
    var point: [String]
    var scenario: Scenario
    var policy: PolicyBlueprint?
    var isExtrapolated: Bool
  }

  func run() throws -> SweepResult {
    let jobs = try grid.map(job)
    let points = try SideBySide.map(jobs) { job in Result { try Self.run(job) } }.map {
      try $0.get()
    }
    let names = axes.map(\.parameter.name)
    var notes = [
      "Closed loop: the modelled machine runs under the policy, so what a flush saves comes back as "
        + "time, reclaim and allocations. Every figure is modelled."
    ]
    if !names.contains("policy"), !names.contains("batch") {
      notes.append("Policy: \(PolicyCatalog.recordedName).")
    }
    return SweepResult(
      input: jobs[0].scenario.name, axes: axes, columns: Self.columns, points: points,
      notes: notes)
  }

  private static let columns = [
    SweepColumn("tlb_row", "TLB row", unit: "shootdowns"),
    SweepColumn("per_reclaimed", "per reclaimed", unit: "shootdowns for each page reclaimed"),
    SweepColumn("run_time_us", "run us", unit: "us of run time"),
    SweepColumn("deferred", "deferred", unit: "batches put off", isInTable: false),
    SweepColumn("forced_flushes", "forced", unit: "forced flushes"),
    SweepColumn("reclaimed", "reclaimed", unit: "pages"),
    SweepColumn("demoted", "demoted", unit: "pages", isInTable: false),
    SweepColumn("promoted", "promoted", unit: "pages", isInTable: false),
  ]

  private func job(_ point: [String]) throws -> Job {
    var scenario = try ScenarioFile.scenario(
      path, scale: value("scale", point).flatMap(Double.init),
      seed: value("seed", point).flatMap(UInt64.init))
    var isExtrapolated = false
    if let cpus = value("cpus", point).flatMap(Int.init) {
      isExtrapolated = cpus > scenario.machine.cpus
      try setCPUs(cpus, &scenario)
    }
    if let percent = value("dram", point).flatMap(Int.init) { try setDRAM(percent, &scenario) }
    let name =
      value("policy", point) ?? value("batch", point).map { "batch-\($0)" }
      ?? PolicyCatalog.recordedName
    return Job(
      point: point, scenario: scenario, policy: try PolicyChoice.blueprints([name]).first,
      isExtrapolated: isExtrapolated)
  }

  /// Threads stay; they share fewer CPUs, or find more on the last node.
  private func setCPUs(_ cpus: Int, _ scenario: inout Scenario) throws {
    guard cpus <= Scenario.cpusMax else {
      throw ValidationError(
        "cpus=\(cpus): a modelled machine has at most \(Scenario.cpusMax) CPUs.")
    }
    let before = scenario.machine.cpus
    for node in scenario.machine.nodes.indices where !scenario.machine.nodes[node].cpus.isEmpty {
      let own = scenario.machine.nodes[node].cpus
      guard own.lowerBound < cpus else {
        throw ValidationError(
          "cpus=\(cpus): node \(node) would have no CPUs left, and be a slower tier instead.")
      }
      let end = own.upperBound == before ? cpus : min(own.upperBound, cpus)
      scenario.machine.nodes[node].cpus = own.lowerBound..<end
    }
    scenario.machine.cpus = cpus
    for process in scenario.processes.indices {
      scenario.processes[process].firstCPU %= cpus
    }
  }

  /// What the kernel keeps for itself stays as it is.
  private func setDRAM(_ percent: Int, _ scenario: inout Scenario) throws {
    let fastest = scenario.machine.nodes.firstIndex { !$0.cpus.isEmpty } ?? 0
    var node = scenario.machine.nodes[fastest]
    let pages = node.pages * percent / 100
    guard pages > node.kernelPages + 256 else {
      throw ValidationError(
        "dram=\(percent): less than a MiB of node \(fastest) would be left beside the kernel's own "
          + "\(node.kernelPages) pages.")
    }
    node.pages = pages
    node.freePages = node.freePages.map { min($0, pages - node.kernelPages) }
    scenario.machine.nodes[fastest] = node
    guard scenario.machine.nodes.reduce(0, { $0 + $1.pages }) <= Scenario.pagesMax else {
      throw ValidationError("dram=\(percent): all nodes together are larger than 256 GiB.")
    }
  }

  private static func run(_ job: Job) throws -> SweepPoint {
    let summary: RunSummary
    do {
      var simulation = try Simulation(job.scenario, policy: job.policy)
      var goesOn = true
      while goesOn {
        goesOn = try simulation.advance()
        // Nobody reads the events: they are made and forgotten.
        try simulation.takeRows { _ in }
      }
      if let wrong = simulation.imbalance() { throw InternalError(description: wrong) }
      summary = simulation.summary
    } catch let error as SimulationError {
      let place = job.point.joined(separator: ", ")
      throw ValidationError("\(job.scenario.name) at \(place): \(error.message)")
    }
    var figures = [
      "tlb_row": SweepFigure(Double(summary.tlbRowTotal), perCPU: summary.tlbRow),
      "run_time_us": SweepFigure((Double(summary.runTime) / 1000).rounded()),
      "deferred": SweepFigure(Double(summary.deferred)),
      "forced_flushes": SweepFigure(Double(summary.deferredFlushes)),
      "reclaimed": SweepFigure(Double(summary.reclaimed)),
      "demoted": SweepFigure(Double(summary.demoted)),
      "promoted": SweepFigure(Double(summary.promoted)),
    ]
    if summary.reclaimed > 0 {
      let rate = Double(summary.tlbRowTotal) / Double(summary.reclaimed)
      figures["per_reclaimed"] = SweepFigure((rate * 1e6).rounded() / 1e6)
    }
    var point = SweepPoint(job.point, figures)
    point.isExtrapolated = job.isExtrapolated
    return point
  }
}
