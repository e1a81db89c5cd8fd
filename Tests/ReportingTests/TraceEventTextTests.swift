import Foundation
import Replay
import Testing
import TraceEvents

@testable import Reporting

@Suite struct TraceEventTextTests {
  @Test func namesAreJSONStrings() throws {
    var text = TraceEventText()
    text.begin()
    let name = "a\"b\\c\nd\u{1}\u{1f}é\u{2028}"
    text.name(process: 1, name, order: 0)
    text.instant(0, process: 1, thread: 2, name, name, [(name, .text(name)), ("n", .number(.min))])
    text.end()
    struct Document: Decodable {
      struct Event: Decodable {
        var name: String
        var args: [String: JSONValue]
      }
      var traceEvents: [Event]
    }
    let document = try JSONDecoder().decode(Document.self, from: Data(text.take()))
    #expect(document.traceEvents.map(\.name) == ["process_name", "process_sort_index", name])
    #expect(document.traceEvents[0].args["name"] == .string(name))
    #expect(document.traceEvents[2].args[name] == .string(name))
    #expect(document.traceEvents[2].args["n"] == .integer(.min))
    #expect(text.take().isEmpty)
  }

  @Test(arguments: [
    (0, "0.000"), (7, "0.007"), (70, "0.070"), (999, "0.999"), (1000, "1.000"),
    (UInt64.max, "18446744073709551.615"),
  ])
  func timesAreExactMicroseconds(_ nanoseconds: UInt64, _ wanted: String) {
    var text = TraceEventText()
    text.counter(nanoseconds, process: 1, "c", 1)
    #expect(String(decoding: text.take(), as: UTF8.self).contains("\"ts\":\(wanted),"))
  }

  @Test func masksHaveTheKernelsListForm() {
    #expect(PerfettoExport.list(CPUMask()) == "")
    #expect(PerfettoExport.list(CPUMask([3])) == "3")
    #expect(PerfettoExport.list(CPUMask([0, 1, 2, 8, 63, 64, 65, 200])) == "0-2,8,63-65,200")
  }

  @Test func timesInTicksHaveNoTimeline() {
    #expect(PerfettoExport(SampleOutcome.trace(.ticks), policies: []) == nil)
    #expect(PerfettoExport(SampleOutcome.trace(), policies: []) != nil)
  }
}
