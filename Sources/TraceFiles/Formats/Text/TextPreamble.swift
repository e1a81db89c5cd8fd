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
    grammar.form = Self.form(dialect, part, events)
    read(part)
    conclude()
  }

  /// The form that most of the first lines have.
  private static func form(
    _ dialect: TextDialect, _ head: ByteView, _ events: TextEventTable
  ) -> TaskLine.Form {
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
        let end = span.start + span.count
        var line = TextLine(span.start)
        guard grammar.parseHead(span.start, end, end, &line) else { continue }
        var scanner = TextScanner(at: line.body, end: end, limit: end)
        if case .event = grammar.takeEvent(&scanner, events) { count += 1 }
      }
      // A bare line is the least that can be said of one: only if nothing else fits.
      if count > best.count { best = (form, count) }
      if best.count > 0 { break }
    }
    return best.form
  }

  private mutating func read(_ head: ByteView) {
    var lines = TextLines(head)
    var seen = 0
    while seen < Self.linesMax, let span = lines.next() {
      seen += 1
      guard span.count > 0 else { continue }
      let end = span.start + span.count
      var scanner = TextScanner(at: span.start, end: end, limit: end)
      if scanner.peek == ASCII.hash {
        readComment(scanner)
        continue
      }
      if grammar.dialect == .traceCmd, facts.cpuCount == nil,
        let count = TextOther.cpuCount(scanner)
      {
        facts.cpuCount = count
        continue
      }
      var line = TextLine(span.start)
      guard grammar.parseHead(span.start, end, end, &line) else { continue }
      scanner.at = line.body
      guard case .event = grammar.takeEvent(&scanner, events) else { continue }
      readEvent(line)
    }
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
