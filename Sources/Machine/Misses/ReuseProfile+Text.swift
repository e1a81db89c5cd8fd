import TraceEvents

/// What is wrong with a profile's text.
public struct ReuseProfileError: Error, Sendable, Equatable {
  /// Byte offset of the line.
  public let offset: Int
  /// What was expected, and what is there.
  public let message: String
}

/// The text form, `tlbreplay.profile/1`: lines of words with a blank between them, in this order.
///
///     schema tlbreplay.profile/1
///     source accesses             or independent
///     interval 1                  one page in so many was followed
///     pages 1234                  distinct pages that were followed
///     windows 2
///     window 10000000             accesses of it; then its first touches by class
///     first 12 40 31              fetch load store
///     1 5000000 20000 10000       least reuse time of a bin, then its reuses by class
///     ...                         bins ascending, none empty
///     end
///
/// The same profile is the same text. Its size is bounded by windows and bins, some 28 MB at most.
extension ReuseProfile {
  /// Name and version of the form.
  public static let schema = "tlbreplay.profile/1"
  /// Bytes of a text at most.
  public static let sizeMax = 64 << 20

  /// The profile as text.
  public var text: String {
    var lines = [
      "schema \(Self.schema)", "source \(source.rawValue)", "interval \(interval)",
      "pages \(pages)",
      "windows \(windows.count)",
    ]
    for window in windows {
      lines.append("window \(window.accesses)")
      lines.append("first " + window.firstTouches.map { "\($0)" }.joined(separator: " "))
      for bin in 1..<ReuseBins.count {
        let counts = AccessClass.allCases.map { window.reuses($0, bin: bin) }
        guard counts.contains(where: { $0 > 0 }) else { continue }
        lines.append(
          "\(ReuseBins.lowerBound(of: bin)) " + counts.map { "\($0)" }.joined(separator: " "))
      }
    }
    lines.append("end")
    return lines.joined(separator: "\n") + "\n"
  }

  /// Reads a profile's text.
  public init(text: [UInt8]) throws(ReuseProfileError) {
    guard text.count <= Self.sizeMax else {
      throw ReuseProfileError(
        offset: Self.sizeMax, message: "is too long: a profile has at most \(Self.sizeMax) bytes")
    }
    var lines = ProfileLines(text)
    let schema = try lines.word("schema")
    guard schema == Self.schema else {
      throw lines.fault("expected \"schema \(Self.schema)\"")
    }
    let sourceName = try lines.word("source")
    guard let source = Source(rawValue: sourceName) else {
      let names = Source.allCases.map(\.rawValue).joined(separator: " or ")
      throw lines.fault("expected source \(names)")
    }
    let interval = try lines.numbers("interval", 1)[0]
    guard (1...1 << 20).contains(interval) else {
      throw lines.fault("expected an interval of 1 to 1048576")
    }
    guard let pages = Int(exactly: try lines.numbers("pages", 1)[0]) else {
      throw lines.fault("expected pages in 63 bits")
    }
    let windows = try lines.numbers("windows", 1)[0]
    guard (1...UInt64(ReuseRecorder.windowsMax)).contains(windows) else {
      throw lines.fault("expected 1 to \(ReuseRecorder.windowsMax) windows")
    }
    self.init(source: source, interval: interval, pages: pages, windows: [])
    for _ in 0..<windows { self.windows.append(try lines.window()) }
    try lines.end()
  }
}

/// The lines of a profile's text, one after the other.
private struct ProfileLines {
  private let text: [UInt8]
  private var position = 0
  private var lineStart = 0

  init(_ text: [UInt8]) { self.text = text }

  func fault(_ message: String) -> ReuseProfileError {
    ReuseProfileError(offset: lineStart, message: message)
  }

  /// The next line; lines are short, and the text ends with one's end.
  private mutating func line() throws(ReuseProfileError) -> ArraySlice<UInt8> {
    lineStart = position
    guard position < text.count, let end = text[position...].prefix(257).firstIndex(of: 0x0a)
    else {
      throw fault("is cut: expected another line of at most 256 bytes, at last \"end\"")
    }
    position = end + 1
    return text[lineStart..<end]
  }

  /// The word behind `name` in the next line.
  mutating func word(_ name: String) throws(ReuseProfileError) -> String {
    let line = try line()
    let prefix = Array("\(name) ".utf8)
    guard line.starts(with: prefix) else { throw fault("expected \"\(name) ...\"") }
    return String(decoding: line.dropFirst(prefix.count), as: UTF8.self)
  }

  /// The numbers behind `name` in the next line.
  mutating func numbers(_ name: String, _ count: Int) throws(ReuseProfileError) -> [UInt64] {
    let line = try line()
    let prefix = Array("\(name) ".utf8)
    guard line.starts(with: prefix), let found = Self.numbers(line.dropFirst(prefix.count)),
      found.count == count
    else { throw fault("expected \"\(name)\" and \(count) whole number\(count > 1 ? "s" : "")") }
    return found
  }

  mutating func window() throws(ReuseProfileError) -> ReuseWindow {
    let accesses = try numbers("window", 1)[0]
    let start = lineStart
    var window = ReuseWindow()
    let first = try numbers("first", 3)
    for (kind, count) in zip(AccessClass.allCases, first) { window.addFirstTouches(count, kind) }
    var last = 0
    while let byte = position < text.count ? text[position] : nil, byte &- 0x30 < 10 {
      let line = try line()
      guard let found = Self.numbers(line), found.count == 4 else {
        throw fault("expected a bin: its least reuse time and three counts")
      }
      let bin = ReuseBins.index(of: found[0])
      guard bin > last, ReuseBins.lowerBound(of: bin) == found[0] else {
        throw fault("expected the least reuse time of a bin behind the one before")
      }
      last = bin
      for (kind, count) in zip(AccessClass.allCases, found[1...]) {
        window.add(count, kind, bin: bin)
      }
    }
    guard window.accesses == accesses, accesses < .max else {
      lineStart = start
      throw fault("the window says \(accesses) accesses, its bins have \(window.accesses)")
    }
    return window
  }

  mutating func end() throws(ReuseProfileError) {
    guard try line().elementsEqual("end".utf8), position == text.count else {
      throw fault("expected \"end\" and nothing behind it")
    }
  }

  /// Whole numbers with one blank between them.
  private static func numbers(_ line: ArraySlice<UInt8>) -> [UInt64]? {
    var found: [UInt64] = []
    for part in line.split(separator: 0x20, omittingEmptySubsequences: false) {
      guard !part.isEmpty, part.count <= 20, found.count < 8 else { return nil }
      var number: UInt64 = 0
      for byte in part {
        let (shifted, overflow) = number.multipliedReportingOverflow(by: 10)
        let digit = byte &- 0x30
        guard digit < 10, !overflow else { return nil }
        let (sum, carry) = shifted.addingReportingOverflow(UInt64(digit))
        guard !carry else { return nil }
        number = sum
      }
      found.append(number)
    }
    return found
  }
}
