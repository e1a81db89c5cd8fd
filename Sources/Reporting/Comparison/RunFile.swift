import Foundation
import Replay
import Statistics

/// A file of runs that holds no comparison.
public struct RunFileError: Error, CustomStringConvertible {
  /// What was expected.
  public let description: String
}

/// Measures of runs in one JSON file, both sides in it: the layout of `Traces/letter`.
///
/// Each member of the form `{"before": [...], "after": [...]}` is a measure. Its lists are flat, a
/// value a run, or lists of lists: what was measured in one repetition. Two members are special:
/// `proc_interrupts_TLB_row` holds counts by CPU, and `perf_stat_per_repetition` holds names and
/// counts on each side.
public enum RunFile {
  static let row = "proc_interrupts_TLB_row"
  static let counters = "perf_stat_per_repetition"

  /// The comparison that the `text` of the file `name` holds.
  public static func comparison(_ text: String, name: String) throws(RunFileError) -> RunComparison
  {
    let root: JSONValue
    do {
      root = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    } catch {
      throw RunFileError(description: "is no JSON document")
    }
    guard case .object(let members) = root else {
      throw RunFileError(description: "expected a JSON object with measures of both sides")
    }
    var comparison = RunComparison(names: ("before", "after"), inputs: ([name], [name]))
    for key in members.keys.sorted() where key != row && key != counters {
      guard case .object(let sides)? = members[key], let before = sides["before"],
        let after = sides["after"]
      else { continue }
      let lists = (try runs(before, "\(key).before"), try runs(after, "\(key).after"))
      comparison.measures.append(try measure(key, unit: unit(key), lists.0, lists.1))
    }
    try addRow(members, &comparison)
    try addCounters(members, &comparison)
    addRatio(members, &comparison)
    guard !comparison.measures.isEmpty else {
      throw RunFileError(
        description: "holds no measure: expected members like "
          + "\"run_time_ms\": {\"before\": [...], \"after\": [...]}")
    }
    describeRepetitions(members, &comparison)
    comparison.environment = environment(members["machine"])
    comparison.testSet = testSet(members["workload"])
    return comparison
  }

  /// Values by repetition, and whether it was the file that grouped them.
  private struct Runs {
    var values: [[Double]]
    var isGrouped: Bool
  }

  private static func measure(
    _ name: String, unit: String, _ before: Runs, _ after: Runs
  ) throws(RunFileError) -> ComparedMeasure {
    guard !name.isEmpty, !name.unicodeScalars.contains(where: { $0.value < 0x20 }) else {
      throw RunFileError(description: "a measure's name is empty or has control characters")
    }
    guard
      let made = ComparedMeasure(
        name, unit: unit, grade: .measured, before: before.values, after: after.values,
        search: !before.isGrouped && !after.isGrouped)
    else { throw RunFileError(description: "\(name): a side or a repetition is empty") }
    return made
  }

  /// The last word of `run_time_ms`, where it is a unit.
  private static func unit(_ key: String) -> String {
    let last = key.split(separator: "_").last.map(String.init) ?? ""
    return ["ns", "us", "ms", "s", "bytes", "pages"].contains(last) ? last : ""
  }

  private static func number(_ value: JSONValue) -> Double? {
    switch value {
    case .integer(let whole): Double(whole)
    case .unsigned(let whole): Double(whole)
    case .number(let number): number.isFinite ? number : nil
    default: nil
    }
  }

  private static func runs(_ value: JSONValue, _ path: String) throws(RunFileError) -> Runs {
    let elements: [JSONValue]
    if case .array(let list) = value { elements = list } else { elements = [value] }
    var runs = Runs(values: [], isGrouped: false)
    for (index, element) in elements.enumerated() {
      if case .array(let group) = element {
        let numbers = group.compactMap(number)
        guard numbers.count == group.count else {
          throw RunFileError(description: "\(path)[\(index)]: expected numbers")
        }
        runs.values.append(numbers)
        runs.isGrouped = true
      } else if let number = number(element) {
        runs.values.append([number])
      } else {
        throw RunFileError(description: "\(path)[\(index)]: expected a number or a list of numbers")
      }
    }
    return runs
  }

