import Testing
import TraceBuilding

@testable import Reporting

/// RFC 4180, read by its own grammar.
enum CSVText {
  /// Rows of fields; nil where the text breaks the grammar.
  static func rows(_ text: String) -> [[String]]? {
    var rows: [[String]] = []
    var row: [String] = []
    var field = String.UnicodeScalarView()
    let scalars = Array(text.unicodeScalars)
    var at = 0
    func end() {
      row.append(String(field))
      field = String.UnicodeScalarView()
    }
    while at < scalars.count {
      if scalars[at] == "\"" {
        guard field.isEmpty else { return nil }
        at += 1
        while true {
          guard at < scalars.count else { return nil }
          if scalars[at] == "\"" {
            if at + 1 < scalars.count, scalars[at + 1] == "\"" {
              at += 1
            } else {
              break
            }
          }
          field.append(scalars[at])
          at += 1
        }
        at += 1
        guard at < scalars.count, scalars[at] == "," || scalars[at] == "\r" else { return nil }
      } else if scalars[at] == "," {
        end()
        at += 1
        if at == scalars.count { return nil }
      } else if scalars[at] == "\r" {
        guard at + 1 < scalars.count, scalars[at + 1] == "\n" else { return nil }
        end()
        rows.append(row)
        row = []
        at += 2
      } else {
        guard scalars[at] != "\n" else { return nil }
        field.append(scalars[at])
        at += 1
      }
    }
    return row.isEmpty && field.isEmpty ? rows : nil
  }
}

@Suite struct CSVRendererTests {
  private func rows(_ data: JSONValue, title: String = "tlbreplay stat: a,b \"c\"\r\nd") throws
    -> [[String: String]]
  {
    var report = Report(title: title)
    report.data = data
    let rows = try #require(CSVText.rows(CSVRenderer().render(report)))
    #expect(rows.first == CSVRenderer.columns)
    return try rows.dropFirst().map { row in
      try #require(row.count == CSVRenderer.columns.count)
      return Dictionary(uniqueKeysWithValues: zip(CSVRenderer.columns, row))
    }
  }

  @Test func valuesStandByWhatTheyAreOf() throws {
    let data = JSONValue.object([
      "schema": .string("tlbreplay.report/1"),
      "policies": .array([
        .object([
          "name": .string("luf-v10"), "grade": .string("modelled"),
          "tlb_row": .object([
            "total": .integer(7), "per_cpu": .array([.integer(3), .integer(4)]), "upper": .null,
            "grade": .string("derived"),
          ]),
        ])
      ]),
    ])
    let rows = try rows(data, title: "tlbreplay report: x")
    let total = try #require(rows.first { $0["metric"] == "tlb_row.total" })
    #expect(total["report"] == "report" && total["input"] == "x")
    #expect(total["section"] == "policies" && total["item"] == "luf-v10")
    #expect(total["value"] == "7" && total["text"] == "" && total["unit"] == "interrupts")
    #expect(total["grade"] == "derived" && total["path"] == "policies.luf-v10.tlb_row.total")
    let cells = rows.filter { $0["metric"] == "tlb_row.per_cpu" }
    #expect(cells.map { $0["cpu"] } == ["0", "1"] && cells.map { $0["value"] } == ["3", "4"])
    let open = try #require(rows.first { $0["metric"] == "tlb_row.upper" })
    #expect(open["value"] == "" && open["text"] == "" && open["unit"] == "interrupts")
    #expect(rows.contains { $0["metric"] == "name" && $0["text"] == "luf-v10" })
    #expect(!rows.contains { $0["metric"] == "tlb_row.grade" })
  }

  /// Whatever a name is made of, it comes back, and every row has all fields.
  @Test(arguments: 0..<50)
  func everyTextSurvives(_ seed: Int) throws {
    var random = SplitMix64(seed: UInt64(seed))
    let alphabet: [Unicode.Scalar] = [
      "\"", ",", "\r", "\n", "a", " ", "=", "ä", ";", "\t", "'", "\u{0}", "\u{301}",
    ]
    func text() -> String {
      var text = String.UnicodeScalarView()
      for _ in 0..<Int.random(in: 0...12, using: &random) {
        text.append(alphabet[Int.random(in: 0..<alphabet.count, using: &random)])
      }
      return String(text)
    }
    var members: [String: JSONValue] = [:]
    for _ in 0..<20 { members["k" + text()] = .string(text()) }
    let rows = try rows(.object(["notes": .object(members)]))
    #expect(rows.count == members.count)
    for row in rows {
      let key = try #require(row["metric"])
      let value = try #require(members.first { Array($0.key.utf8) == Array(key.utf8) })
      guard case .string(let wanted) = value.value else { continue }
      #expect(row["text"].map { Array($0.utf8) } == Array(wanted.utf8))
    }
  }

  @Test func numbersAreExact() throws {
    let rows = try rows(
      .object([
        "a": .unsigned(.max), "b": .integer(.min), "c": .number(0.1), "d": .number(1e-9),
        "e": .bool(true),
      ]))
    let values = Dictionary(
      uniqueKeysWithValues: rows.map {
        ($0["path"] ?? "", ($0["value"] ?? "") + ($0["text"] ?? ""))
      }
    )
    #expect(values["a"] == "18446744073709551615" && values["b"] == "-9223372036854775808")
    #expect(values["c"] == "0.1" && values["d"] == "1e-09" && values["e"] == "true")
  }

  @Test func namesakesInAListStayApart() {
    let element = JSONValue.object(["name": .string("x"), "n": .integer(1)])
    let names = ReportMetrics.all(.object(["list": .array([element, element])])).map(\.name)
    #expect(names == ["list.x.n", "list.x.name", "list.x#1.n", "list.x#1.name"])
  }
}
