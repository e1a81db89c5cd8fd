import Foundation
import Testing
import TraceBuilding

/// The letter's own figures in every form: its percentages to two digits, or numbers that give them.
@Suite struct LetterFormTests {
  static let percents: [(measure: String, percent: String)] = [
    ("tlb_row", "-95.45"), ("tlb:tlb_flush", "-94.90"), ("iTLB-load-misses", "-80.42"),
    ("dTLB-store-misses", "-57.32"), ("dTLB-load-misses", "-24.31"), ("run_time_ms", "-5.33"),
  ]

  private func compare(_ arguments: String...) throws -> [String] {
    let run = try Tool.run(["compare"] + arguments + [CompareTests.letter])
    guard run.exitCode == 0 else { throw Tool.Failure(run: run) }
    return run.output.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map(
      String.init)
  }

  private func percent(_ before: Double, _ after: Double) -> String {
    String(format: "%+.2f", 100 * (after - before) / before)
  }

  @Test func coverLetter() throws {
    let lines = try compare("--format", "cover")
    let claims = lines.prefix { !$0.isEmpty }.joined(separator: " ").replacing(/\s+/, with: " ")
    for (place, percent) in Self.percents.enumerated() {
      #expect(claims.contains("\(place + 1). "))
      #expect(claims.contains("(\(percent.percent)%"), "\(percent)")
    }
    for (place, words) in [
      "tlb shootdown interrupts are reduced about 95%", "tlb flushes are reduced about 95%",
      "tlb misses(itlb) are reduced about 80%", "tlb misses(dtlb store) are reduced about 57%",
      "tlb misses(dtlb load) are reduced about 24%", "is reduced about 5%",
    ].enumerated() {
      #expect(claims.contains(words), "\(place)")
    }
    for line in lines { #expect(line.count <= 75, "\(line)") }
    #expect(lines.contains("   Numa: 2 nodes (64 CPUs DRAM 42GB, no CPUs CXL 98GB)"))
    // Rows and counts as the letter itself has them.
    #expect(
      lines.contains("   125553646  141418810  161932620  176853972  186655697  190399283"))
    #expect(lines.contains("   205993323  200934664  204193128  194435376  TLB shootdowns"))
    #expect(
      lines.contains("     5648092    6610142    7032849    7882308    8088518    8352310"))
    #expect(lines.contains("     9181804    9050847    8919916    8883856  TLB shootdowns"))
    #expect(lines.contains("             69175002      tlb:tlb_flush"))
  }

  @Test(arguments: ["text", "markdown"])
  func tables(_ form: String) throws {
    let lines = try compare("--format", form).map { $0.replacing("\\", with: "") }
    for (measure, percent) in Self.percents {
      #expect(
        lines.contains {
          $0.replacing("| ", with: "").hasPrefix("\(measure) ") && $0.contains("\(percent)%")
        },
        "\(measure)")
    }
  }

  @Test func csv() throws {
    let lines = try compare("--format", "csv")
    for (measure, percent) in Self.percents {
      let row = try #require(
        lines.first { $0.contains(",measures,\(measure),change.percent,") }, "\(measure)")
      let value = Double(row.split(separator: ",", omittingEmptySubsequences: false)[7]) ?? .nan
      #expect(String(format: "%.2f", value) == percent)
    }
  }

  @Test func mmtests() throws {
    let lines = try compare("--style", "mmtests")
    for (measure, percent) in Self.percents {
      // It prints what is better, and less is better here.
      let row = try #require(lines.first { $0.hasPrefix("Amean") && $0.contains(" \(measure) ") })
      #expect(row.contains(" \(percent.dropFirst())"), "\(row)")
    }
  }

  /// Its layout has one digit.
  @Test func lkp() throws {
    let lines = try compare("--style", "lkp")
    let names = ["tlb_row": "interrupts.TLB:TLB_shootdowns"]
    for (measure, percent) in Self.percents {
      let key = names[measure] ?? "tlbreplay.\(measure)"
      let row = try #require(lines.first { $0.hasSuffix("  \(key)") })
      let shown = try #require(
        row.split(separator: " ").first { $0.hasSuffix("%") && $0.hasPrefix("-") })
      #expect(abs((Double(shown.dropLast()) ?? 0) - (Double(percent) ?? .nan)) <= 0.0501, "\(row)")
    }
  }

  /// It needs three repetitions: the letter has them of its run time only.
  @Test func ministat() throws {
    let lines = try compare("--style", "ministat")
    let line = try #require(lines.first { $0.contains("% +/-") })
    let value = Double(line.split(separator: "%")[0].trimmingCharacters(in: .whitespaces)) ?? .nan
    #expect(String(format: "%.2f", value) == "-5.33")
  }

  @Test func benchstat() throws {
    var sums: [String: [(sum: Double, count: Double)]] = [:]
    var side = -1
    for line in try compare("--style", "benchstat") {
      if line.hasPrefix("side:") { side += 1 }
      let words = line.split(separator: " ").map(String.init)
      guard words.count == 4, let value = Double(words[2]) else { continue }
      sums[words[3], default: [(0, 0), (0, 0)]][side].sum += value
      sums[words[3], default: [(0, 0), (0, 0)]][side].count += 1
    }
    for (measure, wanted) in Self.percents {
      let found = try #require(sums[measure])
      #expect(
        percent(found[0].sum / found[0].count, found[1].sum / found[1].count) == wanted,
        "\(measure)")
    }
  }

  @Test func perfStat() throws {
    var found: [String: [Double]] = [:]
    for line in try compare("--style", "perf-stat") {
      let words = line.split(separator: " ").map(String.init)
      if words.first == "TLB:" {
        found["tlb_row", default: []].append(
          words.dropFirst().compactMap(Double.init).reduce(0, +))
      } else if line.contains("seconds time elapsed") {
        found["run_time_ms", default: []].append(Double(words[0]) ?? .nan)
      } else if words.count >= 2, let value = Double(words[0]) {
        found[words[1], default: []].append(value)
      }
    }
    for (measure, wanted) in Self.percents {
      let sides = try #require(found[measure])
      #expect(sides.count == 2)
      #expect(percent(sides[0], sides[1]) == wanted, "\(measure)")
    }
  }
}

