import Foundation
import Testing
import TraceEvents

@testable import Machine
@testable import Replay
@testable import Reporting

@Suite struct HTMLRendererTests {
  private static func page(_ blocks: [Report.Block], heading: String = "h") -> String {
    var report = Report(title: "t")
    report.sections = [Report.Section(heading, blocks)]
    return HTMLRenderer().render(report)
  }

  private static func plot(_ content: Plot.Content, grade: String = "derived") -> Report.Block {
    .plot(Plot("title", summary: "summary", grade: grade, content))
  }

  static let everyPlot: [Plot.Content] = [
    .bars(
      BarPlot(
        unit: "u", categories: (0..<4).map { "CPU\($0)" },
        series: [
          ("a", [BarPlot.Amount(1), BarPlot.Amount(4), nil, BarPlot.Amount(0)]),
          ("b", [BarPlot.Amount(2, lower: 1, upper: 3), nil, BarPlot.Amount(1, lower: 0)]),
        ])),
    .bars(
      BarPlot(
        unit: "u", categories: ["one", "other"],
        series: [("a", [BarPlot.Amount(3), nil]), ("b", [BarPlot.Amount(9), BarPlot.Amount(1)])],
        isStacked: true)),
    .lines(
      LinePlot(
        unit: "u", axis: "time (ms)", start: 0, step: 0.5,
        series: [("a", [1, nil, 3]), ("b", [-2, 2.5, 1e9])])),
    .grid(
      GridPlot(
        unit: "u", rowTitle: "r", columnTitle: "c", rows: ["x", "y"], columns: ["0", "1", "2"],
        values: [[0, 1, 2], [3, 4, 1000]])),
    .flames(
      FlamePlot(unit: "u", stacks: [(["main", "f"], 5), (["main", "g"], 3), (["other"], 1)])),
  ]

  static let everyBlock: [Report.Block] =
    [
      .facts([("name", "value [measured]")]), .note("note [modelled: luf-v10], see --bounds"),
      .interrupts(
        InterruptTable(
          labelWidth: 3, cpus: 2,
          rows: [InterruptTable.Row(caption: "c", counts: [1, -2], text: "TLB shootdowns")])),
      .table(Report.Table(columns: ["event", "n"], rows: [["a", "1"], ["b", "2"]])),
      .series(Report.Series(name: "s", values: [0, 3, 1], caption: "caption")),
    ] + everyPlot.map { plot($0) }

  /// Elements close in the order in which they open, and attributes are quoted.
  static func unbalanced(_ page: String) -> String? {
    let void: Set = ["meta", "link", "!DOCTYPE"]
    var open: [Substring] = []
    var rest = page[...]
    while let start = rest.firstIndex(of: "<") {
      guard let end = rest[start...].firstIndex(of: ">") else { return "a tag without an end" }
      let tag = rest[rest.index(after: start)..<end]
      rest = rest[rest.index(after: end)...]
      let name = tag.drop { $0 == "/" }.prefix { !$0.isWhitespace && $0 != "/" }
      if tag.hasPrefix("/") {
        guard open.popLast() == name else { return "</\(name)> closes nothing" }
      } else if !tag.hasSuffix("/"), !void.contains(String(name)) {
        open.append(name)
      }
      guard tag.filter({ $0 == "\"" }).count % 2 == 0 else { return "quotes of \(tag)" }
    }
    return open.isEmpty ? nil : "never closed: \(open)"
  }

