import Replay
import Statistics

extension RunComparison {
  /// Compares captures; each is one repetition.
  public init(before: [CapturedRun], after: [CapturedRun]) {
    self.init(
      names: ("before", "after"), inputs: (before.map(\.name), after.map(\.name)))
    // An input may stand on both sides.
    for note in (before + after).flatMap(\.notes) where !notes.contains(note) { notes.append(note) }
    environment = RunEnvironment.merged(before.map(\.environment), after.map(\.environment))
    testSet = Self.testSet(before, after)
    addRow(before, after)
    addTotals(before, after)
    addRates(before, after)
    warnOfUnequalWork()
  }

  /// The recorded row where every run has one, else the derived row where all are of one kind.
  private mutating func addRow(_ before: [CapturedRun], _ after: [CapturedRun]) {
    let all = before + after
    let pick: (CapturedRun) -> CapturedRun.Row?
    if all.allSatisfy({ $0.recordedRow != nil }) {
      pick = { $0.recordedRow }
    } else if all.allSatisfy({ $0.derivedRow != nil }) {
      guard Set(all.compactMap { $0.derivedRow?.isLowerBound }).count == 1 else {
        notes.append(
          "tlb_row: some traces tell it exactly and others only a lower bound, so it is not compared."
        )
        return
      }
      if all.contains(where: { $0.derivedRow?.isLowerBound == true }) {
        notes.append("tlb_row: a lower bound on both sides; stat says why.")
      }
      pick = { $0.derivedRow }
    } else {
      notes.append("tlb_row: not observable in every run, so it is not compared.")
      return
    }
    let (one, two) = (before.compactMap(pick), after.compactMap(pick))
    guard let first = one.first else { return }
    rows = (Self.sum(one), Self.sum(two))
    rowSource = first.source + (all.count > 2 ? ", sum over the runs of a side" : "")
    labelWidth = all.map(\.labelWidth).max() ?? 3
    func totals(_ rows: [CapturedRun.Row]) -> [Double] {
      rows.map { $0.perCPU.reduce(0) { $0 + Double($1) } }
    }
    add("tlb_row", "interrupts", first.grade, totals(one), totals(two))
  }

  private static func sum(_ rows: [CapturedRun.Row]) -> [UInt64] {
    (0..<(rows.map(\.perCPU.count).max() ?? 0)).map { cpu in
      rows.reduce(0) { $0 &+ (cpu < $1.perCPU.count ? $1.perCPU[cpu] : 0) }
    }
  }

  private mutating func add(
    _ name: String, _ unit: String, _ grade: Grade, _ before: [Double], _ after: [Double]
  ) {
    let made = ComparedMeasure(
      name, unit: unit, grade: grade, before: before.map { [$0] }, after: after.map { [$0] },
      search: false)
    if let made { measures.append(made) }
  }

  private mutating func addTotals(_ before: [CapturedRun], _ after: [CapturedRun]) {
    let all = before + after
    var names: [(name: String, unit: String, grade: Grade)] = []
    for measurement in all.flatMap(\.measurements)
    where !names.contains(where: { $0.name == measurement.name }) {
      names.append((measurement.name, measurement.unit, measurement.grade))
    }
    for (name, unit, grade) in names {
      // A trace with flushes but none of this reason counts none of them.
      func value(_ run: CapturedRun) -> Double? {
        run[name]?.value ?? (name.hasPrefix("tlb_flush.") && run["tlb_flush"] != nil ? 0 : nil)
      }
      let lacking = all.filter { value($0) == nil }.map(\.name)
      guard lacking.isEmpty else {
        notes.append(
          "\(name): not observable in \(lacking.joined(separator: ", ")), so it is not compared.")
        continue
      }
      add(name, unit, grade, before.compactMap(value), after.compactMap(value))
    }
  }

  /// Shootdowns and flushes per unit of work: totals of unequal runs say little.
  private mutating func addRates(_ before: [CapturedRun], _ after: [CapturedRun]) {
    let units = [
      ("reclaimed", "per_reclaimed_page"), ("migrated", "per_migrated_page"),
      ("window", "per_second"),
    ]
    for (work, suffix) in units {
      guard let amount = self[work]?.values else { continue }
      guard !(amount.before + amount.after).contains(where: { $0 <= 0 }) else {
        notes.append("\(suffix): a run has none of it, so nothing is related to it.")
        continue
      }
      for base in ["tlb_row", "tlb_flush.without_switches"] {
        guard let measure = self[base] else { continue }
        add(
          "\(base).\(suffix)", suffix == "per_second" ? "1/s" : "", .derived,
          zip(measure.values.before, amount.before).map { $0 / $1 },
          zip(measure.values.after, amount.after).map { $0 / $1 })
      }
    }
    guard let row = self["tlb_row"]?.values, let flushes = self["tlb_flush"]?.values,
      !(row.before + row.after).contains(where: { $0 <= 0 })
    else { return }
    add(
      "tlb_flush_per_interrupt", "", .derived,
      zip(flushes.before, row.before).map { $0 / $1 },
      zip(flushes.after, row.after).map { $0 / $1 })
  }

  /// Work that differs by more than this, in per cent, makes totals misleading.
  private static let unequalWork = 5.0

  private mutating func warnOfUnequalWork() {
    let unequal = ["reclaimed", "migrated", "window"].compactMap { name -> String? in
      guard let percent = self[name]?.comparison.percent, abs(percent) > Self.unequalWork else {
        return nil
      }
      return "\(name) \(Quantity.percent(percent))"
    }
    guard !unequal.isEmpty else { return }
    notes.append(
      "The sides did not do the same work (\(unequal.joined(separator: ", "))): compare what is "
        + "related to a unit of work, not totals.")
  }
}
