import Testing
import TraceEvents

@testable import Replay
@testable import Reporting

@Suite struct ReplayReportTests {
  private func lines(of section: String, in text: String) -> [String] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard let start = lines.firstIndex(where: { $0.hasPrefix(section) }) else { return [] }
    let rest = lines[(start + 2)...]
    let end = rest.indices.first { $0 + 1 < rest.endIndex && rest[$0 + 1].hasPrefix("---") }
    return Array(rest[..<(end ?? rest.endIndex)])
  }

  /// The last row is the sum of those above it, which the engine has checked.
  @Test func theLedgerIsAnAccount() throws {
    let text = SampleOutcome.text([SampleOutcome.policy("luf-v10", nil)])
    let rows = lines(of: "Deferred flushes under luf-v10 [modelled]", in: text)
    let table = rows.dropFirst().prefix { !$0.isEmpty }
    let batches = table.compactMap { row in
      row.drop { !$0.isNumber }.split(separator: " ").first.flatMap {
        Int($0.replacing(",", with: ""))
      }
    }
    // Unmaps that the recorded run did not flush, and recycled frames, only where there are some.
    #expect(batches.count == DeferralFate.allCases.count - 2 + 2)
    #expect(batches.dropLast().reduce(0, +) == batches.last)
    #expect(batches.last == 1_660)
  }

  @Test func agesBurstsPayersAndPendingFramesAreShown() {
    let text = SampleOutcome.text([SampleOutcome.policy("luf-v10", nil)])
    let joined = text.split(whereSeparator: { $0 == " " || $0 == "\n" }).joined(separator: " ")
    for wanted in [
      "age p50 805 ns, p90 11.5 us, p99 4.7 ms (up to 12.5 % more), longest 1,048.6 ms, of 1,650",
      "bursts at most 5 flushes in 1 ms; spans with 1: 20, 2 to 3: 6, 4 to 7: 2",
      "paid by user threads 1 flush, 3 interrupts; kswapd 41 flushes, 1,200 interrupts",
      "pending at most 90 frames free with a flush owed, 41 on average",
      "frames pending, the most in each 1 ms from 250.885137284 s on",
      "refused 39 batches flushed at once", "silent 3 flushes done without interrupts",
    ] {
      #expect(joined.contains(wanted), "\(wanted)")
    }
    #expect(text.contains("\n         _.+@\n"))
  }

  @Test func everyRuleHasItsLine() {
    let text = SampleOutcome.text([
      SampleOutcome.policy("luf-v10-as-posted", SampleOutcome.safety())
    ])
    let rows = lines(of: "Safety of luf-v10-as-posted [modelled]", in: text)
    let joined = rows.joined(separator: " ").split(separator: " ").joined(separator: " ")
    #expect(
      joined.contains(
        "I1 violated 3,410 times, first at event 29,153, time 196.544813366 s, CPU 2, pfn 0xd9c0"))
    #expect(joined.contains("I9 holds (8,802 checked)"))
    #expect(!joined.contains("0 of 9,224 interrupts"))
    let detailed = SampleOutcome.text(
      [SampleOutcome.policy("luf-v10-as-posted", SampleOutcome.safety())], showsBounds: true)
    let all = detailed.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(all.contains("0 of 9,224 interrupts"))
    #expect(all.contains("I4 not observable: record syscalls:sys_enter_munmap"))
    #expect(!all.contains("Not observable here"))
    let empty = RuleVerdict(
      rule: .staleFrame, kind: .holds, checked: 0, violations: 0, first: nil, detail: "")
    #expect(
      ReplayReport.verdict(empty, SampleOutcome.unit, isDetailed: false)
        .hasPrefix("holds (nothing to check)"))
    #expect(joined.contains("Not observable here: I4."))
    #expect(!joined.contains("nothing to check"))
  }

  @Test func forbiddenViolationsNamePolicyRuleAndEvent() throws {
    let trace = SampleOutcome.trace()
    var kept = SampleOutcome.safety()
    kept.violations = 0
    let good = SampleOutcome.policy("luf-v10", kept)
    let bad = SampleOutcome.policy("luf-v10-as-posted", SampleOutcome.safety())
    #expect(ReplayReport.violation(trace, SampleOutcome.outcome([good])) == nil)
    let message = try #require(
      ReplayReport.violation(trace, SampleOutcome.outcome([good, bad])))
    for part in ["luf-v10-as-posted", "I1", "event 29,153", "3,410"] {
      #expect(message.contains(part), "\(message)")
    }
    #expect(ReplayReport.uncheckedPolicy(SampleOutcome.outcome([good, bad])) == nil)
    let unchecked = SampleOutcome.outcome([good, SampleOutcome.policy("latr", nil)])
    #expect(ReplayReport.uncheckedPolicy(unchecked)?.contains("latr") == true)
  }

  /// Fifteen policies, one with the longest name and counts as large as those of a long run.
  @Test func manyPoliciesFitATerminal() {
    let policies = (0..<15).map { index in
      SampleOutcome.policy(
        "policy-" + String(repeating: "x", count: index - 2 > 0 ? index - 2 : 0) + "\(index)",
        SampleOutcome.safety())
    }
    #expect(policies.map(\.name.count).max() ?? 0 >= 20)
    let text = SampleOutcome.text(policies, showsBounds: true)
    for line in text.split(separator: "\n") where !line.hasPrefix("TLB:") {
      #expect(line.count <= 80, "\(line)")
    }
    let totals = lines(of: "Totals of the TLB row", in: text)
    let reasons = lines(of: "tlb_flush events by reason", in: text)
    for policy in policies {
      #expect(totals.contains { $0.hasPrefix(policy.name + " ") })
      #expect(reasons.filter { $0.hasPrefix(policy.name + " ") }.count == 1)
    }
    // What all share is said once.
    #expect(text.ranges(of: "open loop").count == 1)
  }

  @Test func aTraceInTicksHasNoMilliseconds() {
    let unit = TimeUnit.ticks
    #expect(unit.duration(1_234_567) == "1,234,567 ticks")
    #expect(unit.moment(5) == "5 ticks")
    #expect(SampleOutcome.unit.duration(999) == "999 ns")
    #expect(SampleOutcome.unit.duration(1_000) == "1 us")
    #expect(SampleOutcome.unit.duration(999_950) == "1,000 us")
    #expect(SampleOutcome.unit.duration(.max) == "18,446,744,073,709.6 ms")
    #expect(SampleOutcome.unit.moment(196_544_813_366) == "196.544813366 s")
  }

  /// Counts of six digits and the longest name beside each other in one table.
  @Test func totalsOfSixDigitsFitInOneTable() {
    let row = SampleOutcome.policy(String(repeating: "x", count: 20), SampleOutcome.safety())
    let text = SampleOutcome.text([SampleOutcome.widened(row)])
    let totals = lines(of: "Totals of the TLB row", in: text)
    #expect(totals.first?.hasSuffix("bounds  unsafe") == true)
    #expect(totals.contains { $0.contains("200,000-999,999  100,000-999,999   3,410") })
    #expect(totals.allSatisfy { $0.count <= 80 })
  }

  @Test func rangesSayOneCountOnce() {
    #expect(ReplayReport.range(761, 1_053) == "761-1,053")
    #expect(ReplayReport.range(3_761, 3_761) == "3,761")
    #expect(ReplayReport.range(3_761, nil) == "3,761 or more")
    #expect(ReplayReport.range(nil, nil) == "-")
  }

  @Test func changesAreRoundedAndSigned() {
    #expect(ReplayReport.change(55_009, 3_761) == "+1363")
    #expect(ReplayReport.change(3_999, 400) == "+899.75")
    #expect(ReplayReport.change(569_270_346, 12_512_508_160) == "-95.45")
    #expect(ReplayReport.change(3, 2) == "+50.00")
    #expect(ReplayReport.change(2, 2) == "+0.00")
    #expect(ReplayReport.change(2, 0) == "-")
  }
}
