import TraceEvents

/// The text dialects and how they are told apart.
///
/// By what only one of them writes at its start (`# tracer:`, `cpus=4`, `# ========`), else, as people
/// cut and paste, by a vote of the lines: most of them must be events of one dialect.
enum TextDialect {
  /// The kernel's `trace` and `trace_pipe`.
  case ftrace
  /// `trace-cmd report`.
  case traceCmd
  /// `perf script`.
  case perfScript

  /// What `TraceFacts.format` calls it.
  var formatName: String {
    switch self {
    case .ftrace: "ftrace-text"
    case .traceCmd: "trace-cmd-text"
    case .perfScript: "perf-script-text"
    }
  }

  /// The dialect that `head` is written in, nil if it is no trace.
  ///
  /// - Throws: if it is a dump of events in a form that no longer says what they are.
  static func recognise(_ head: ByteView) throws(TraceError) -> TextDialect? {
    guard head.count > 0 else { return nil }
    var vote = TextVote(head)
    vote.count()
    try vote.refuseDumps()
    return vote.winner
  }

  /// A reader of this dialect.
  func makeReader(_ input: TextInput, _ compression: Compression?, _ request: ReadRequest)
    throws(TraceError) -> any TraceReader
  {
    try TextReader(self, input, compression, request)
  }
}

/// Counts what the first lines of a text look like.
struct TextVote {
  private static let linesMax = 400
  private static let bytesMax = 1 << 18

  private let head: ByteView
  private var header: TextDialect?
  private var tracer: String?
  private var considered = 0
  private var ftrace = 0
  private var traceCmd = 0
  private var perf = 0
  private var raw = 0
  private var hexadecimal = 0
  private var dump = 0
  private var taskLine = TaskLine()
  private let decoration = TextDecoration()

  init(_ head: ByteView) { self.head = head.slice(0, min(head.count, Self.bytesMax)) ?? head }

  /// Lines of one of the dialects.
  private var events: Int { ftrace + traceCmd + perf }

  /// Looks at the lines.
  mutating func count() {
    var lines = TextLines(head)
    var seen = 0
    while seen < Self.linesMax, let line = lines.next() {
      seen += 1
      look(line, seen)
    }
  }

  /// The dialect, nil if this is no trace.
  var winner: TextDialect? {
    switch header {
    case .ftrace: return .ftrace
    case .traceCmd where considered == 0 || traceCmd + ftrace > 0: return .traceCmd
    case .perfScript where considered == 0 || perf > 0: return .perfScript
    default: break
    }
    let best = max(perf, ftrace + traceCmd)
    guard best > 0, best * 2 >= considered else { return nil }
    if perf == best { return .perfScript }
    return traceCmd > ftrace ? .traceCmd : .ftrace
  }

  /// Throws for forms that carry events but no longer say which fields they had.
  func refuseDumps() throws(TraceError) {
    if dump > 0, events == 0 {
      throw TraceError(
        """
        is a dump of perf.data records (perf script -D), not a list of events: give the perf.data \
        file itself, or the output of perf script without -D
        """, at: 0)
    }
    guard events == 0, header == .ftrace || (raw + hexadecimal) * 2 >= max(considered, 1) else {
      return
    }
    let advice = "clear it (echo 0 > options/"
    if raw > 0, raw >= hexadecimal {
      throw TraceError(
        """
        is ftrace text made with the option raw, which leaves out the fields of the events: \
        \(advice)raw in tracefs) and read the trace again
        """, at: 0)
    }
    if hexadecimal > 0 {
      throw TraceError(
        """
        is ftrace text made with the option hex, which leaves out the fields of the events: \
        \(advice)hex in tracefs) and read the trace again
        """, at: 0)
    }
    guard header == .ftrace, considered > 0 else { return }
    if holdsBinary {
      throw TraceError(
        """
        is ftrace text made with the option bin, which is binary without a description: \
        \(advice)bin in tracefs) and read the trace again, or record with trace-cmd
        """, at: 0)
    }
    if let tracer, tracer != "nop" {
      throw TraceError(
        """
        is the output of the tracer \(tracer) and holds no events: record events instead \
        (echo nop > current_tracer, and enable events)
        """, at: 0)
    }
  }

  private var holdsBinary: Bool {
    var odd = 0
    for index in 0..<head.count {
      let byte = head.u8(index)
      if byte < 0x09 || (byte > 0x0d && byte < 0x20) || byte >= 0x80 { odd += 1 }
    }
    return odd * 10 > head.count
  }

  private mutating func look(_ line: TextSpan, _ number: Int) {
    var scanner = TextScanner(
      at: line.start, end: line.start + line.count, limit: line.start + line.count)
    guard line.count > 0 else { return }
    if number == 1 { _ = scanner.skip(TextOther.byteOrderMark) }
    if lookAtOther(scanner, number) { return }
    considered += 1
    if lookAtTaskLine(scanner) || lookAtPerfLine(scanner) { return }
    if TextOther.isComment(scanner) {
      considered -= 1
      return lookAtComment(scanner)
    }
    if let plain = decoration.strip(scanner) {
      if lookAtOther(plain, number) {
        considered -= 1
        return
      }
      if lookAtTaskLine(plain) || lookAtPerfLine(plain) { return }
    }
    lookAtDump(scanner)
  }

