import Replay
import TraceEvents

/// Where one kind of number in a report comes from: what it counts, from which events, by which
/// rules and parameters, and what would make it surer.
struct Explanation: Sendable {
  /// What a number counts.
  enum Unit: Sendable {
    /// This word, empty for pure numbers.
    case word(String)
    /// Time in the unit that the document names beside it.
    case time
    /// What the document names beside it.
    case document
  }

  /// What a number hangs on, beside the events, that has a value of its own.
  enum Parameter: Sendable {
    /// What part of the trace counts.
    case window
    /// The policy's rules: where they come from and how its toggles are set.
    case policy
    /// How long a flush lasts that the recorded run did not do.
    case flushDuration
    /// What shootdowns cost: `time.parameters` of the document.
    case costs
    /// What TLB misses are predicted with: `assumptions` of the document.
    case misses
  }

  /// Paths of the document, by part: `*` is any one part, `{a,b}` one of these.
  let paths: [[String]]
  /// What the number is.
  let meaning: String
  /// What it counts.
  let unit: Unit
  /// How good it is where the document does not say.
  var grade: Grade?
  /// Kinds of event that it is made from.
  var events: [EventKind] = []
  /// What the numbers follow from: kernel functions with their version, and steps of the replay.
  var rules: [String] = []
  /// What it hangs on beside the events.
  var parameters: [Parameter] = []
  /// What its bounds are, and what would bring them closer.
  var bounds = ""

  /// An explanation of the numbers at `paths`.
  init(
    _ paths: String..., unit: Unit, _ meaning: String, grade: Grade? = nil,
    events: [EventKind] = [], rules: [String] = [], parameters: [Parameter] = [],
    bounds: String = ""
  ) {
    self.paths = paths.map { $0.split(separator: ".").map(String.init) }
    self.meaning = meaning
    self.unit = unit
    self.grade = grade
    self.events = events
    self.rules = rules
    self.parameters = parameters
    self.bounds = bounds
  }

  /// Whether it explains what stands at `path`.
  func explains(_ path: [String]) -> Bool {
    paths.contains { pattern in
      pattern.count == path.count && zip(pattern, path).allSatisfy(Self.fits)
    }
  }

  /// Whether it explains something below `path`: numbers that are missing here.
  func explainsBelow(_ path: [String]) -> Bool {
    paths.contains { pattern in
      pattern.count >= path.count && zip(pattern, path).allSatisfy(Self.fits)
    }
  }

  private static func fits(_ pattern: String, _ part: String) -> Bool {
    if pattern == "*" || pattern == part { return true }
    guard pattern.hasPrefix("{"), pattern.hasSuffix("}") else { return false }
    return pattern.dropFirst().dropLast().split(separator: ",").contains { $0 == part }
  }
}

extension Explanation.Unit: ExpressibleByStringLiteral {
  init(stringLiteral value: String) { self = .word(value) }
}

/// All explanations, a family a file.
enum Explanations {
  /// A new family adds its line here.
  static let all: [Explanation] =
    input + events + rows + flushes + ledger + deferrals + safety + misses + tiers + time
    + reconstruction + comparison + attribution

  /// The explanation of what stands at `path`; nil where there is none.
  ///
  /// A case of a policy has the same numbers as the policy itself, under one assumption.
  static func explanation(of path: [String]) -> Explanation? {
    let whole = withoutCase(path)
    return all.first { $0.explains(whole) }
  }

  /// The explanation of what would stand at `path`, or below it, were it not null.
  static func explanation(ofMissing path: [String]) -> Explanation? {
    let whole = withoutCase(path)
    return explanation(of: path) ?? all.first { $0.explainsBelow(whole) }
  }

  /// `policies.NAME.cases.ASSUMPTION.tlb_row.total` without the case.
  static func withoutCase(_ path: [String]) -> [String] {
    guard path.count > 4, path[0] == "policies", path[2] == "cases" else { return path }
    return Array(path[..<2] + path[4...])
  }

  /// What a value counts; nil for what is no number.
  static func unit(of metric: ReportMetric) -> String? {
    guard let explanation = explanation(of: metric.path) else { return nil }
    switch explanation.unit {
    case .word(let word): return word
    case .time, .document: return metric.unit
    }
  }

  /// How good a value is: as the document says, else as its explanation does.
  static func grade(of metric: ReportMetric) -> String? {
    metric.grade ?? explanation(of: metric.path)?.grade?.rawValue
  }
}
