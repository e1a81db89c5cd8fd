import Foundation

/// A JSON value with integers that stay integers and keys that come out sorted.
public enum JSONValue: Sendable, Equatable, Encodable {
  /// `null`: not observable, not there.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// A whole number.
  case integer(Int64)
  /// A whole number beyond `Int64`.
  case unsigned(UInt64)
  /// A number with a fraction.
  case number(Double)
  /// Text.
  case string(String)
  /// A list.
  case array([JSONValue])
  /// Names and values.
  case object([String: JSONValue])

  /// A count; what fits is written as a plain integer.
  public init(_ value: UInt64) {
    self = Int64(exactly: value).map(JSONValue.integer) ?? .unsigned(value)
  }

  /// A count.
  public init(_ value: Int) { self = .integer(Int64(value)) }

  /// Text, or null.
  public init(_ value: String?) { self = value.map(JSONValue.string) ?? .null }

  /// The value, or null.
  public init(orNull value: JSONValue?) { self = value ?? .null }

  /// Counts by CPU, or null where the trace has no CPU column.
  public init(_ values: [UInt64]?) {
    self = values.map { .array($0.map { JSONValue($0) }) } ?? .null
  }

  /// Writes the value where it stands.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .unsigned(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .string(let value): try container.encode(value)
    case .array(let values): try container.encode(values)
    case .object(let members): try container.encode(members)
    }
  }

  /// The document as text: sorted keys, two blanks of indentation, a final line end.
  public var text: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(self) else { return "null\n" }
    return String(decoding: data, as: UTF8.self) + "\n"
  }
}
