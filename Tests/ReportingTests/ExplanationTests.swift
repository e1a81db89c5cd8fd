import Testing

@testable import Reporting

/// Names and forms of queries; whether every number of a report is explained is asked of whole reports
/// (EndToEndTests).
@Suite struct ExplanationTests {
  private let path = ["policies", "luf-v10", "tlb_row", "total"]

  @Test(arguments: [
    "policies.luf-v10.tlb_row.total", "tlb_row.total", "tlb_row", "policies", "total",
    "policies.*.tlb_row.total", "policies.luf*", "*row*", "policies.luf-v10", "*",
  ])
  func partsOfANameFindIt(_ query: String) {
    #expect(ExplainReport.matches(path, query))
  }

  @Test(arguments: ["row.total", "tlb_ro", "total.tlb_row", "policies.tlb_row", "luf", "x*", "**x"])
  func otherPartsDoNot(_ query: String) {
    #expect(!ExplainReport.matches(path, query))
  }

  @Test func patternsHaveAsManyPartsAsPaths() {
    let explanation = Explanation("a.*.{b,c}", unit: "", "m")
    #expect(explanation.explains(["a", "x.y", "b"]))
    #expect(explanation.explains(["a", "", "c"]))
    #expect(!explanation.explains(["a", "x", "d"]))
    #expect(!explanation.explains(["a", "x"]))
    #expect(!explanation.explains(["a", "x", "b", "c"]))
  }

  @Test func aCaseHasTheNumbersOfItsPolicy() {
    let path = ["policies", "p", "cases", "expected", "tlb_row", "total"]
    #expect(Explanations.withoutCase(path) == ["policies", "p", "tlb_row", "total"])
    #expect(Explanations.explanation(of: path) != nil)
    #expect(Explanations.withoutCase(["policies", "p"]) == ["policies", "p"])
  }

  /// Two explanations of one path would leave it to their order which is shown.
  @Test func noPathIsExplainedTwice() {
    let paths = Explanations.all.flatMap(\.paths).flatMap(spelled)
    for path in paths {
      let found = Explanations.all.filter { $0.explains(path) }
      #expect(found.count == 1, "\(path.joined(separator: "."))")
    }
  }

  @Test func everyExplanationSaysSomething() {
    for explanation in Explanations.all {
      #expect(!explanation.meaning.isEmpty && !explanation.meaning.hasSuffix("."))
      #expect(explanation.rules.allSatisfy { !$0.isEmpty && !$0.hasSuffix(".") })
      #expect(!explanation.bounds.hasSuffix("."))
    }
  }

  /// Every alternative of a pattern, `*` standing for a name that nothing else has.
  private func spelled(_ pattern: [String]) -> [[String]] {
    var paths: [[String]] = [[]]
    for part in pattern {
      let words =
        part.hasPrefix("{")
        ? part.dropFirst().dropLast().split(separator: ",").map(String.init)
        : [part == "*" ? "?" : part]
      paths = paths.flatMap { path in words.map { path + [$0] } }
    }
    return paths
  }
}
