/// Where the value of a cost comes from.
public enum CostOrigin: String, Sendable {
  /// The table below.
  case chosen = "default"
  /// Fitted to the trace.
  case trace
  /// The user.
  case user
}

/// One cost of the time model.
public struct CostParameter: Sendable, Equatable {
  /// Its name on the command line, in machine files and in reports.
  public var name: String
  /// What it is the time of.
  public var meaning: String
  /// Unit of ``range``.
  public var unit: String
  /// The value and its range.
  public var range: ParameterRange
  /// Who says so.
  public var origin: CostOrigin
}

/// Why a cost could not be set.
public enum CostError: Error, Equatable, CustomStringConvertible {
  /// The text is not `NAME=VALUE` or `NAME=LO..HI`.
  case malformed(String)
  /// No cost has this name.
  case unknown(String, known: [String])
  /// Not a finite number of 0 or more, or the lower end is above the upper one.
  case impossible(String)

  /// What is wrong, and what was expected.
  public var description: String {
    switch self {
    case .malformed(let text): "\"\(text)\" is no cost: expected NAME=VALUE or NAME=LO..HI"
    case .unknown(let name, let known):
      "no cost is called \"\(name)\"; known are \(known.joined(separator: ", "))"
    case .impossible(let text):
      "\"\(text)\": a cost is a number of nanoseconds from 0 to 1e12, a range has its lower end first"
    }
  }
}

/// The costs that turn counts of a replay into time: one registry, in the order of reports.
public struct CostTable: Sendable, Equatable {
  /// What may be set.
  public static let names = standard.parameters.map(\.name)
  /// Longest cost, ns: some 17 minutes.
  private static let nanosecondsMax = 1e12

  /// By name, in the order of reports.
  public private(set) var parameters: [CostParameter]

  /// Defaults with their sources. None was measured on the traced machine.
  public static let standard = CostTable(parameters: [
    cost(
      "send_base", "an initiator's wait for one shootdown, without its share of receivers",
      ParameterRange(
        1500, lower: 700, upper: 2700,
        source: "chosen; 2.7 us for an IPI on 2 sockets, 16 cores: LATR, ASPLOS 2018",
        confidence: .low)),
    cost(
      "send_each", "what each receiver adds to that wait",
      ParameterRange(
        100, lower: 0, upper: 300,
        source: "chosen; cost grows with the CPUs: DiDi, PACT 2011", confidence: .low)),
    cost(
      "receive", "a receiver's interrupt with its flush",
      ParameterRange(
        1200, lower: 700, upper: 2116,
        source:
          "chosen; upper end: thread time per avoided interrupt in the LUF v10 letter, May 2024",
        confidence: .low)),
    cost(
      "broadcast", "a flush by INVLPGB and TLBSYNC, without interrupts",
      ParameterRange(1000, lower: 300, upper: 3000, source: "chosen", confidence: .low)),
    cost(
      "walk", "one page walk for a translation that a flush dropped",
      ParameterRange(
        40, lower: 20, upper: 100,
        source: "entry in L2 or L3 15-40 ns, in local DRAM 100 ns: from cache latencies",
        confidence: .low)),
    cost(
      "migrate_page", "one 4 KiB page migrated, without its flush",
      ParameterRange(
        3500, lower: 2200, upper: 5500,
        source: "copy 0.2-0.5 us and kernel work 2-5 us, from memory",
        confidence: .low)),
  ])

  /// A cost by name.
  public subscript(name: String) -> ParameterRange? {
    parameters.first { $0.name == name }?.range
  }

  /// Takes the value of one cost from somebody who knows better.
  public mutating func set(_ name: String, _ range: ParameterRange, _ origin: CostOrigin)
    throws(CostError)
  {
    guard let index = parameters.firstIndex(where: { $0.name == name }) else {
      throw .unknown(name, known: Self.names)
    }
    parameters[index].range = range
    parameters[index].origin = origin
  }

  /// Sets a cost from `NAME=VALUE` or `NAME=LO..HI`, in its unit; the middle of a range is expected.
  public mutating func set(_ text: String) throws(CostError) {
    guard let equals = text.firstIndex(of: "=") else { throw .malformed(text) }
    let name = String(text[..<equals])
    let value = text[text.index(after: equals)...]
    guard !name.isEmpty, !value.isEmpty else { throw .malformed(text) }
    let (low, high) = Self.ends(value)
    guard let low = Self.nanoseconds(low), let high = Self.nanoseconds(high), low <= high else {
      throw .impossible(text)
    }
    let range = ParameterRange(
      (low + high) / 2, lower: low, upper: high, source: "given by the user", confidence: .high)
    try set(name, range, .user)
  }

  /// Whether the user has set a cost.
  public func isSet(_ name: String) -> Bool {
    parameters.contains { $0.name == name && $0.origin == .user }
  }

  private static func cost(_ name: String, _ meaning: String, _ range: ParameterRange)
    -> CostParameter
  {
    CostParameter(name: name, meaning: meaning, unit: "ns", range: range, origin: .chosen)
  }

  /// Both ends of `LO..HI`, or the value twice.
  private static func ends(_ text: Substring) -> (Substring, Substring) {
    var place = text.startIndex
    while place < text.endIndex {
      if text[place...].hasPrefix("..") {
        return (text[..<place], text[text.index(place, offsetBy: 2)...])
      }
      place = text.index(after: place)
    }
    return (text, text)
  }

  private static func nanoseconds(_ text: Substring) -> Double? {
    guard let value = Double(text), value.isFinite, (0...nanosecondsMax).contains(value) else {
      return nil
    }
    return value
  }
}
