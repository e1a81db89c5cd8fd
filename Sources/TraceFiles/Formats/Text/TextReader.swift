import TraceEvents

/// Reads the three text dialects: line by line, no allocation for a line.
///
/// Rows come in the order of the lines, which all three writers sort by time. A report of several
/// buffer instances interleaves them, a batch holds one: the text is then read once for each.
struct TextReader: TraceReader {
  /// Bytes of a line; longer ones are damage.
  static let lineLengthMax = 65_536

  private(set) var facts: TraceFacts
  let directory: EventDirectory
  private(set) var statistics = IngestStatistics()

  private var preamble: TextPreamble
  private var grammar: TextGrammar
  private let order: EventOrder
  private let events: TextEventTable
  private let payload: TextPayload
  private let names: TextTaskNames

  private let pristine: TextInput
  private var input: TextInput
  private var window: ByteView?
  /// Where the next line begins in the window.
  private var offset = 0
  /// Whether the window begins in the middle of a line that was too long for the one before.
  private var continuesLine = false

  private let decoration = TextDecoration()
  private let instanceNames: [[UInt8]]
  /// The instance of the next line that has no prefix: that of the mark before it, else the top one.
  private var announced = 0
  private var instancesLeft: [Int]
  private var instance: Int
  private var isFirstPass = true
  private var time: TextTime?
  private var lastTimestamp: UInt64 = 0
  private var rows: UInt64 = 0
  private var lostSamples = 0
  private var lostRecords = 0
  private let readsCallChains: Bool
  private var chain = TextChain()

  init(
    _ dialect: TextDialect, _ input: TextInput, _ compression: Compression?, _ request: ReadRequest
  ) throws(TraceError) {
    readsCallChains = request.readsCallChains
    directory = EventDirectory()
    events = TextEventTable(directory, payloads: request.payloads)
    payload = TextPayload(directory, events)
    names = TextTaskNames(directory)
    pristine = input
    var first = try input.restarted()
    window = first.nextWindow()
    self.input = first
    preamble = TextPreamble(dialect, compression, window, events)
    grammar = preamble.grammar
    order = request.order
    if dialect == .traceCmd, preamble.hasInstances {
      for name in try TextInstances.names(input, grammar) { preamble.addInstance(name) }
    }
    facts = preamble.facts
    instanceNames = facts.instances.map { Array($0.name.utf8) }
    instancesLeft = Array(facts.instances.indices)
    if let wanted = request.instance {
      guard let index = facts.instances.firstIndex(where: { $0.name == wanted }) else {
        throw TraceError(
          """
          has no buffer instance \"\(wanted)\"; it has \
          \(facts.instances.map { $0.name.isEmpty ? "the top one" : $0.name }.joined(separator: ", "))
          """)
      }
      instancesLeft = [index]
    }
    instance = instancesLeft.removeFirst()
  }

  mutating func next(into batch: inout EventBatch) throws(TraceError) -> Bool {
    batch.removeAll()
    batch.instance = instance
    while true {
      if let window, offset < window.count {
        read(window, into: &batch)
        statistics.bytesRead = max(statistics.bytesRead, input.bytesTaken)
        if batch.isFull { return true }
        continue
      }
      if loadWindow() { continue }
      chain.emit(to: &batch, directory)
      if chain.isOpen { return true }
      endPass()
      if batch.count > 0 { return true }
      guard !instancesLeft.isEmpty else { return false }
      try startPass()
      batch.instance = instance
    }
  }

  // MARK: Windows and passes

  private mutating func loadWindow() -> Bool {
    guard window != nil else { return false }
    window = input.nextWindow()
    offset = 0
    guard let window else { return false }
    if continuesLine {
      continuesLine = false
      let start = window.start.assumingMemoryBound(to: UInt8.self)
      if let end = LineEnd.find(start, start + window.count) {
        offset = end - start + 1
      } else {
        offset = window.count
        continuesLine = true
      }
    }
    return true
  }

  private mutating func endPass() {
    guard isFirstPass else { return }
    isFirstPass = false
    if let damage = input.damage {
      statistics.note("compressed-data-damaged", .damage, at: damage.offset, damage.message)
    }
    // LOST and LOST_SAMPLES are two reports of one loss (the second counts less): take one.
    statistics.lost.known = statistics.lost.known.saturatingSum(
      UInt64(max(lostRecords, lostSamples)))
  }

