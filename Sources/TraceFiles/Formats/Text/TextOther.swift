import TraceEvents

/// The lines that are no events, and the marks by which a line's event is judged.
enum TextOther {
  /// How the event of a task dialect's line is spelled.
  enum EventSpelling {
    /// One blank behind the name: the kernel.
    case plain
    /// More: trace-cmd.
    case padded
  }

  /// A line of a call chain: ` => sym`, `=> sym (addr)`, perf's `\tffffffff810a9c23 sym+0x3b3 (dso)`.
  static func isStack(_ scanner: TextScanner) -> Bool {
    if scanner.hasPrefix(" => ") || scanner.hasPrefix("=> ") { return true }
    if scanner.peek == ASCII.tab || isSourceLine(scanner) { return true }
    // A tab that became blanks on the way: blanks, an address, a symbol.
    var rest = scanner
    rest.skipSpaces()
    if rest.left == 0 { return true }
    let address = rest.at
    guard rest.at - scanner.at >= 4, rest.takeHexadecimal() != nil, rest.at - address >= 4,
      rest.skip(ASCII.space), rest.left > 0
    else { return false }
    return rest.hasPrefix("[unknown]") || (ASCII.isWord(rest.peek) && contains(rest, "+0x"))
  }

  /// What perf script adds below a line: `  dl-reloc.c:364`, `  [kernel.kallsyms][ffffffff810a9c23]`
  /// (-F +srcline), ` ilen: 0`, ` insn: 48 83` (-F +insnlen, +insn).
  private static func isSourceLine(_ scanner: TextScanner) -> Bool {
    var rest = scanner
    if rest.skip(" ilen: ") || rest.skip(" insn: ") { return true }
    guard rest.skip("  "), rest.peek != ASCII.space else { return false }
    let length = rest.skipWord()
    guard length > 1, rest.left == 0 || rest.hasPrefix(" (inlined)") || rest.hasPrefix(" (disc")
    else { return false }
    if rest.at[-1] == ASCII.closeBracket { return true }
    var digits = rest.at - 1
    while digits > scanner.at, ASCII.isDigit(digits.pointee) { digits -= 1 }
    return digits < rest.at - 1 && digits.pointee == ASCII.colon
  }

  /// Whether `text` stands somewhere in what is left.
  static func contains(_ scanner: TextScanner, _ text: StaticString) -> Bool {
    var rest = scanner
    while rest.left > 0 {
      if rest.hasPrefix(text) { return true }
      rest.at += 1
    }
    return false
  }

  /// `CPU:3 [LOST 392 EVENTS]`, `CPU:0 [802 EVENTS DROPPED]`, and both without a number: how many,
  /// 0 if unknown; nil if the line is no such mark.
  static func lostEvents(_ scanner: TextScanner) -> UInt64? {
    var rest = scanner
    guard rest.skip("CPU:"), rest.takeDecimal() != nil, rest.skip(" [") else { return nil }
    let says = rest.skip("LOST ")
    let count = rest.takeDecimal()
    if count != nil { guard rest.skip(ASCII.space) else { return nil } }
    guard rest.skip(says ? "EVENTS]" : "EVENTS DROPPED]") else { return nil }
    return count ?? 0
  }

  /// What editors of other systems put before the first byte of a text.
  static let byteOrderMark: StaticString = "\u{feff}"

  /// Whether a line is a comment, maybe indented.
  static func isComment(_ scanner: TextScanner) -> Bool {
    var rest = scanner
    rest.skipSpaces()
    return rest.hasPrefix("# ") || rest.hasPrefix("##")
      || (rest.peek == ASCII.hash && rest.left == 1)
  }

  /// A record of perf's that has no columns (`PERF_RECORD_FINISHED_ROUND`).
  static func isSideRecord(_ scanner: TextScanner) -> Bool { scanner.hasPrefix("PERF_RECORD_") }

  /// `cpus=4`, the first line of a report.
  static func cpuCount(_ scanner: TextScanner) -> Int? {
    var rest = scanner
    guard rest.skip("cpus="), let count = rest.takeDecimal(), count > 0,
      count <= TextLine.cpusMax
    else { return nil }
    rest.skipSpaces()
    return rest.left == 0 ? Int(count) : nil
  }

