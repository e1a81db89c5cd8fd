import Foundation
import Replay
import Statistics
import Testing

@testable import Reporting

@Suite struct ComparisonStyleTests {
  static let traces = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Traces")

  private func sample(_ values: [Double]) throws -> Sample { try #require(Sample(values)) }

  /// Text of perf 6.1.192: `perf stat -r 3 -e context-switches,page-faults sleep 0.05`, and without
  /// `-r`. perf does not tell the single values: these are the ones that its figures allow.
  @Test func perfStatBlocksAreThoseOfPerf() throws {
    let repeated = PerfStatStyle.block(
      "sleep 0.05",
      [
        ("context-switches", try sample([1, 1, 2])), ("page-faults", try sample([75, 75, 76])),
      ], elapsed: (try sample([0.051838 - 0.000315, 0.051838, 0.051838 + 0.000315]), 1))
    #expect(
      repeated == """

         Performance counter stats for 'sleep 0.05' (3 runs):

                         1      context-switches                                                     ( +- 33.33% )
                        75      page-faults                                                          ( +-  0.44% )

                  0.051838 +- 0.000182 seconds time elapsed  ( +-  0.35% )


        """)
    let single = PerfStatStyle.block(
      "system wide", [("page-faults", try sample([82]))],
      elapsed: (try sample([0.051812477]), 1))
    let blanks = String(repeating: " ", count: 56)
    #expect(
      single == """

         Performance counter stats for 'system wide':

                        82      page-faults\(blanks)

               0.051812477 seconds time elapsed


        """)
  }

  /// Header and TLB row of the kernel's own /proc/interrupts, byte for byte.
  @Test(arguments: [
    "captures/ft-4cpu-churn", "captures/ft-8cpu-churn", "luf-pairs/burst-16/0.1",
    "luf-pairs/small-4/0.1",
  ])
  func interruptBlocksAreThoseOfTheKernel(_ capture: String) throws {
    let text = try String(
      contentsOf: Self.traces.appending(path: "\(capture)/interrupts.after"), encoding: .utf8)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let row = try #require(lines.first { $0.contains("TLB shootdowns") })
    let words = row.split(separator: " ")
    let counts = words.dropFirst().prefix { $0.allSatisfy(\.isNumber) }.compactMap { UInt64($0) }
    var comparison = RunComparison(names: ("before", "after"), inputs: ([""], [""]))
    comparison.rows = (counts, counts)
    comparison.labelWidth = try #require(row.firstIndex(of: ":")).utf16Offset(in: row)
    let printed = try PerfStatStyle.render(comparison).split(
      separator: "\n", omittingEmptySubsequences: false)
    #expect(printed.contains(Substring(lines[0])), "\(lines[0])")
    #expect(printed.contains(Substring(row)), "\(row)")
  }

  private func measure(_ name: String, _ before: [Double], _ after: [Double]) throws
    -> ComparedMeasure
  {
    try #require(
      ComparedMeasure(
        name, unit: "", grade: .measured, before: before.map { [$0] }, after: after.map { [$0] },
        search: false))
  }

  /// Rows by hand from the rules of lkp-tests `lib/compare.rb`.
  @Test func rowsOfTheTestRobot() throws {
    let cases: [([Double], [Double], String)] = [
      ([10], [5], "     10.00           -50.0%       5.00        tlbreplay.m"),
      (
        [90_000, 110_000], [200_000, 200_001],
        "    100000 ± 14%    +100.0%     200000        tlbreplay.m"
      ),
      ([0], [3], "      0.00         +3e+102%       3.00        tlbreplay.m"),
      ([2e9], [1e9], "     2e+09           -50.0%      1e+09        tlbreplay.m"),
    ]
    for (before, after, line) in cases {
      #expect(LKPStyle.row(try measure("m", before, after)) == line)
    }
    #expect(LKPStyle.key("tlb_row") == "interrupts.TLB:TLB_shootdowns")
  }

  @Test func runNamesBreakBehindReleaseCandidates() {
    #expect(MmtestsStyle.split("5.3-vanilla") == ("5.3", "vanilla"))
    #expect(MmtestsStyle.split("5.3-rc1-vanilla-2") == ("5.3-rc1", "vanilla-2"))
    #expect(MmtestsStyle.split("before") == ("before", ""))
  }

  /// The table that ministat has, from our own quantiles; figures of any printed t table.
  @Test func studentsTableHasThreeDecimals() {
    let table = [1: 12.706, 2: 4.303, 5: 2.571, 18: 2.101, 58: 2.002, 100: 1.984, 101: 1.960]
    for (degrees, t) in table { #expect(MinistatStyle.quantile(degrees: degrees) == t) }
  }

  @Test func stylesAreInTheirOrder() {
    let names = ComparisonStyles.all.map { $0.name }
    #expect(names == names.sorted())
    #expect(Set(names) == ["benchstat", "lkp", "ministat", "mmtests", "perf-stat"])
  }

  @Test func nothingToShowIsAnError() {
    let empty = RunComparison(names: ("before", "after"), inputs: ([], []))
    #expect(throws: StyleError.self) { try MinistatStyle.render(empty) }
    #expect(throws: StyleError.self) { try PerfStatStyle.render(empty) }
  }
}
