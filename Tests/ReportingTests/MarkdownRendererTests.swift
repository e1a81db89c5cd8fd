import Testing

@testable import Reporting

@Suite struct MarkdownRendererTests {
  private func markdown(_ blocks: [Report.Block], title: String = "t") -> String {
    var report = Report(title: title)
    report.sections = [Report.Section("h", blocks)]
    return MarkdownRenderer().render(report)
  }

  @Test func whatATraceSaysIsNoMarkup() {
    let hostile = "a|b <img src=x> _c_ *d* `e` ~f~ $g$ &lt; \\ [x](http://y) ![z][q] > h"
    let escaped = MarkdownRenderer.escape(hostile)
    #expect(
      escaped
        == #"a\|b \<img src=x\> \_c\_ \*d\* \`e\` \~f\~ \$g\$ \&lt; \\ [x]\(http://y) ![z]\[q] \> h"#
    )
    // Taken away again, it is what it was.
    var plain = ""
    var isEscaped = false
    for character in escaped {
      if character == "\\", !isEscaped {
        isEscaped = true
      } else {
        plain.append(character)
        isEscaped = false
      }
    }
    #expect(plain == hostile)
  }

  @Test(arguments: ["# h", "- i", "+ i", "1. i", "23) i", "= x"])
  func paragraphsBeginNothing(_ text: String) {
    let paragraph = MarkdownRenderer.paragraph(text)
    #expect(paragraph.contains("\\"))
    #expect(paragraph.replacing("\\", with: "") == text)
  }

  @Test func lineEndsInNamesEndNoLine() {
    let lines = markdown(
      [.note("a\n# b\r\n\u{2028}c\u{85}d"), .facts([("x\ny", "z\n- w")])], title: "t\n# u"
    ).split(separator: "\n")
    #expect(lines.filter { $0.hasPrefix("#") } == ["# t # u", "## h"])
    #expect(lines.filter { $0.hasPrefix("- ") } == ["- **x y**: z - w"])
  }

  /// Cells of each row of a table, by GitHub's rule: an escaped bar is none.
  static func cells(_ line: Substring) -> Int {
    var bars = 0
    var isEscaped = false
    for character in line {
      if character == "|", !isEscaped { bars += 1 }
      isEscaped = character == "\\" && !isEscaped
    }
    return bars - 1
  }

  @Test func rowsHaveAsManyCellsAsTheTableHasColumns() {
    let table = Report.Table(
      columns: ["event|s", "total"],
      rows: [["a|b\\", "1"], ["c"], ["d", "2", "3"], ["\\|", "|"]])
    let rows = markdown([.table(table)]).split(separator: "\n").filter { $0.hasPrefix("|") }
    #expect(rows.count == 6)
    for row in rows { #expect(Self.cells(row) == 2, "\(row)") }
    #expect(rows[1] == "| :-- | --: |")
  }

  @Test func kernelRowsStandInAFence() {
    let row = InterruptTable.Row(
      caption: "a ``` caption", counts: [8705, 8134], text: "TLB shootdowns")
    let text = markdown([.interrupts(InterruptTable(labelWidth: 3, cpus: 2, rows: [row]))])
    #expect(
      text.contains(
        """
        ````text
                   CPU0       CPU1       \n\
        a ``` caption
        TLB:       8705       8134   TLB shootdowns
        ````
        """))
  }

  @Test func smallDrawingsBecomeTablesAndLargeOnesTheirSummary() {
    func bars(_ count: Int) -> Plot {
      Plot(
        "Rows", summary: "CPU0 has most", grade: "derived",
        .bars(
          BarPlot(
            unit: "shootdowns", categories: (0..<count).map { "CPU\($0)" },
            series: [
              ("before", (0..<count).map { _ in BarPlot.Amount(12, lower: 10, upper: 15) }),
              ("after", (0..<count).map { $0 == 0 ? nil : BarPlot.Amount(3.5) }),
            ])))
    }
    let small = markdown([.plot(bars(2))])
    #expect(small.contains(#"**Rows** \[derived\]: CPU0 has most"#))
    #expect(small.contains("| shootdowns | before | after |"))
    #expect(small.contains("| CPU0 | 12 (10 to 15) |  |"))
    #expect(small.contains("| CPU1 | 12 (10 to 15) | 3.5 |"))
    #expect(!markdown([.plot(bars(100))]).contains("| shootdowns |"))
    let lines = LinePlot(
      unit: "n", axis: "time (ms)", start: 10, step: 5, series: [("x", [1, nil, 3])])
    let drawn = markdown([.plot(Plot("p", summary: "s", grade: "derived", .lines(lines)))])
    #expect(drawn.contains("| 15 |  |"))
    let grid = GridPlot(
      unit: "n", rowTitle: "a", columnTitle: "b", rows: ["r"], columns: ["c"], values: [[1]])
    let grids = markdown([.plot(Plot("p", summary: "s", grade: "derived", .grid(grid)))])
    #expect(grids.contains("**p**") && !grids.contains("|"))
  }
}