  private mutating func startPass() throws(TraceError) {
    instance = instancesLeft.removeFirst()
    input = try pristine.restarted()
    window = input.nextWindow()
    offset = 0
    continuesLine = false
    time = nil
    lastTimestamp = 0
    announced = 0
    rows = 0
  }

  // MARK: Lines

  private mutating func read(_ window: ByteView, into batch: inout EventBatch) {
    let start = window.start.assumingMemoryBound(to: UInt8.self)
    let windowEnd = start + window.count
    var at = start + offset
    var line = TextLine(at)
    while at < windowEnd, !batch.isFull {
      let lineStart = at
      var lineEnd = windowEnd
      var isEnded = false
      if let found = LineEnd.find(at, windowEnd) {
        lineEnd = found
        at = found + 1
        isEnded = true
      } else {
        at = windowEnd
      }
      if lineEnd - lineStart > Self.lineLengthMax {
        noteOverlong(lineStart - start, lineEnd - lineStart, isEnded: isEnded)
        continue
      }
      if lineEnd > lineStart, lineEnd[-1] == ASCII.carriageReturn { lineEnd -= 1 }
      if lineEnd == lineStart { continue }
      if isQuiet(lineStart, lineEnd) {
        if chain.isOpen {
          chain.take(TextScanner(at: lineStart, end: lineEnd, limit: windowEnd), directory)
        }
        continue
      }
      if chain.isOpen {
        chain.emit(to: &batch, directory)
        if chain.isOpen || batch.isFull {
          // The line is read again when there is room.
          at = lineStart
          break
        }
      }
      let scanner = TextScanner(at: lineStart, end: lineEnd, limit: windowEnd)
      if isEnded, parse(scanner, &line, &batch) { continue }
      handleOther(scanner, lineStart - start, isEnded: isEnded, &line, &batch)
    }
    offset = at - start
  }

