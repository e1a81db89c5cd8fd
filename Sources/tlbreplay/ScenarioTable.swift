import ArgumentParser
import TOMLKit

/// A table of a scenario file, with the means to say where in the file something is wrong.
struct ScenarioTable {
  /// The whole file: its text, its path, and how many tables of each heading have been read.
  final class Source {
    let path: String
    private let lines: [Substring]
    var tablesRead: [String: Int] = [:]

    init(path: String, text: String) {
      self.path = path
      lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// The line of `key` in the `occurrence`th table with this heading; else that of the heading.
    func line(of key: String, heading: String, occurrence: Int) -> Int? {
      var seen = 0
      var headingLine: Int?
      var isInside = heading.isEmpty
      for (index, line) in lines.enumerated() {
        let rest = line.drop { $0 == " " || $0 == "\t" }
        if rest.first == "[" {
          let name = rest.drop { $0 == "[" || $0 == " " }.prefix { $0 != "]" && $0 != " " }
          isInside = false
          if name == heading {
            seen += 1
            isInside = seen == occurrence
            if isInside { headingLine = index + 1 }
          }
          continue
        }
        guard isInside, rest.hasPrefix(key) else { continue }
        let behind = rest.dropFirst(key.count).drop { $0 == " " || $0 == "\t" }
        if behind.first == "=" || behind.first == "." { return index + 1 }
      }
      return headingLine
    }
  }

  let table: TOMLTable
  let heading: String
  let occurrence: Int
  let source: Source

  init(_ table: TOMLTable, heading: String, source: Source) {
    self.table = table
    self.heading = heading
    self.source = source
    source.tablesRead[heading, default: 0] += 1
    occurrence = source.tablesRead[heading] ?? 1
  }

  /// An error that names file and line.
  func refusal(_ message: String, _ key: String) -> ValidationError {
    let line = source.line(of: key, heading: heading, occurrence: occurrence)
    return ValidationError("\(source.path):\(line.map { "\($0):" } ?? "") \(message)")
  }

  /// Refuses keys that are not among `known`.
  func allow(_ known: [String]) throws {
    for key in table.keys where !known.contains(key) {
      let place = heading.isEmpty ? "" : " of [\(heading)]"
      throw refusal(
        "unknown key \"\(key)\"; keys\(place) are \(known.joined(separator: ", "))", key)
    }
  }

  /// Whether a key is there.
  func has(_ key: String) -> Bool { table.contains(key: key) }

  /// A whole number in a range; nil where the key is missing.
  func integer(_ key: String, _ range: ClosedRange<Int>) throws -> Int? {
    guard table.contains(key: key) else { return nil }
    guard let found = table[key], found.type == .int, let value = found.int, range.contains(value)
    else {
      throw refusal("\(key) is a whole number from \(range.lowerBound) to \(range.upperBound)", key)
    }
    return value
  }

  /// The same, or a default.
  func integer(_ key: String, _ range: ClosedRange<Int>, else value: Int) throws -> Int {
    try integer(key, range) ?? value
  }

  /// A number in a range, whole or not; nil where the key is missing.
  func number(_ key: String, _ range: ClosedRange<Double>) throws -> Double? {
    guard table.contains(key: key) else { return nil }
    let found = table[key]
    let value = found?.type == .int ? found?.int.map(Double.init) : found?.double
    guard let value, range.contains(value) else {
      throw refusal("\(key) is a number from \(range.lowerBound) to \(range.upperBound)", key)
    }
    return value
  }

  /// A text; nil where the key is missing.
  func text(_ key: String) throws -> String? {
    guard table.contains(key: key) else { return nil }
    guard let found = table[key], found.type == .string, let value = found.string else {
      throw refusal("\(key) is a string", key)
    }
    return value
  }

  /// True or false; `false` where the key is missing.
  func flag(_ key: String) throws -> Bool {
    guard table.contains(key: key) else { return false }
    guard let found = table[key], found.type == .bool, let value = found.bool else {
      throw refusal("\(key) is true or false", key)
    }
    return value
  }

  /// `[first, count]` as a range below `limit`; nil where the key is missing.
  func range(_ key: String, below limit: Int) throws -> Range<Int>? {
    guard table.contains(key: key) else { return nil }
    guard let array = table[key]?.array, array.count == 2, let first = array[0].int,
      let count = array[1].int, first >= 0, count >= 0, first <= limit, count <= limit - first
    else { throw refusal("\(key) is [first, count], together at most \(limit)", key) }
    return first..<first + count
  }

  /// The tables of an array, `[[heading]]`.
  func tables(_ key: String) throws -> [ScenarioTable] {
    guard table.contains(key: key) else { return [] }
    let name = heading.isEmpty ? key : "\(heading).\(key)"
    guard let array = table[key]?.array else {
      throw refusal("\(key) is an array of tables, [[\(name)]]", key)
    }
    return try array.map { item in
      guard let table = item.table else {
        throw refusal("\(key) is an array of tables, [[\(name)]]", key)
      }
      return ScenarioTable(table, heading: name, source: source)
    }
  }

  /// The table `[heading]`; nil where it is missing.
  func subtable(_ key: String) throws -> ScenarioTable? {
    guard table.contains(key: key) else { return nil }
    let name = heading.isEmpty ? key : "\(heading).\(key)"
    guard let found = table[key]?.table else { throw refusal("\(key) is a table, [\(name)]", key) }
    return ScenarioTable(found, heading: name, source: source)
  }
}
