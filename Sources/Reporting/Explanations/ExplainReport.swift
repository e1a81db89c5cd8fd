import Replay
import TraceEvents

/// What explanations need to know beside the report: the trace, and what was asked for.
public struct ExplanationContext: Sendable {
  /// The trace; nil where several were compared.
  var trace: TraceDescription?
  /// How long a flush is taken to last that the recorded run did not do; nil as long as recorded ones.
  public var flushDuration: UInt64?
  /// How toggles of policies are set, by the policy's name.
  public var settings: [String: [(name: String, value: String)]] = [:]

  /// A context.
  public init(_ trace: TraceDescription? = nil) { self.trace = trace }
}

/// `--explain METRIC`: from which events, rules and parameters the numbers of a report came.
public enum ExplainReport {
  /// What stands for the list of all names.
  public static let list = "list"

  /// The explanation of the numbers of `report` that `query` names; nil where it names none.
  ///
  /// A query is a name or some parts of one that follow each other (`ledger`, `tlb_row.total`), with
  /// `*` for anything. What is long, by CPU or over time, is one number here, with its length.
  public static func build(
    _ report: Report, about query: String, _ context: ExplanationContext
  ) -> Report? {
    let figures = figures(report.data)
    let found = query == list ? figures : figures.filter { matches($0.metric.path, query) }
    guard !found.isEmpty else { return nil }
    var explained = Report(title: "\(report.title), explained: \(query)")
    explained.sections =
      query == list
      ? [names(found)] : groups(found).map { section($0, figures, context) }
    explained.data = .object([
      "schema": .string("tlbreplay.explain/1"), "query": .string(query),
      "metrics": .array(found.map { data($0, figures, context) }),
    ])
    return explained
  }

  /// A number, or a list of them.
  struct Figure: Sendable {
    var metric: ReportMetric
    /// Of a list: its length and its sum.
    var count = 1
    var sum: Double
  }

  /// The numbers of a document, lists as one; and what is null in the place of numbers.
  static func figures(_ document: JSONValue) -> [Figure] {
    var figures: [Figure] = []
    ReportMetrics.visit(document) { metric in
      guard
        metric.isNumber
          || (metric.value == .null && Explanations.explanation(ofMissing: metric.path) != nil)
      else { return }
      if metric.position != nil, let last = figures.last, last.metric.path == metric.path {
        figures[figures.count - 1].count += 1
        figures[figures.count - 1].sum += number(metric.value)
      } else {
        figures.append(Figure(metric: metric, sum: number(metric.value)))
      }
    }
    return figures
  }

  private static func number(_ value: JSONValue) -> Double {
    switch value {
    case .integer(let number): Double(number)
    case .unsigned(let number): Double(number)
    case .number(let number): number
    default: 0
    }
  }

  // MARK: Names

  /// Whether the query's parts stand in the path one behind the other.
  static func matches(_ path: [String], _ query: String) -> Bool {
    let name = Array((["."] + path.map { $0 + "." }).joined().utf8)
    let wanted = query.hasPrefix(".") || query.hasSuffix(".") ? query : ".\(query)."
    return fits(name, Array("*\(wanted)*".utf8))
  }

  /// Whether the whole text has the form, in which `*` stands for anything.
  private static func fits(_ text: [UInt8], _ form: [UInt8]) -> Bool {
    let star = UInt8(ascii: "*")
    var (at, place) = (0, 0)
    // Where to go on if what was tried behind the last `*` does not fit.
    var (retryAt, retryPlace) = (0, -1)
    while at < text.count {
      if place < form.count, form[place] == star {
        (retryAt, retryPlace) = (at, place)
        place += 1
      } else if place < form.count, form[place] == text[at] {
        at += 1
        place += 1
      } else if retryPlace >= 0 {
        retryAt += 1
        (at, place) = (retryAt, retryPlace + 1)
      } else {
        return false
      }
    }
    return form[place...].allSatisfy { $0 == star }
  }

  private static func names(_ figures: [Figure]) -> Report.Section {
    Report.Section(
      "Numbers of this report",
      [
        .facts(
          figures.map { figure in
            (name: figure.metric.name, value: value(figure))
          })
      ])
  }

  // MARK: Sections

  /// Figures with one explanation, side by side in the document.
  private static func groups(_ figures: [Figure]) -> [[Figure]] {
    var groups: [(key: [String], figures: [Figure])] = []
    for figure in figures {
      let key =
        Explanations.explanation(ofMissing: figure.metric.path)?.paths.first ?? figure.metric.path
      if let known = groups.firstIndex(where: { $0.key == key }) {
        groups[known].figures.append(figure)
      } else {
        groups.append((key, [figure]))
      }
    }
    return groups.map(\.figures)
  }