  private static func counts(_ value: JSONValue?, _ path: String) throws(RunFileError) -> [UInt64] {
    guard case .array(let list)? = value else {
      throw RunFileError(description: "\(path): expected counts by CPU")
    }
    var counts: [UInt64] = []
    for element in list {
      guard case .integer(let count) = element, count >= 0 else {
        throw RunFileError(description: "\(path)[\(counts.count)]: expected a count")
      }
      counts.append(UInt64(count))
    }
    return counts
  }

  private static func addRow(
    _ members: [String: JSONValue], _ comparison: inout RunComparison
  ) throws(RunFileError) {
    guard case .object(let sides)? = members[row] else { return }
    let before = try counts(sides["before"], "\(row).before")
    let after = try counts(sides["after"], "\(row).after")
    guard !before.isEmpty, !after.isEmpty else {
      throw RunFileError(description: "\(row): a side has no CPUs")
    }
    comparison.rows = (before, after)
    comparison.rowSource = "measured: /proc/interrupts"
    if case .string(let scope)? = sides["scope"] { comparison.rowSource += ", \(scope)" }
    // As a Double each: the sum of counts that a file makes up must not overflow.
    func total(_ row: [UInt64]) -> Double { row.reduce(0) { $0 + Double($1) } }
    comparison.measures.append(
      try measure(
        "tlb_row", unit: "interrupts",
        Runs(values: [[total(before)]], isGrouped: true),
        Runs(values: [[total(after)]], isGrouped: true)))
  }

  private static func addCounters(
    _ members: [String: JSONValue], _ comparison: inout RunComparison
  ) throws(RunFileError) {
    guard case .object(let sides)? = members[counters] else { return }
    guard case .object(let before)? = sides["before"], case .object(let after)? = sides["after"]
    else { throw RunFileError(description: "\(counters): expected names and counts on each side") }
    for name in Set(before.keys).union(after.keys).sorted() {
      guard let one = before[name], let two = after[name] else {
        comparison.notes.append("\(name): only one side has it, so it is not compared.")
        continue
      }
      let lists = (
        try runs(one, "\(counters).before.\(name)"), try runs(two, "\(counters).after.\(name)")
      )
      comparison.measures.append(try measure(name, unit: "events", lists.0, lists.1))
    }
  }

  /// The two tables of a letter check each other: so many flush events come with each interrupt.
  private static func addRatio(
    _ members: [String: JSONValue], _ comparison: inout RunComparison
  ) {
    guard let interrupts = comparison["tlb_row"]?.comparison,
      let events = comparison["tlb:tlb_flush"]?.comparison,
      case .object(let workload)? = members["workload"],
      case .integer(let repetitions)? = workload["repetitions"], repetitions > 0,
      comparison.rowSource.contains("sum over \(repetitions) repetitions"),
      interrupts.before.mean > 0, interrupts.after.mean > 0
    else { return }
    let count = Double(repetitions)
    let made = ComparedMeasure(
      "tlb_flush_per_interrupt", unit: "", grade: .derived,
      before: [[events.before.mean * count / interrupts.before.mean]],
      after: [[events.after.mean * count / interrupts.after.mean]], search: false)
    if let made { comparison.measures.append(made) }
  }

  /// What the file says of itself, beside what the search found.
  private static func describeRepetitions(
    _ members: [String: JSONValue], _ comparison: inout RunComparison
  ) {
    guard case .object(let workload)? = members["workload"],
      case .integer(let instances)? = workload["instances"],
      case .integer(let repetitions)? = workload["repetitions"]
    else { return }
    for measure in comparison.measures where measure.comparison.repetitions.origin == .found {
      let grouping = measure.comparison.repetitions
      let agrees =
        grouping.instances == instances && measure.comparison.before.count == repetitions
      comparison.notes.append(
        "\(measure.name): the file itself says \(repetitions) repetitions of \(instances) instances"
          + (agrees ? ", as found." : ", which is NOT what was found."))
    }
  }
}

extension JSONValue: Decodable {
  /// Reads any JSON value; whole numbers stay whole.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Int64.self) {
      self = .integer(value)
    } else if let value = try? container.decode(UInt64.self) {
      self = .unsigned(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([JSONValue].self) {
      self = .array(value)
    } else {
      self = .object(try container.decode([String: JSONValue].self))
    }
  }
}
