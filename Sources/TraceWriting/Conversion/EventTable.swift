public import TraceEvents

/// What the `time` column of a table of events holds.
public enum EventTableTime: String, Sendable {
  /// Nanoseconds of the trace clock.
  case nanoseconds = "time_ns"
  /// Nanoseconds since the first event or the one before.
  case relativeNanoseconds = "time_rel_ns"
  /// Ticks of a clock of unknown rate.
  case ticks = "time_ticks"
  /// The place in the file: the source shows no times.
  case position = "row"
}

/// How a table of events is written down.
public enum EventTableForm: Sendable {
  /// RFC 4180 with a head line; fields that an event does not have are empty.
  case csv
  /// A JSON object a line.
  case ndjson
}

/// Writes a row for each event: for DuckDB, pandas, jq.
///
/// CSV: the columns time, `cpu`, `pid` (thread), `tgid` (process), `comm`, `event`, and one for every
/// field that the trace's events have; a field called as one of these columns is `field_NAME`. NDJSON:
/// the same names, fields in an object `fields`. Numbers are decimal and signed as the kernel's; what
/// the kernel prints in hexadecimal (addresses) is text with 0x, because half of it does not fit a
/// signed 64-bit column; functions are names where the source tells them; CPU masks are lists
/// (`1,3-5`).
public struct EventTableWriter: ~Copyable {
  private static let baseColumns = ["cpu", "pid", "tgid", "comm", "event"]
  private static let bufferSize = 1 << 18
  /// The longest row: at most three texts, each byte of which may take six.
  private static let rowMax = 1 << 17
  private static let textMax = 4096

  private var sink: FileSink
  private var lines = LineBuffer(capacity: Self.bufferSize)
  private let form: EventTableForm
  private let time: [UInt8]
  private let tasks: EventDirectory
  /// By kind, slot: whether the value is an address, which is shown in hexadecimal.
  private let isAddress: [[Bool]]
  /// By kind, slot: the column's place among the fields (CSV), the key (NDJSON).
  private var columns: [[Int]]
  private var keys: [[[UInt8]]]
  private let columnCount: Int
  private var eventNames: [[UInt8]] = []
  /// By word: the directory's strings as they are written.
  private var texts: [[UInt8]] = []
  private var taskNames: [Int32: [UInt8]] = [:]
  /// Rows so far.
  public private(set) var rows: UInt64 = 0

  /// Begins a table at `path` (`-`: standard output) of events of `kinds` and of others; `tasks` knows
  /// the names of all threads.
  public static func create(
    _ path: String, _ form: EventTableForm, packing: TextPacking, time: EventTableTime,
    kinds: [EventKind], tasks: EventDirectory
  ) throws(TraceWriteError) -> EventTableWriter {
    var names: [String] = []
    for field in kinds.flatMap({ Tracepoint.of($0).fields }) {
      let name = columnName(field.name)
      if !names.contains(name) { names.append(name) }
    }
    names.sort()
    var writer = EventTableWriter(
      try FileSink(sequential: path, packing: packing), form, time, names, tasks)
    if form == .csv {
      try writer.sink.write(([time.rawValue] + baseColumns + names).joined(separator: ",") + "\n")
    }
    return writer
  }

  private init(
    _ sink: consuming FileSink, _ form: EventTableForm, _ time: EventTableTime, _ names: [String],
    _ tasks: EventDirectory
  ) {
    self.sink = sink
    self.form = form
    self.time = Array("{\"\(time.rawValue)\":".utf8)
    self.tasks = tasks
    columnCount = names.count
    columns = EventKind.allCases.map { kind in
      Tracepoint.of(kind).fields.map { field in
        names.firstIndex(of: Self.columnName(field.name)) ?? -1
      }
    }
    isAddress = EventKind.allCases.map { kind in
      Tracepoint.of(kind).fields.map { ["address", "ip"].contains($0.name) }
    }
    keys = EventKind.allCases.map { kind in
      Tracepoint.of(kind).fields.map { Array("\"\($0.name)\":".utf8) }
    }
  }

  private static func columnName(_ field: String) -> String {
    baseColumns.contains(field) ? "field_\(field)" : field
  }

  /// Adds the rows of `batch`.
  public mutating func append(
    _ batch: borrowing EventBatch, _ directory: EventDirectory
  ) throws(TraceWriteError) {
    while eventNames.count < directory.names.count {
      let name = String(directory.names[eventNames.count].full.prefix(200))
      eventNames.append(quoted(name))
    }
    if texts.count < directory.stringCount {
      for text in directory.allStrings[texts.count...] { texts.append(quoted(text)) }
    }
    for row in 0..<batch.count {
      if form == .csv {
        appendCSV(batch, row, directory)
      } else {
        appendJSON(batch, row, directory)
      }
      rows += 1
      if lines.room < Self.rowMax { try flush() }
    }
  }

  /// Writes what is left and closes the table.
  public consuming func finish() throws(TraceWriteError) {
    try flush()
    try sink.flush()
  }

  private mutating func flush() throws(TraceWriteError) {
    try sink.write(lines.contents)
    lines.removeAll()
  }

  // MARK: Rows