  private static func section(
    _ figures: [Figure], _ all: [Figure], _ context: ExplanationContext
  ) -> Report.Section {
    let own = figures.filter { !isCase($0) }
    let values = Report.Block.facts(
      (own.isEmpty ? figures : own).map { (name: $0.metric.name, value: value($0)) })
    guard let first = figures.first,
      let explanation = Explanations.explanation(ofMissing: first.metric.path)
    else { return Report.Section(figures.first?.metric.name ?? "", [values]) }
    var facts: [(name: String, value: String)] = [("what", "\(explanation.meaning).")]
    facts += bounds(own, all)
    let paths = Set(own.map(\.metric.path))
    facts += cases(
      all.filter { isCase($0) && paths.contains(Explanations.withoutCase($0.metric.path)) })
    let events = events(explanation, context)
    if !events.isEmpty { facts.append(("events", events.joined(separator: "; "))) }
    facts += explanation.rules.map { ("rule", "\($0).") }
    facts += parameters(explanation, figures, all, context)
    if !explanation.bounds.isEmpty { facts.append(("narrower", "\(explanation.bounds).")) }
    return Report.Section(heading(explanation), [values, .facts(facts)])
  }

  private static func isCase(_ figure: Figure) -> Bool {
    Explanations.withoutCase(figure.metric.path) != figure.metric.path
  }

  /// What stands beside a number as its least and greatest value.
  private static func bounds(
    _ figures: [Figure], _ all: [Figure]
  ) -> [(name: String, value: String)] {
    let ends: Set<String> = ["lower", "upper"]
    var found: [[String]: [String]] = [:]
    for figure in all {
      guard let end = figure.metric.path.last, ends.contains(end) else { continue }
      let number = figure.metric.isNumber ? Quantity.text(figure.sum) : "not known"
      found[Array(figure.metric.path.dropLast()), default: []].append(
        "\(end) \(number)")
    }
    var lines: [(name: String, value: String)] = []
    for figure in figures where !ends.contains(figure.metric.path.last ?? "") {
      let parent = Array(figure.metric.path.dropLast())
      guard let values = found.removeValue(forKey: parent) else { continue }
      lines.append(
        ("bounds", "\(parent.joined(separator: ".")): \(values.joined(separator: ", "))"))
    }
    return lines
  }

  /// The same numbers under each assumption, in a line for each policy and number.
  private static func cases(_ figures: [Figure]) -> [(name: String, value: String)] {
    var lines: [(path: [String], values: [String])] = []
    for figure in figures {
      let path = Explanations.withoutCase(figure.metric.path)
      guard figure.metric.isNumber else { continue }
      let value = "\(figure.metric.path[3]) \(Quantity.text(figure.sum))"
      if let known = lines.firstIndex(where: { $0.path == path }) {
        lines[known].values.append(value)
      } else {
        lines.append((path, [value]))
      }
    }
    return lines.map { line in
      (
        name: "cases",
        value: "\(line.path[1]), \(line.path.last ?? ""): \(line.values.joined(separator: ", "))"
      )
    }
  }

  private static func heading(_ explanation: Explanation) -> String {
    explanation.paths.map { $0.joined(separator: ".") }.joined(separator: ", ")
  }

  /// `3,761 interrupts [derived]`; `4 numbers, sum 3,761 interrupts [derived]`.
  private static func value(_ figure: Figure) -> String {
    if figure.metric.value == .null {
      return "null: " + (figure.metric.reason ?? "not there, or not observable in this trace")
    }
    let unit = Explanations.unit(of: figure.metric).map { $0.isEmpty ? "" : " \($0)" } ?? ""
    let grade = Explanations.grade(of: figure.metric).map { " [\($0)]" } ?? ""
    let sum = Quantity.text(figure.sum) + unit
    return
      (figure.metric.position == nil ? sum : "\(figure.count) numbers, in all \(sum)") + grade
  }

  // MARK: Evidence

  /// How many there were of each kind of event, in the window where there is one.
  private static func events(
    _ explanation: Explanation, _ context: ExplanationContext
  ) -> [String] {
    guard let trace = context.trace else {
      return explanation.events.isEmpty ? [] : ["as each run's own stat and report count them"]
    }
    return explanation.events.map { kind in
      let index = Int(kind.rawValue)
      let name = index < trace.eventNames.count ? trace.eventNames[index].full : "\(kind)"
      let all = trace.whole.total(index)
      guard all > 0 else { return "\(name) none" }
      guard let window = trace.window else { return "\(name) \(all.grouped)" }
      return "\(name) \(all.grouped), in the window \(window.survey.total(index).grouped)"
    }
  }

