/// A JSON value that knows on which line of its file it begins, for messages to who edited the file.
struct PlacedJSON {
  /// What it is.
  indirect enum Value {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([PlacedJSON])
    case object([(name: String, value: PlacedJSON)])
  }

  var value: Value
  /// From 1.
  var line: Int

  /// A member by name; nil where there is none, or this is no object.
  subscript(_ name: String) -> PlacedJSON? {
    guard case .object(let members) = value else { return nil }
    return members.first { $0.name == name }?.value
  }
}

/// What is wrong with a file, and where.
struct PlacedError: Error, Equatable {
  var line: Int
  var message: String
}

/// Reads JSON text (RFC 8259) strictly: no comments, no second member of one name.
struct PlacedJSONReader {
  /// Objects and arrays in each other.
  private static let depthMax = 16

  private let bytes: [UInt8]
  private var place = 0
  private var line = 1

  /// The value that `text` holds.
  static func read(_ text: String) throws(PlacedError) -> PlacedJSON {
    var reader = PlacedJSONReader(bytes: Array(text.utf8))
    let value = try reader.value(depth: 0)
    reader.skipBlanks()
    guard reader.place == reader.bytes.count else {
      throw reader.error("something stands behind the end of the document")
    }
    return value
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

  private func error(_ message: String) -> PlacedError { PlacedError(line: line, message: message) }

  private mutating func skipBlanks() {
    while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d {
      if byte == 0x0a { line += 1 }
      place += 1
    }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    place += 1
    return true
  }

  private func found() -> String {
    guard let byte = next else { return "the end of the file" }
    return byte > 0x20 && byte < 0x7f
      ? "\"\(Character(UnicodeScalar(byte)))\"" : "byte 0x\(String(byte, radix: 16))"
  }

  private mutating func value(depth: Int) throws(PlacedError) -> PlacedJSON {
    skipBlanks()
    guard depth <= Self.depthMax else { throw error("too many objects in each other") }
    let begin = line
    switch next {
    case UInt8(ascii: "{"): return PlacedJSON(value: try object(depth), line: begin)
    case UInt8(ascii: "["): return PlacedJSON(value: try array(depth), line: begin)
    case UInt8(ascii: "\""): return PlacedJSON(value: .string(try string()), line: begin)
    case UInt8(ascii: "t"): return PlacedJSON(value: try word("true", .bool(true)), line: begin)
    case UInt8(ascii: "f"): return PlacedJSON(value: try word("false", .bool(false)), line: begin)
    case UInt8(ascii: "n"): return PlacedJSON(value: try word("null", .null), line: begin)
    default: return PlacedJSON(value: .number(try number()), line: begin)
    }
  }

  private mutating func word(_ text: String, _ value: PlacedJSON.Value) throws(PlacedError)
    -> PlacedJSON.Value
  {
    guard bytes[place...].starts(with: text.utf8) else {
      throw error("expected a JSON value, found \(found())")
    }
    place += text.utf8.count
    return value
  }

  private mutating func number() throws(PlacedError) -> Double {
    let digits = Set("+-.0123456789eE".utf8)
    let end = bytes[place...].firstIndex { !digits.contains($0) } ?? bytes.count
    let text = String(decoding: bytes[place..<end], as: UTF8.self)
    guard let first = text.utf8.first, first != UInt8(ascii: "+"), first != UInt8(ascii: "."),
      let number = Double(text), number.isFinite
    else { throw error("expected a JSON value, found \(found())") }
    place = end
    return number
  }

  private mutating func array(_ depth: Int) throws(PlacedError) -> PlacedJSON.Value {
    place += 1
    var elements: [PlacedJSON] = []
    skipBlanks()
    if take(UInt8(ascii: "]")) { return .array([]) }
    while true {
      elements.append(try value(depth: depth + 1))
      skipBlanks()
      if take(UInt8(ascii: "]")) { return .array(elements) }
      guard take(UInt8(ascii: ",")) else {
        throw error("expected , or ] in a list, found \(found())")
      }
    }
  }

  private mutating func object(_ depth: Int) throws(PlacedError) -> PlacedJSON.Value {
    place += 1
    var members: [(name: String, value: PlacedJSON)] = []
    var names: Set<String> = []
    skipBlanks()
    if take(UInt8(ascii: "}")) { return .object([]) }
    while true {
      skipBlanks()
      guard next == UInt8(ascii: "\"") else {
        throw error("expected a name in quotes, found \(found())")
      }
      let name = try string()
      guard names.insert(name).inserted else { throw error("\"\(name)\" stands here twice") }
      skipBlanks()
      guard take(UInt8(ascii: ":")) else {
        throw error("expected : behind \"\(name)\", found \(found())")
      }
      members.append((name, try value(depth: depth + 1)))
      skipBlanks()
      if take(UInt8(ascii: "}")) { return .object(members) }
      guard take(UInt8(ascii: ",")) else {
        throw error("expected , or } behind \"\(name)\", found \(found())")
      }
    }
  }

  private mutating func string() throws(PlacedError) -> String {
    place += 1
    var text: [UInt8] = []
    while let byte = next {
      place += 1
      if byte == UInt8(ascii: "\"") { return String(decoding: text, as: UTF8.self) }
      guard byte >= 0x20 else { throw error("a text has no end on its line") }
      guard byte == UInt8(ascii: "\\") else {
        text.append(byte)
        continue
      }
      text += Array(String(try escaped()).utf8)
    }
    throw error("a text has no end")
  }

  private mutating func escaped() throws(PlacedError) -> Character {
    let letter = next
    place += 1
    switch letter {
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "u"):
      let high = try hexadecimal()
      guard (0xd800..<0xdc00).contains(high) else {
        return UnicodeScalar(high).map(Character.init) ?? "\u{fffd}"
      }
      guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { return "\u{fffd}" }
      let low = try hexadecimal()
      guard (0xdc00..<0xe000).contains(low) else { return "\u{fffd}" }
      let scalar = 0x10000 + (high - 0xd800) << 10 + (low - 0xdc00)
      return UnicodeScalar(scalar).map(Character.init) ?? "\u{fffd}"
    default: throw error("a text has an unknown escape behind \\")
    }
  }

  private mutating func hexadecimal() throws(PlacedError) -> UInt32 {
    let end = min(place + 4, bytes.count)
    let text = String(decoding: bytes[place..<end], as: UTF8.self)
    guard text.utf8.count == 4, text.utf8.allSatisfy({ $0 != UInt8(ascii: "+") }),
      let number = UInt32(text, radix: 16)
    else { throw error("expected four hexadecimal digits behind \\u") }
    place = end
    return number
  }
}
