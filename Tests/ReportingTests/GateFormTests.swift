import Testing

@testable import Reporting

@Suite struct GateFormTests {
  private func failed(name: String = "small", file: String = "b.json") throws -> CaptureCheck {
    var check = SampleBaseline.check(
      try BaselineFile.baseline(BaselineFile.text(SampleBaseline.baseline())),
      [SampleBaseline.reading(4000)])
    check.name = name
    check.baselineFile = file
    return check
  }

  @Test func githubEscapesWhatItsCommandsAreMadeOf() throws {
    let check = try failed(name: "a,b:c%d\r\ne", file: "x,y:z%.json")
    let text = GitHubForm().render(CheckSummary([check]))
    #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count == 2)
    #expect(
      text.hasPrefix(
        "::error file=x%2Cy%3Az%25.json,line=28,title=tlbreplay%3A a%2Cb%3Ac%25d%0D%0Ae regressed::"
      ), "\(text)")
    #expect(text.contains("(+6.35%25, allowed 0)"))
    #expect(text.contains("%0ATo accept: "))
    #expect(!text.contains("\r"))
  }

  @Test func oneAnnotationACaptureAndNoneForWhatIsGood() throws {
    var checks = [
      SampleBaseline.check(try SampleBaseline.baseline(), [SampleBaseline.reading(3761)])
    ]
    #expect(GitHubForm().render(CheckSummary(checks)).isEmpty)
    checks += try (0..<30).map { try failed(name: "\($0)") }
    let lines = GitHubForm().render(CheckSummary(checks)).split(separator: "\n")
    #expect(lines.count == 30)
    #expect(lines.allSatisfy { $0.hasPrefix("::error file=b.json,line=28,") })
  }

  @Test func whatGotBetterIsANotice() throws {
    let workload = try SampleBaseline.baseline(.workload, [3700, 3701])
    let check = SampleBaseline.check(workload, [SampleBaseline.reading(10)])
    #expect(check.verdict == .moved)
    #expect(GitHubForm().render(CheckSummary([check])).hasPrefix("::notice file=b.json,"))
  }

  @Test func junitEscapesAndCounts() throws {
    let check = try failed(name: "<&\"'\u{1}\n>")
    let text = JUnitForm().render(CheckSummary([check]))
    #expect(
      text.contains(
        "<testsuite name=\"&lt;&amp;&quot;'\u{fffd}&#10;&gt;\" tests=\"3\" failures=\"1\""))
    #expect(text.contains("type=\"regression\">interrupts [derived]&#10;b.json:28&#10;To accept"))
    #expect(!text.contains(" time="))
  }

  @Test func ktapPlansItsTestsAndKeepsToItsLines() throws {
    var refused = CaptureCheck("x # SKIP\ny", inputs: ["x"], baselineFile: "b")
    refused.refusals = ["cannot be\nread"]
    let text = KTAPForm().render(CheckSummary([try failed(), refused]))
    #expect(
      text == """
        KTAP version 1
        1..2
          KTAP version 1
          # Subtest: small
          1..3
          ok 1 luf-v10.deferred
          ok 2 luf-v10.safety_violations
          # recorded.tlb_row was 3,761, is 4,000 (+6.35%, allowed 0)
          # interrupts
          not ok 3 recorded.tlb_row
        not ok 1 small
          KTAP version 1
          # Subtest: x _ SKIP y
          1..1
          # cannot be read
          not ok 1 baseline # ERROR cannot be read
        not ok 2 x _ SKIP y # ERROR not checked: cannot be read

        """)
  }
}
