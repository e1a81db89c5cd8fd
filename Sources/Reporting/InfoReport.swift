import Replay
import TraceEvents

/// `info`: what is in a trace, and which questions it can answer.
public enum InfoReport {
  /// The report on one input.
  public static func build(_ trace: TraceDescription) -> Report {
    let fitness = TraceFitness(
      trace.whole, facts: trace.facts, instance: trace.instanceFacts,
      statistics: trace.statistics)
    var report = Report(title: "tlbreplay info: \(trace.name)")
    report.sections = [TraceOverview.section(trace)]
    if let machine = machine(trace) { report.sections.append(machine) }
    report.sections += [buffers(trace), events(trace), questions(fitness)]
    if let notes = notes(trace) { report.sections.append(notes) }
    report.data = data(trace, fitness)
    return report
  }

  private static func machine(_ trace: TraceDescription) -> Report.Section? {
    var facts: [(name: String, value: String)] = []
    if let host = trace.facts.hostName { facts.append(("Host", host)) }
    if let architecture = trace.facts.architecture { facts.append(("Architecture", architecture)) }
    if let size = trace.facts.pageSize { facts.append(("Page size", "\(size) bytes")) }
    for node in trace.facts.nodes {
      let memory = node.memoryKiB.map { "\($0.grouped) KiB" } ?? "size not told"
      facts.append(("Node \(node.number)", "\(memory), CPUs \(node.cpuList ?? "not told")"))
    }
    if let command = trace.facts.commandLine { facts.append(("Recorded by", command)) }
    facts += trace.facts.remarks.map { ($0.name, $0.value) }
    return facts.isEmpty ? nil : Report.Section("Machine and recording", [.facts(facts)])
  }

  private static func buffers(_ trace: TraceDescription) -> Report.Section {
    let rows = trace.facts.instances.indices.map { index -> [String] in
      let facts = trace.facts.instances[index]
      let events =
        index < trace.survey.instances.count ? trace.survey.instances[index].eventTotal : 0
      return [
        facts.name.isEmpty ? "(top)" : facts.name, facts.clock ?? "not told", facts.timeUnit.label,
        events.grouped,
      ]
    }
    return Report.Section(
      "Buffers",
      [.table(Report.Table(columns: ["buffer", "clock", "times", "events"], rows: rows))])
  }

  private static func events(_ trace: TraceDescription) -> Report.Section {
    let survey = trace.filteredWhole
    let rows = trace.eventNames.indices.filter { survey.total($0) > 0 }
      .map { (trace.eventNames[$0].full, survey.total($0)) }
      .sorted { ($1.1, $0.0) < ($0.1, $1.0) }
      .map { [$0.0, $0.1.grouped] }
    return Report.Section(
      "Events [measured]", [.table(Report.Table(columns: ["event", "total"], rows: rows))])
  }

  private static func questions(_ fitness: TraceFitness) -> Report.Section {
    Report.Section(
      "What this trace can answer",
      fitness.answers.map { .facts([("\($0.verdict.rawValue)", "\($0.question): \($0.reason).")]) }
        + [
          .note(
            fitness.isFitForReplay
              ? "Fit for replay: yes."
              : "Fit for replay: no (\(fitness.obstacles.joined(separator: "; "))).")
        ])
  }

  private static func notes(_ trace: TraceDescription) -> Report.Section? {
    let notes = trace.statistics.findings.filter { $0.severity == .note }
    guard !notes.isEmpty else { return nil }
    return Report.Section("Notes", [.facts(notes.map { ("-", $0.line) })])
  }

  private static func data(_ trace: TraceDescription, _ fitness: TraceFitness) -> JSONValue {
    let nodes = trace.facts.nodes.map { node -> JSONValue in
      .object([
        "node": JSONValue(node.number),
        "memory_kib": node.memoryKiB.map { JSONValue($0) } ?? .null,
        "cpus": JSONValue(node.cpuList),
      ])
    }
    let instances = trace.facts.instances.indices.map { index -> JSONValue in
      let facts = trace.facts.instances[index]
      let events =
        index < trace.survey.instances.count ? trace.survey.instances[index].eventTotal : 0
      return .object([
        "name": .string(facts.name), "clock": JSONValue(facts.clock),
        "time": .string(facts.timeUnit.label), "events": JSONValue(events),
      ])
    }
    let answers = fitness.answers.map { answer -> JSONValue in
      .object([
        "question": .string(answer.question), "verdict": .string(answer.verdict.rawValue),
        "reason": .string(answer.reason),
      ])
    }
    var remarks: [String: JSONValue] = [:]
    for remark in trace.facts.remarks { remarks[remark.name] = .string(remark.value) }
    return .object([
      "schema": .string("tlbreplay.info/1"), "input": trace.inputData,
      "events": trace.eventsData(trace.filteredWhole), "buffers": .array(instances),
      "machine": .object([
        "host": JSONValue(trace.facts.hostName),
        "architecture": JSONValue(trace.facts.architecture),
        "page_size": trace.facts.pageSize.map { JSONValue($0) } ?? .null,
        "nodes": .array(nodes), "command_line": JSONValue(trace.facts.commandLine),
        "remarks": .object(remarks),
      ]),
      "questions": .array(answers), "fit_for_replay": .bool(fitness.isFitForReplay),
      "obstacles": .array(fitness.obstacles.map { .string($0) }), "window": trace.windowData,
    ])
  }
}
