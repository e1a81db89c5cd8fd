#if canImport(Glibc)
  import Glibc
#endif

/// ASCII bytes that the text grammars name.
enum ASCII {
  static let tab = UInt8(ascii: "\t")
  static let newline = UInt8(ascii: "\n")
  static let carriageReturn = UInt8(ascii: "\r")
  static let space = UInt8(ascii: " ")
  static let hash = UInt8(ascii: "#")
  static let open = UInt8(ascii: "(")
  static let close = UInt8(ascii: ")")
  static let comma = UInt8(ascii: ",")
  static let dash = UInt8(ascii: "-")
  static let dot = UInt8(ascii: ".")
  static let slash = UInt8(ascii: "/")
  static let zero = UInt8(ascii: "0")
  static let colon = UInt8(ascii: ":")
  static let less = UInt8(ascii: "<")
  static let equals = UInt8(ascii: "=")
  static let greater = UInt8(ascii: ">")
  static let openBracket = UInt8(ascii: "[")
  static let closeBracket = UInt8(ascii: "]")
  static let underscore = UInt8(ascii: "_")
  static let x = UInt8(ascii: "x")

  /// Whether `byte` is a decimal digit.
  @inline(__always)
  static func isDigit(_ byte: UInt8) -> Bool { byte &- zero < 10 }

  /// Whether `byte` is a letter.
  @inline(__always)
  static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- UInt8(ascii: "a") < 26 }

  /// Whether `byte` can stand in a C identifier.
  @inline(__always)
  static func isWord(_ byte: UInt8) -> Bool {
    isLetter(byte) || isDigit(byte) || byte == underscore
  }

  /// The value of a hexadecimal digit, 255 for any other byte.
  @inline(__always)
  static func hexValue(_ byte: UInt8) -> UInt8 {
    if isDigit(byte) { return byte &- zero }
    let letter = (byte | 0x20) &- UInt8(ascii: "a")
    return letter < 6 ? letter &+ 10 : 255
  }
}

/// Reads one line of text front to back. Every read compares with the line's end first.
///
/// Invariant: `at <= end <= limit`, and the bytes up to `limit` may be read (the rest of the window
/// behind the line), so that a short word can be loaded as eight bytes.
struct TextScanner {
  /// The next byte.
  var at: UnsafePointer<UInt8>
  /// Behind the line's last byte.
  let end: UnsafePointer<UInt8>
  /// Behind the last byte that may be loaded.
  let limit: UnsafePointer<UInt8>

  /// Bytes left in the line.
  @inline(__always) var left: Int { end - at }

  /// The next byte; a line end at the end.
  @inline(__always) var peek: UInt8 { at < end ? at.pointee : ASCII.newline }

  /// The byte `offset` behind the next one; a line end behind the end.
  @inline(__always)
  func peek(_ offset: Int) -> UInt8 { left > offset ? at[offset] : ASCII.newline }

  /// Whether the value or word that was just read ends here.
  @inline(__always) var atDelimiter: Bool {
    switch peek {
    case ASCII.space, ASCII.comma, ASCII.close, ASCII.newline, ASCII.tab: true
    default: false
    }
  }

  /// Passes over `byte` if it is next.
  @inline(__always)
  mutating func skip(_ byte: UInt8) -> Bool {
    guard peek == byte, at < end else { return false }
    at += 1
    return true
  }

  /// Passes over blanks.
  @inline(__always)
  mutating func skipSpaces() {
    while at < end, at.pointee == ASCII.space { at += 1 }
  }

  /// Passes over what is no blank or control character and returns how many bytes that was.
  @inline(__always)
  mutating func skipWord() -> Int {
    let start = at
    while at < end, at.pointee > ASCII.space { at += 1 }
    return at - start
  }

