import TraceEvents

/// How a line tells its time; what the numbers mean follows from it.
enum TextTime: UInt8 {
  /// No time at all.
  case none
  /// `34.801484`: seconds, µs digits.
  case microseconds
  /// `71.316413526`: seconds, ns digits.
  case nanoseconds
  /// A bare integer: a clock that does not count ns, or one that the tool does not know to do so.
  case integer
  /// `17552us` (latency-format): since the first event of the buffer.
  case relative

  /// What the reader says about timestamps of this form.
  var unit: TimeUnit {
    switch self {
    case .none: .none
    case .microseconds: .nanoseconds(resolution: 1000)
    case .nanoseconds: .nanoseconds(resolution: 1)
    case .integer: .ticks
    case .relative: .relativeNanoseconds(resolution: 1000)
    }
  }
}

/// The head of one event's line, and where its event begins.
struct TextLine {
  /// CPU numbers that a line may have: what the tool is laid out for. A greater one is damage.
  static let cpusMax: UInt64 = 4096
  /// The longest task name: `TASK_COMM_LEN` 16 with its NUL.
  static let nameLengthMax = 15

  /// The task's name as it stands, maybe with blanks in front that belong to the column.
  var name: TextSpan
  /// Whether `name` is a column of exactly 16 bytes.
  var nameIsColumn = false
  /// What stands before the name's column: blank, or `instance:`.
  var prefix: TextSpan
  /// Thread id, or `EventBatch.unknownTask`.
  var task = EventBatch.unknownTask
  /// Thread group, or `EventBatch.unknownTask`.
  var group = EventBatch.unknownTask
  /// CPU, or `EventBatch.unknownCPU`.
  var cpu = EventBatch.unknownCPU
  /// Nanoseconds or ticks.
  var timestamp: UInt64 = 0
  /// What `timestamp` is.
  var time = TextTime.none
  /// Whether the CPU is glued to the flags: the latency forms, whose names are cut to 8 bytes.
  var isLatency = false
  /// The event's first byte.
  var body: UnsafePointer<UInt8>

  init(_ start: UnsafePointer<UInt8>) {
    name = TextSpan(start: start, count: 0)
    prefix = name
    body = start
  }
}

extension TextScanner {
  /// Takes a line's time: `34.801484`, `71.316413526`, `17552us `, `92911052636`.
  @inline(__always)
  mutating func takeTime(_ line: inout TextLine) -> Bool {
    guard let whole = takeDecimal() else { return false }
    if peek == ASCII.dot {
      at += 1
      let digits = at
      guard let fraction = takeDecimal() else { return false }
      // 2^64 ns are 18 446 744 073.7 s, which perf script --deltatime prints where time goes backwards.
      guard whole <= 18_446_744_073 else { return false }
      switch at - digits {
      case 6:
        line.time = .microseconds
        line.timestamp = whole &* 1_000_000_000 &+ fraction &* 1000
      case 9:
        line.time = .nanoseconds
        line.timestamp = whole &* 1_000_000_000 &+ fraction
      default: return false
      }
      return true
    }
    if peek == UInt8(ascii: "u") {
      // Behind `us` stands one character that marks the gap to the next event.
      guard line.isLatency, whole < 1 << 50, peek(1) == UInt8(ascii: "s"), left > 3 else {
        return false
      }
      at += 3
      line.time = .relative
      line.timestamp = whole &* 1000
      return true
    }
    line.time = .integer
    line.timestamp = whole
    return true
  }

  /// Takes `[003]`: at least three digits.
  @inline(__always)
  mutating func takeBracketedCPU(_ line: inout TextLine) -> Bool {
    guard skip(ASCII.openBracket) else { return false }
    let digits = at
    guard let cpu = takeDecimal(), at - digits >= 3, cpu < TextLine.cpusMax,
      skip(ASCII.closeBracket)
    else { return false }
    line.cpu = UInt16(truncatingIfNeeded: cpu)
    return true
  }

  /// Takes a thread id.
  @inline(__always)
  mutating func takeTask() -> Int32? {
    guard let number = takeDecimal() else { return nil }
    return Int32(exactly: number)
  }
}