  private static func parameters(
    _ explanation: Explanation, _ figures: [Figure], _ all: [Figure],
    _ context: ExplanationContext
  ) -> [(name: String, value: String)] {
    explanation.parameters.flatMap { parameter -> [(name: String, value: String)] in
      switch parameter {
      case .window: [("window", window(context))]
      case .policy: policies(figures, context)
      case .flushDuration: [("flush duration", duration(context))]
      case .costs: listed("costs", "time.parameters", all)
      case .misses: listed("assumptions", "assumptions", all)
      }
    }
  }

  private static func window(_ context: ExplanationContext) -> String {
    guard let trace = context.trace else { return "that of each run" }
    guard let window = trace.window else { return "none: the whole trace counts" }
    let unit = trace.instanceFacts.timeUnit
    let source = window.isRequested ? "--between" : "marks of the trace"
    return "\(trace.windowName) (\(source)), \(unit.moment(window.marks.span.start)) to "
      + unit.moment(window.marks.span.end)
  }

  private static func duration(_ context: ExplanationContext) -> String {
    let unit = context.trace?.instanceFacts.timeUnit
    guard let given = context.flushDuration else {
      return "as long as the recorded flush, or the median of those that ran alone where it "
        + "overlapped others (--flush-duration sets it)"
    }
    return "\(unit?.duration(given) ?? "\(given)") (--flush-duration)"
  }

  /// The policies that the figures are of: where they come from and how their toggles are set.
  private static func policies(
    _ figures: [Figure], _ context: ExplanationContext
  ) -> [(name: String, value: String)] {
    var names: [String] = []
    for figure in figures where figure.metric.path.contains("policies") {
      let path = figure.metric.path
      guard let place = path.firstIndex(of: "policies"), place + 1 < path.count,
        !names.contains(path[place + 1])
      else { continue }
      names.append(path[place + 1])
    }
    return names.flatMap { name -> [(name: String, value: String)] in
      let source = PolicyCatalog.lines.first { $0.name == name }.map {
        "\($0.summary); \($0.source)"
      }
      let settings = context.settings[name] ?? []
      var facts = [(name: name, value: source ?? "a policy file, or a policy with a number")]
      if !settings.isEmpty {
        facts.append(
          ("toggles", settings.map { "\($0.name) = \($0.value)" }.joined(separator: ", ")))
      }
      return facts
    }
  }

  /// Numbers of the same document that stand for a parameter.
  private static func listed(
    _ name: String, _ query: String, _ all: [Figure]
  ) -> [(name: String, value: String)] {
    // The assumptions are the same for all policies.
    var values: [String] = []
    for figure in all where matches(figure.metric.path, query) {
      let value = "\(figure.metric.path.suffix(2).joined(separator: ".")) \(value(figure))"
      if !values.contains(value) { values.append(value) }
    }
    return values.isEmpty ? [] : [(name, values.joined(separator: "; "))]
  }

  // MARK: JSON

  private static func data(
    _ figure: Figure, _ all: [Figure], _ context: ExplanationContext
  ) -> JSONValue {
    var members: [String: JSONValue] = [
      "path": .string(figure.metric.name), "unit": JSONValue(Explanations.unit(of: figure.metric)),
      "grade": JSONValue(Explanations.grade(of: figure.metric)),
    ]
    members["value"] = figure.metric.position == nil ? figure.metric.value : .null
    members["count"] = JSONValue(figure.count)
    members["reason"] = figure.metric.value == .null ? JSONValue(figure.metric.reason) : .null
    guard let explanation = Explanations.explanation(ofMissing: figure.metric.path) else {
      return .object(members)
    }
    members["meaning"] = .string(explanation.meaning)
    members["rules"] = .array(explanation.rules.map { .string($0) })
    members["narrower"] = .string(explanation.bounds)
    var events: [String: JSONValue] = [:]
    if let trace = context.trace {
      for kind in explanation.events where Int(kind.rawValue) < trace.eventNames.count {
        events[trace.eventNames[Int(kind.rawValue)].full] = .object([
          "total": JSONValue(trace.whole.total(Int(kind.rawValue))),
          "window": trace.window.map { JSONValue($0.survey.total(Int(kind.rawValue))) } ?? .null,
        ])
      }
    }
    members["events"] = .object(events)
    members["parameters"] = .array(
      parameters(explanation, [figure], all, context).map {
        .object(["name": .string($0.name), "value": .string($0.value)])
      })
    return .object(members)
  }
}
