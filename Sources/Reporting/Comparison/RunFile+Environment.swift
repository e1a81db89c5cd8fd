/// What a file of runs says of the machine and of what was run, for a cover letter.
extension RunFile {
  /// The facts of `machine`; members of other names are not known and left out.
  static func environment(_ value: JSONValue?) -> [RunEnvironment.Fact] {
    guard case .object(let members)? = value else { return [] }
    var environment = RunEnvironment()
    environment.add("Machine", [text(members["architecture"]), text(members["cpu_model"])])
    environment.add("Kernel", [text(members["kernel"])])
    environment.add("CPU", [text(members["logical_cpus"]).map { "\($0) CPUs" }])
    environment.add("Numa", [nodes(members["nodes"])])
    let switches: [(key: String, name: String)] = [
      ("swap", "swap"), ("numa_balancing", "numa balancing"), ("demotion", "demotion"),
    ]
    environment.add(
      "Config", switches.map { key, name in text(members[key]).map { "\(name) \($0)" } })
    return environment.facts
  }

  /// `2 nodes (64 CPUs DRAM 42GB, no CPUs CXL 98GB)`.
  private static func nodes(_ value: JSONValue?) -> String? {
    guard case .array(let elements)? = value, !elements.isEmpty else { return nil }
    let nodes = elements.map { element -> String in
      guard case .object(let members) = element else { return "?" }
      var words: [String] = []
      switch members["cpus"] {
      case .integer(0)?: words.append("no CPUs")
      case .integer(let count)?: words.append("\(count) CPUs")
      default: break
      }
      if let kind = text(members["kind"]) { words.append(kind) }
      if let size = text(members["size_GB"]) { words.append("\(size)GB") }
      return words.joined(separator: " ")
    }
    return
      "\(nodes.count) \(nodes.count == 1 ? "node" : "nodes") (\(nodes.joined(separator: ", ")))"
  }

  /// The members of `workload` in the order that a reader wants, others behind them.
  static func testSet(_ value: JSONValue?) -> [String] {
    guard case .object(let members)? = value else { return [] }
    let first = ["program", "instances", "repetitions"].filter { members[$0] != nil }
    let others = members.keys.filter { !first.contains($0) }.sorted()
    let words = (first + others).compactMap { key in
      text(members[key]).map { value in
        key == "program" ? value : "\(key.split(separator: "_").joined(separator: " ")) \(value)"
      }
    }
    return words.isEmpty ? [] : [words.joined(separator: ", ")]
  }

  private static func text(_ value: JSONValue?) -> String? {
    switch value {
    case .string(let text)?: text
    case .integer(let number)?: "\(number)"
    case .number(let number)?: "\(number)"
    case .bool(let flag)?: flag ? "on" : "off"
    default: nil
    }
  }
}
