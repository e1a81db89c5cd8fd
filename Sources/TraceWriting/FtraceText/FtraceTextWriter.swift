public import TraceEvents

/// Writes the text of the kernel's `trace` file in its default form.
///
/// Line (Linux 6.12 `kernel/trace/trace_output.c`, `trace_print_context`):
/// `%16s-%-7d [%03d] FLAGS %5lu.%06lu: NAME: FIELDS`, time rounded to microseconds. Rows must come in
/// the order of their times, as the kernel merges its CPUs.
public struct FtraceTextWriter: ~Copyable {
  /// Events that it prints as the kernel does; of others it prints the fields by name.
  public static var kinds: [EventKind] { FtraceFields.kinds }

  private static let bufferSize = 1 << 16
  /// The longest line: names and fields are bounded, so it stays far below.
  private static let lineMax = 4096

  private var sink: FileSink
  private var lines = LineBuffer(capacity: Self.bufferSize)
  private var fields: FtraceFields
  private let names: TaskNames

  /// Creates `path` and writes the head.
  ///
  /// - Parameters:
  ///   - cpus: CPUs of the traced machine.
  ///   - events: how many rows will follow.
  public static func create(_ path: String, cpus: Int, events: UInt64, names: TraceNames)
    throws(TraceWriteError) -> FtraceTextWriter
  {
    var writer = FtraceTextWriter(try FileSink(path: path), cpus: cpus, names)
    try writer.writeHead(cpus: cpus, events: events)
    return writer
  }

  /// Begins a text that is written in its order only: a file, maybe packed, or standard output (`-`).
  public static func create(
    sequential path: String, packing: TextPacking, cpus: Int, events: UInt64, names: TraceNames
  ) throws(TraceWriteError) -> FtraceTextWriter {
    var writer = FtraceTextWriter(
      try FileSink(sequential: path, packing: packing), cpus: cpus, names)
    try writer.writeHead(cpus: cpus, events: events)
    return writer
  }

  private mutating func writeHead(cpus: Int, events: UInt64) throws(TraceWriteError) {
    try sink.write(
      """
      # tracer: nop
      #
      # entries-in-buffer/entries-written: \(events)/\(events)   #P:\(cpus)
      #
      #                                _-----=> irqs-off/BH-disabled
      #                               / _----=> need-resched
      #                              | / _---=> hardirq/softirq
      #                              || / _--=> preempt-depth
      #                              ||| / _-=> migrate-disable
      #                              |||| /     delay
      #           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
      #              | |         |   |||||     |         |

      """)
  }

  /// Strings that text words from now on may stand for, behind those that are known.
  public mutating func addTexts(_ texts: [String]) { fields.addTexts(texts) }

  /// Events without known fields that rows from now on may be, behind those that are known.
  public mutating func addOthers(_ names: [String]) { fields.addOthers(names) }

  /// Functions that words from now on may stand for, behind those that are known.
  public mutating func addSymbols(_ symbols: [KernelSymbol]) { fields.addSymbols(symbols) }

  private init(_ sink: consuming FileSink, cpus: Int, _ names: TraceNames) {
    self.sink = sink
    fields = FtraceFields(names, cpus: cpus)
    self.names = TaskNames(names)
  }

  /// Adds a line.
  public mutating func append(_ row: TraceRow) throws(TraceWriteError) {
    names.append(row.task, to: &lines)
    lines.append(" [")
    lines.append(decimal: UInt64(row.cpu), width: 3)
    lines.append("] ")
    appendFlags(row)
    // The kernel rounds to the nearest microsecond.
    let microseconds = row.time / 1000 + (row.time % 1000 + 500) / 1000
    let seconds = microseconds / 1_000_000
    lines.append(0x20)
    var limit: UInt64 = 10_000
    while limit > max(seconds, 1) {
      lines.append(0x20)
      limit /= 10
    }
    lines.append(decimal: seconds)
    lines.append(".")
    lines.append(decimal: microseconds % 1_000_000, width: 6)
    lines.append(": ")
    fields.append(row, to: &lines)
    lines.append("\n")
    if lines.room < Self.lineMax { try flush() }
  }

  /// Says that `count` events of `cpu` were lost before its next row.
  public mutating func noteLost(_ count: UInt64?, cpu: UInt16) throws(TraceWriteError) {
    lines.append("CPU:")
    lines.append(decimal: UInt64(cpu))
    lines.append(" [LOST ")
    if let count {
      lines.append(decimal: count)
      lines.append(" ")
    }
    lines.append("EVENTS]\n")
    if lines.room < Self.lineMax { try flush() }
  }

  /// Writes what is left and closes the file.
  public consuming func finish() throws(TraceWriteError) {
    try flush()
    try sink.flush()
  }

  private mutating func flush() throws(TraceWriteError) {
    try sink.write(lines.contents)
    lines.removeAll()
  }

  /// irqs-off, need-resched, hard or soft interrupt, preemption depth, migrate-disable depth.
  private mutating func appendFlags(_ row: TraceRow) {
    lines.append(row.flags & 1 != 0 ? 0x64 : 0x2e)
    let resched: UInt8 = row.flags & 0x20 != 0 ? 0x70 : 0x2e
    lines.append(row.flags & 4 != 0 ? (row.flags & 0x20 != 0 ? 0x4e : 0x6e) : resched)
    let soft: UInt8 = row.flags & 0x10 != 0 ? 0x73 : 0x2e
    lines.append(row.flags & 8 != 0 ? (row.flags & 0x10 != 0 ? 0x48 : 0x68) : soft)
    for depth in [row.preemptCount & 15, row.preemptCount >> 4] {
      if depth == 0 { lines.append(".") } else { lines.append(hexadecimal: UInt64(depth)) }
    }
  }
}

/// The column `%16s-%-7d` of each task, put together once.
struct TaskNames {
  /// Columns by thread id, for ids below the kernel's default `pid_max`.
  private static let tableSize = 32_768

  private var columns: [[UInt8]]
  private var others: [Int32: [UInt8]] = [:]

  init(_ names: TraceNames) {
    columns = (0..<Int32(Self.tableSize)).map { Self.column("<...>", $0) }
    columns[0] = Self.column("<idle>", 0)
    for (task, name) in names.tasks where task >= 0 && task < Self.tableSize {
      columns[Int(task)] = Self.column(name, task)
    }
    for (task, name) in names.tasks where task >= Self.tableSize {
      others[task] = Self.column(name, task)
    }
  }

  func append(_ task: Int32, to lines: inout LineBuffer) {
    if task >= 0 && task < Self.tableSize {
      lines.append(columns[Int(task)])
    } else {
      lines.append(others[task] ?? Self.column("<...>", task))
    }
  }

  private static func column(_ name: String, _ task: Int32) -> [UInt8] {
    let text = Array(name.utf8.prefix(15))
    let number = Array("\(task)".utf8)
    return [UInt8](repeating: 0x20, count: 16 - text.count) + text + [0x2d] + number
      + [UInt8](repeating: 0x20, count: max(0, 7 - number.count))
  }
}
