import Foundation
import Statistics
import Testing
import TraceEvents

@testable import Reporting

@Suite struct CoverLetterTests {
  private func lines(_ letter: CoverLetter) -> [String] {
    var report = Report(title: "t")
    report.coverLetter = letter
    return CoverLetterRenderer().render(report).split(
      separator: "\n", omittingEmptySubsequences: false
    ).map(String.init)
  }

  private func letter(_ content: CoverLetter.Content) -> CoverLetter {
    var letter = CoverLetter()
    let side = CoverLetter.Side(content: content)
    letter.blocks = [CoverLetter.Block(title: "b", before: side, after: side)]
    return letter
  }

  @Test func claimsSayWhatChangedAndHowSure() {
    #expect(
      CoverLetter.claim("x are", -95.4504) == "x are reduced about 95% (-95.45%).")
    #expect(
      CoverLetter.claim("x is", 12.5, ["n = 2+2"]) == "x is increased about 13% (+12.50%; n = 2+2)."
    )
    #expect(CoverLetter.claim("x is", -0.2) == "x is about the same (-0.20%).")
    #expect(CoverLetter.claim("x is", nil) == nil)
    #expect(CoverLetter.claim("x is", .infinity) == nil)
  }

  /// Row of a real /proc/interrupts, byte for byte behind the margin, where it fits.
  @Test(arguments: ["captures/ft-4cpu-churn", "luf-pairs/burst-16/0.1", "luf-pairs/small-4/0.1"])
  func rowsThatFitAreTheKernels(_ capture: String) throws {
    for end in ["before", "after"] {
      let text = try String(
        contentsOf: ComparisonStyleTests.traces.appending(path: "\(capture)/interrupts.\(end)"),
        encoding: .utf8)
      let row = try #require(
        text.split(separator: "\n").map(String.init).first { $0.contains("TLB shootdowns") })
      let counts = row.split(separator: " ").dropFirst().compactMap { UInt64($0) }
      let width = try #require(row.firstIndex(of: ":")).utf16Offset(in: row)
      let printed = lines(letter(.row(counts, labelWidth: width)))
      if 3 + row.count <= CoverLetterRenderer.width {
        #expect(printed.filter { $0 == "   " + row }.count == 2, "\(row)")
      } else {
        #expect(printed.contains("   TLB:"))
        let cells = printed.joined(separator: " ").split(separator: " ").compactMap { UInt64($0) }
        #expect(cells == counts + counts)
      }
    }
  }

  /// As the LUF v10 letter has them: six CPUs to a line, counts in ten columns, the text behind.
  @Test func longRowsAreWrappedAsTheLetterWrapsThem() {
    let counts = (0..<64).map { UInt64(190_000_000 + $0) }
    let printed = lines(letter(.row(counts, labelWidth: 4)))
    let start = printed.firstIndex(of: "   TLB:") ?? 0
    #expect(
      printed[start + 1]
        == "   190000000  190000001  190000002  190000003  190000004  190000005")
    #expect(
      printed[start + 11] == "   190000060  190000061  190000062  190000063  TLB shootdowns")
    #expect(printed[start + 12] == "")
    let small = lines(letter(.row(counts.map { $0 / 100 }, labelWidth: 4)))
    #expect(small[start + 1].hasPrefix("     1900000    1900000 "))
  }

  @Test(arguments: [1, 4, 5, 6, 7, 12, 64, 255])
  func everyRowFits(_ cpus: Int) {
    let counts = (0..<cpus).map { _ in UInt64(9_999_999_999) }
    for line in lines(letter(.row(counts, labelWidth: 5))) {
      #expect(line.count <= CoverLetterRenderer.width, "\(line)")
    }
  }

  /// The columns of perf's line, up to where metrics would stand.
  @Test func countsStandAsPerfPrintsThem() throws {
    let printed = lines(letter(.counters([("tlb:tlb_flush", 1_357_543_886)])))
    let line = try #require(printed.first { $0.contains("tlb_flush") })
    #expect(line == "           1357543886      tlb:tlb_flush")
    let perf = PerfStatStyle.line("tlb:tlb_flush", try #require(.init([1_357_543_886])))
    #expect(perf.hasPrefix(line.dropFirst(3)))
    #expect(perf.dropFirst(line.count - 3).allSatisfy { $0 == " " })
  }

  @Test func factsOfTheSidesAreSetApartWhereTheyDiffer() {
    var (one, two) = (RunEnvironment(), RunEnvironment())
    one.add("Kernel", ["6.12"])
    one.add("CPU", ["4 CPUs"])
    two.add("Kernel", ["6.12-luf"])
    two.add("CPU", ["4 CPUs"])
    two.add("Numa", [nil, ""])
    let merged = RunEnvironment.merged([one, one], [two])
    #expect(merged.map(\.value) == ["6.12 (before), 6.12-luf (after)", "4 CPUs"])
    let partly = RunEnvironment.merged([one], [RunEnvironment()])
    #expect(partly[0].value == "6.12 (before), not told (after)")
  }

  @Test func reportsWithoutALetterSaySo() {
    let renderer = CoverLetterRenderer()
    #expect(renderer.obstacle(to: Report(title: "t"))?.contains("no cover letter form") == true)
    #expect(renderer.render(Report(title: "t")).isEmpty)
    for other in ReportRenderers.all where other.name != "cover" {
      #expect(other.obstacle(to: Report(title: "t")) == nil)
    }
  }

  @Test func aPolicyThatCannotBeReplayedHasNoLetter() {
    let outcome = SampleOutcome.outcome([])
    let report = ReplayReport.build(SampleOutcome.trace(), outcome, showsBounds: false)
    #expect(report.coverLetter == nil)
    let shown = SampleOutcome.outcome([SampleOutcome.policy("p", nil)])
    let letter = ReplayReport.build(SampleOutcome.trace(), shown, showsBounds: false).coverLetter
    #expect(letter?.claims.first?.contains("(-90.00%; modelled: p; 300 to 30;") == true)
  }
}
