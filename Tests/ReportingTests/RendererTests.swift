import Testing

@testable import Reporting

@Suite struct RendererTests {
  /// `cat -A` of a live file, Linux 6.18: trailing blanks in the header, three before the text.
  @Test func rowsHaveTheKernelsLayout() {
    let row = InterruptTable.Row(counts: [8705, 8134], text: "TLB shootdowns")
    let table = InterruptTable(labelWidth: 3, cpus: 2, rows: [row])
    #expect(table.header == "           CPU0       CPU1       ")
    #expect(table.line(row) == "TLB:       8705       8134   TLB shootdowns")
  }

  @Test(arguments: [3, 4, 5])
  func countsEndUnderTheirHeader(_ width: Int) {
    let row = InterruptTable.Row(
      counts: (0..<128).map { Int64($0) * 1_000_003 }, text: "TLB shootdowns")
    let table = InterruptTable(labelWidth: width, cpus: 128, rows: [row])
    #expect(table.header.count == width + 8 + 128 * 11)
    #expect(table.line(row).count == width + 2 + 128 * 11 + 2 + 14)
    let line = Array(table.line(row))
    for cpu in 0..<128 {
      let end = width + 11 + 11 * cpu
      #expect(line[end + 1] == " ")
      #expect(String(line[(end - 9)...end]).hasSuffix("\(row.counts[cpu])"))
    }
  }

  @Test func aNegativeResidualKeepsTheLayout() {
    let row = InterruptTable.Row(counts: [-1, 0], text: "TLB shootdowns")
    let table = InterruptTable(labelWidth: 3, cpus: 2, rows: [row])
    #expect(table.line(row) == "TLB:         -1          0   TLB shootdowns")
  }

  @Test func wideTablesBreakIntoPanelsOf80Columns() {
    var report = Report(title: "t")
    let columns = ["event"] + (0..<16).map { "CPU\($0)" }
    let cells = ["tlb:tlb_flush"] + (0..<16).map { UInt64($0 * 1_234_567).grouped }
    report.sections = [
      Report.Section("h", [.table(Report.Table(columns: columns, rows: [cells]))])
    ]
    let lines = TextRenderer().render(report).split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= 80 })
    for cell in cells.dropFirst() { #expect(lines.contains { $0.contains(cell) }) }
    #expect(lines.filter { $0.hasPrefix("tlb:tlb_flush") }.count > 1)
  }

  @Test func proseIsWrappedAt80() {
    let text = (0..<60).map { "word\($0)" }.joined(separator: " ")
    let lines = TextRenderer.wrap(text, indent: 10)
    #expect(lines.allSatisfy { $0.count <= 80 && $0.hasPrefix("          word") })
    #expect(lines.joined(separator: " ").split(separator: " ").count == 60)
    let long = String(repeating: "x", count: 100)
    #expect(TextRenderer.wrap("a \(long) b", indent: 0) == ["a", long, "b"])
  }

  @Test func headingsAndSeriesFitToo() {
    var report = Report(title: "t")
    let heading = (0..<20).map { "word\($0)" }.joined(separator: " ")
    let series = Report.Series(name: "", values: [0, 1, 50, 100], caption: heading)
    report.sections = [Report.Section(heading, [.series(series)])]
    let lines = TextRenderer().render(report).split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= 80 })
    #expect(lines.contains("         _.+@"))
    #expect(lines.filter { $0.contains("word19") }.count == 2)
  }

  @Test func jsonKeepsIntegersAndSortsKeys() {
    let value = JSONValue.object([
      "b": JSONValue(UInt64.max), "a": .array([JSONValue(1), .null, .string("x/y")]),
      "c": JSONValue(1 << 62),
    ])
    #expect(
      value.text == """
        {
          "a" : [
            1,
            null,
            "x/y"
          ],
          "b" : 18446744073709551615,
          "c" : 4611686018427387904
        }

        """)
  }

  @Test func digitsAreGroupedByThree() {
    #expect(UInt64(0).grouped == "0")
    #expect(UInt64(999).grouped == "999")
    #expect(UInt64(1_357_543_886).grouped == "1,357,543,886")
    #expect(Int64(-1000).grouped == "-1,000")
  }
}
