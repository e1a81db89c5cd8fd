import ArgumentParser
import TOMLKit

#if canImport(Glibc)
  import Glibc
#endif

/// A small TOML file that a user wrote; what is wrong with it is said with its name and line.
struct TOMLFile {
  private static let sizeMax = 1 << 16

  let path: String
  let table: TOMLTable
  let text: String

  /// Whether the value of an option is a file and no name.
  static func isFile(_ name: String) -> Bool { name.contains("/") || name.hasSuffix(".toml") }

  /// Reads a file; `kind` is what it should be, such as "policy file".
  init(_ path: String, kind: String) throws {
    self.path = path
    text = try Self.read(path, kind)
    do {
      table = try TOMLTable(string: text)
    } catch let error as TOMLParseError {
      throw ValidationError("\(path):\(error.source.begin.line): \(error.description)")
    }
  }

  /// The file's name without `.toml`.
  var name: String {
    let last = path.split(separator: "/").last.map(String.init) ?? path
    return last.hasSuffix(".toml") ? String(last.dropLast(5)) : last
  }

  /// What is wrong at `key`.
  func refusal(_ message: String, _ key: String) -> ValidationError {
    refusal(message, line: line(of: key))
  }

  /// What is wrong at `key` of the table number `index` of an array of tables.
  func refusal(_ message: String, _ key: String, in array: String, _ index: Int) -> ValidationError
  {
    refusal(message, line: line(of: key, in: array, index) ?? line(of: array))
  }

  private func refusal(_ message: String, line: Int?) -> ValidationError {
    ValidationError("\(line.map { "\(path):\($0)" } ?? path): \(message)")
  }

  /// The first line that begins with `key`, quoted or not, or its table's: the parser keeps no places.
  private func line(of key: String) -> Int? {
    text.split(separator: "\n", omittingEmptySubsequences: false)
      .firstIndex { Self.begins($0, with: key) }.map { $0 + 1 }
  }

  /// The line of `key` behind the header number `index` of an array of tables, else the header's.
  private func line(of key: String, in array: String, _ index: Int) -> Int? {
    var headers = 0
    var header: Int?
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      let isHeader = line.drop { " \t".contains($0) }.hasPrefix("[")
      if isHeader {
        if header != nil { return header }
        guard Self.begins(line, with: array) else { continue }
        if headers == index { header = number + 1 }
        headers += 1
      } else if header != nil, Self.begins(line, with: key) {
        return number + 1
      }
    }
    return header
  }

  private static func begins(_ line: Substring, with key: String) -> Bool {
    var rest = line.drop { " \t\"'[".contains($0) }
    guard rest.hasPrefix(key) else { return false }
    rest = rest.dropFirst(key.count).drop { " \t\"'".contains($0) }
    return rest.first == "=" || rest.first == "]" || rest.first == "."
  }

  private static func read(_ path: String, _ kind: String) throws -> String {
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
        throw ValidationError("\(path): is larger than 64 KiB: no \(kind)")
      }
    }
    guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
      throw ValidationError("\(path): is no text: a \(kind) is TOML in UTF-8")
    }
    return text
  }
}