  /// Passes over bytes up to the first that is one of `stops`, or to the line's end.
  ///
  /// Eight bytes at a time: a byte of `x ^ pattern` is zero where they agree, and the lowest bit that
  /// the borrow trick (H. Warren, Hacker's Delight, 6-1) sets is always a true zero.
  @inline(__always)
  mutating func skip(to stops: ByteStops) {
    while limit - at >= 8 {
      let mask = stops.matches(UnsafeRawPointer(at).loadUnaligned(as: UInt64.self))
      if mask != 0 {
        at += mask.trailingZeroBitCount &>> 3
        if at > end { at = end }
        return
      }
      at += 8
      if at >= end {
        at = end
        return
      }
    }
    while at < end, !stops.contains(at.pointee) { at += 1 }
  }

  /// Whether `text` is next.
  @inline(__always)
  func hasPrefix(_ text: StaticString) -> Bool {
    text.utf8CodeUnitCount <= left && memcmp(at, text.utf8Start, text.utf8CodeUnitCount) == 0
  }

  /// Passes over `text` if it is next.
  mutating func skip(_ text: StaticString) -> Bool {
    guard hasPrefix(text) else { return false }
    at += text.utf8CodeUnitCount
    return true
  }

  /// Takes decimal digits; nil if there are none or the number needs more than 64 bits.
  @inline(__always)
  mutating func takeDecimal() -> UInt64? {
    let start = at
    var value: UInt64 = 0
    while at < end {
      let digit = at.pointee &- ASCII.zero
      guard digit < 10 else { break }
      // 19 digits cannot overflow; longer numbers are taken again with checks.
      value = value &* 10 &+ UInt64(digit)
      at += 1
    }
    let digits = at - start
    if digits > 19 { return Self.checkedDecimal(start, digits) }
    return digits == 0 ? nil : value
  }

  private static func checkedDecimal(_ start: UnsafePointer<UInt8>, _ digits: Int) -> UInt64? {
    var value: UInt64 = 0
    for index in 0..<digits {
      let (product, tooBig) = value.multipliedReportingOverflow(by: 10)
      let (sum, over) = product.addingReportingOverflow(UInt64(start[index] &- ASCII.zero))
      if tooBig || over { return nil }
      value = sum
    }
    return value
  }

  /// Takes hexadecimal digits without a prefix; nil if there are none or more than 16.
  @inline(__always)
  mutating func takeHexadecimal() -> UInt64? {
    let start = at
    var value: UInt64 = 0
    while at < end {
      let digit = ASCII.hexValue(at.pointee)
      guard digit < 16 else { break }
      value = value &<< 4 | UInt64(digit)
      at += 1
    }
    let digits = at - start
    return digits == 0 || digits > 16 ? nil : value
  }

  /// The first `count` bytes, at most eight, from `start` on as a number, zeros above them.
  @inline(__always)
  func word(_ start: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
    if count >= 8 { return UnsafeRawPointer(start).loadUnaligned(as: UInt64.self) }
    if limit - start >= 8 {
      let wide = UnsafeRawPointer(start).loadUnaligned(as: UInt64.self)
      return wide & ((1 &<< UInt64(count &* 8)) &- 1)
    }
    var word: UInt64 = 0
    for index in 0..<count { word |= UInt64(start[index]) &<< UInt64(index &* 8) }
    return word
  }
}

/// Up to four bytes at which a scan stops, each spread over a word.
struct ByteStops {
  private let first: UInt64
  private let second: UInt64
  private let third: UInt64
  private let fourth: UInt64

  /// Blank and comma: the end of a value.
  @inline(__always) static var valueEnd: ByteStops {
    ByteStops(ASCII.space, ASCII.comma, ASCII.space, ASCII.comma)
  }
  /// What may follow a key.
  @inline(__always) static var keyEnd: ByteStops {
    ByteStops(ASCII.equals, ASCII.colon, ASCII.space, ASCII.comma)
  }
  /// What may follow the name of an event.
  @inline(__always) static var nameEnd: ByteStops {
    ByteStops(ASCII.colon, ASCII.space, ASCII.open, ASCII.colon)
  }
  /// What may follow a word among values.
  @inline(__always) static var wordEnd: ByteStops {
    ByteStops(ASCII.space, ASCII.comma, ASCII.close, ASCII.space)
  }

