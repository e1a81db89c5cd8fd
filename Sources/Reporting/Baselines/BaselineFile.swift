/// A baseline that cannot be used as it is, with its line where there is one.
public struct BaselineError: Error, Equatable, CustomStringConvertible {
  /// From 1; nil where the whole file is meant.
  public var line: Int?
  /// What is wrong and what was expected.
  public var message: String

  /// `line: message`.
  public var description: String { line.map { "line \($0): \(message)" } ?? message }
}

/// The text of baselines: JSON with sorted keys and one metric a line, so that a changed figure is a
/// changed line.
public enum BaselineFile {
  /// Bytes that a baseline may have.
  public static let sizeMax = 16 << 20

  // MARK: Writing

  /// The document, with a final line end.
  public static func text(_ baseline: Baseline) -> String {
    let settings = baseline.settings
    let policies = settings.policies.map { "      \(quoted($0.name)): \(quoted($0.rules))" }
    var lines = [
      "{", "  \"compares\": \(quoted(baseline.subject.rawValue)),",
      "  \"confidence\": \(MetricTolerance.number(baseline.confidence)),",
      "  \"schema\": \(quoted(Baseline.schema)),", "  \"settings\": {",
      "    \"between\": \(settings.between.map(quoted) ?? "null"),",
      settings.filters.isEmpty
        ? "" : "    \"filters\": [\(settings.filters.map(quoted).joined(separator: ", "))],",
      "    \"flush_duration_ns\": \(settings.flushDuration.map { "\($0)" } ?? "null"),",
      "    \"instance\": \(settings.instance.map(quoted) ?? "null"),",
      "    \"policies\": {" + (policies.isEmpty ? "}" : ""),
    ]
    if !policies.isEmpty { lines += [policies.joined(separator: ",\n"), "    }"] }
    lines += ["  },", "  \"tool\": \(quoted(baseline.toolVersion)),", "  \"traces\": {"]
    lines.append(baseline.entries.map(text).joined(separator: ",\n"))
    lines += ["  }", "}"]
    return lines.filter { !$0.isEmpty }.joined(separator: "\n") + "\n"
  }

  private static func text(_ entry: BaselineEntry) -> String {
    let facts = entry.environment.facts.keys.sorted().map {
      "        \(quoted($0)): \(quoted(entry.environment[$0]))"
    }
    let metrics = entry.metrics.sorted { $0.name < $1.name }.map { "        " + text($0) }
    return [
      "    \(quoted(entry.name)): {",
      "      \"digests\": [\(entry.digests.map(quoted).joined(separator: ", "))],",
      "      \"environment\": {", facts.joined(separator: ",\n"), "      },",
      "      \"metrics\": {", metrics.joined(separator: ",\n"), "      }", "    }",
    ].filter { !$0.isEmpty }.joined(separator: "\n")
  }