/// Forms of whole reports.
@Suite struct FormTests {
  static let commands: [[String]] = [
    ["stat", "captures/tc-4cpu-churn-v6"], ["stat", "formats/td-a-v7-2inst.dat"],
    ["stat", "formats/td-a-DAMAGED-truncated-v7-zstd.dat"],
    ["report", "--bounds", "luf-pairs/burst-16/0.1"], ["report", "captures/perf-4cpu-anon-g"],
    ["compare", "letter/letter-data.json"], ["info", "captures/ft-8cpu-churn"], ["policies"],
    ["machines", "zen-4"],
  ]

  /// Every table of Markdown: equal numbers of cells, and the second line rules the columns.
  @Test(arguments: commands)
  func markdownTablesAreEven(_ arguments: [String]) throws {
    let run = try Tool.run(arguments + ["--format", "markdown"])
    #expect(run.exitCode == 0, "\(run.errors)")
    var table: [Int] = []
    var isFenced = false
    for line in run.output.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("```") { isFenced.toggle() }
      guard line.hasPrefix("|"), !isFenced else {
        if !table.isEmpty { #expect(Set(table).count == 1 && table.count > 2, "\(table)") }
        table = []
        continue
      }
      let escaped = line.replacing(#"\\"#, with: "").replacing(#"\|"#, with: "")
      table.append(escaped.filter { $0 == "|" }.count)
      if table.count == 2 { #expect(line.hasPrefix("| :-- |")) }
    }
    #expect(!isFenced)
  }

  @Test(arguments: commands)
  func csvHasAllFieldsInEveryRow(_ arguments: [String]) throws {
    let run = try Tool.run(arguments + ["--format", "csv"])
    #expect(run.exitCode == 0, "\(run.errors)")
    let rows = try readCSV(run.output)
    #expect(rows.count > 1 && Set(rows.map(\.count)) == [12])
  }

  /// As Python's csv module reads it, where there is a Python.
  private func readCSV(_ text: String) throws -> [[String]] {
    let python = ["/usr/bin/python3", "/usr/local/bin/python3"].first {
      FileManager.default.isExecutableFile(atPath: $0)
    }
    guard let python else {
      return text.split(separator: "\r\n").map {
        $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      }
    }
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try text.write(to: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: file) }
    let process = Process()
    process.executableURL = URL(filePath: python)
    process.arguments = [
      "-c",
      "import csv,json,sys; print(json.dumps(list(csv.reader(open(sys.argv[1],newline=''),strict=True))))",
      file.path,
    ]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let read = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return try JSONDecoder().decode([[String]].self, from: read)
  }

  @Test func lettersAreMadeOfReportsAndComparisonsOnly() throws {
    // The first compares nothing; of the second only one side is known.
    for command in [Self.commands[0], ["report", "captures/perf-4cpu-anon-g"], ["policies"]] {
      let run = try Tool.run(command + ["--format", "cover"])
      #expect(run.exitCode == 2, "\(command)")
      #expect(run.errors.contains("this report has no cover letter form"), "\(run.errors)")
      #expect(run.output.isEmpty)
    }
  }

  @Test(arguments: [
    ["report", "luf-pairs/burst-16/0.1"], ["report", "captures/ft-4cpu-anon-move"],
    [
      "compare", "luf-pairs/burst-16/0.1", "luf-pairs/burst-16/0.1", "--after",
      "luf-pairs/burst-16/v10.1", "luf-pairs/burst-16/v10.1",
    ],
  ])
  func lettersFitMail(_ arguments: [String]) throws {
    let run = try Tool.run(arguments + ["--format", "cover"])
    #expect(run.exitCode == 0, "\(run.errors)")
    for line in run.output.split(separator: "\n") {
      #expect(line.count <= 75 && !line.hasSuffix(" "), "\(line)")
    }
    #expect(run.output.contains("   BEFORE") && run.output.contains("   AFTER"))
  }
}
