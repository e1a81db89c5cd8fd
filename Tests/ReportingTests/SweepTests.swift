import Testing

@testable import Reporting

@Suite struct SweepTests {
  private func values(_ text: String) throws -> [String] {
    try SweepAxis(text, costs: ["receive"]).values
  }

  @Test func valuesAreListsStepsAndPowers() throws {
    #expect(try values("policy=a,b,a") == ["a", "b"])
    #expect(try values("batch=1..10:4") == ["1", "5", "9"])
    #expect(try values("batch=1..64:x4") == ["1", "4", "16", "64"])
    #expect(try values("batch=3,1..3:1") == ["3", "1", "2"])
    #expect(try values("cost.receive=0.5..1.5:0.5") == ["0.5", "1", "1.5"])
    #expect(try values("scale=0.1..0.3:0.1") == ["0.1", "0.2", "0.30000000000000004"])
  }

  @Test(arguments: [
    "batch", "batch=", "batch=1,,2", "batch=0", "batch=1.5", "batch=1..5", "batch=5..1:1",
    "batch=1..5:0", "batch=0..8:x2", "batch=1..8:x1", "batch=1..100000:1", "batch=-1", "batch=nan",
    "ceiling=34", "colour=red", "cost.colour=1", "cost.receive=1e999", "generation-bits=1",
  ])
  func othersAreRefused(_ text: String) {
    #expect(throws: SweepAxis.Refusal.self) { try SweepAxis(text, costs: ["receive"]) }
  }

  @Test func theLastAxisRunsFastest() throws {
    let axes = try ["policy=a,b", "batch=1,2,4"].map { try SweepAxis($0, costs: []) }
    let grid = try #require(SweepResult.grid(axes))
    #expect(grid.map { $0.joined() } == ["a1", "a2", "a4", "b1", "b2", "b4"])
    let large = try ["batch=1..200:1", "flush-duration=1..200:1"].map {
      try SweepAxis($0, costs: [])
    }
    #expect(SweepResult.grid(large) == nil)
  }

  private func result() throws -> SweepResult {
    let axes = try ["policy=a,b", "batch=1,2,4"].map { try SweepAxis($0, costs: []) }
    let grid = try #require(SweepResult.grid(axes))
    var points = grid.enumerated().map { index, point in
      SweepPoint(
        point, ["tlb_row": SweepFigure(Double(100 * index), lower: Double(index), upper: 900)])
    }
    points[5].isExtrapolated = true
    points[0].figures = [:]
    return SweepResult(
      input: "t", axes: axes,
      columns: [SweepColumn("tlb_row", "TLB row", unit: "shootdowns")], points: points,
      recorded: 200, notes: [])
  }

  @Test func aDrawingForEachParameterHoldsTheOthersAsSeries() throws {
    let report = SweepReport.build(try result())
    let plots = report.sections.flatMap(\.blocks).compactMap { block -> Plot? in
      if case .plot(let plot) = block { plot } else { nil }
    }
    #expect(plots.map(\.title) == ["TLB row by policy", "TLB row by batch"])
    guard case .bars(let bars) = plots[1].content else {
      Issue.record("no bars")
      return
    }
    #expect(bars.categories == ["1", "2", "4"])
    #expect(bars.series.map(\.name) == ["a", "b"])
    #expect(
      bars.series[1].amounts
        == [300, 400, 500].enumerated().map {
          BarPlot.Amount(Double($1), lower: Double(3 + $0), upper: 900)
        })
    #expect(bars.series[0].amounts[0] == nil)
  }

  @Test func extrapolationIsMarkedInEveryForm() throws {
    let report = SweepReport.build(try result())
    let text = TextRenderer().render(report)
    #expect(text.contains("b *"))
    #expect(text.contains("extrapolated"))
    #expect(text.contains("+150.00"))
    guard case .object(let members) = report.data, case .array(let points)? = members["points"],
      case .object(let last)? = points.last
    else {
      Issue.record("no points")
      return
    }
    #expect(last["extrapolated"] == .bool(true))
    #expect(last["parameters"] == .object(["policy": .string("b"), "batch": .integer(4)]))
  }
}
