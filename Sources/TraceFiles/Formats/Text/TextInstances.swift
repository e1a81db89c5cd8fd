import TraceEvents

/// The buffer instances of a trace-cmd report: `instA: ` before the lines of one, blanks of the same
/// width before those of the top buffer.
enum TextInstances {
  /// Instances read; a report that names more is damaged.
  private static let instancesMax = 256

  /// The name in the prefix of a line, empty for the top buffer; nil if it is no such prefix.
  static func name(_ prefix: TextSpan) -> TextSpan? {
    var name = prefix.trimmedBack
    if name.count == 0 { return name }
    guard name.start[name.count - 1] == ASCII.colon else { return nil }
    name.count -= 1
    return name.count == 0 ? nil : name
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
        guard span.count > 0, span.start.pointee != ASCII.space else { continue }
        let end = span.start + span.count
        var line = TextLine(span.start)
        guard grammar.parseHead(span.start, end, end, &line), let name = name(line.prefix),
          name.count > 0
        else { continue }
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
