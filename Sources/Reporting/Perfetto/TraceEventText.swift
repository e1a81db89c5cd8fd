/// Writes the JSON of the Trace Event Format, an event a line.
///
/// Format: "Trace Event Format" of the Chromium project; phases X (slice), i (instant), C (counter) and
/// M (names). Times come in nanoseconds and are written in microseconds, as the format has them.
struct TraceEventText {
  /// A value beside an event.
  enum Argument {
    case number(Int64)
    case text(String)
  }

  private var bytes: [UInt8] = []
  private var isFirst = true

  /// What was written since the last call.
  mutating func take() -> [UInt8] {
    defer { bytes.removeAll(keepingCapacity: true) }
    return bytes
  }

  mutating func begin() { append("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[") }
  mutating func end() { append("\n]}\n") }

  // MARK: Events

  /// What lasts.
  mutating func slice(
    _ start: UInt64, _ end: UInt64, process: Int, thread: Int, _ name: String, _ category: String,
    _ arguments: [(String, Argument)]
  ) {
    event("X", process, thread, name, category)
    append(",\"ts\":")
    append(microseconds: start)
    append(",\"dur\":")
    append(microseconds: end > start ? end - start : 0)
    append(arguments)
  }

  /// What happens at once, on its thread.
  mutating func instant(
    _ time: UInt64, process: Int, thread: Int, _ name: String, _ category: String,
    _ arguments: [(String, Argument)]
  ) {
    event("i", process, thread, name, category)
    append(",\"s\":\"t\",\"ts\":")
    append(microseconds: time)
    append(arguments)
  }

  /// What a counter is from now on; counters belong to a process.
  mutating func counter(_ time: UInt64, process: Int, _ name: String, _ value: Int) {
    event("C", process, 0, name, nil)
    append(",\"ts\":")
    append(microseconds: time)
    append([("value", .number(Int64(value)))])
  }

  // MARK: Names

  /// A process and its place among the others.
  mutating func name(process: Int, _ name: String, order: Int) {
    event("M", process, 0, "process_name", nil)
    append([("name", .text(name))])
    event("M", process, 0, "process_sort_index", nil)
    append([("sort_index", .number(Int64(order)))])
  }

  /// A thread of a process and its place among the others.
  mutating func name(process: Int, thread: Int, _ name: String, order: Int) {
    event("M", process, thread, "thread_name", nil)
    append([("name", .text(name))])
    event("M", process, thread, "thread_sort_index", nil)
    append([("sort_index", .number(Int64(order)))])
  }

  // MARK: Bytes

  private mutating func event(
    _ phase: String, _ process: Int, _ thread: Int, _ name: String, _ category: String?
  ) {
    append(isFirst ? "\n{\"ph\":\"" : ",\n{\"ph\":\"")
    isFirst = false
    append(phase)
    append("\",\"pid\":\(process),\"tid\":\(thread),\"name\":")
    append(quoted: name)
    if let category {
      append(",\"cat\":")
      append(quoted: category)
    }
  }

  /// The arguments, and the event's end.
  private mutating func append(_ arguments: [(String, Argument)]) {
    append(",\"args\":{")
    for (index, argument) in arguments.enumerated() {
      if index > 0 { append(",") }
      append(quoted: argument.0)
      switch argument.1 {
      case .number(let number): append(":\(number)")
      case .text(let text):
        append(":")
        append(quoted: text)
      }
    }
    append("}}")
  }

  private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

  private mutating func append(microseconds nanoseconds: UInt64) {
    let fraction = nanoseconds % 1000
    append(
      "\(nanoseconds / 1000).\(fraction < 100 ? "0" : "")\(fraction < 10 ? "0" : "")\(fraction)")
  }

  private mutating func append(quoted text: String) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
      case 0..<0x20: append("\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))")
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}
