import TraceEvents

/// What is known of the machine and the system that a run was captured on, as far as a trace, the
/// snapshots beside it or a file of runs tell.
struct RunEnvironment: Sendable, Equatable {
  /// One line of a cover letter.
  struct Fact: Sendable, Equatable {
    var name: String
    var value: String
  }

  /// In the order of the letter.
  var facts: [Fact] = []

  init() {}

  /// What the trace and the snapshots beside it tell.
  init(_ trace: TraceDescription) {
    let facts = trace.facts
    func remark(_ name: String) -> String? { facts.remarks.first { $0.name == name }?.value }
    add("Machine", [facts.architecture, remark("cpu")])
    add("Kernel", [facts.kernelRelease])
    if trace.cpus > 0 { add("CPU", [trace.cpus == 1 ? "1 CPU" : "\(trace.cpus) CPUs"]) }
    let nodes = Self.nodes(trace)
    if !nodes.isEmpty {
      add(
        "Numa",
        ["\(nodes.count) \(nodes.count == 1 ? "node" : "nodes") (\(nodes.joined(separator: ", ")))"]
      )
    }
    add("Config", ["not told by the trace"])
  }

  mutating func add(_ name: String, _ values: [String?]) {
    let known = values.compactMap(\.self).filter { !$0.isEmpty }
    guard !known.isEmpty else { return }
    facts.append(Fact(name: name, value: known.joined(separator: ", ")))
  }

  /// `node 0 CPUs 0-3 275 MiB`, by what the trace says of nodes, else by /proc/zoneinfo.
  private static func nodes(_ trace: TraceDescription) -> [String] {
    if !trace.facts.nodes.isEmpty {
      return trace.facts.nodes.map { node in
        let cpus = node.cpuList.map { $0.isEmpty ? " no CPUs" : " CPUs \($0)" } ?? ""
        let memory = node.memoryKiB.map { " " + mebibytes($0 / 1024) } ?? ""
        return "node \(node.number)\(cpus)\(memory)"
      }
    }
    guard let zones = trace.memory.before?.zones else { return [] }
    let numbers = Set(zones.map(\.node)).sorted()
    // x86-64's base page where the trace does not tell.
    let size = UInt64(clamping: trace.facts.pageSize ?? 4096)
    return numbers.map { number in
      let pages = zones.filter { $0.node == number }.reduce(UInt64(0)) {
        let (sum, overflow) = $0.addingReportingOverflow($1.managed)
        return overflow ? .max : sum
      }
      let bytes = pages.multipliedReportingOverflow(by: size)
      return "node \(number) " + mebibytes((bytes.overflow ? .max : bytes.partialValue) >> 20)
    }
  }

  private static func mebibytes(_ count: UInt64) -> String {
    count >= 16_384 ? "\((count + 512) / 1024) GiB" : "\(count) MiB"
  }

  /// The facts of both sides: once where they agree, else with the side that each holds for.
  static func merged(_ before: [RunEnvironment], _ after: [RunEnvironment]) -> [Fact] {
    var names: [String] = []
    for fact in (before + after).flatMap(\.facts) where !names.contains(fact.name) {
      names.append(fact.name)
    }
    return names.map { name in
      let sides = [before, after].map { side -> [String] in
        var values: [String] = []
        for run in side {
          let value = run.facts.first { $0.name == name }?.value ?? "not told"
          if !values.contains(value) { values.append(value) }
        }
        return values
      }
      guard sides[0] != sides[1], !sides[0].isEmpty, !sides[1].isEmpty else {
        return Fact(name: name, value: (sides[0] + sides[1]).first ?? "")
      }
      return Fact(
        name: name,
        value: "\(sides[0].joined(separator: " or ")) (before), "
          + "\(sides[1].joined(separator: " or ")) (after)")
    }
  }
}