  @Test func everyBlockIsWellFormed() {
    let page = Self.page(Self.everyBlock, heading: "All [derived]")
    #expect(Self.unbalanced(page) == nil)
    #expect(page.contains("<span class=\"grade measured\">measured</span>"))
    #expect(page.contains("<span class=\"grade modelled\">modelled: luf-v10</span>"))
    #expect(page.contains("<h2 id=\"all-derived\">All <span class=\"grade derived\">"))
    #expect(page.contains("<code>--bounds</code>"))
    #expect(
      page.contains("<pre>           CPU0       CPU1       \nTLB:          1         -2   TLB"))
    #expect(page.contains("<th scope=\"row\">a</th><td>1</td>"))
    let count = { (word: String) in page.components(separatedBy: word).count - 1 }
    // Each drawing has its picture, its words, its grade and its table.
    #expect(count("role=\"img\"") == 6 && count("<figure") == 6 && count("<details>") == 6)
    #expect(count("<desc ") == 6 && count("<span class=\"grade derived\">") == 6)
    #expect(page.hasPrefix("<!DOCTYPE html>\n<html lang=\"en\">") && page.hasSuffix("</html>\n"))
  }

  @Test func whatIsDrawnIsNotShownTwice() {
    var series = Report.Series(name: "s", values: [1, 2], caption: "drawn elsewhere")
    series.isPlotted = true
    #expect(!Self.page([.series(series), Self.plot(Self.everyPlot[0])]).contains("elsewhere"))
    var report = Report(title: "t")
    report.sections = [Report.Section("only drawn", [Self.plot(Self.everyPlot[0])])]
    #expect(!TextRenderer().render(report).contains("only drawn"))
  }

  @Test(arguments: [
    "<script>alert(1)</script>", "\"><svg onload=x>", "' onclick='x", "&lt;b&gt;", "]]><b>",
    "</style><b>", "a\u{0}b\u{1b}[31m\u{202e}c\u{fffe}", "[measured<b>] --<i>",
  ])
  func namesFromTracesStayText(_ name: String) {
    var blocks: [Report.Block] = [
      .facts([(name, name)]), .note(name),
      .interrupts(
        InterruptTable(
          labelWidth: 3, cpus: 1,
          rows: [InterruptTable.Row(caption: name, label: name, counts: [1], text: name)])),
      .table(Report.Table(columns: [name, name], rows: [[name, name]])),
      .series(Report.Series(name: name, values: [1], caption: name)),
    ]
    let amounts: [BarPlot.Amount?] = [BarPlot.Amount(1, lower: 0, upper: 2)]
    let contents: [Plot.Content] = [
      .bars(BarPlot(unit: name, categories: [name], series: [(name, amounts)])),
      .bars(BarPlot(unit: name, categories: [name], series: [(name, amounts)], isStacked: true)),
      .lines(LinePlot(unit: name, axis: name, start: 0, step: 1, series: [(name, [1])])),
      .grid(
        GridPlot(
          unit: name, rowTitle: name, columnTitle: name, rows: [name], columns: [name],
          values: [[1]])),
      .flames(FlamePlot(unit: name, stacks: [([name], 1)])),
    ]
    blocks += contents.map { .plot(Plot(name, summary: name, grade: name, $0)) }
    var report = Report(title: name)
    report.sections = [Report.Section(name, blocks), Report.Section(name, blocks)]
    let page = HTMLRenderer().render(report)
    #expect(Self.unbalanced(page) == nil)
    for tag in ["<script", "<b>", "<i>", "<svg onload", "' onclick='"] {
      #expect(!page.contains(tag))
    }
    let isPlain = page.unicodeScalars.allSatisfy {
      $0.value >= 0x20 && $0.value != 0x202e || $0 == "\n"
    }
    #expect(isPlain)
  }

  @Test func numbersWithoutMeaningDrawNothing() {
    let values: [Double?] = [.nan, .infinity, -.infinity, 1e308, -1e308, nil, 0]
    let amounts = values.map { $0.map { BarPlot.Amount($0, lower: $0, upper: .nan) } }
    let names = values.indices.map { "\($0)" }
    let contents: [Plot.Content] = [
      .bars(BarPlot(unit: "", categories: names, series: [("a", amounts), ("b", amounts)])),
      .bars(BarPlot(unit: "", categories: names, series: [("a", amounts)])),
      .bars(BarPlot(unit: "", categories: names, series: [("a", amounts)], isStacked: true)),
      .bars(BarPlot(unit: "", categories: [], series: [])),
      .lines(LinePlot(unit: "", axis: "", start: .nan, step: 0, series: [("a", values)])),
      .lines(LinePlot(unit: "", axis: "", start: 0, step: 1, series: [])),
      .grid(
        GridPlot(
          unit: "", rowTitle: "", columnTitle: "", rows: ["x"], columns: names,
          values: [values.map { $0 ?? 0 }])),
      .grid(
        GridPlot(unit: "", rowTitle: "", columnTitle: "", rows: [], columns: [], values: [])),
      .flames(FlamePlot(unit: "", stacks: [(["a"], .max), (["b"], .max), (["c"], -1), ([], 0)])),
      .flames(FlamePlot(unit: "", stacks: [])),
    ]
    for content in contents {
      let page = Self.page([Self.plot(content)])
      #expect(Self.unbalanced(page) == nil)
      let shapes = page.components(separatedBy: "<path ").dropFirst().map {
        $0.prefix { $0 != ">" }
      }
      #expect(
        shapes.allSatisfy { !$0.contains("nan") && !$0.contains("inf") && !$0.contains("e+") })
    }
  }

  // MARK: Truth

  @Test func axesHaveRoundNumbers() {
    #expect(PlotScale([3, 17]).ticks == [0, 5, 10, 15, 20])
    #expect(PlotScale([-3, 0.5]).ticks == [-3, -2, -1, 0, 1])
    #expect(PlotScale([2], isWhole: true).ticks == [0, 1, 2])
    #expect(PlotScale([Double]()).ticks == [0, 1])
    #expect(PlotScale([0, 100]).share(25) == 0.25 && PlotScale([0, 100]).share(1e9) == 1)
    #expect(PlotNumber.text(1_234_567) == "1,234,567" && PlotNumber.text(-0.5) == "-0.5")
    #expect(PlotNumber.text(12.345, decimals: 1) == "12.3" && PlotNumber.text(-0.001) == "0")
    #expect(PlotNumber.tick(0.30000000000000004, step: 0.1) == "0.3")
    #expect(PlotNumber.coordinate(-0.25) == "-.3" && PlotNumber.coordinate(12) == "12")
    #expect(PlotNumber.percent(1, of: 8) == "12.5 %")
  }

  @Test func barsAreAsHighAsTheirAmounts() throws {
    let plot = BarPlot(
      unit: "u", categories: ["CPU0", "CPU1"],
      series: [
        ("before", [BarPlot.Amount(100), BarPlot.Amount(50)]),
        ("after", [BarPlot.Amount(25, lower: 0, upper: 75), BarPlot.Amount(0)]),
      ])
    let drawing = PlotDrawing(.bars(plot), cells: 1_000)
    let heights = { (name: String) -> [Substring] in
      let path = drawing.canvas.body.components(separatedBy: "class=\"bar \(name)\" d=\"")[1]
      return path.prefix { $0 != "\"" }.split(separator: "v").dropFirst().map {
        $0.prefix { $0 != "h" }
      }
    }
    #expect(heights("b0 wide") == ["240", "120"])
    // Nothing is no bar.
    #expect(heights("b1") == ["60"])
    #expect(drawing.table.rows == [["CPU0", "100", "25", "0 to 75"], ["CPU1", "50", "0", ""]])
  }

  @Test func linesStepAtTheirSpans() {
    var plot = LinePlot(
      unit: "u", axis: "time (ms)", start: 0, step: 10, series: [("a", [0, 10, nil, 5])])
    plot.end = 35
    let body = PlotDrawing(.lines(plot), cells: 1_000).canvas.body
    let left = PlotFrame.margin(PlotScale([0, 10]))
    let x = { PlotNumber.coordinate(left + $0 / 35 * (936 - left)) }
    #expect(body.contains("d=\"M\(x(0)) 246H\(x(10))V26H\(x(20))M\(x(30)) 136H\(x(35))\""))
  }

  @Test(arguments: [(5, 7), (64, 16), (65, 17), (256, 100), (1, 1_000)])
  func gridsKeepTheirSums(_ rows: Int, _ columns: Int) {
    var random = Xorshift()
    let values = (0..<rows).map { _ in (0..<columns).map { _ in Double(random.next() % 100) } }
    let plot = GridPlot(
      unit: "u", rowTitle: "r", columnTitle: "c", rows: (0..<rows).map { "r\($0)" },
      columns: (0..<columns).map { "c\($0)" }, values: values)
    let drawing = PlotDrawing(.grid(plot), cells: 1_000)
    let sum = drawing.table.rows.reduce(0) { $0 + $1.dropFirst().reduce(0) { $0 + number($1) } }
    #expect(sum == values.reduce(0) { $0 + $1.reduce(0, +) })
    #expect(drawing.table.rows.count <= 64 && drawing.table.columns.count <= 17)
    #expect((drawing.tableNote == nil) == (rows <= 64 && columns <= 16 && rows * columns <= 1_000))
  }

  private func number(_ text: String) -> Double {
    Double(text.replacing(",", with: "")) ?? .nan
  }

  @Test func flamesDoNotDependOnOrder() {
    let stacks: [(frames: [String], weight: Int)] = (0..<500).map {
      (["all", "f\($0 % 7)", "g\($0)"], $0 + 1)
    }
    let body = { (stacks: [(frames: [String], weight: Int)]) in
      PlotDrawing(.flames(FlamePlot(unit: "u", stacks: stacks)), cells: 1_000).canvas.body
    }
    #expect(body(stacks) == body(stacks.reversed()))
    #expect(body(stacks).contains("f3: "))
    // Narrow ones are put together, none is lost: those above one frame weigh what it weighs.
    #expect(body(stacks).contains("(narrower ones): "))
    let many = (0..<20_000).map { (frames: ["a\($0)", "b\($0)"], weight: 1) }
    #expect(body(many).utf8.count < 2_000)
  }

  @Test func drawingsShowTheRows() throws {
    let outcome = Self.largeOutcome(cpus: 4, policies: 2)
    let report = ReplayReport.build(SampleOutcome.trace(), outcome, showsBounds: false)
    var lines = 0
    var grids = 0
    let total = try #require(outcome.policies[0].figures?.tlbRowTotal)
    for section in report.sections {
      for case .plot(let plot) in section.blocks {
        #expect(!plot.grade.isEmpty && !plot.summary.isEmpty)
        switch plot.content {
        case .lines(let plot) where plot.unit.contains("all CPUs"):
          lines += 1
          for series in plot.series {
            #expect(series.values.reduce(0) { $0 + ($1 ?? 0) } == Double(total))
          }
        case .grid(let plot) where plot.rowTitle == "receiving CPU":
          grids += 1
          #expect(
            plot.values.map { $0.reduce(0, +) }
              == outcome.policies[0].figures?.tlbRow.map {
                Double($0)
              })
        default: break
        }
      }
    }
    #expect(lines == 1 && grids == 2)
  }

  // MARK: Size

  static func largeOutcome(cpus: Int, policies: Int) -> Outcome {
    var random = Xorshift()
    var timeline = ShootdownTimeline(
      cpuCount: cpus, over: TimeWindow(start: 0, end: 9_900_000_000))
    var senders = SenderMatrix(cpuCount: cpus)
    var row = Array(repeating: 0, count: cpus)
    for cpu in 0..<cpus {
      for span in 0..<100 {
        let count = Int(random.next() % 10_000)
        timeline.add(count, ofCPU: cpu, at: UInt64(span) * 100_000_000)
        row[cpu] += count
      }
      for sender in 0..<cpus {
        senders.add(Int(random.next() % 5_000), from: sender, to: CPUMask([cpu]))
      }
    }
    let outcomes = (0..<policies).map { index -> PolicyOutcome in
      let figures = CaseFigures(
        assumption: nil, tlbRow: row, tlbFlush: [], anotherRun: nil,
        ledger: SampleOutcome.ledger(), pending: SampleOutcome.pending(),
        ages: SampleOutcome.ages(), bursts: SampleOutcome.bursts(),
        payers: SampleOutcome.payers(), safety: SampleOutcome.safety(), timeline: timeline,
        senders: senders)
      return PolicyOutcome(
        name: index == 0 ? "recorded" : "policy-with-a-name-\(index)", figures: figures,
        cases: index == 0 ? [] : [figures, figures], rowLower: 25, rowUpper: 300, runLower: 20,
        runUpper: 320, ipisAvoided: 270, rowGrade: index == 0 ? .derived : .modelled,
        flushGrade: .measured, notes: [])
    }
    return Outcome(policies: outcomes, reconstruction: ReconstructionCounts())
  }

  /// The worst there is: no two neighbours in time or space alike.
  @Test(arguments: [(16, 2), (256, 2), (256, 18), (1_024, 4)])
  func pagesOfLargeMachinesStaySmall(_ cpus: Int, _ policies: Int) {
    var trace = SampleOutcome.trace()
    trace.facts.cpuCount = cpus
    let outcome = Self.largeOutcome(cpus: cpus, policies: policies)
    let page = HTMLRenderer().render(ReplayReport.build(trace, outcome, showsBounds: true))
    #expect(Self.unbalanced(page) == nil)
    if cpus <= 256 { #expect(page.utf8.count < 2 << 20) }
  }
}

/// A sequence without order that is the same each time (Marsaglia, 2003).
struct Xorshift {
  private var state: UInt64 = 0x9e37_79b9_7f4a_7c15

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}
