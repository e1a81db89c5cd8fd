import ArgumentParser
import Replay
import TOMLKit

#if canImport(Glibc)
  import Glibc
#endif

/// A file that puts a policy together from a known one and toggles.
///
/// ```
/// name = "luf-v11-wp"        # optional; the file's name without .toml otherwise
/// base = "luf-v11"
/// [toggles]
/// cancel_wp_fault = "any"
/// ```
enum PolicyFile {
  private static let sizeMax = 1 << 16

  /// Whether the value of `--policy` is a file and no name.
  static func isFile(_ name: String) -> Bool { name.contains("/") || name.hasSuffix(".toml") }

  /// The policy of a file; the errors name the file, and the line where there is one.
  static func blueprint(_ path: String) throws -> PolicyBlueprint {
    let text = try read(path)
    let table: TOMLTable
    do {
      table = try TOMLTable(string: text)
    } catch let error as TOMLParseError {
      throw ValidationError("\(path):\(error.source.begin.line): \(error.description)")
    }
    return try blueprint(table, text, path)
  }

  private static func blueprint(
    _ table: TOMLTable, _ text: String, _ path: String
  ) throws -> PolicyBlueprint {
    for key in table.keys where !["name", "base", "toggles"].contains(key) {
      throw refusal("unknown key \"\(key)\"; keys are name, base and [toggles]", key, text, path)
    }
    guard let base = table["base"]?.string else {
      throw refusal("base = \"...\" is missing: the name of a policy", "base", text, path)
    }
    if table.contains(key: "name"), table["name"]?.string == nil {
      throw refusal("name is a string", "name", text, path)
    }
    do {
      var composition = try PolicyComposition(
        name: table["name"]?.string ?? fileName(path), base: base)
      if table.contains(key: "toggles") { try set(table, text, path, &composition) }
      return try composition.blueprint()
    } catch let error as PolicyComposition.Refusal {
      throw ValidationError("\(path): \(error.message)")
    }
  }

  private static func set(
    _ table: TOMLTable, _ text: String, _ path: String, _ composition: inout PolicyComposition
  ) throws {
    guard let toggles = table["toggles"]?.table else {
      throw refusal("[toggles] is a table", "toggles", text, path)
    }
    // What only confirms others comes after them.
    let confirming = Set(PolicyToggle.all.filter(\.values.isEmpty).map(\.name))
    let keys = toggles.keys.sorted()
    for key in keys.filter({ !confirming.contains($0) }) + keys.filter(confirming.contains) {
      let value: PolicyComposition.Value
      switch toggles[key] {
      case let found? where found.type == .bool: value = .flag(found.bool ?? false)
      case let found? where found.type == .int: value = .number(found.int ?? 0)
      case let found? where found.type == .string: value = .word(found.string ?? "")
      default:
        throw refusal("\(key) is true, false, a number or a string", key, text, path)
      }
      do {
        try composition.set(key, to: value)
      } catch {
        throw refusal(error.message, key, text, path)
      }
    }
  }

  private static func refusal(
    _ message: String, _ key: String, _ text: String, _ path: String
  ) -> ValidationError {
    let place = line(of: key, text).map { "\(path):\($0)" } ?? path
    return ValidationError("\(place): \(message)")
  }

  /// The first line that begins with `key`, quoted or not, or its table's: the parser keeps no places.
  private static func line(of key: String, _ text: String) -> Int? {
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      var rest = line.drop { " \t\"'[".contains($0) }
      guard rest.hasPrefix(key) else { continue }
      rest = rest.dropFirst(key.count).drop { " \t\"'".contains($0) }
      if rest.first == "=" || rest.first == "]" || rest.first == "." { return index + 1 }
    }
    return nil
  }

  static func fileName(_ path: String) -> String {
    let last = path.split(separator: "/").last.map(String.init) ?? path
    return last.hasSuffix(".toml") ? String(last.dropLast(5)) : last
  }

  static func read(_ path: String) throws -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw ValidationError("\(path): cannot be opened: \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = Array(repeating: UInt8(0), count: 1 << 14)
    while true {
      let got = Glibc.read(descriptor, &chunk, chunk.count)
      if got < 0 {
        if errno == EINTR { continue }
        throw ValidationError("\(path): cannot be read: \(String(cString: strerror(errno)))")
      }
      if got == 0 { break }
      bytes.append(contentsOf: chunk[..<got])
      guard bytes.count <= sizeMax else {
        throw ValidationError("\(path): is larger than 64 KiB: no such file is")
      }
    }
    guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
      throw ValidationError("\(path): is no text: TOML in UTF-8 is expected")
    }
    return text
  }
}
