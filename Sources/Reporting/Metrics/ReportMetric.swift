/// One value of a report's document, by where it stands.
///
/// The path is that of the JSON document, except that an element of a list is called by its own name
/// and not by its place: `policies.luf-v10.tlb_row.total`.
struct ReportMetric: Sendable {
  /// Names from the document down to the value; for a list of plain values, that of the list.
  var path: [String]
  /// Which part of the path is the name of a thing: a policy, an event, a measure; nil where none is.
  var named: Int?
  /// Place in a list of plain values: a CPU number in `per_cpu`.
  var position: Int?
  /// A value that is no list and no object.
  var value: JSONValue
  /// How good it is: of the nearest object around it that says so.
  var grade: String?
  /// Why it is null, where the nearest object says so.
  var reason: String?
  /// What it counts, if the document says so: of the nearest `unit`.
  var unit: String?

  /// `policies.luf-v10.tlb_row.total`.
  var name: String { path.joined(separator: ".") }

  /// Whether it is a number.
  var isNumber: Bool {
    switch value {
    case .integer, .unsigned, .number: true
    default: false
    }
  }
}

/// The values of a document, flat.
enum ReportMetrics {
  /// Visits every value of `document`: members in the order of their names, elements as they stand.
  static func visit(_ document: JSONValue, _ body: (ReportMetric) -> Void) {
    visit(document, ReportMetric(path: [], position: nil, value: .null), body)
  }

  /// All values, for those who look more than once.
  static func all(_ document: JSONValue) -> [ReportMetric] {
    var found: [ReportMetric] = []
    visit(document) { found.append($0) }
    return found
  }

  private static func visit(
    _ value: JSONValue, _ place: ReportMetric, _ body: (ReportMetric) -> Void
  ) {
    switch value {
    case .object(let members):
      var inside = place
      if case .string(let grade)? = members["grade"] { inside.grade = grade }
      if case .string(let unit)? = members["unit"] { inside.unit = unit }
      if case .string(let reason)? = members["reason"] { inside.reason = reason }
      for name in members.keys.sorted() {
        guard let member = members[name], !isMark(name) else { continue }
        var next = inside
        if next.named == nil, namesThings(place.path.last) { next.named = next.path.count }
        next.path.append(name)
        // `tier_grade` is of `tier`, `events_grade` of what is counted beside it.
        if case .string(let own)? = members["\(name)_grade"] { next.grade = own }
        visit(member, next, body)
      }
    case .array(let elements):
      let names = Self.names(elements)
      for (index, element) in elements.enumerated() {
        var next = place
        if let names {
          next.named = next.named ?? next.path.count
          next.path.append(names[index])
        } else {
          next.position = index
        }
        visit(element, next, body)
      }
    default:
      var found = place
      found.value = value
      body(found)
    }
  }

  /// Whether a member only says how good its neighbours are, or what they count.
  private static func isMark(_ name: String) -> Bool {
    name == "grade" || name == "unit" || name.hasSuffix("_grade")
  }

  /// Whether the members of an object with this name are called after things, not after what is said
  /// of them.
  private static func namesThings(_ name: String?) -> Bool {
    switch name {
    case "events", "measures", "by_reason", "by_order", "causes", "instances": true
    default: false
    }
  }

  /// Members that name an element, the first that is there.
  private static let naming = [
    "name", "rule", "assumption", "counter", "parameter", "reason", "node",
  ]

  /// What the objects of a list are called; nil for a list of plain values.
  private static func names(_ elements: [JSONValue]) -> [String]? {
    var names: [String] = []
    var taken: Set<String> = []
    for element in elements {
      guard case .object(let members) = element else { return nil }
      var name = ends(members) ?? naming.lazy.compactMap { members[$0].map(label) }.first ?? ""
      if name.isEmpty || taken.contains(name) { name += "#\(names.count)" }
      taken.insert(name)
      names.append(name)
    }
    return names.isEmpty ? nil : names
  }

  /// A flow between nodes is called after them and its reason: `0-1-demotion`.
  private static func ends(_ members: [String: JSONValue]) -> String? {
    guard let from = members["from"], let to = members["to"], let reason = members["reason"] else {
      return nil
    }
    return [from, to, reason].map(label).joined(separator: "-")
  }

  private static func label(_ value: JSONValue) -> String {
    switch value {
    case .string(let text): text
    case .integer(let number): "\(number)"
    case .null: "none"
    default: ""
    }
  }
}
