import ArgumentParser
import Replay
import Reporting
import TraceFiles

/// The policies that values of `--policy` name.
enum PolicyChoice {
  /// Refuses names that neither the catalogue knows nor are files.
  static func validate(_ names: [String]) throws {
    let typed = names.filter { !PolicyFile.isFile($0) }
    if let unknown = typed.first(where: { !PolicyCatalog.isKnown($0) }) {
      let known = PolicyCatalog.lines.map(\.name).joined(separator: ", ")
      throw ValidationError("Unknown policy \"\(unknown)\"; known are \(known).")
    }
  }

  /// The policies of `names`, or the default ones, once each; the recorded run is always there.
  static func blueprints(_ names: [String]) throws -> [PolicyBlueprint] {
    var found: [PolicyBlueprint] = []
    var files: [String] = []
    for name in names.isEmpty ? PolicyCatalog.defaultNames : names {
      guard !files.contains(name) else { continue }
      if PolicyFile.isFile(name) { files.append(name) }
      let made =
        PolicyFile.isFile(name)
        ? try PolicyFile.blueprint(name) : PolicyCatalog.blueprint(named: name)
      guard let made else { continue }
      let isTwice = found.contains { $0.name == made.name }
      if isTwice, PolicyFile.isFile(name) {
        throw ValidationError("\(name): another policy file has the name \"\(made.name)\" too")
      }
      if !isTwice { found.append(made) }
    }
    return found
  }

  /// The same as a baseline names them: each with the digest of its file.
  static func baselinePolicies(_ names: [String]) throws -> [BaselinePolicy] {
    var rules: [String: String] = [:]
    for name in names where PolicyFile.isFile(name) {
      let text = try TOMLFile(name, kind: "policy file").text
      rules[try PolicyFile.blueprint(name).name] = TraceInput.contentDigest(of: Array(text.utf8))
    }
    return try blueprints(names).map {
      BaselinePolicy(name: $0.name, rules: rules[$0.name] ?? BaselinePolicy.catalogue)
    }
  }
}
