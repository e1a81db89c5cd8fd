import TraceEvents

/// The line grammar that the kernel's own text and `trace-cmd report` share.
///
///     %16s-%-7d (%7d) [%03d] d..2. %5lu.%06lu: event      kernel, default; `(tgid)`, flags optional
///     %8.8s-%-7d %3dd..2. %4lluus+: event                 kernel, latency-format
///     %16s %7d %3d %d %08x %08lx [%08lx] 17.552ms (+1.086ms): event      the same with verbose
///     event                                               kernel, nocontext-info
///     inst: %16s-%-5d [%03d] %5lu.%09lu: (+11) event:     trace-cmd; instance, flags, diff optional
///     %8.8s-%-5d %3d-0x1 %5lu.%06lu: event:               trace-cmd report -l -R
///
/// Sources: Linux 6.12 `kernel/trace/trace_output.c` (`trace_print_context`,
/// `trace_print_lat_context`), trace-cmd 3.1 `lib/trace-cmd` and libtraceevent `event-parse.c`.
///
/// The task's name may hold blanks, `-`, `:`, `[`: it cannot be taken from the front. It ends before
/// the last `-<pid> [<cpu>] <time>:` that can be its own end, and as a column of 16 (or 8) bytes it
/// has its end at the same place in every line.
struct TaskLine {
  /// How a file's lines begin.
  enum Form {
    /// `name-pid ... time: event`.
    case anchored
    /// latency-format with verbose.
    case verbose
    /// The event only.
    case bare
  }

  /// Bytes of a line in which the `-` before the pid is looked for: an instance name and the rest.
  private static let anchorMax = 320

  /// Where the `-` stood in the last line that had its name in a column.
  private var anchorColumn = 16

  /// Parses the head of the line; false if it has no such form.
  @inline(__always)
  mutating func parse(
    _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ limit: UnsafePointer<UInt8>,
    _ line: inout TextLine
  ) -> Bool {
    let column = anchorColumn
    if end - start > column, start[column] == ASCII.dash {
      var scanner = TextScanner(at: start + (column + 1), end: end, limit: limit)
      if Self.parseTail(&scanner, &line), column >= (line.isLatency ? 8 : 16) {
        splitName(start, column, &line)
        return true
      }
    }
    return search(start, end, limit, &line)
  }

  private mutating func search(
    _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ limit: UnsafePointer<UInt8>,
    _ line: inout TextLine
  ) -> Bool {
    var reach = min(end - start, Self.anchorMax)
    var found: Int?
    var column = 0
    while column < reach {
      if start[column] == ASCII.dash {
        var scanner = TextScanner(at: start + (column + 1), end: end, limit: limit)
        var trial = TextLine(start)
        if Self.parseTail(&scanner, &trial) {
          // A name can imitate a head, but is too short to reach beyond the next 16 bytes.
          if found == nil { reach = min(reach, column + TextLine.nameLengthMax + 2) }
          found = column
          line = trial
        }
      }
      column += 1
    }
    guard let found else { return false }
    if found >= (line.isLatency ? 8 : 16) { anchorColumn = found }
    splitName(start, found, &line)
    return true
  }

  @inline(__always)
  private func splitName(
    _ start: UnsafePointer<UInt8>, _ column: Int, _ line: inout TextLine
  ) {
    let width = line.isLatency ? 8 : 16
    let front = column > width ? column - width : 0
    line.prefix = TextSpan(start: start, count: front)
    line.name = TextSpan(start: start + front, count: column - front)
    line.nameIsColumn = column - front == 16
  }

  /// Parses what follows the `-`: pid, tgid, CPU, flags, time, colon.
  @inline(__always)
  private static func parseTail(_ scanner: inout TextScanner, _ line: inout TextLine) -> Bool {
    guard let task = scanner.takeTask(), scanner.skip(ASCII.space) else { return false }
    line.task = task
    scanner.skipSpaces()
    line.group = EventBatch.unknownTask
    if scanner.peek == ASCII.open, !parseGroup(&scanner, &line) { return false }
    if scanner.peek == ASCII.openBracket {
      line.isLatency = false
      guard scanner.takeBracketedCPU(&line) else { return false }
      scanner.skipSpaces()
      if !ASCII.isDigit(scanner.peek) {
        // Interrupt flags (`d..2.`): 4 or 5 characters so far; none begins with a digit.
        let flags = scanner.skipWord()
        guard flags > 0, flags <= 8, scanner.skip(ASCII.space) else { return false }
        scanner.skipSpaces()
      }
    } else {
      line.isLatency = true
      guard let cpu = scanner.takeDecimal(), cpu < TextLine.cpusMax else { return false }
      line.cpu = UInt16(truncatingIfNeeded: cpu)
      guard skipLatencyFlags(&scanner) else { return false }
    }
    guard scanner.takeTime(&line), scanner.skip(ASCII.colon) else { return false }
    guard scanner.skip(ASCII.space) else { return false }
    scanner.skipSpaces()
    line.body = scanner.at
    return true
  }

