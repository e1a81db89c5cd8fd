import Machine
import TraceEvents

/// The drawings of memory tiers: what nodes gained and lost, and what moved between them.
extension MemoryTierSection {
  func plots() -> [Report.Block] {
    guard let start = outcome.start else { return [] }
    return residencyPlot(start) + migrationPlot(start)
  }

  private func axis(_ start: UInt64, _ spans: Int) -> TimeAxis {
    TimeAxis(
      unit, from: start, name: ReplayReport.startName(trace),
      length: outcome.width &* UInt64(clamping: spans))
  }

  /// Changes rather than levels: most of memory does not change in a window.
  private func residencyPlot(_ start: UInt64) -> [Report.Block] {
    let shown = tiers.nodes.filter { $0.residency.gains.count > 1 }
    guard hasFrameEvents, !shown.isEmpty else { return [] }
    let series = shown.map { node -> (name: String, values: [Double?]) in
      let levels = Self.levels(from: 0, node.residency.gains)
      return ("\(name(node)), \(node.role.rawValue) tier", levels.map { Double($0) })
    }
    let axis = axis(start, series.map(\.values.count).max() ?? 0)
    let words = shown.map { node -> String in
      let level =
        node.usedBefore.map {
          " from \(ReplayReport.count($0)) to \(ReplayReport.count($0 + node.residency.gain))"
        } ?? ""
      let gain = node.residency.gain
      return "\(name(node)) \(gain > 0 ? "+" : "")\(ReplayReport.count(gain)) pages\(level)"
    }
    return [
      .plot(
        Plot(
          "Pages in use by node, change since the beginning",
          summary: words.joined(separator: "; ")
            + ". A step is the level at the end of \(unit.duration(outcome.width)). Time 0 is "
            + "\(unit.moment(start)).",
          grade: "derived",
          .lines(
            LinePlot(
              unit: "pages in use, change", axis: axis.title, start: 0,
              step: axis.length(outcome.width), series: series))))
    ]
  }

  private func migrationPlot(_ start: UInt64) -> [Report.Block] {
    let series = [MigrationDirection.promotion, .demotion, .sideways].compactMap {
      direction -> (name: String, values: [Double?])? in
      let values = total(direction)
      guard values.contains(where: { $0 > 0 }) else { return nil }
      return (direction.rawValue, values.map { Double($0) })
    }
    guard let first = series.first, first.values.count > 1 else { return [] }
    let axis = axis(start, first.values.count)
    let words = [MigrationDirection.promotion, .demotion, .sideways].map {
      "\($0.rawValue) \(ReplayReport.count(tiers.pages($0))) pages"
    }
    return [
      .plot(
        Plot(
          "Pages migrated between nodes over time",
          summary: words.joined(separator: "; ") + ", in steps of \(unit.duration(outcome.width)).",
          grade: "derived",
          .lines(
            LinePlot(
              unit: "pages in \(unit.duration(outcome.width))", axis: axis.title, start: 0,
              step: axis.length(outcome.width), series: series))))
    ]
  }
}
