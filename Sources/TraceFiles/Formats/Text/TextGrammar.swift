import TraceEvents

/// What a line turned out to be.
enum TextOutcome {
  /// An event; the plan's number.
  case event(Int)
  /// An event whose name the directory no longer takes.
  case tooManyNames
  /// perf's record of something that is no event (`PERF_RECORD_COMM`).
  case sideRecord
  /// Nothing that the grammar knows.
  case unparsed
}

/// One file's grammar: the dialect, and the form that its lines have.
struct TextGrammar {
  /// The dialect.
  let dialect: TextDialect
  /// The form of a task dialect's lines. perf's lines may all be bare as well.
  var form = TaskLine.Form.anchored
  private var taskLine = TaskLine()

  init(_ dialect: TextDialect) { self.dialect = dialect }

  /// Parses the part of a line before its event.
  @inline(__always)
  mutating func parseHead(
    _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ limit: UnsafePointer<UInt8>,
    _ line: inout TextLine
  ) -> Bool {
    if dialect == .perfScript {
      return PerfScriptLine.parse(start, end, limit, allowsBare: form == .bare, &line)
    }
    switch form {
    case .anchored: return taskLine.parse(start, end, limit, &line)
    case .verbose: return TaskLine.parseVerbose(start, end, limit, &line)
    case .bare:
      line = TextLine(start)
      return ASCII.isWord(start.pointee) || start.pointee == ASCII.less
    }
  }

  /// Takes the event's name; the scanner then stands before its text.
  @inline(__always)
  func takeEvent(_ scanner: inout TextScanner, _ events: TextEventTable) -> TextOutcome {
    dialect == .perfScript ? takePerfEvent(&scanner, events) : takeTaskEvent(&scanner, events)
  }

  @inline(__always)
  private func takeTaskEvent(
    _ scanner: inout TextScanner, _ events: TextEventTable
  ) -> TextOutcome {
    if dialect == .traceCmd, scanner.hasPrefix("(+") {
      // --ts-diff: the gap to the previous line.
      _ = scanner.skipWord()
      scanner.skipSpaces()
    }
    let start = scanner.at
    guard ASCII.isWord(scanner.peek) else { return takeStack(scanner, events) }
    scanner.skip(to: .nameEnd)
    let name = TextSpan(start: start, count: scanner.at - start)
    if scanner.peek == ASCII.colon, scanner.peek(1) == ASCII.space || scanner.left == 1 {
      scanner.at += 1
      return outcome(name, .bare, events)
    }
    guard scanner.left > 0 else { return .unparsed }
    return takeUncommon(name, &scanner, events)
  }

  @inline(__always)
  private func outcome(
    _ name: TextSpan, _ spelling: TextSpelling, _ events: TextEventTable
  ) -> TextOutcome {
    guard let plan = events.plan(name, spelling) else { return .tooManyNames }
    return .event(plan)
  }

  /// `sys_munmap(addr: ...)`, `sys_munmap -> 0x0`, and the function tracer's `vfs_read <-ksys_read`.
  private func takeUncommon(
    _ name: TextSpan, _ scanner: inout TextScanner, _ events: TextEventTable
  ) -> TextOutcome {
    let isCall =
      name.count > 4
      && TextScanner(at: name.start, end: name.start + name.count, limit: scanner.limit)
        .hasPrefix("sys_")
    if isCall, scanner.skip(ASCII.open) { return outcome(name, .syscallEntry, events) }
    if isCall, scanner.skip(" -> ") { return outcome(name, .syscallExit, events) }
    if scanner.hasPrefix(" <-") { return outcome(TextSpan("function"), .bare, events) }
    return .unparsed
  }

  /// `<stack trace>`, `<user stack trace>`: heads of the lines with ` => ` that follow.
  private func takeStack(_ scanner: TextScanner, _ events: TextEventTable) -> TextOutcome {
    if scanner.hasPrefix("<stack trace") {
      return outcome(TextSpan("kernel_stack"), .bare, events)
    }
    if scanner.hasPrefix("<user stack trace") {
      return outcome(TextSpan("user_stack"), .bare, events)
    }
    return .unparsed
  }

  @inline(__always)
  private func takePerfEvent(
    _ scanner: inout TextScanner, _ events: TextEventTable
  ) -> TextOutcome {
    guard let name = PerfScriptLine.eventName(scanner), ASCII.isWord(name.start.pointee) else {
      return scanner.hasPrefix("PERF_RECORD_") ? .sideRecord : .unparsed
    }
    if name.start.pointee == UInt8(ascii: "P"), scanner.hasPrefix("PERF_RECORD_") {
      return .sideRecord
    }
    scanner.at = name.start + (name.count + 1)
    return outcome(name, .perf, events)
  }
}

extension TextScanner {
  /// Reads `line` and loads nothing behind it.
  init(_ line: TextSpan) {
    self.init(at: line.start, end: line.start + line.count, limit: line.start + line.count)
  }
}

extension TextSpan {
  /// The bytes of a literal.
  init(_ text: StaticString) {
    self.init(start: text.utf8Start, count: text.utf8CodeUnitCount)
  }
}
