import Testing
import TraceEvents
import TraceFiles
import TraceWriting

/// What is written must come back through the readers: every row, every word.
@Suite struct RoundTripTests {
  /// A row as it came back; words made comparable with those that were written.
  private struct ReadRow: Equatable {
    var kind: EventKind
    var cpu: UInt16
    var task: Int32
    var time: UInt64
    var words: [UInt64]
  }

  private static let kinds = EventFormat.builtIn.filter { $0.system != "ftrace" }.map(\.kind)

  private static func rows() -> [TraceRow] {
    // Times of a CPU differ, so that the merged order is the only one.
    let all = (0..<4).flatMap { cpu in
      var last: UInt64 = 0
      return SampleRows.rows(cpu: UInt16(cpu), perCPU: 1500, kinds: kinds).map { row in
        var row = row
        row.time = max(row.time, last + 1)
        last = row.time
        return row
      }
    }
    return all.sorted { ($0.time, $0.cpu) < ($1.time, $1.cpu) }
  }

  private static func read(_ path: String) throws -> [ReadRow] {
    var reader = try TraceInput(path).makeReader(ReadRequest(order: .time))
    var batch = EventBatch()
    var rows: [ReadRow] = []
    while try reader.next(into: &batch) {
      for row in 0..<batch.count {
        guard let kind = batch.kind(row) else {
          Issue.record("an event that was not written")
          continue
        }
        let words = Tracepoint.of(kind).fields.enumerated().map { slot, field in
          switch field.form {
          case .cpuMask:
            (batch.cpuMask(row: row, slot: slot) ?? []).reduce(UInt64(0)) { $0 | 1 << UInt64($1) }
          case .text:
            UInt64(
              SampleRows.names.texts.firstIndex(
                of: reader.directory.string(batch.word(row, slot))) ?? 99)
          default: batch.word(row, slot)
          }
        }
        rows.append(
          ReadRow(
            kind: kind, cpu: batch.cpu(row), task: batch.task(row), time: batch.timestamp(row),
            words: words))
      }
    }
    #expect(reader.statistics.findings.isEmpty, "\(reader.statistics.findings)")
    return rows
  }

  /// Which bits of each word a record of each kind keeps; nil where the kernel has no such field.
  private static let masks: [EventKind: [UInt64?]] = Dictionary(
    uniqueKeysWithValues: EventFormat.builtIn.map { format in
      let masks = Tracepoint.of(format.kind).fields.map { wanted -> UInt64? in
        if wanted.name.contains("[") { return .max }
        let names = [wanted.name] + wanted.aliases
        let found = format.fields.first { names.contains($0.name) }
        guard let field = found else { return nil }
        return field.size >= 8 || field.isDynamic ? .max : 1 << UInt64(field.size * 8) - 1
      }
      return (format.kind, masks)
    })

  /// What a reader can know of a written row.
  private static func known(_ row: TraceRow) -> ReadRow {
    let words = (masks[row.kind] ?? []).enumerated().map { slot, mask in
      mask.map { row.words[slot] & $0 } ?? EventBatch.absent
    }
    return ReadRow(kind: row.kind, cpu: row.cpu, task: row.task, time: row.time, words: words)
  }

  private static func expectSame(_ read: [ReadRow], _ written: [TraceRow]) {
    #expect(read.count == written.count)
    for (got, row) in zip(read, written) where got != known(row) {
      Issue.record("read \(got), wrote \(known(row))")
      return
    }
  }

  @Test(arguments: [TraceDatVersion.six, .seven(.none), .seven(.zlib), .seven(.zstd)])
  func traceDat(_ version: TraceDatVersion) throws {
    let file = ScratchFile()
    let rows = Self.rows()
    var options = TraceDatOptions(cpus: 4, version: version)
    options.names = SampleRows.names
    var writer = try TraceDatWriter.create(file.path, options)
    for cpu in 0..<4 {
      try writer.begin(cpu: cpu)
      for row in rows where row.cpu == cpu { try writer.append(row) }
    }
    try writer.finish()
    Self.expectSame(try Self.read(file.path), rows)
  }

  @Test(arguments: [false, true])
  func perfData(_ isCompressed: Bool) throws {
    let file = ScratchFile()
    let rows = Self.rows()
    var options = PerfDataOptions(cpus: 4)
    options.names = SampleRows.names
    options.isCompressed = isCompressed
    var writer = try PerfDataWriter.create(file.path, options)
    // Rounds of a hundred rows, in each the CPUs one after the other.
    for start in stride(from: 0, to: rows.count, by: 100) {
      let round = rows[start..<min(start + 100, rows.count)]
      for cpu in 0..<4 { for row in round where row.cpu == cpu { try writer.append(row) } }
      try writer.endRound()
    }
    try writer.finish()
    Self.expectSame(try Self.read(file.path), rows)
  }

  @Test func ftraceText() throws {
    let file = ScratchFile()
    let rows = Self.rows().filter { FtraceTextWriter.kinds.contains($0.kind) }
    var writer = try FtraceTextWriter.create(
      file.path, cpus: 4, events: UInt64(rows.count), names: SampleRows.names)
    for row in rows { try writer.append(row) }
    try writer.finish()
    let read = try Self.read(file.path)
    try #require(read.count == rows.count)
    for (got, row) in zip(read, rows) {
      let microseconds = (row.time + 500) / 1000
      guard got.kind == row.kind, got.cpu == row.cpu, got.task == row.task,
        got.time == microseconds * 1000
      else {
        Issue.record("read \(got), wrote \(Self.known(row))")
        return
      }
      // What text hashes, names or leaves out is not compared.
      if [.tlbFlush, .pageFree, .removeMigrationPTE, .sysEnterMunmap].contains(row.kind) {
        #expect(got.words == Self.known(row).words)
      }
    }
  }
}
