public import Machine

/// `machines`: which machines can be modelled, and every number of one with its source.
public enum MachineReport {
  /// All that are known by name.
  public static func catalogue() -> Report {
    var report = Report(title: "tlbreplay machines")
    let machines = MachineCatalog.machines
    report.sections = [
      Report.Section(
        "Machines", [.facts(machines.map { ($0.name, "\($0.summary) (\($0.source))") })])
    ]
    report.data = document(
      machines.map { machine in
        .object([
          "name": .string(machine.name), "summary": .string(machine.summary),
          "source": .string(machine.source),
        ])
      })
    return report
  }

  /// One, whole.
  public static func table(of machine: MachineModel) -> Report {
    var report = Report(title: "tlbreplay machines: \(machine.name)")
    var sources = SourceList()
    report.sections = [Report.Section("Machine", [.facts(overview(machine, &sources))])]
    for (name, arrays) in machine.geometry.groups where !arrays.isEmpty {
      // With four levels of page tables nothing is above PML4 entries.
      let used =
        name == "paging_structures"
        ? Array(arrays.prefix(machine.geometry.pagingLevels - 1)) : arrays
      let lines = used.enumerated().map { index, array in
        (name: label(array, name, index), value: line(array, &sources))
      }
      report.sections.append(
        Report.Section(heading(name, machine.geometry), [.facts(lines)]))
    }
    report.sections.append(Report.Section("Sources", [.facts(sources.lines)]))
    if !machine.notes.isEmpty {
      report.sections.append(Report.Section("Notes", machine.notes.map { .note($0) }))
    }
    report.data = document([details(machine)])
    return report
  }

  /// The sources of what was printed, numbered as in a data sheet.
  private struct SourceList {
    private(set) var lines: [(name: String, value: String)] = []

    /// The number of a source.
    mutating func mark(_ source: String, _ confidence: Confidence) -> String {
      let text = "\(source) (confidence: \(confidence.rawValue))"
      if let known = lines.first(where: { $0.value == text }) { return known.name }
      lines.append(("[\(lines.count + 1)]", text))
      return "[\(lines.count)]"
    }
  }

  private static func document(_ machines: [JSONValue]) -> JSONValue {
    .object(["schema": .string("tlbreplay.machines/1"), "machines": .array(machines)])
  }

  // MARK: Text

  private static func overview(
    _ machine: MachineModel, _ sources: inout SourceList
  ) -> [(name: String, value: String)] {
    let geometry = machine.geometry
    return [
      ("summary", machine.summary),
      ("source", machine.source),
      ("threads per core", line(machine.threadsPerCore, &sources)),
      ("page walkers", line(machine.pageWalkers, &sources)),
      ("second-level hit", line(machine.secondLevelHitCycles, "cycles", &sources)),
      ("walk", line(machine.walkNanoseconds, "ns", &sources)),
      ("paging levels", "\(geometry.pagingLevels)"),
      (
        "shared by siblings",
        geometry.isFirstLevelShared
          ? geometry.isSecondLevelShared ? "both levels" : "the first level"
          : geometry.isSecondLevelShared ? "the second level" : "nothing"
      ),
      (
        "page-table isolation",
        machine.isPageTableIsolated
          ? "on: no translation is global" : "off: the kernel's are global"
      ),
      ("broadcast flush", machine.hasBroadcastFlush ? "INVLPGB" : "none"),
    ]
  }

  private static func heading(_ group: String, _ geometry: TLBGeometry) -> String {
    switch group {
    case "fetch": "First level, fetches"
    case "load": geometry.store.isEmpty ? "First level, loads and stores" : "First level, loads"
    case "store": "First level, stores"
    case "second": geometry.secondFetch.isEmpty ? "Second level" : "Second level, loads and stores"
    case "second_fetch": "Second level, fetches"
    default: "Paging-structure caches"
    }
  }

  private static let structures = ["PDE", "PDPTE", "PML4E", "PML5E"]

  private static func label(_ array: TLBArray, _ group: String, _ index: Int) -> String {
    guard group == "paging_structures" else {
      return array.sizes.members.map(\.label).joined(separator: "+")
    }
    return index < structures.count ? structures[index] : "-"
  }

  /// Numbers of one source share its mark.
  private static func line(_ array: TLBArray, _ sources: inout SourceList) -> String {
    let entries = "\(count(array.entries)) entries"
    let ways =
      array.sets == 1
      ? "fully associative" : "\(count(array.ways)) ways, \(array.sets) sets"
    let first = sources.mark(array.entries.source, array.entries.confidence)
    let second = sources.mark(array.ways.source, array.ways.confidence)
    return first == second
      ? "\(entries), \(ways) \(first)" : "\(entries) \(first), \(ways) \(second)"
  }

  private static func line(_ range: CountRange, _ sources: inout SourceList) -> String {
    "\(count(range)) \(sources.mark(range.source, range.confidence))"
  }

  private static func line(
    _ range: ParameterRange, _ unit: String, _ sources: inout SourceList
  ) -> String {
    let value = number(range.expected)
    let span =
      range.lower == range.upper
      ? value : "\(value) (\(number(range.lower)) to \(number(range.upper)))"
    return "\(span) \(unit) \(sources.mark(range.source, range.confidence))"
  }

  private static func count(_ range: CountRange) -> String {
    range.lower == range.upper
      ? "\(range.expected)" : "\(range.expected) (\(range.lower) to \(range.upper))"
  }

  private static func number(_ value: Double) -> String {
    value == value.rounded() && value.magnitude < 1e9 ? "\(Int(value))" : "\(value)"
  }

  // MARK: JSON

  private static func details(_ machine: MachineModel) -> JSONValue {
    let geometry = machine.geometry
    var groups: [String: JSONValue] = [:]
    for (name, arrays) in geometry.groups { groups[name] = .array(arrays.map(value)) }
    return .object([
      "name": .string(machine.name), "summary": .string(machine.summary),
      "source": .string(machine.source),
      "threads_per_core": value(machine.threadsPerCore),
      "page_walkers": value(machine.pageWalkers),
      "second_level_hit_cycles": value(machine.secondLevelHitCycles),
      "walk_ns": value(machine.walkNanoseconds),
      "paging_levels": JSONValue(geometry.pagingLevels),
      "first_level_shared": .bool(geometry.isFirstLevelShared),
      "second_level_shared": .bool(geometry.isSecondLevelShared),
      "page_table_isolation": .bool(machine.isPageTableIsolated),
      "broadcast_flush": .bool(machine.hasBroadcastFlush),
      "arrays": .object(groups), "notes": .array(machine.notes.map(JSONValue.string)),
    ])
  }

  private static func value(_ array: TLBArray) -> JSONValue {
    .object([
      "entries": value(array.entries), "ways": value(array.ways), "sets": JSONValue(array.sets),
      "pages": .array(array.sizes.members.map { .string($0.label) }),
    ])
  }

  private static func value(_ range: CountRange) -> JSONValue {
    .object([
      "value": JSONValue(range.expected), "lower": JSONValue(range.lower),
      "upper": JSONValue(range.upper), "source": .string(range.source),
      "confidence": .string(range.confidence.rawValue),
    ])
  }

  private static func value(_ range: ParameterRange) -> JSONValue {
    .object([
      "value": .number(range.expected), "lower": .number(range.lower),
      "upper": .number(range.upper), "source": .string(range.source),
      "confidence": .string(range.confidence.rawValue),
    ])
  }
}