  /// Passes over the flags that are glued to the CPU: `d..2. `, `d..2.145906873482` (trace-cmd sets
  /// no blank before a time that is wide), `-0x9 ` (trace-cmd report -l -R).
  private static func skipLatencyFlags(_ scanner: inout TextScanner) -> Bool {
    if scanner.skip("-0x") {
      guard scanner.takeHexadecimal() != nil, scanner.skip(ASCII.space) else { return false }
    } else {
      guard scanner.peek == ASCII.dot || ASCII.isLetter(scanner.peek) else { return false }
      // Five flags, the last one a blank of its kind: a digit there could be the time's own.
      if scanner.peek(4) == ASCII.dot, ASCII.isDigit(scanner.peek(5)),
        ASCII.isDigit(scanner.peek(6))
      {
        scanner.at += 5
        return true
      }
      let flags = scanner.skipWord()
      guard flags >= 4, flags <= 8, scanner.skip(ASCII.space) else { return false }
    }
    scanner.skipSpaces()
    return true
  }

  /// Takes `(    134) ` or `(-------) ` (record-tgid).
  private static func parseGroup(_ scanner: inout TextScanner, _ line: inout TextLine) -> Bool {
    scanner.at += 1
    scanner.skipSpaces()
    if scanner.peek == ASCII.dash {
      while scanner.skip(ASCII.dash) {}
    } else {
      guard let group = scanner.takeTask() else { return false }
      line.group = group
    }
    guard scanner.skip(ASCII.close), scanner.skip(ASCII.space) else { return false }
    scanner.skipSpaces()
    return true
  }

  /// Parses a line of the latency form with verbose.
  static func parseVerbose(
    _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ limit: UnsafePointer<UInt8>,
    _ line: inout TextLine
  ) -> Bool {
    var column = min(16, end - start - 1)
    while column > 0 {
      var scanner = TextScanner(at: start + column, end: end, limit: limit)
      if scanner.peek == ASCII.space, parseVerboseTail(&scanner, &line) {
        line.prefix = TextSpan(start: start, count: 0)
        line.nameIsColumn = column == 16
        line.name = TextSpan(start: start, count: column)
        if !line.nameIsColumn { line.name = line.name.trimmedBack }
        return true
      }
      column -= 1
    }
    return false
  }

  private static func parseVerboseTail(
    _ scanner: inout TextScanner, _ line: inout TextLine
  ) -> Bool {
    scanner.skipSpaces()
    guard let task = scanner.takeTask(), scanner.skip(ASCII.space) else { return false }
    scanner.skipSpaces()
    guard let cpu = scanner.takeDecimal(), cpu < TextLine.cpusMax, scanner.skip(ASCII.space)
    else { return false }
    // Flags (decimal), preemption depth and index (hexadecimal).
    for _ in 0..<3 {
      scanner.skipSpaces()
      guard scanner.takeHexadecimal() != nil, scanner.skip(ASCII.space) else { return false }
    }
    guard scanner.skip(ASCII.openBracket), let stamp = scanner.takeHexadecimal(),
      scanner.skip("] "), parseGaps(&scanner, &line, stamp)
    else { return false }
    line.task = task
    line.group = EventBatch.unknownTask
    line.cpu = UInt16(truncatingIfNeeded: cpu)
    line.body = scanner.at
    return true
  }

  /// Takes `17.552ms (+1.086ms): `, or `17552 (+1086): ` of a clock that does not count ns. `stamp` is
  /// the absolute time: µs, or that clock's ticks.
  private static func parseGaps(
    _ scanner: inout TextScanner, _ line: inout TextLine, _ stamp: UInt64
  ) -> Bool {
    guard scanner.takeDecimal() != nil else { return false }
    if scanner.skip(ASCII.dot) {
      guard scanner.takeDecimal() != nil, scanner.skip("ms (+"), scanner.takeDecimal() != nil,
        scanner.skip(ASCII.dot), scanner.takeDecimal() != nil, scanner.skip("ms): "),
        stamp < 1 << 54
      else { return false }
      line.time = .microseconds
      line.timestamp = stamp &* 1000
    } else {
      guard scanner.skip(" (+"), scanner.takeDecimal() != nil, scanner.skip("): ") else {
        return false
      }
      line.time = .integer
      line.timestamp = stamp
    }
    return true
  }
}
