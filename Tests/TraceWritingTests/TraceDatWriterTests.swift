import Foundation
import Testing
import TraceEvents
import TraceWriting

/// Stock trace-cmd must print what was written, in every form of the file that it can read.
@Suite struct TraceDatWriterTests {
  private static let cpus = 4
  private static let instances = ["first", "second one"]

  private static func options(_ version: TraceDatVersion) -> TraceDatOptions {
    var options = TraceDatOptions(cpus: cpus, version: version)
    options.instances = instances
    options.names = SampleRows.names
    return options
  }

  /// Rows of the top buffer and of the instances; CPU 2 is empty everywhere.
  private static func buffers(perCPU: Int) -> [[[TraceRow]]] {
    let all = EventFormat.builtIn.map(\.kind)
    let contents: [(kinds: [EventKind], count: Int)] = [
      (all, perCPU), ([.tlbFlush], 10), ([.pageAlloc, .schedSwitch], 500),
    ]
    return contents.map { content in
      [0, 1, 3].map { SampleRows.rows(cpu: $0, perCPU: content.count, kinds: content.kinds) }
    }
  }

  private static func write(
    _ path: String, _ version: TraceDatVersion, _ buffers: [[[TraceRow]]], lost: [UInt64?] = []
  ) throws {
    var writer = try TraceDatWriter.create(path, options(version))
    for (index, buffer) in buffers.enumerated() {
      if index > 0 { try writer.beginNextInstance() }
      for rows in buffer {
        try writer.begin(cpu: Int(rows[0].cpu))
        for row in rows { try writer.append(row) }
        guard index == 0 else { continue }
        for count in lost {
          try writer.noteLost(count)
          var last = rows[rows.count - 1]
          last.kind = .tlbFlush
          try writer.append(last)
        }
      }
    }
    try writer.finish()
  }

  @Test(
    .enabled(if: StockTool.traceCmd != nil, "trace-cmd is not installed"),
    arguments: [TraceDatVersion.six, .seven(.none), .seven(.zstd)])
  func traceCmdPrintsWhatWasWritten(_ version: TraceDatVersion) throws {
    let tool = try #require(StockTool.traceCmd)
    let file = ScratchFile()
    let buffers = Self.buffers(perCPU: 1500)
    try Self.write(file.path, version, buffers)
    let report = try tool.run(["report", "-R", "-t", file.path])
    #expect(report.complaints == "")
    #expect(report.status == 0)

    var lines: [String: [ReportLine]] = [:]
    var others: [Substring] = []
    for line in report.output.split(separator: "\n") {
      if let parsed = ReportLine(traceCmd: line, instances: Self.instances) {
        lines["\(parsed.instance)/\(parsed.cpu)", default: []].append(parsed)
      } else {
        others.append(line)
      }
    }
    #expect(others.filter { !$0.hasSuffix("is empty") } == ["cpus=4"])
    for (buffer, name) in zip(buffers, [""] + Self.instances) {
      for rows in buffer {
        let printed = lines["\(name)/\(rows[0].cpu)"] ?? []
        try #require(printed.count == rows.count, "\(name) CPU \(rows[0].cpu)")
        for (line, row) in zip(printed, rows) {
          let problem = line.disagreement(with: row, names: SampleRows.names, isRaw: true)
          #expect(problem == nil, "\(line)")
        }
      }
    }
  }