  @inline(__always)
  private init(_ first: UInt8, _ second: UInt8, _ third: UInt8, _ fourth: UInt8) {
    self.first = UInt64(first) &* 0x0101_0101_0101_0101
    self.second = UInt64(second) &* 0x0101_0101_0101_0101
    self.third = UInt64(third) &* 0x0101_0101_0101_0101
    self.fourth = UInt64(fourth) &* 0x0101_0101_0101_0101
  }

  @inline(__always)
  private static func zeros(_ word: UInt64) -> UInt64 {
    (word &- 0x0101_0101_0101_0101) & ~word
  }

  /// The high bit of each byte that is a stop; bits above the lowest set one may be wrong.
  @inline(__always)
  func matches(_ word: UInt64) -> UInt64 {
    (Self.zeros(word ^ first) | Self.zeros(word ^ second) | Self.zeros(word ^ third)
      | Self.zeros(word ^ fourth)) & 0x8080_8080_8080_8080
  }

  /// Whether `byte` is a stop.
  @inline(__always)
  func contains(_ byte: UInt8) -> Bool {
    byte == UInt8(truncatingIfNeeded: first) || byte == UInt8(truncatingIfNeeded: second)
      || byte == UInt8(truncatingIfNeeded: third) || byte == UInt8(truncatingIfNeeded: fourth)
  }
}

/// A run of bytes inside a line.
struct TextSpan {
  /// First byte.
  var start: UnsafePointer<UInt8>
  /// How many.
  var count: Int

  /// As text; broken UTF-8 is repaired.
  var text: String {
    String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  }

  /// Without blanks in front.
  var trimmedFront: TextSpan {
    var trimmed = self
    while trimmed.count > 0, trimmed.start.pointee == ASCII.space {
      trimmed.start += 1
      trimmed.count -= 1
    }
    return trimmed
  }

  /// Without blanks at the end.
  var trimmedBack: TextSpan {
    var trimmed = self
    while trimmed.count > 0, trimmed.start[trimmed.count - 1] == ASCII.space {
      trimmed.count -= 1
    }
    return trimmed
  }

  /// Whether the bytes are those of `other`.
  @inline(__always)
  func equals(_ other: TextSpan) -> Bool {
    count == other.count && memcmp(start, other.start, count) == 0
  }

  /// A number that differs for most different spans; cheap, not cryptographic.
  @inline(__always)
  func hash(_ seed: UInt64) -> UInt64 {
    var first: UInt64 = 0
    var last: UInt64 = 0
    if count >= 8 {
      first = UnsafeRawPointer(start).loadUnaligned(as: UInt64.self)
      last = UnsafeRawPointer(start + (count - 8)).loadUnaligned(as: UInt64.self)
    } else {
      for index in 0..<count { first = first &<< 8 | UInt64(start[index]) }
    }
    var mixed = (first ^ seed &* 0x9e37_79b9_7f4a_7c15) &* 0xff51_afd7_ed55_8ccd
    mixed ^= (last &+ UInt64(truncatingIfNeeded: count)) &* 0xc4ce_b9fe_1a85_ec53
    mixed ^= mixed &>> 32
    return mixed &* 0x9e37_79b9_7f4a_7c15
  }
}

/// Finds line ends.
enum LineEnd {
  /// The line end at or behind `start`, nil if the window ends first.
  @inline(__always)
  static func find(_ start: UnsafePointer<UInt8>, _ windowEnd: UnsafePointer<UInt8>)
    -> UnsafePointer<UInt8>?
  {
    guard let found = memchr(start, Int32(ASCII.newline), windowEnd - start) else { return nil }
    return UnsafePointer(found.assumingMemoryBound(to: UInt8.self))
  }
}