  /// Lines of a report about itself: `version = 7`, `CPU 2 is empty`; of the plugins (-V); of the
  /// ring buffer, ` TIME EXTEND: ...`, `CPU:0 [SUBBUFFER START] ...` (--debug); sums of -w.
  static func isTraceCmdNotice(_ scanner: TextScanner) -> Bool {
    var rest = scanner
    if rest.skip("version = ") || rest.skip("registering plugin: ") { return true }
    if rest.skip(" TIME EXTEND: ") || rest.skip(" TIME STAMP: ") || rest.skip(" PADDING: ") {
      return true
    }
    if rest.skip("Average wakeup latency: ") || rest.skip("Maximum Latency: ")
      || rest.skip("Minimum Latency: ") || rest.skip("RT task timings:")
    {
      return true
    }
    if rest.skip("CPU "), rest.takeDecimal() != nil, rest.skip(" is empty") { return true }
    rest = scanner
    return rest.skip("CPU:") && rest.takeDecimal() != nil && rest.skip(" [SUBBUFFER ")
  }

  /// `##### CPU 2 buffer started ####`.
  static func startedBuffer(_ scanner: TextScanner) -> UInt64? {
    var rest = scanner
    guard rest.skip("##### CPU "), let cpu = rest.takeDecimal(), rest.skip(" buffer started")
    else { return nil }
    return cpu
  }

  /// `# entries-in-buffer/entries-written: 678/3635   #P:4`: events there and events written.
  static func entries(_ scanner: TextScanner) -> (there: UInt64, written: UInt64)? {
    var rest = scanner
    guard rest.skip("# entries-in-buffer/entries-written: "), let there = rest.takeDecimal(),
      rest.skip(ASCII.slash), let written = rest.takeDecimal()
    else { return nil }
    return (there, written)
  }

  /// How the event at the cursor is spelled; nil if no event of a task dialect begins there.
  static func eventSpelling(_ scanner: TextScanner) -> EventSpelling? {
    var rest = scanner
    if rest.hasPrefix("(+") {
      _ = rest.skipWord()
      rest.skipSpaces()
    }
    if rest.hasPrefix("<stack trace") || rest.hasPrefix("<user stack trace") { return .plain }
    let start = rest.at
    while ASCII.isWord(rest.peek) { rest.at += 1 }
    guard rest.at > start else { return nil }
    if rest.hasPrefix(": ") { return rest.peek(2) == ASCII.space ? .padded : .plain }
    if rest.peek == ASCII.colon, rest.left == 1 { return .plain }
    let isCall = TextScanner(at: start, end: rest.at, limit: rest.limit).hasPrefix("sys_")
    if isCall, rest.peek == ASCII.open || rest.hasPrefix(" -> ") { return .plain }
    return rest.hasPrefix(" <-") ? .plain : nil
  }

  /// Whether a line begins with an event that the tool knows by its bare name.
  static func isKnown(_ scanner: TextScanner) -> Bool {
    guard eventSpelling(scanner) != nil, ASCII.isLetter(scanner.peek) else { return false }
    var rest = scanner
    while ASCII.isWord(rest.peek) { rest.at += 1 }
    let name = TextSpan(start: scanner.at, count: rest.at - scanner.at).text
    if name.hasPrefix("sys_") { return true }
    return KnownNames.bare.contains(name)
  }

  /// Whether perf would call an event that the tool knows so.
  static func isKnownPerfName(_ name: TextSpan) -> Bool { KnownNames.full.contains(name.text) }

  private enum KnownNames {
    /// Names with an underscore: words like `print` begin other texts as well.
    static let bare = names { _, name in name.contains("_") ? name : nil }
    static let full = names { system, name in "\(system):\(name)" }

    private static func names(_ spelled: (String, String) -> String?) -> Set<String> {
      var names: Set<String> = []
      for tracepoint in Tracepoint.all {
        for name in [tracepoint.name] + tracepoint.formerNames {
          if let text = spelled(tracepoint.system, name) { names.insert(text) }
        }
      }
      return names
    }
  }
}
