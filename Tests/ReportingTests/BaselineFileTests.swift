import Foundation
import Testing

@testable import Reporting

@Suite struct BaselineFileTests {
  /// The document is the contract with those who edit it and review its changes.
  @Test func itIsSortedWithOneMetricALine() throws {
    let text = BaselineFile.text(try SampleBaseline.baseline())
    #expect(
      text == """
        {
          "compares": "trace",
          "confidence": 0.99,
          "schema": "tlbreplay.baseline/1",
          "settings": {
            "between": null,
            "flush_duration_ns": null,
            "instance": null,
            "policies": {
              "luf-v10": "catalogue"
            }
          },
          "tool": "0.1.0",
          "traces": {
            "small": {
              "digests": ["xxh64:0000000000000001"],
              "environment": {
                "cpus": "4",
                "format": "trace.dat/7",
                "kernel": "6.12.117",
                "lost_events": "none recorded",
                "marks": "none",
                "row": "exact"
              },
              "metrics": {
                "luf-v10.deferred": {"direction": "any", "grade": "modelled", "reason": "batches put off", "tolerance": "0", "value": 100},
                "luf-v10.safety_violations": {"direction": "any", "grade": "modelled", "reason": "violations", "tolerance": "0", "value": 0},
                "recorded.tlb_row": {"direction": "any", "grade": "derived", "reason": "interrupts", "tolerance": "0", "value": 3761}
              }
            }
          }
        }

        """)
  }

  @Test(arguments: [Baseline.Subject.trace, .workload])
  func whatIsWrittenIsRead(_ subject: Baseline.Subject) throws {
    var baseline = try SampleBaseline.baseline(
      subject, [3761, 3800, 3701.5], name: "a \"b\"\\\n\u{7f}é")
    baseline.settings.between = "A,B"
    baseline.settings.flushDuration = 4000
    baseline.settings.policies.append(
      BaselinePolicy(name: "mine", rules: "xxh64:00000000000000ff"))
    let text = BaselineFile.text(baseline)
    let again = try BaselineFile.baseline(text)
    #expect(BaselineFile.text(again) == text)
    #expect(again.entries[0].name == baseline.entries[0].name)
    #expect(again.settings == baseline.settings)
    #expect(
      again.entries[0]["recorded.tlb_row"]?.deviation
        == baseline.entries[0]["recorded.tlb_row"]?.deviation)
  }

  static let damage: [(String, String, Int, String)] = [
    ("baseline/1", "baseline/2", 4, "does not guess"),
    ("tlbreplay.baseline/1", "tlbreplay.stat/1", 4, "is no baseline"),
    ("\"trace\"", "\"both\"", 2, "\"trace\" or \"workload\""),
    ("0.99", "1.5", 3, "between 0 and 1"),
    ("\"confidence\": 0.99,", "\"confidence\": 0.99", 4, "expected , or }"),
    ("\"value\": 3761}", "\"value\": \"3761\"}", 28, "\"value\": expected a number"),
    ("\"value\": 3761}", "\"value\": 3,761}", 28, "expected a name in quotes"),
    ("\"value\": 3761}", "\"vlaue\": 3761}", 28, "unknown key \"vlaue\""),
    (
      "\"tolerance\": \"0\", \"value\": 3761", "\"tolerance\": \"five\", \"value\": 3761", 28,
      "\"5%\""
    ),
    ("\"tolerance\": \"0\", \"value\": 3761", "\"tolerance\": 0, \"value\": 3761", 28, "a text"),
    (
      "\"direction\": \"any\", \"grade\": \"derived\"",
      "\"direction\": \"up\", \"grade\": \"derived\"", 28, "what is worse"
    ),
    ("\"recorded.tlb_row\"", "\"luf-v10.deferred\"", 28, "stands here twice"),
    ("\"cpus\": \"4\"", "\"cpus\": 4", 18, "a fact is a text"),
    ("\"policies\": {", "\"polices\": {", 9, "unknown key \"polices\""),
    ("null,\n    \"inst", "\"long\",\n    \"inst", 7, "nanoseconds"),
    ("{\n  \"compares\"", "[{\n  \"compares\"", 33, "in a list"),
  ]

  @Test(arguments: damage)
  func whatAHandBrokeIsNamedWithItsLine(
    _ found: String, _ replacement: String, _ line: Int, _ words: String
  ) throws {
    let text = BaselineFile.text(try SampleBaseline.baseline())
    let place = try #require(text.range(of: found))
    let broken = text.replacingCharacters(in: place, with: replacement)
    let error = #expect(throws: BaselineError.self) { try BaselineFile.baseline(broken) }
    #expect(error?.message.contains(words) == true, "\(String(describing: error))")
    #expect(error?.line == line, "\(String(describing: error))")
  }

  /// Any prefix, and any single wrong byte: an error or a baseline, never a crash.
  @Test func noDamageBringsItDown() throws {
    let bytes = Array(BaselineFile.text(try SampleBaseline.baseline()).utf8)
    for length in 0..<bytes.count - 1 {
      #expect(throws: BaselineError.self) {
        try BaselineFile.baseline(String(decoding: bytes[..<length], as: UTF8.self))
      }
    }
    var state: UInt64 = 7
    for _ in 0..<2000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      var wrong = bytes
      wrong[Int(state >> 33) % bytes.count] = UInt8(truncatingIfNeeded: state >> 20)
      _ = try? BaselineFile.baseline(String(decoding: wrong, as: UTF8.self))
    }
    let deep = String(repeating: "[", count: 100_000)
    #expect(throws: BaselineError.self) { try BaselineFile.baseline(deep) }
  }

  @Test(arguments: ["0", "10", "2.5", "5%", "spread", "any", "spread or 2% or 10", "0.001%"])
  func tolerancesKeepTheirText(_ text: String) {
    #expect(MetricTolerance(text)?.text == text)
  }

  @Test(arguments: [
    "", "-1", "5 %", "or", "5% or", "5% 10", "nan", "any or 5%", "1 or 2", "+3", "1e999",
  ])
  func othersAreRefused(_ text: String) { #expect(MetricTolerance(text) == nil) }

  @Test func makingItAnewKeepsWhatItsOwnerWrote() throws {
    var old = try SampleBaseline.baseline()
    let row = try #require(old.entries[0].metrics.firstIndex { $0.name == "recorded.tlb_row" })
    old.entries[0].metrics[row].tolerance = MetricTolerance(percent: 5)
    old.entries[0].metrics[row].direction = .more
    old.entries[0].metrics[row].reason = "our latency goal"
    let new = try BaselineEntry(
      "small", .trace, [SampleBaseline.reading(4000)], keeping: old.entries[0])
    let metric = try #require(new["recorded.tlb_row"])
    #expect(metric.value == 4000)
    #expect(metric.tolerance.text == "5%" && metric.direction == .more)
    #expect(metric.reason == "our latency goal")
  }

  /// One run says nothing of scatter, so that of the repetitions before it stays.
  @Test func oneRunDoesNotForgetTheScatter() throws {
    let old = try SampleBaseline.baseline(.workload, [90, 100, 110])
    let new = try BaselineEntry(
      "small", .workload, [SampleBaseline.reading(200)], keeping: old.entries[0])
    let metric = try #require(new["recorded.tlb_row"])
    #expect(metric.value == 200 && metric.runs == 3 && metric.deviation == 10)
  }

  @Test func runsOfDifferentMachinesAreNoRepetitions() throws {
    #expect(throws: BaselineError.self) {
      try BaselineEntry(
        "small", .workload,
        [SampleBaseline.reading(1), SampleBaseline.reading(2, ["kernel": "6.18"])], keeping: nil)
    }
  }
}
