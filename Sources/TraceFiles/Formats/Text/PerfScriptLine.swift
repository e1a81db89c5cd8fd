import TraceEvents

/// The line grammar of `perf script`: columns come and go with `-F`.
///
///     %16s %7d [%03d] %5lu.%06lu: %*s: text               default; the name is unpadded with chains
///     %16s %7d/%-7d [%03d] K 2026-11-21 09:20:40.234 %5lu.%09lu: 1 event: text      with everything
///     event: text                                         -F event,trace
///
/// Source: perf 6.1 `tools/perf/builtin-script.c` (`perf_sample__fprintf_start`).
///
/// The name may hold anything, so it ends before the last place within its 15 bytes (a column of 16
/// where the list is padded) from which the rest of the line parses.
struct PerfScriptLine {
  private enum TaskColumn { case required, optional, missing }

  /// Parses the head of a line; false if it has no such form.
  ///
  /// - Parameter allowsBare: whether a line may be an event and nothing before it.
  @inline(__always)
  static func parse(
    _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ limit: UnsafePointer<UInt8>,
    allowsBare: Bool, _ line: inout TextLine
  ) -> Bool {
    line.prefix = TextSpan(start: start, count: 0)
    if end - start > 16, start[16] == ASCII.space, start[0] == ASCII.space {
      var scanner = TextScanner(at: start + 16, end: end, limit: limit)
      if parseTail(&scanner, &line, .required) {
        line.name = TextSpan(start: start, count: 16)
        line.nameIsColumn = true
        return true
      }
    }
    line.nameIsColumn = false
    return search(start, end, limit, allowsBare: allowsBare, &line)
  }

  private static func search(
    _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ limit: UnsafePointer<UInt8>,
    allowsBare: Bool, _ line: inout TextLine
  ) -> Bool {
    var scanner = TextScanner(at: start, end: end, limit: limit)
    line.name = TextSpan(start: start, count: 0)
    scanner.skipSpaces()
    if ASCII.isDigit(scanner.peek) || scanner.peek == ASCII.openBracket,
      parseTail(&scanner, &line, .optional)
    {
      return true
    }
    for column in [TaskColumn.required, .missing] {
      var nameEnd = min(16, end - start - 1)
      while nameEnd > 0 {
        scanner.at = start + nameEnd
        if scanner.peek == ASCII.space, parseTail(&scanner, &line, column) {
          line.name = TextSpan(start: start, count: nameEnd).trimmedBack
          return true
        }
        nameEnd -= 1
      }
    }
    guard allowsBare else { return false }
    scanner.at = start
    scanner.skipSpaces()
    line.body = scanner.at
    line.time = .none
    line.timestamp = 0
    line.cpu = EventBatch.unknownCPU
    line.task = EventBatch.unknownTask
    line.group = EventBatch.unknownTask
    return eventName(scanner) != nil
  }

  /// Parses what follows the name: ids, CPU, misc, wall-clock time, time, period.
  @inline(__always)
  private static func parseTail(
    _ scanner: inout TextScanner, _ line: inout TextLine, _ column: TaskColumn
  ) -> Bool {
    scanner.skipSpaces()
    line.task = EventBatch.unknownTask
    line.group = EventBatch.unknownTask
    line.cpu = EventBatch.unknownCPU
    var hasColumns = false
    if column != .missing {
      let before = scanner.at
      if parseTask(&scanner, &line) {
        hasColumns = true
        scanner.skipSpaces()
      } else {
        guard column == .optional else { return false }
        line.task = EventBatch.unknownTask
        line.group = EventBatch.unknownTask
        scanner.at = before
      }
    }
    if scanner.peek == ASCII.openBracket {
      guard scanner.takeBracketedCPU(&line), scanner.skip(ASCII.space) else { return false }
      scanner.skipSpaces()
      hasColumns = true
    } else if column == .missing {
      return false
    }
    return parseTime(&scanner, &line, hasColumns: hasColumns)
  }

  /// Takes `3069 ` or `3069/3070 ` (process, thread).
  @inline(__always)
  private static func parseTask(_ scanner: inout TextScanner, _ line: inout TextLine) -> Bool {
    let isNegative = scanner.skip(ASCII.dash)
    guard let first = scanner.takeTask() else { return false }
    line.task = isNegative ? -first : first
    if scanner.skip(ASCII.slash) {
      let isNegative = scanner.skip(ASCII.dash)
      guard let second = scanner.takeTask() else { return false }
      line.group = line.task
      line.task = isNegative ? -second : second
    }
    return scanner.skip(ASCII.space)
  }

  @inline(__always)
  private static func parseTime(
    _ scanner: inout TextScanner, _ line: inout TextLine, hasColumns: Bool
  ) -> Bool {
    if !ASCII.isDigit(scanner.peek) {
      let before = scanner.at
      skipMisc(&scanner)
      // -F +tod of a file that does not say how its clock and the wall clock belong together.
      if scanner.skip("disabled ") { scanner.skipSpaces() }
      if !ASCII.isDigit(scanner.peek) {
        // -F without time: the event must then say its system, as tracepoints do.
        guard hasColumns else { return false }
        scanner.at = before
        guard let name = eventName(scanner), isQualified(name) else { return false }
        line.time = .none
        line.timestamp = 0
        line.body = scanner.at
        return true
      }
    }
    if scanner.peek(4) == ASCII.dash, scanner.peek(7) == ASCII.dash {
      // -F +tod: date and time of day.
      _ = scanner.skipWord()
      scanner.skipSpaces()
      _ = scanner.skipWord()
      scanner.skipSpaces()
    }
    guard scanner.takeTime(&line), line.time != .integer, scanner.skip(ASCII.colon),
      scanner.skip(ASCII.space)
    else { return false }
    scanner.skipSpaces()
    if ASCII.isDigit(scanner.peek) {
      // The period of a software or hardware event.
      let before = scanner.at
      if scanner.takeDecimal() != nil, scanner.skip(ASCII.space) {
        scanner.skipSpaces()
      } else {
        scanner.at = before
      }
    }
    line.body = scanner.at
    return true
  }

  /// Passes over the letters of -F +misc (`K`, `U`, `Sp`): words without digits, at most four.
  private static func skipMisc(_ scanner: inout TextScanner) {
    for _ in 0..<3 {
      var word = scanner
      let length = word.skipWord()
      guard length > 0, length <= 4, (0..<length).allSatisfy({ ASCII.isLetter(scanner.at[$0]) })
      else { return }
      scanner = word
      scanner.skipSpaces()
    }
  }

  /// The event's name: the word at the cursor, which must end in a colon; without that.
  @inline(__always)
  static func eventName(_ scanner: TextScanner) -> TextSpan? {
    var word = scanner
    let length = word.skipWord()
    guard length > 1, scanner.at[length - 1] == ASCII.colon,
      word.left == 0 || word.peek == ASCII.space
    else { return nil }
    return TextSpan(start: scanner.at, count: length - 1)
  }

  /// Whether a name is `system:event`.
  static func isQualified(_ name: TextSpan) -> Bool {
    guard ASCII.isWord(name.start.pointee) else { return false }
    return (1..<max(name.count, 1)).contains { name.start[$0] == ASCII.colon }
  }
}