  @Test(
    .enabled(if: StockTool.traceCmd != nil, "trace-cmd is not installed"),
    arguments: [TraceDatVersion.six, .seven(.none), .seven(.zstd)])
  func traceCmdPrintsLosses(_ version: TraceDatVersion) throws {
    let tool = try #require(StockTool.traceCmd)
    let file = ScratchFile()
    try Self.write(file.path, version, Self.buffers(perCPU: 200), lost: [42, nil])
    let report = try tool.run(["report", file.path])
    #expect(report.complaints == "")
    let losses = report.output.split(separator: "\n").filter { $0.contains("DROPPED") }
      .map { $0.trimmingCharacters(in: .whitespaces) }
    #expect(
      losses.sorted() == [
        "CPU:0 [42 EVENTS DROPPED]", "CPU:0 [EVENTS DROPPED]", "CPU:1 [42 EVENTS DROPPED]",
        "CPU:1 [EVENTS DROPPED]", "CPU:3 [42 EVENTS DROPPED]", "CPU:3 [EVENTS DROPPED]",
      ])
  }

  @Test(.enabled(if: StockTool.traceCmd != nil, "trace-cmd is not installed"))
  func traceCmdPrintsNamesMasksAndSigns() throws {
    let tool = try #require(StockTool.traceCmd)
    let file = ScratchFile()
    var writer = try TraceDatWriter.create(file.path, Self.options(.seven(.none)))
    try writer.begin(cpu: 1)
    try writer.append(
      TraceRow(
        .csdFunctionEntry, cpu: 1, task: 1, time: 1_000, FunctionName.flushTLBFunction,
        0xffff_8880_0000_1000))
    try writer.append(TraceRow(.tlbFlush, cpu: 1, task: 1, time: 2_000, 3, UInt64.max))
    try writer.append(TraceRow(.tlbFlush, cpu: 1, task: 1, time: 3_000, 1, EventBatch.absent))
    try writer.append(TraceRow(.ipiSendCPUMask, cpu: 1, task: 1, time: 4_000, 0b1101, 0, 0))
    try writer.append(TraceRow(.sysEnterMunmap, cpu: 1, task: 1, time: 5_000, 0x7f00_1000, 0x3000))
    try writer.finish()
    let output = try tool.run(["report", "-N", "-t", file.path]).output
    #expect(output.contains("0.000001000: csd_function_entry:   func=flush_tlb_func, csd=0x"))
    #expect(output.contains("pages:-1 reason:local mm shootdown (3)"))
    #expect(output.contains("pages:0 reason:remote shootdown (1)"))
    #expect(output.contains("cpumask=0,2-3 callsite="))
    #expect(output.contains("addr: 0x7f001000, len: 0x00003000"))
  }

  @Test(arguments: [TraceDatVersion.six, .seven(.none), .seven(.zstd), .seven(.zlib)])
  func sameRowsMakeSameBytes(_ version: TraceDatVersion) throws {
    let files = [ScratchFile(), ScratchFile()]
    for file in files { try Self.write(file.path, version, Self.buffers(perCPU: 500), lost: [3]) }
    #expect(try files[0].bytes() == files[1].bytes())
  }

  @Test func everyPageOfVersionSixIsWholeAndAligned() throws {
    let file = ScratchFile()
    try Self.write(file.path, .six, Self.buffers(perCPU: 1000))
    let bytes = try file.bytes()
    #expect(bytes.count % 4096 == 0)
    let magic = [0x17, 0x08, 0x44] + Array("tracing6\0".utf8) + [0, 8, 0, 16, 0, 0]
    #expect(Array(bytes.prefix(18)) == magic)
    let tag = try #require(bytes.firstRange(of: Array("flyrecord\0".utf8)))
    func u64(_ offset: Int) -> Int {
      (0..<8).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
    }
    var end = 0
    for cpu in 0..<Self.cpus {
      let (start, size) = (u64(tag.upperBound + 16 * cpu), u64(tag.upperBound + 16 * cpu + 8))
      #expect(start % 4096 == 0 && size % 4096 == 0)
      #expect((size == 0) == (cpu == 2))
      if size == 0 { continue }
      #expect(start >= end)
      end = start + size
      for page in stride(from: start, to: end, by: 4096) {
        #expect((1...4080).contains(u64(page + 8)), "commit of the page at \(page)")
      }
    }
    #expect(end <= bytes.count)
  }

  @Test func versionSevenIsWalkedFromSectionToSection() throws {
    for compression in [TraceDatCompression.none, .zlib, .zstd] {
      let file = ScratchFile()
      try Self.write(file.path, .seven(compression), Self.buffers(perCPU: 1000))
      let bytes = try file.bytes()
      var position = 18
      for _ in 0..<2 { position = try #require(bytes[position...].firstIndex(of: 0)) + 1 }
      position += 8
      var ids: [Int] = []
      while position + 16 <= bytes.count {
        ids.append(Int(bytes[position]) | Int(bytes[position + 1]) << 8)
        position += 16 + (0..<8).reduce(0) { $0 | Int(bytes[position + 8 + $1]) << (8 * $1) }
      }
      #expect(position == bytes.count)
      #expect(ids == [16, 17, 18, 19, 20, 21, 0, 3, 0, 3, 0, 3, 0, 15])
    }
  }

  @Test func aFileThatCannotBeMadeIsNamed() {
    #expect(throws: TraceWriteError.self) {
      _ = try TraceDatWriter.create("/nonexistent/trace.dat", Self.options(.six))
    }
  }
}
