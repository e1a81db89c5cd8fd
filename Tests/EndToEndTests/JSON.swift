import Foundation

/// A parsed JSON document, for comparison.
indirect enum JSON: Equatable, CustomStringConvertible {
  case null
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case array([JSON])
  case object([String: JSON])

  init(parsing text: String) throws {
    self = try JSONDecoder().decode(JSON.self, from: Data(text.utf8))
  }

  init(file: String) throws {
    self = try JSON(parsing: String(contentsOfFile: file, encoding: .utf8))
  }

  subscript(_ key: String) -> JSON {
    if case .object(let members) = self { return members[key] ?? .null }
    return .null
  }

  var members: [String: JSON] {
    if case .object(let members) = self { return members }
    return [:]
  }

  var elements: [JSON] {
    if case .array(let elements) = self { return elements }
    return []
  }

  var integer: Int? {
    if case .integer(let value) = self { return value }
    return nil
  }

  var text: String? {
    if case .string(let value) = self { return value }
    return nil
  }

  var isNull: Bool { self == .null }

  /// Counts by CPU, nil for null.
  var counts: [Int]? { isNull ? nil : elements.compactMap(\.integer) }

  var description: String {
    switch self {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .string(let value): "\"\(value)\""
    case .array(let values): "\(values)"
    case .object(let values):
      "{"
        + values.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
        + "}"
    }
  }
}

extension JSON: Decodable {
  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Int.self) {
      self = .integer(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([JSON].self) {
      self = .array(value)
    } else {
      self = .object(try container.decode([String: JSON].self))
    }
  }
}
