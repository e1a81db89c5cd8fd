import Testing
import TraceEvents
import TraceWriting

/// Stock perf must print what was written.
@Suite struct PerfDataWriterTests {
  private static func write(_ path: String, isCompressed: Bool, _ rows: [[TraceRow]]) throws {
    var options = PerfDataOptions(cpus: 4)
    options.names = SampleRows.names
    options.isCompressed = isCompressed
    var writer = try PerfDataWriter.create(path, options)
    // Three rounds, each a third of every CPU.
    let third = rows[0].count / 3
    for round in 0..<3 {
      for ofCPU in rows {
        for row in ofCPU[round * third..<(round == 2 ? ofCPU.count : (round + 1) * third)] {
          try writer.append(row)
        }
      }
      if round == 1 { try writer.noteLost(33, cpu: 2, time: rows[0][2 * third].time) }
      try writer.endRound()
    }
    try writer.finish()
  }

  private static func rows() -> [[TraceRow]] {
    let kinds = EventFormat.builtIn.filter { $0.system != "ftrace" }.map(\.kind)
    return (0..<4).map { SampleRows.rows(cpu: UInt16($0), perCPU: 1500, kinds: kinds) }
  }

  @Test(
    .enabled(if: StockTool.perf != nil, "perf is not installed"), arguments: [false, true])
  func perfPrintsWhatWasWritten(_ isCompressed: Bool) throws {
    let tool = try #require(StockTool.perf)
    let file = ScratchFile()
    let rows = Self.rows()
    try Self.write(file.path, isCompressed: isCompressed, rows)
    let script = try tool.run(["script", "--ns", "-i", file.path])
    #expect(script.status == 0)

    var printed = [[ReportLine]](repeating: [], count: 4)
    var others: [Substring] = []
    for line in script.output.split(separator: "\n") {
      if let parsed = ReportLine(perf: line), parsed.cpu < 4 {
        printed[Int(parsed.cpu)].append(parsed)
      } else {
        others.append(line)
      }
    }
    #expect(others == [])
    for cpu in 0..<4 {
      try #require(printed[cpu].count == rows[cpu].count, "CPU \(cpu)")
      for (line, row) in zip(printed[cpu], rows[cpu]) {
        let problem = line.disagreement(with: row, names: SampleRows.names, isRaw: false)
        #expect(problem == nil, "\(line)")
        if row.kind == .tlbFlush {
          let pages = Int64(bitPattern: row.words[TLBFlush.pages])
          #expect(line.fields.hasPrefix("pages:\(pages) reason:"))
          #expect(line.fields.hasSuffix(" (\(row.words[TLBFlush.reason]))"))
        }
        if row.kind == .sysEnterMunmap {
          #expect(line.fields.hasSuffix("len: 0x\(hexadecimal(row.words[1]))"))
        }
      }
    }
  }

  private func hexadecimal(_ word: UInt64) -> String {
    let digits = String(word, radix: 16)
    return String(repeating: "0", count: max(0, 8 - digits.count)) + digits
  }

  @Test(.enabled(if: StockTool.perf != nil, "perf is not installed"), arguments: [false, true])
  func perfCountsTheLoss(_ isCompressed: Bool) throws {
    let tool = try #require(StockTool.perf)
    let file = ScratchFile()
    try Self.write(file.path, isCompressed: isCompressed, Self.rows())
    let script = try tool.run(["script", "--show-lost-events", "-i", file.path])
    #expect(script.output.contains("PERF_RECORD_LOST lost 33"))
  }

  @Test func compressionMakesTheFileSmaller() throws {
    let files = [ScratchFile(), ScratchFile()]
    try Self.write(files[0].path, isCompressed: false, Self.rows())
    try Self.write(files[1].path, isCompressed: true, Self.rows())
    #expect(try files[1].bytes().count < files[0].bytes().count)
    #expect(Array(try files[1].bytes().prefix(8)) == Array("PERFILE2".utf8))
  }

  @Test func sameRowsMakeSameBytes() throws {
    let files = [ScratchFile(), ScratchFile()]
    for file in files { try Self.write(file.path, isCompressed: true, Self.rows()) }
    #expect(try files[0].bytes() == files[1].bytes())
  }
}
