import TraceEvents

/// The buffer instances of a trace-cmd report: `instA: ` before the lines of one, blanks of the same
/// width before those of the top buffer. Names are right-aligned. With -i of several files their names
/// stand in the same place.
///
/// A mark of lost events takes the prefix away from the event that follows it: `instA: CPU:0 [802
/// EVENTS DROPPED]`, and the next line has neither name nor blanks (trace-cmd 3.1 `trace-read.c`,
/// `print_handle_file` and `trace_show_data`).
enum TextInstances {
  /// Instances read; a report that names more is damaged.
  private static let instancesMax = 256
  /// Bytes of a name: NAME_MAX, as instances are directories of tracefs.
  private static let lengthMax = 255

  /// The name in the prefix of a line, empty for the top buffer; nil if it is no such prefix.
  static func name(_ prefix: TextSpan) -> TextSpan? {
    var name = prefix.trimmedBack.trimmedFront
    if name.count == 0 { return name }
    guard name.start[name.count - 1] == ASCII.colon else { return nil }
    name.count -= 1
    // A number is one of grep -n.
    return (0..<name.count).allSatisfy { ASCII.isDigit(name.start[$0]) } ? nil : name
  }

  /// The instance and the rest of a line that is about a buffer: `instA: CPU:0 [...`, `a.dat: cpus=4`.
  static func announcement(_ scanner: TextScanner) -> (name: TextSpan, rest: TextScanner)? {
    var rest = scanner
    rest.skipSpaces()
    let start = rest.at
    if rest.hasPrefix("CPU:") { return (TextSpan(start: start, count: 0), rest) }
    while rest.left > 0, rest.at - start < lengthMax {
      if rest.hasPrefix(": CPU:") || rest.hasPrefix(": cpus=") {
        let name = TextSpan(start: start, count: rest.at - start)
        rest.at += 2
        return (name, rest)
      }
      rest.at += 1
    }
    return nil
  }

  /// The names of all instances, in the order in which they are first met.
  static func names(_ input: TextInput, _ grammar: TextGrammar) throws(TraceError) -> [String] {
    var input = try input.restarted()
    var grammar = grammar
    var names: [String] = []
    var last: [UInt8] = []
    while let window = input.nextWindow() {
      var lines = TextLines(window)
      while let span = lines.next() {
        guard span.count > 0 else { continue }
        let end = span.start + span.count
        var line = TextLine(span.start)
        let found =
          grammar.parseHead(span.start, end, end, &line)
          ? name(line.prefix)
          : announcement(TextScanner(at: span.start, end: end, limit: end))?.name
        guard let name = found, name.count > 0 else { continue }
        let isLast = last.withUnsafeBufferPointer { bytes in
          bytes.baseAddress.map { name.equals(TextSpan(start: $0, count: bytes.count)) } ?? false
        }
        if isLast { continue }
        last = Array(UnsafeBufferPointer(start: name.start, count: name.count))
        let text = name.text
        if !names.contains(text), names.count < instancesMax { names.append(text) }
      }
    }
    return names
  }
}
