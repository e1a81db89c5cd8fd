import ArgumentParser
import Replay
import TOMLKit

/// A file that puts a policy together from a known one and toggles.
///
/// ```
/// name = "luf-v11-wp"        # optional; the file's name without .toml otherwise
/// base = "luf-v11"
/// [toggles]
/// cancel_wp_fault = "any"
/// ```
enum PolicyFile {
  /// Whether the value of `--policy` is a file and no name.
  static func isFile(_ name: String) -> Bool { TOMLFile.isFile(name) }

  /// The policy of a file; the errors name the file, and the line where there is one.
  static func blueprint(_ path: String) throws -> PolicyBlueprint {
    let file = try TOMLFile(path, kind: "policy file")
    let table = file.table
    for key in table.keys where !["name", "base", "toggles"].contains(key) {
      throw file.refusal("unknown key \"\(key)\"; keys are name, base and [toggles]", key)
    }
    guard let base = table["base"]?.string else {
      throw file.refusal("base = \"...\" is missing: the name of a policy", "base")
    }
    if table.contains(key: "name"), table["name"]?.string == nil {
      throw file.refusal("name is a string", "name")
    }
    do {
      var composition = try PolicyComposition(name: table["name"]?.string ?? file.name, base: base)
      if table.contains(key: "toggles") { try set(file, &composition) }
      return try composition.blueprint()
    } catch let error as PolicyComposition.Refusal {
      throw ValidationError("\(path): \(error.message)")
    }
  }

  private static func set(_ file: TOMLFile, _ composition: inout PolicyComposition) throws {
    guard let toggles = file.table["toggles"]?.table else {
      throw file.refusal("[toggles] is a table", "toggles")
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
        throw file.refusal("\(key) is true, false, a number or a string", key)
      }
      do {
        try composition.set(key, to: value)
      } catch {
        throw file.refusal(error.message, key)
      }
    }
  }
}