  private mutating func appendCSV(
    _ batch: borrowing EventBatch, _ row: Int, _ directory: EventDirectory
  ) {
    lines.append(decimal: batch.timestamp(row))
    lines.append(0x2c)
    if batch.cpu(row) != EventBatch.unknownCPU { lines.append(decimal: UInt64(batch.cpu(row))) }
    lines.append(0x2c)
    let task = batch.task(row)
    if task != EventBatch.unknownTask { lines.append(signed: Int64(task)) }
    lines.append(0x2c)
    if let group = group(task) { lines.append(signed: Int64(group)) }
    lines.append(0x2c)
    if task != EventBatch.unknownTask { lines.append(name(task, at: batch.timestamp(row))) }
    lines.append(0x2c)
    lines.append(eventNames[Int(batch.event(row))])
    var column = 0
    if let kind = batch.kind(row) { appendFields(batch, row, kind, directory, &column) }
    while column < columnCount {
      lines.append(0x2c)
      column += 1
    }
    lines.append("\n")
  }

  /// Fields of a kind stand in the order of their columns, not of their words.
  private mutating func appendFields(
    _ batch: borrowing EventBatch, _ row: Int, _ kind: EventKind, _ directory: EventDirectory,
    _ column: inout Int
  ) {
    let event = Int(kind.rawValue)
    let count = columns[event].count
    let fields = Tracepoint.of(kind).fields
    for _ in 0..<count {
      // At most eight: the next one is looked for.
      var next: Int?
      for slot in 0..<count where columns[event][slot] >= column {
        if next.map({ columns[event][slot] < columns[event][$0] }) ?? true { next = slot }
      }
      guard let slot = next else { return }
      while column <= columns[event][slot] {
        lines.append(0x2c)
        column += 1
      }
      appendValue(batch, row, slot, fields[slot].form, directory)
    }
  }

  private mutating func appendJSON(
    _ batch: borrowing EventBatch, _ row: Int, _ directory: EventDirectory
  ) {
    lines.append(time)
    lines.append(decimal: batch.timestamp(row))
    if batch.cpu(row) != EventBatch.unknownCPU {
      lines.append(",\"cpu\":")
      lines.append(decimal: UInt64(batch.cpu(row)))
    }
    let task = batch.task(row)
    if task != EventBatch.unknownTask {
      lines.append(",\"pid\":")
      lines.append(signed: Int64(task))
      if let group = group(task) {
        lines.append(",\"tgid\":")
        lines.append(signed: Int64(group))
      }
      lines.append(",\"comm\":")
      lines.append(name(task, at: batch.timestamp(row)))
    }
    lines.append(",\"event\":")
    lines.append(eventNames[Int(batch.event(row))])
    lines.append(",\"fields\":{")
    if let kind = batch.kind(row) {
      let event = Int(kind.rawValue)
      let fields = Tracepoint.of(kind).fields
      var isFirst = true
      for slot in fields.indices where batch.word(row, slot) != EventBatch.absent {
        if !isFirst { lines.append(0x2c) }
        isFirst = false
        lines.append(keys[event][slot])
        appendValue(batch, row, slot, fields[slot].form, directory)
      }
    }
    lines.append("}}\n")
  }

  private mutating func appendValue(
    _ batch: borrowing EventBatch, _ row: Int, _ slot: Int, _ form: FieldForm,
    _ directory: EventDirectory
  ) {
    let word = batch.word(row, slot)
    guard word != EventBatch.absent else { return }
    if isAddress[Int(batch.event(row))][slot] { return appendHexadecimal(word) }
    switch form {
    case .integer, .symbolic: lines.append(signed: Int64(bitPattern: word))
    case .text: lines.append(texts[word < UInt64(texts.count) ? Int(word) : 0])
    case .hexadecimal, .flags: appendHexadecimal(word)
    case .function:
      if let name = FunctionName.symbol(word, in: directory) {
        lines.append(quoted(name))
      } else {
        appendHexadecimal(word)
      }
    case .cpuMask:
      lines.append(0x22)
      lines.append(
        Array(CPUList.text(batch.cpuMask(row: row, slot: slot) ?? []).utf8.prefix(Self.textMax)))
      lines.append(0x22)
    }
  }

  private mutating func appendHexadecimal(_ word: UInt64) {
    if form == .ndjson { lines.append(0x22) }
    lines.append("0x")
    lines.append(hexadecimal: word)
    if form == .ndjson { lines.append(0x22) }
  }

  // MARK: Names

  private func group(_ task: Int32) -> Int32? {
    task == EventBatch.unknownTask ? nil : tasks.taskGroup(task)
  }

  private mutating func name(_ task: Int32, at time: UInt64) -> [UInt8] {
    if let known = taskNames[task] { return known }
    let name = quoted(FilterRequest.name(of: task, at: time, tasks))
    if !tasks.isRenamed(task) { taskNames[task] = name }
    return name
  }

  private func quoted(_ text: String) -> [UInt8] {
    let bytes = text.utf8.prefix(Self.textMax)
    return form == .csv ? Self.csv(bytes) : Self.json(bytes)
  }

  /// RFC 4180: in quotes where it must be.
  private static func csv(_ text: some BidirectionalCollection<UInt8>) -> [UInt8] {
    let isPlain = text.allSatisfy { $0 != 0x22 && $0 != 0x2c && $0 != 0x0a && $0 != 0x0d }
    if isPlain, text.first != 0x20, text.last != 0x20 { return Array(text) }
    return [0x22] + text.flatMap { $0 == 0x22 ? [0x22, 0x22] : [$0] } + [0x22]
  }

  /// RFC 8259: control characters as \u00XX.
  private static func json(_ text: some BidirectionalCollection<UInt8>) -> [UInt8] {
    let digits = Array("0123456789abcdef".utf8)
    let inner = text.flatMap { byte -> [UInt8] in
      if byte == 0x22 || byte == 0x5c { return [0x5c, byte] }
      if byte >= 0x20 { return [byte] }
      return Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
    return [0x22] + inner + [0x22]
  }
}