  /// Whether the line is no event of any dialect, nor should be one.
  private mutating func lookAtOther(_ scanner: TextScanner, _ number: Int) -> Bool {
    if scanner.peek == ASCII.hash {
      lookAtComment(scanner)
      return true
    }
    if TextOther.isStack(scanner) { return true }
    let rest = TextInstances.announcement(scanner)?.rest ?? scanner
    if TextOther.lostEvents(rest) != nil { return true }
    if number <= 64, TextOther.cpuCount(rest) != nil {
      if header == nil { header = .traceCmd }
      return true
    }
    return TextOther.isTraceCmdNotice(rest) || TextOther.isSideRecord(scanner)
  }

  private mutating func lookAtComment(_ comment: TextScanner) {
    var scanner = comment
    scanner.skipSpaces()
    if scanner.skip("# tracer: ") {
      header = .ftrace
      tracer = TextSpan(start: scanner.at, count: scanner.left).text.trimmed
    } else if scanner.hasPrefix("# entries-in-buffer/") || scanner.hasPrefix("# nop latency") {
      header = .ftrace
    } else if header == nil,
      scanner.hasPrefix("# captured on") || scanner.hasPrefix("# hostname : ")
        || scanner.hasPrefix("# ========")
    {
      header = .perfScript
    }
  }

  private mutating func lookAtTaskLine(_ scanner: TextScanner) -> Bool {
    var line = TextLine(scanner.at)
    if taskLine.parse(scanner.at, scanner.end, scanner.limit, &line) {
      var body = scanner
      body.at = line.body
      guard let spelling = TextOther.eventSpelling(body) else { return false }
      // The kernel puts one blank behind the name, trace-cmd fills up to 22 columns.
      if line.time == .nanoseconds || spelling == .padded
        || (line.isLatency && line.time != .relative) || body.hasPrefix("(+")
      {
        traceCmd += 1
      } else {
        ftrace += 1
      }
      return true
    }
    if TaskLine.parseVerbose(scanner.at, scanner.end, scanner.limit, &line) {
      ftrace += 1
      return true
    }
    if header == .ftrace ? TextOther.eventSpelling(scanner) != nil : TextOther.isKnown(scanner) {
      ftrace += 1
      return true
    }
    return false
  }

  private mutating func lookAtPerfLine(_ scanner: TextScanner) -> Bool {
    var line = TextLine(scanner.at)
    var body = scanner
    if PerfScriptLine.parse(scanner.at, scanner.end, scanner.limit, allowsBare: false, &line) {
      body.at = line.body
      guard PerfScriptLine.eventName(body) != nil || body.hasPrefix("PERF_RECORD_") else {
        return false
      }
      perf += 1
      return true
    }
    body.skipSpaces()
    guard let name = PerfScriptLine.eventName(body), PerfScriptLine.isQualified(name),
      TextOther.isKnownPerfName(name)
    else { return false }
    perf += 1
    return true
  }

  /// `181 1 34801483614 type: 123`, `000000b5 00000001 000000081a547f5e type: 123`,
  /// `0x108@perf.data [0x50]: event: 69`.
  private mutating func lookAtDump(_ scanner: TextScanner) {
    if scanner.hasPrefix("0x") {
      var rest = scanner
      while rest.left > 0, !rest.hasPrefix("]: event: ") { rest.at += 1 }
      if rest.left > 0 { dump += 1 }
      return
    }
    var rest = scanner
    var lengths: [Int] = []
    for _ in 0..<3 {
      let start = rest.at
      guard rest.takeHexadecimal() != nil else { return }
      lengths.append(rest.at - start)
      guard rest.skip(ASCII.space) else { return }
    }
    guard rest.hasPrefix("type: ") else { return }
    if lengths == [8, 8, 16] { hexadecimal += 1 } else { raw += 1 }
  }
}

/// The lines of a head; a last one without its end counts only if it is the first as well.
struct TextLines {
  private var at: UnsafePointer<UInt8>
  private let end: UnsafePointer<UInt8>
  private var isFirst = true

  init(_ head: ByteView) {
    at = head.start.assumingMemoryBound(to: UInt8.self)
    end = at + head.count
  }

  /// The next line without its end.
  mutating func next() -> TextSpan? {
    guard at < end else { return nil }
    let start = at
    var lineEnd = end
    if let found = LineEnd.find(at, end) {
      lineEnd = found
    } else if !isFirst {
      return nil
    }
    isFirst = false
    at = lineEnd < end ? lineEnd + 1 : end
    if lineEnd > start, lineEnd[-1] == ASCII.carriageReturn { lineEnd -= 1 }
    return TextSpan(start: start, count: lineEnd - start)
  }
}