  /// Lines of call chains, which are many and say nothing here.
  @inline(__always)
  private func isQuiet(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Bool {
    switch start.pointee {
    case ASCII.tab: return true
    case ASCII.space:
      guard end - start > 2, start[1] == ASCII.equals, start[2] == ASCII.greater else {
        return false
      }
      // A task may be called so, too.
      return !(end - start > 17 && start[16] == ASCII.dash && ASCII.isDigit(start[17]))
    case ASCII.equals: return end - start > 1 && start[1] == ASCII.greater
    default: return false
    }
  }

  /// Adds the row of a line that is an event; false if it is none.
  @inline(__always)
  private mutating func parse(
    _ scanner: TextScanner, _ line: inout TextLine, _ batch: inout EventBatch
  ) -> Bool {
    guard scanner.at.pointee != ASCII.hash,
      grammar.parseHead(scanner.at, scanner.end, scanner.limit, &line)
    else { return false }
    if line.prefix.count > 0 {
      guard let index = instanceIndex(line.prefix) else { return false }
      if index != instance { return true }
    } else if instanceNames.count > 1 {
      let found = announced
      announced = 0
      if found != instance { return true }
    }
    var body = scanner
    body.at = line.body
    switch grammar.takeEvent(&body, events) {
    case .event(let number):
      guard line.time == time || startsTime(line.time) else { return false }
      add(events.plans[number], body, line, &batch)
      return true
    case .sideRecord:
      if isFirstPass { readSideRecord(body) }
      return true
    case .tooManyNames:
      noteNames(scanner)
      return true
    case .unparsed: return false
    }
  }

  @inline(__always)
  private mutating func add(
    _ plan: TextPlan, _ body: TextScanner, _ line: TextLine, _ batch: inout EventBatch
  ) {
    names.note(line)
    var timestamp = line.timestamp
    if line.time == .none {
      timestamp = rows
    } else if timestamp < lastTimestamp {
      noteBackwards(body, line)
    }
    rows &+= 1
    lastTimestamp = timestamp
    if readsCallChains, let kind = EventKind(rawValue: plan.event),
      kind == .kernelStack || kind == .userStack
    {
      chain.begin(line, at: timestamp, as: kind)
      return
    }
    let words = batch.append(
      timestamp: timestamp, cpu: line.cpu, event: plan.event, task: line.task,
      words: Int(plan.words))
    if plan.words > 0 { payload.decode(plan, body, words, &batch) }
    guard readsCallChains, plan.words > 0, grammar.dialect == .perfScript,
      TextChain.isAwaited(behind: batch.count - 1, of: batch)
    else { return }
    chain.begin(line, at: timestamp, as: nil)
  }

  /// The first event of an instance says how all of its lines tell the time.
  private mutating func startsTime(_ found: TextTime) -> Bool {
    guard time == nil else { return false }
    time = found
    facts.instances[instance].timeUnit = preamble.unit(found)
    return true
  }

  private func instanceIndex(_ prefix: TextSpan) -> Int? {
    guard let name = TextInstances.name(prefix) else { return nil }
    return name.count == 0 ? 0 : instanceIndex(named: name)
  }

  private func instanceIndex(named name: TextSpan) -> Int? {
    instanceNames.firstIndex { known in
      known.withUnsafeBufferPointer { bytes in
        bytes.baseAddress.map { name.equals(TextSpan(start: $0, count: bytes.count)) } ?? false
      }
    }
  }

  // MARK: Everything else

  /// A line that did not parse as an event, or has no end.
  @inline(never)
  private mutating func handleOther(
    _ scanner: TextScanner, _ offset: Int, isEnded: Bool, _ line: inout TextLine,
    _ batch: inout EventBatch
  ) {
    let at = input.windowOffset + offset
    if handleNotice(scanner, at) { return }
    guard isEnded else { return handleUnended(scanner, at, &line, &batch) }
    if scanner.peek == 0, skipNULs(scanner, at, &line, &batch) { return }
    if let plain = decoration.strip(scanner),
      parse(plain, &line, &batch) || handleNotice(plain, at)
    {
      if isFirstPass {
        statistics.note(
          "decorated-line", .note, at: at,
          "line numbers, quotes or colours left out: "
            + Self.quoted(scanner))
      }
      return
    }
    if at == 0, scanner.hasPrefix(TextOther.byteOrderMark) {
      var rest = scanner
      _ = rest.skip(TextOther.byteOrderMark)
      if handleNotice(rest, at) || parse(rest, &line, &batch) { return }
    }
    guard isFirstPass else { return }
    noteGarbage(scanner, at)
    statistics.note("unparsed-line", .loss, at: at, Self.quoted(scanner))
  }

  /// A line that says something, but is no event; false if it is none.
  private mutating func handleNotice(_ scanner: TextScanner, _ at: Int) -> Bool {
    if TextOther.isStack(scanner) { return true }
    if TextOther.isComment(scanner) || scanner.peek == ASCII.hash {
      readComment(scanner, at)
      return true
    }
    var rest = scanner
    if grammar.dialect == .traceCmd, let found = TextInstances.announcement(scanner) {
      rest = found.rest
      announced = found.name.count == 0 ? 0 : instanceIndex(named: found.name) ?? 0
    }
    if let lost = TextOther.lostEvents(rest) {
      if isFirstPass {
        noteLost(lost)
        markLoss(rest, lost)
      }
      return true
    }
    switch grammar.dialect {
    case .ftrace: return false
    case .traceCmd: return TextOther.cpuCount(rest) != nil || TextOther.isTraceCmdNotice(rest)
    case .perfScript: return TextOther.isSideRecord(scanner)
    }
  }

  /// `CPU:3 [LOST 392 EVENTS]` stands behind the last event before the loss.
  private mutating func markLoss(_ scanner: TextScanner, _ count: UInt64) {
    var scanner = scanner
    guard scanner.skip("CPU:"), let cpu = scanner.takeDecimal(), cpu < TextLine.cpusMax else {
      return
    }
    statistics.lost.mark(
      LossMark(
        cpu: UInt16(cpu), time: lastTimestamp.addingReportingOverflow(1).partialValue,
        count: count == 0 ? nil : count))
  }

  private mutating func noteLost(_ count: UInt64) {
    if count == 0 {
      statistics.lost.unknownMarks += 1
    } else {
      statistics.lost.known = statistics.lost.known.saturatingSum(count)
    }
  }

  /// The last line, cut: its event counts if its name is there and something of its text.
  private mutating func handleUnended(
    _ scanner: TextScanner, _ at: Int, _ line: inout TextLine, _ batch: inout EventBatch
  ) {
    var isEvent = parseUnended(scanner, &line, &batch)
    if !isEvent, let plain = decoration.strip(scanner) {
      isEvent = parseUnended(plain, &line, &batch)
    }
    guard isFirstPass else { return }
    statistics.note(
      "truncated-last-line", isEvent ? .note : .loss, at: at,
      "the last line has no end; it was \(isEvent ? "read as it stands" : "not understood"): "
        + Self.quoted(scanner))
  }

  private mutating func parseUnended(
    _ scanner: TextScanner, _ line: inout TextLine, _ batch: inout EventBatch
  ) -> Bool {
    guard grammar.parseHead(scanner.at, scanner.end, scanner.limit, &line) else { return false }
    var body = scanner
    body.at = line.body
    guard case .event = grammar.takeEvent(&body, events), body.left > 0 else { return false }
    return parse(scanner, &line, &batch)
  }

  /// A hole of NULs (a file that was being written when its machine stopped) before a line.
  private mutating func skipNULs(
    _ scanner: TextScanner, _ at: Int, _ line: inout TextLine, _ batch: inout EventBatch
  ) -> Bool {
    var rest = scanner
    while rest.left > 0, rest.peek == 0 { rest.at += 1 }
    if isFirstPass {
      statistics.note("nul-bytes", .damage, at: at, "\(rest.at - scanner.at) NUL bytes in the text")
    }
    return rest.left == 0 || parse(rest, &line, &batch)
  }

  private mutating func readComment(_ scanner: TextScanner, _ at: Int) {
    guard isFirstPass, grammar.dialect == .ftrace else { return }
    if let cpu = TextOther.startedBuffer(scanner) {
      statistics.note(
        "cpu-buffer-started-late", .note, at: at,
        "CPU \(cpu) has no events before this line: its buffer was overwritten or began later")
    } else if let entries = TextOther.entries(scanner), entries.there < entries.written {
      statistics.note(
        "overwritten-buffer", .loss, at: at,
        "the buffer held \(entries.there) of \(entries.written) events written: the rest was overwritten"
      )
    }
  }

  /// `PERF_RECORD_LOST lost 208`, `PERF_RECORD_LOST_SAMPLES lost 67`.
  private mutating func readSideRecord(_ scanner: TextScanner) {
    var rest = scanner
    guard rest.skip("PERF_RECORD_LOST") else { return }
    let areSamples = rest.skip("_SAMPLES")
    guard rest.skip(" lost "), let count = rest.takeDecimal() else { return }
    if areSamples {
      lostSamples = lostSamples.saturatingSum(count)
    } else {
      lostRecords = lostRecords.saturatingSum(count)
    }
  }

  // MARK: Findings

  private mutating func noteOverlong(_ offset: Int, _ length: Int, isEnded: Bool) {
    if !isEnded { continuesLine = true }
    guard isFirstPass else { return }
    statistics.note(
      "overlong-line", .damage, at: input.windowOffset + offset,
      "a line of \(length)\(isEnded ? "" : " or more") bytes; at most \(Self.lineLengthMax) are read"
    )
  }

  /// Notes what kinds of bytes no text has.
  private mutating func noteGarbage(_ scanner: TextScanner, _ at: Int) {
    var hasNUL = false
    var hasControl = false
    var rest = scanner
    while rest.left > 0 {
      let byte = rest.peek
      if byte == 0 { hasNUL = true } else if byte < 0x20, byte != ASCII.tab { hasControl = true }
      rest.at += 1
    }
    if hasNUL { statistics.note("nul-bytes", .damage, at: at, "NUL bytes in the text") }
    let isText = String(
      validating: UnsafeBufferPointer(start: scanner.at, count: scanner.left), as: UTF8.self)
    if hasControl || isText == nil {
      statistics.note(
        "garbage-bytes", .damage, at: at, "control characters or broken UTF-8 in the text")
    }
  }

  @inline(never)
  private mutating func noteNames(_ scanner: TextScanner) {
    guard isFirstPass else { return }
    statistics.note(
      "too-many-event-names", .loss, at: nil,
      "more than \(EventDirectory.unknownNamesMax) event names: " + Self.quoted(scanner))
  }

  @inline(never)
  private mutating func noteBackwards(_ scanner: TextScanner, _ line: TextLine) {
    guard order == .time else { return }
    if case .relativeNanoseconds = facts.instances[instance].timeUnit { return }
    statistics.note(
      "time-goes-backwards", .note, at: nil,
      "a line is earlier than the one before (\(line.timestamp) after \(lastTimestamp)); the order "
        + "of the lines is kept")
  }

  /// The beginning of a line for a message.
  private static func quoted(_ scanner: TextScanner) -> String {
    let text = TextSpan(start: scanner.at, count: min(scanner.left, 120)).text
    let shown = text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? "?" : String($0) }
    return "\"" + shown.joined() + (scanner.left > 120 ? "...\"" : "\"")
  }
}
