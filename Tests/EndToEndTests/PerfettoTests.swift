import Foundation
import Testing
import TraceBuilding

/// `report --perfetto`: the rules of the Trace Event Format, and the numbers of the report itself.
@Suite struct PerfettoTests {
  private struct Export {
    var bytes: Data
    var events: [JSON]
    var report: JSON
  }

  private func export(_ arguments: [String]) throws -> Export {
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: file) }
    let run = try Tool.run(["report", "--json", "--perfetto", file.path] + arguments)
    guard run.exitCode == 0 else { throw Tool.Failure(run: run) }
    let bytes = try Data(contentsOf: file)
    let events = try JSON(parsing: String(decoding: bytes, as: UTF8.self))["traceEvents"].elements
    return Export(bytes: bytes, events: events, report: try run.json())
  }

  private func number(_ value: JSON) -> Double {
    switch value {
    case .integer(let whole): Double(whole)
    case .number(let number): number
    default: .nan
    }
  }

  static let captures = [
    ["--policy", "luf-v10", "--policy", "luf-v12", "luf-pairs/small-4/0.1"],
    ["--policy", "latr", "--policy", "luf-v11", "luf-pairs/burst-16/0.1"],
    ["captures/ft-4cpu-anon-move"],
  ]

  @Test(arguments: captures)
  func eventsFollowTheFormat(_ arguments: [String]) throws {
    let export = try export(arguments)
    var last: [String: Double] = [:]
    var ends: [String: Double] = [:]
    var named: Set<String> = []
    #expect(export.events.count > 100)
    for event in export.events {
      let phase = event["ph"].text ?? ""
      let process = try #require(event["pid"].integer)
      let thread = try #require(event["tid"].integer)
      let name = try #require(event["name"].text)
      let track = "\(process)/\(thread)"
      #expect(event.members["args"] != nil)
      if phase == "M" {
        if name == "thread_name" { named.insert(track) }
        continue
      }
      let time = number(event["ts"])
      #expect(time.isFinite)
      // Counters belong to a process, all else to its thread.
      let key = phase == "C" ? "\(process)/\(name)" : "\(track)\(phase)"
      #expect(time >= last[key] ?? 0, "\(event)")
      last[key] = time
      switch phase {
      case "X":
        let duration = number(event["dur"])
        #expect(duration >= 0 && time >= (ends[track] ?? 0) - 0.0001, "\(event)")
        ends[track] = time + duration
        #expect(named.contains(track))
      case "i": #expect(event["s"].text == "t" && named.contains(track))
      case "C": #expect(event["args"]["value"].integer != nil)
      default: Issue.record("phase \(phase)")
      }
    }
  }

  /// What is drawn adds up to what is reported.
  @Test(arguments: captures.dropLast())
  func sumsAreThoseOfTheReport(_ arguments: [String]) throws {
    let export = try export(arguments)
    func sum(_ process: Int, _ phase: String, _ name: String? = nil, _ key: String) -> Int {
      export.events.filter {
        $0["pid"].integer == process && $0["ph"].text == phase
          && (name == nil || $0["name"].text == name)
      }.reduce(0) { $0 + ($1["args"][key].integer ?? 0) }
    }
    let policies = export.report["policies"].elements
    let recorded = try #require(policies[0]["tlb_row"]["total"].integer)
    #expect(sum(1, "X", nil, "interrupts") == recorded)
    #expect(sum(1, "C", "shootdowns per ms", "value") == recorded)
    for (index, policy) in policies.enumerated().dropFirst() {
      let total = try #require(policy["tlb_row"]["total"].integer)
      #expect(recorded + sum(index + 1, "i", nil, "interrupts") == total)
      #expect(sum(index + 1, "C", "shootdowns per ms", "value") == total)
      let own = export.events.filter { $0["pid"].integer == index + 1 }
      #expect(
        own.filter { $0["name"].text?.hasPrefix("flush: ") == true }.count
          == policy["ledger"]["forced_flushes"].integer)
      #expect(
        own.filter { $0["name"].text == "put off" }.count == policy["ledger"]["deferred"].integer)
      let pending =
        own.filter { $0["name"].text == "frames pending" }
        .compactMap { $0["args"]["value"].integer }.max() ?? 0
      #expect(pending <= policy["pending_frames"]["max"].integer ?? 0)
    }
  }

  @Test func theSameInputGivesTheSameBytesAndReport() throws {
    let arguments = Self.captures[0]
    let (one, two) = (try export(arguments), try export(arguments))
    #expect(one.bytes == two.bytes && !one.bytes.isEmpty)
    #expect(try Tool.run(["report", "--json"] + arguments).json() == one.report)
  }

  @Test func filesThatCannotBeWrittenAreNamed() throws {
    let run = try Tool.run(["report", "--perfetto", "/nowhere/x.json", "luf-pairs/small-4/0.1"])
    #expect(run.exitCode == 3)
    #expect(run.errors.contains("/nowhere/x.json: cannot be written"))
    #expect(run.output.isEmpty)
  }

  /// A device that is full ends it, and is still there.
  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
  func aFullDeviceIsAnError() throws {
    let run = try Tool.run(["report", "--perfetto", "/dev/full", "luf-pairs/small-4/0.1"])
    #expect(run.exitCode == 3)
    #expect(FileManager.default.fileExists(atPath: "/dev/full"))
  }
}
