import Foundation
import Testing
import TraceBuilding

/// Captures with /proc snapshots: the TLB row is known.
@Suite struct CaptureTests {
  /// The bundled captures, and the larger set beside the checkout where it is there.
  static let captures = Fixture.directories("captures").flatMap { directory in
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
    return names.sorted().map { directory.appending(path: $0).path }
      .filter { FileManager.default.fileExists(atPath: "\($0)/meta.json") }
  }

  /// T = C per CPU, up to one interrupt at the window's edge (Traces/README.md).
  @Test(arguments: captures)
  func derivedRowEqualsTheRecordedOne(_ path: String) throws {
    let row = try Tool.stat(path)["tlb_row"]
    #expect(row["derived"]["method"].text == "csd_function_entry")
    let recorded = try #require(row["recorded"]["per_cpu"].counts)
    let derived = try #require(row["derived"]["per_cpu"].counts)
    let residual = try #require(row["residual"]["per_cpu"].counts)
    #expect(recorded.count == derived.count)
    #expect(recorded.contains { $0 > 0 })
    for cpu in recorded.indices {
      #expect(residual[cpu] == recorded[cpu] - derived[cpu])
      #expect(abs(residual[cpu]) <= 1, "CPU \(cpu)")
    }
  }

  @Test(arguments: captures)
  func countsEqualTheStockTools(_ path: String) throws {
    let stat = try Tool.stat(path)
    let meta = try JSON(file: "\(path)/meta.json")
    func check(_ wanted: JSON, _ events: JSON, _ what: String) {
      for (name, count) in wanted.members {
        // Kernel text has another name for ftrace:print.
        let known = name == "tracing_mark_write" ? "print" : name
        let found = events.members.first { $0.key.split(separator: ":").last == Substring(known) }
        #expect(found?.value["total"] == count, "\(what) \(name)")
      }
    }
    check(meta["events"], stat["events"], "whole file")
    check(meta["events_in_window"], stat["window"]["events"], "window")
  }

  @Test func aRequestedWindowLimitsTheTables() throws {
    let path = Fixture.path("captures/tc-4cpu-churn-v6")
    let whole = try Tool.stat(path)
    let inside = try Tool.stat(path, ["--between", "TB_BEGIN,TB_END"])
    #expect(inside["events"] == whole["window"]["events"])
    #expect(inside["events"] != whole["events"])
    #expect(inside["window"]["requested"] == .bool(true))
    #expect(inside["tlb_row"] == whole["tlb_row"])
  }
}
