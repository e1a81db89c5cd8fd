import TraceEvents

/// What the beginning of a text tells about all of it: header facts, the form of its lines, the clock.
struct TextPreamble {
  private static let linesMax = 2000
  private static let bytesMax = 1 << 18

  /// The facts, complete but for the instances that only later lines name.
  private(set) var facts: TraceFacts
  /// The grammar, in the form that the lines have.
  private(set) var grammar: TextGrammar
  /// How the first event of the file tells its time, nil if no event is near the start.
  private(set) var time: TextTime?
  /// Whether lines carry instance names or room for them.
  private(set) var hasInstances = false

  private var sawCPU = false
  private var sawTask = false
  private var sawEvent = false
  private var sawZeroTime = false
  private let events: TextEventTable
  private let decoration = TextDecoration()

  init(
    _ dialect: TextDialect, _ compression: Compression?, _ head: ByteView?, _ events: TextEventTable
  ) {
    facts = TraceFacts(
      format: dialect.formatName,
      instances: [TraceInstance(name: "", clock: nil, timeUnit: .none)])
    facts.compression = compression?.rawValue
    grammar = TextGrammar(dialect)
    self.events = events
    guard let head else { return }
    let part = head.slice(0, min(head.count, Self.bytesMax)) ?? head
    grammar.form = form(part)
    read(part)
    conclude()
  }

  /// The form that most of the first lines have.
  private func form(_ head: ByteView) -> TaskLine.Form {
    let dialect = grammar.dialect
    var best = (form: TaskLine.Form.anchored, count: 0)
    for form in [TaskLine.Form.anchored, .verbose, .bare] {
      if dialect == .perfScript, form == .verbose { continue }
      var grammar = TextGrammar(dialect)
      grammar.form = form
      var lines = TextLines(head)
      var count = 0
      var seen = 0
      while seen < 400, let span = lines.next() {
        seen += 1
        guard span.count > 0, span.start.pointee != ASCII.hash else { continue }
        if event(TextScanner(span), &grammar) != nil { count += 1 }
      }
      // A bare line is the least that can be said of one: only if nothing else fits.
      if count > best.count { best = (form, count) }
      if best.count > 0 { break }
    }
    return best.form
  }

  /// The head of an event's line, its decoration left out; nil if it is no event. Valid until the next
  /// call.
  private func event(_ scanner: TextScanner, _ grammar: inout TextGrammar) -> TextLine? {
    func parse(_ scanner: TextScanner) -> TextLine? {
      var line = TextLine(scanner.at)
      guard grammar.parseHead(scanner.at, scanner.end, scanner.limit, &line) else { return nil }
      var body = scanner
      body.at = line.body
      guard case .event = grammar.takeEvent(&body, events) else { return nil }
      return line
    }
    return parse(scanner) ?? decoration.strip(scanner).flatMap(parse)
  }

  private mutating func read(_ head: ByteView) {
    var lines = TextLines(head)
    var seen = 0
    while seen < Self.linesMax, let span = lines.next() {
      seen += 1
      guard span.count > 0 else { continue }
      var scanner = TextScanner(span)
      if seen == 1 { _ = scanner.skip(TextOther.byteOrderMark) }
      if scanner.peek == ASCII.hash {
        readComment(scanner)
      } else if let line = event(scanner, &grammar) {
        readEvent(line)
      } else if !readOther(scanner), let plain = decoration.strip(scanner) {
        _ = readOther(plain)
      }
    }
  }

  /// Reads a line that says something about the file; false if it is none.
  private mutating func readOther(_ scanner: TextScanner) -> Bool {
    if TextOther.isComment(scanner) {
      var comment = scanner
      comment.skipSpaces()
      readComment(comment)
      return true
    }
    guard grammar.dialect == .traceCmd,
      let count = TextOther.cpuCount(TextInstances.announcement(scanner)?.rest ?? scanner)
    else { return false }
    // Several files (-i) have one each.
    facts.cpuCount = max(facts.cpuCount ?? 0, count)
    return true
  }

  private mutating func readEvent(_ line: TextLine) {
    if line.prefix.count > 0 { hasInstances = true }
    if line.cpu != EventBatch.unknownCPU { sawCPU = true }
    if line.task != EventBatch.unknownTask { sawTask = true }
    if !sawEvent {
      sawEvent = true
      time = line.time
      sawZeroTime = line.timestamp == 0
    }
  }

  private mutating func conclude() {
    if sawEvent, !sawCPU { facts.hasCPUColumn = false }
    if sawEvent, !sawTask { facts.hasTaskColumn = false }
    guard let time else { return }
    facts.instances[0].timeUnit = unit(time)
    if grammar.dialect == .perfScript, isRelative {
      facts.remarks.append(("times", "relative (perf script --reltime or --deltatime)"))
    }
  }

  /// Whether perf's times count from the first event or the previous one. Such a listing begins with
  /// 0.000000, which no clock shows that has run long enough to record anything.
  private var isRelative: Bool {
    sawZeroTime && (time == .microseconds || time == .nanoseconds)
  }

  /// What timestamps of this form mean in this file.
  func unit(_ time: TextTime) -> TimeUnit {
    if grammar.dialect == .perfScript, isRelative, case .nanoseconds(let resolution) = time.unit {
      return .relativeNanoseconds(resolution: resolution)
    }
    return time.unit
  }

  // MARK: Header lines

  private mutating func readComment(_ scanner: TextScanner) {
    let text = TextSpan(start: scanner.at, count: min(scanner.left, 65_536)).text
    switch grammar.dialect {
    case .ftrace: readFtraceComment(text)
    case .perfScript: readPerfComment(text)
    case .traceCmd: break
    }
  }

  /// `... #P:4`; `# nop latency trace v1.1.5 on 6.12.117+deb12-cloud-amd64`.
  private mutating func readFtraceComment(_ text: String) {
    if let mark = text.split(separator: " ").first(where: { $0.hasPrefix("#P:") }) {
      let digits = mark.dropFirst(3).prefix { $0.isNumber }
      if let count = Int(digits), count > 0, count <= TextLine.cpusMax { facts.cpuCount = count }
    }
    if text.contains(" latency trace v") {
      let words = text.split(separator: " ")
      if words.count > 2, words[words.count - 2] == "on" {
        facts.kernelRelease = String(words[words.count - 1])
      }
    }
  }

  /// `# os release : 6.12.117` and its like (perf-report(1), --header).
  private mutating func readPerfComment(_ text: String) {
    guard let colon = text.firstIndex(of: ":") else { return }
    let key = text[..<colon].dropFirst().trimmed
    let value = text[text.index(after: colon)...].trimmed
    guard !value.isEmpty else { return }
    switch key {
    case "hostname": facts.hostName = value
    case "os release": facts.kernelRelease = value
    case "arch": facts.architecture = value
    case "cmdline": facts.commandLine = value
    case "nrcpus avail":
      if let count = Int(value), count > 0, count <= TextLine.cpusMax { facts.cpuCount = count }
    case "captured on", "perf version", "cpudesc", "total memory":
      facts.remarks.append((key, value))
    default: break
    }
  }

  /// Adds an instance.
  mutating func addInstance(_ name: String) {
    facts.instances.append(TraceInstance(name: name, clock: nil, timeUnit: .none))
  }
}
