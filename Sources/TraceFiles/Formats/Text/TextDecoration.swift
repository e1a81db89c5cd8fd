/// What lines get on their way from a terminal to a file, and how to take it off again.
///
///     12:<line>  12-<line>     grep -n, with context
///     ^  12\t<line>            cat -n
///     trace.txt:<line>         grep of several files, maybe with -n
///     > <line>                 quoted in a mail
///     ESC[01;31m...ESC[K       the colours of grep --color (ECMA-48, 8.3.117 SGR and 8.3.41 EL)
///
/// Asked only about lines that are no event as they stand. A class because it owns memory.
final class TextDecoration {
  private static let escape: UInt8 = 0x1b
  /// Bytes behind the line that a scanner may load.
  private static let margin = 8

  private let scratch: UnsafeMutablePointer<UInt8>

  init() {
    let capacity = TextReader.lineLengthMax + Self.margin
    scratch = .allocate(capacity: capacity)
    scratch.initialize(repeating: 0, count: capacity)
  }

  deinit { scratch.deallocate() }

  /// The line without its decoration, nil if it has none. Valid until the next call.
  func strip(_ scanner: TextScanner) -> TextScanner? {
    guard scanner.left > 0, scanner.left <= TextReader.lineLengthMax else { return nil }
    var line = scanner
    let isColoured = dropColours(&line)
    let isPrefixed = Self.dropPrefix(&line)
    return isColoured || isPrefixed ? line : nil
  }

  /// Copies the line without its control sequences; false if it has none.
  private func dropColours(_ line: inout TextScanner) -> Bool {
    var at = line.at
    var count = 0
    var found = false
    while at < line.end {
      if at.pointee == Self.escape, line.end - at > 2, at[1] == ASCII.openBracket {
        found = true
        at += 2
        // Parameters and intermediates are 0x20...0x3f, the final byte is above.
        while at < line.end, at.pointee < 0x40 { at += 1 }
        if at < line.end { at += 1 }
      } else {
        scratch[count] = at.pointee
        count += 1
        at += 1
      }
    }
    guard found else { return false }
    let start = UnsafePointer(scratch)
    line = TextScanner(at: start, end: start + count, limit: start + (count + Self.margin))
    return true
  }

  private static func dropPrefix(_ line: inout TextScanner) -> Bool {
    if line.peek == ASCII.greater {
      while line.peek == ASCII.greater || line.peek == ASCII.space {
        // The last blank of a quotation belongs to it, those behind it to the line.
        let isQuote = line.peek == ASCII.greater
        line.at += 1
        if !isQuote, line.peek != ASCII.greater { break }
      }
      return true
    }
    if dropNumber(&line, allowsTab: true) { return true }
    // A file's name.
    var rest = line
    while rest.left > 0, rest.peek > ASCII.space, rest.peek != ASCII.colon { rest.at += 1 }
    guard rest.at > line.at, rest.skip(ASCII.colon), rest.left > 0 else { return false }
    line.at = rest.at
    _ = dropNumber(&line, allowsTab: false)
    return true
  }

  private static func dropNumber(_ line: inout TextScanner, allowsTab: Bool) -> Bool {
    var rest = line
    if allowsTab { rest.skipSpaces() }
    guard rest.takeDecimal() != nil else { return false }
    switch rest.peek {
    case ASCII.colon, ASCII.dash: break
    case ASCII.tab where allowsTab: break
    default: return false
    }
    rest.at += 1
    guard rest.left > 0 else { return false }
    line.at = rest.at
    return true
  }
}
