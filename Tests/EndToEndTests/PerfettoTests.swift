import Foundation
import Testing
import TraceBuilding

/// `report --perfetto`: the rules of the Trace Event Format, and the numbers of the report itself.
@Suite struct PerfettoTests {
  private struct Event: Decodable {
    var ph: String
    var pid: Int
    var tid: Int
    var name: String
    var ts: Double?
    var dur: Double?
    var s: String?
    var args: Arguments
  }

  /// The values that these tests look at; a value of another type is an error.
  private struct Arguments: Decodable {
    var interrupts: Int?
    var value: Int?
    var pages: Int?
    var cpus: String?
    var name: String?
    var task: String?
    var tid: Int?
  }

  private struct Document: Decodable {
    var displayTimeUnit: String
    var traceEvents: [Event]
  }

  private struct Export {
    var bytes: Data
    var events: [Event]
    var report: JSON
  }

  private func export(_ arguments: [String]) throws -> Export {
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: file) }
    let run = try Tool.run(["report", "--json", "--perfetto", file.path] + arguments)
    guard run.exitCode == 0 else { throw Tool.Failure(run: run) }
    let bytes = try Data(contentsOf: file)
    let document = try JSONDecoder().decode(Document.self, from: bytes)
    #expect(document.displayTimeUnit == "ns")
    return Export(bytes: bytes, events: document.traceEvents, report: try run.json())
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
      let track = "\(event.pid)/\(event.tid)"
      if event.ph == "M" {
        if event.name == "thread_name" { named.insert(track) }
        continue
      }
      let time = event.ts ?? .nan
      // Counters belong to a process, all else to its thread.
      let key = event.ph == "C" ? "\(event.pid)/\(event.name)" : track + event.ph
      if !(time >= last[key] ?? 0) { Issue.record("out of order: \(event)") }
      last[key] = time
      switch event.ph {
      case "X":
        let duration = event.dur ?? .nan
        if !(duration >= 0 && time >= (ends[track] ?? 0) - 0.0001) {
          Issue.record("overlaps: \(event)")
        }
        ends[track] = time + duration
        if !named.contains(track) { Issue.record("no name: \(event)") }
      case "i":
        if event.s != "t" || !named.contains(track) { Issue.record("\(event)") }
      case "C": if event.args.value == nil { Issue.record("\(event)") }
      default: Issue.record("phase \(event.ph)")
      }
    }
    #expect(!last.isEmpty && !ends.isEmpty)
  }

  /// What is drawn adds up to what is reported.
  @Test(arguments: captures.dropLast())
  func sumsAreThoseOfTheReport(_ arguments: [String]) throws {
    let export = try export(arguments)
    func sum(_ process: Int, _ phase: String, _ value: (Arguments) -> Int?) -> Int {
      export.events.filter {
        $0.pid == process && $0.ph == phase && $0.name != "frames pending"
      }.reduce(0) { $0 + (value($1.args) ?? 0) }
    }
    let policies = export.report["policies"].elements
    let recorded = try #require(policies[0]["tlb_row"]["total"].integer)
    #expect(sum(1, "X", \.interrupts) == recorded)
    #expect(sum(1, "C", \.value) == recorded)
    for (index, policy) in policies.enumerated().dropFirst() {
      let total = try #require(policy["tlb_row"]["total"].integer)
      #expect(recorded + sum(index + 1, "i", \.interrupts) == total)
      #expect(sum(index + 1, "C", \.value) == total)
      let own = export.events.filter { $0.pid == index + 1 }
      #expect(
        own.filter { $0.name.hasPrefix("flush: ") }.count
          == policy["ledger"]["forced_flushes"].integer)
      #expect(
        own.filter { $0.name == "put off" }.count == policy["ledger"]["deferred"].integer)
      let pending =
        own.filter { $0.name == "frames pending" }.compactMap(\.args.value).max() ?? 0
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