  private static func text(_ metric: BaselineMetric) -> String {
    let repeated =
      metric.runs > 1
      ? ", \"runs\": \(metric.runs), \"sd\": \(MetricTolerance.number(metric.deviation ?? 0))" : ""
    return "\(quoted(metric.name)): {\"direction\": \(quoted(metric.direction.rawValue)), "
      + "\"grade\": \(quoted(metric.grade)), \"reason\": \(quoted(metric.reason))\(repeated), "
      + "\"tolerance\": \(quoted(metric.tolerance.text)), "
      + "\"value\": \(MetricTolerance.number(metric.value))}"
  }

  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      default:
        guard scalar.value >= 0x20, scalar.value != 0x7f else {
          let digits = String(scalar.value, radix: 16)
          quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
          continue
        }
        quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }

  // MARK: Reading

  /// The baseline that `text` holds.
  public static func baseline(_ text: String) throws(BaselineError) -> Baseline {
    let root: PlacedJSON
    do throws(PlacedError) {
      root = try PlacedJSONReader.read(text)
    } catch {
      throw BaselineError(line: error.line, message: "is no JSON document: \(error.message)")
    }
    guard case .object = root.value else {
      throw BaselineError(line: root.line, message: "expected a JSON object")
    }
    let schema = try string(root, "schema")
    guard schema == Baseline.schema else {
      throw BaselineError(
        line: root["schema"]?.line,
        message: schema.hasPrefix("tlbreplay.baseline/")
          ? "has the schema \(schema); this tool reads \(Baseline.schema) and does not guess: use "
            + "the tool that made it, or make a new one with tlbreplay baseline"
          : "is no baseline: its schema is \"\(schema)\", expected \(Baseline.schema)")
    }
    try allow(root, ["compares", "confidence", "schema", "settings", "tool", "traces"])
    let word = try string(root, "compares")
    guard let subject = Baseline.Subject(rawValue: word) else {
      throw BaselineError(
        line: root["compares"]?.line, message: "\"compares\" is \"trace\" or \"workload\"")
    }
    let confidence = try number(root, "confidence")
    guard confidence > 0, confidence < 1 else {
      throw BaselineError(
        line: root["confidence"]?.line, message: "\"confidence\" lies between 0 and 1")
    }
    let traces = try members(root, "traces")
    guard !traces.isEmpty else {
      throw BaselineError(line: root["traces"]?.line, message: "\"traces\" is empty")
    }
    var entries: [BaselineEntry] = []
    for (name, value) in traces { entries.append(try entry(name, value)) }
    return Baseline(
      subject, toolVersion: try string(root, "tool"), settings: try settings(root),
      entries: entries, confidence: confidence)
  }

  private static func settings(_ root: PlacedJSON) throws(BaselineError) -> BaselineSettings {
    guard let place = root["settings"] else { throw missing(root, "settings", "an object") }
    try allow(place, ["between", "filters", "flush_duration_ns", "instance", "policies"])
    var policies: [BaselinePolicy] = []
    for (name, value) in try members(place, "policies") {
      guard case .string(let rules) = value.value else {
        throw BaselineError(
          line: value.line,
          message: "\"\(name)\": expected \"catalogue\" or the digest of a policy file")
      }
      policies.append(BaselinePolicy(name: name, rules: rules))
    }
    var settings = BaselineSettings(policies: policies)
    switch place["flush_duration_ns"]?.value {
    case .number(let number)?:
      guard let whole = UInt64(exactly: number) else {
        throw missing(place, "flush_duration_ns", "a whole number of nanoseconds, or null")
      }
      settings.flushDuration = whole
    case .null?, nil: break
    default: throw missing(place, "flush_duration_ns", "a whole number of nanoseconds, or null")
    }
    settings.between = try optionalString(place, "between")
    settings.filters = try strings(place, "filters")
    settings.instance = try optionalString(place, "instance")
    return settings
  }

  private static func strings(
    _ place: PlacedJSON, _ name: String
  ) throws(BaselineError) -> [String] {
    guard let found = place[name] else { return [] }
    guard case .array(let list) = found.value else { throw missing(place, name, "a list of texts") }
    var texts: [String] = []
    for element in list {
      guard case .string(let text) = element.value else {
        throw BaselineError(line: element.line, message: "\"\(name)\": expected a list of texts")
      }
      texts.append(text)
    }
    return texts
  }

  private static func entry(
    _ name: String, _ place: PlacedJSON
  ) throws(BaselineError) -> BaselineEntry {
    try allow(place, ["digests", "environment", "metrics"])
    guard case .array(let list)? = place["digests"]?.value else {
      throw missing(place, "digests", "a list of digests")
    }
    var digests: [String] = []
    for element in list {
      guard case .string(let digest) = element.value else {
        throw BaselineError(line: element.line, message: "a digest is a text")
      }
      digests.append(digest)
    }
    var facts: [String: String] = [:]
    for (name, value) in try members(place, "environment") {
      guard case .string(let fact) = value.value else {
        throw BaselineError(line: value.line, message: "\"\(name)\": a fact is a text")
      }
      facts[name] = fact
    }
    var metrics: [BaselineMetric] = []
    for (name, value) in try members(place, "metrics") {
      metrics.append(try metric(name, value))
    }
    return BaselineEntry(
      name: name, digests: digests, environment: CaptureEnvironment(facts),
      metrics: metrics.sorted { $0.name < $1.name }, line: place.line)
  }

  private static func metric(
    _ name: String, _ place: PlacedJSON
  ) throws(BaselineError) -> BaselineMetric {
    guard case .object = place.value else {
      throw BaselineError(line: place.line, message: "\"\(name)\": a metric is an object")
    }
    try allow(place, ["direction", "grade", "reason", "runs", "sd", "tolerance", "value"])
    guard let direction = MetricDirection(rawValue: try string(place, "direction")) else {
      throw missing(place, "direction", "\"more\", \"less\" or \"any\" (what is worse)")
    }
    guard let tolerance = MetricTolerance(try string(place, "tolerance")) else {
      throw missing(
        place, "tolerance", "\"0\", \"10\", \"5%\", \"spread\", several with \"or\", or \"any\"")
    }
    var runs = 1
    var deviation: Double?
    if place["runs"] != nil {
      let count = try number(place, "runs")
      guard let whole = Int(exactly: count), whole >= 1, whole <= 1_000_000 else {
        throw missing(place, "runs", "a whole number of repetitions")
      }
      runs = whole
      if whole > 1 {
        let found = try number(place, "sd")
        guard found >= 0 else { throw missing(place, "sd", "a number of 0 or more") }
        deviation = found
      }
    }
    return BaselineMetric(
      name: name, value: try number(place, "value"), deviation: deviation, runs: runs,
      tolerance: tolerance, direction: direction, grade: try string(place, "grade"),
      reason: try string(place, "reason"), line: place.line)
  }

  // MARK: Parts

  private static func missing(
    _ place: PlacedJSON, _ name: String, _ expected: String
  ) -> BaselineError {
    BaselineError(
      line: place[name]?.line ?? place.line, message: "\"\(name)\": expected \(expected)")
  }

  /// A misspelt key must not be passed over in silence.
  private static func allow(_ place: PlacedJSON, _ known: [String]) throws(BaselineError) {
    guard case .object(let members) = place.value else {
      throw BaselineError(line: place.line, message: "expected an object")
    }
    for (name, value) in members where !known.contains(name) {
      throw BaselineError(
        line: value.line,
        message: "unknown key \"\(name)\"; keys here are \(known.joined(separator: ", "))")
    }
  }

  private static func members(
    _ place: PlacedJSON, _ name: String
  ) throws(BaselineError) -> [(name: String, value: PlacedJSON)] {
    guard case .object(let members)? = place[name]?.value else {
      throw missing(place, name, "an object")
    }
    return members
  }

  private static func string(_ place: PlacedJSON, _ name: String) throws(BaselineError) -> String {
    guard case .string(let text)? = place[name]?.value else { throw missing(place, name, "a text") }
    return text
  }

  private static func optionalString(
    _ place: PlacedJSON, _ name: String
  ) throws(BaselineError) -> String? {
    switch place[name]?.value {
    case .null?, nil: return nil
    default: return try string(place, name)
    }
  }

  private static func number(_ place: PlacedJSON, _ name: String) throws(BaselineError) -> Double {
    guard case .number(let number)? = place[name]?.value else {
      throw missing(place, name, "a number")
    }
    return number
  }
}
