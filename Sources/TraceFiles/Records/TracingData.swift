import TraceEvents

/// The metadata that trace.dat version 6 opens with, and that perf.data embeds under version `0.6`.
///
///     (0x17 0x08 0x44 "tracing" version NUL: taken by the caller)
///     u8 1 if big-endian; u8 bytes of the recorder's long; u32 bytes of a page
///     "header_page\0"  u64 size, text        layout of a ring-buffer page
///     "header_event\0" u64 size, text        layout of a record's header
///     u32 count; each u64 size, format text  ftrace's own events
///     u32 count of systems; each: name NUL, u32 count; each u64 size, format text
///     u32 size, kallsyms text
///     u32 size, printk formats text
///     u64 size, "pid comm\n" lines
///
/// Sources: `tools/perf/util/trace-event-info.c` of Linux 6.12, `trace-cmd.dat.v6.5` of trace-cmd 3.4.
struct TracingData {
  /// Byte order of everything that follows the metadata, and of the records.
  private(set) var bigEndian = false
  /// Bytes of a `long` of the program that recorded; not the kernel's.
  private(set) var longSize = 0
  /// Bytes of a page of the traced machine; 0 where the file ends before it says.
  private(set) var pageSize = 0
  /// The text that describes a ring-buffer page.
  private(set) var headerPage = Self.nothing
  /// The text that describes a record's header.
  private(set) var headerEvent = Self.nothing
  /// Format texts of ftrace's own events (system `ftrace`).
  private(set) var ftraceFormats: [ByteView] = []
  /// Format texts of tracepoints, by the system that the file files them under.
  private(set) var systems: [(name: String, formats: [ByteView])] = []
  /// Symbols of the traced kernel, as in /proc/kallsyms; often empty or cut.
  private(set) var kallsyms = Self.nothing
  /// Addresses of format strings.
  private(set) var printkFormats = Self.nothing
  /// Lines of thread id, blank, name.
  private(set) var savedCommandLines = Self.nothing
  /// Why parsing stopped early; everything parsed before it stands in the other properties.
  private(set) var damage: TraceError?

  private static var nothing: ByteView {
    ByteView(start: UnsafeRawPointer(bitPattern: 16).unsafelyUnwrapped, count: 0)
  }

  /// Parses from the byte-order byte on and leaves `cursor` behind the last part that was whole.
  ///
  /// - Parameter hasSavedCommandLines: false for perf's version `0.5`, which ends before them.
  init(_ cursor: inout ByteCursor, hasSavedCommandLines: Bool = true) {
    do {
      try parseMachine(&cursor)
      try parseHeaders(&cursor)
      try parseFtraceFormats(&cursor)
      try parseEventFormats(&cursor)
      try parseKallsyms(&cursor)
      printkFormats = try Self.takeSized32(&cursor, "printk formats")
      if hasSavedCommandLines {
        try parseSavedCommandLines(&cursor)
      }
    } catch {
      damage = error
    }
  }

  /// Adds every format text to `decoder`, ftrace's own under the system `ftrace`.
  ///
  /// - Returns: how many format texts could not be understood.
  func addFormats(to decoder: inout RecordDecoder, _ directory: EventDirectory) -> Int {
    var bad = 0
    for (system, texts) in [("ftrace", ftraceFormats)] + systems.map({ ($0.name, $0.formats) }) {
      for text in texts {
        if let format = TracepointFormat(text) {
          decoder.add(format, system: system, to: directory)
        } else {
          bad += 1
        }
      }
    }
    return bad
  }

  /// Names the threads that the saved command lines name.
  func addTaskNames(to directory: EventDirectory) {
    var position = 0
    while position < savedCommandLines.count {
      var end = position
      while end < savedCommandLines.count, savedCommandLines.u8(end) != 0x0a { end += 1 }
      // A name may hold blanks at either end: only the first blank separates.
      let line = savedCommandLines.slice(position, end - position)?.text ?? ""
      position = end + 1
      guard let blank = line.firstIndex(of: " "), let task = Int32(line[..<blank]) else { continue }
      directory.name(task: task, String(line[line.index(after: blank)...]))
    }
  }

  /// Nothing parsed yet: version 7 has the same parts in sections of its own.
  init() {}

  /// Byte order, size of a long, page size.
  mutating func parseMachine(_ cursor: inout ByteCursor) throws(TraceError) {
    let at = cursor.offset
    let order = try cursor.take(UInt8.self, "byte order")
    guard order <= 1 else {
      throw TraceError(
        "expected a byte order of 0 or 1, found \(order)", at: cursor.origin + at)
    }
    bigEndian = order == 1
    cursor.bigEndian = bigEndian
    longSize = Int(try cursor.take(UInt8.self, "size of a long"))
    pageSize = Int(try cursor.take(UInt32.self, "page size"))
  }

  /// The texts that describe pages and records.
  mutating func parseHeaders(_ cursor: inout ByteCursor) throws(TraceError) {
    try Self.expect("header_page", &cursor)
    headerPage = try Self.takeSized64(&cursor, "header_page text")
    try Self.expect("header_event", &cursor)
    headerEvent = try Self.takeSized64(&cursor, "header_event text")
  }

  /// Formats of ftrace's own events.
  mutating func parseFtraceFormats(_ cursor: inout ByteCursor) throws(TraceError) {
    // The counts need no limit: every format takes 8 bytes at least, and they run out.
    for _ in 0..<(try cursor.take(UInt32.self, "count of ftrace formats")) {
      ftraceFormats.append(try Self.takeSized64(&cursor, "ftrace event format"))
    }
  }

  /// Formats of tracepoints, system by system.
  mutating func parseEventFormats(_ cursor: inout ByteCursor) throws(TraceError) {
    for _ in 0..<(try cursor.take(UInt32.self, "count of event systems")) {
      let name = try cursor.takeString("name of an event system")
      systems.append((name, []))
      let last = systems.count - 1
      for _ in 0..<(try cursor.take(UInt32.self, "count of events of \(name)")) {
        systems[last].formats.append(try Self.takeSized64(&cursor, "event format of \(name)"))
      }
    }
  }

  private static func expect(_ word: String, _ cursor: inout ByteCursor) throws(TraceError) {
    let at = cursor.offset
    guard try cursor.takeString(max: word.utf8.count + 1, "\"\(word)\"") == word else {
      throw TraceError("expected \"\(word)\"", at: cursor.origin + at)
    }
  }

  /// Symbols: u32 size, text.
  mutating func parseKallsyms(_ cursor: inout ByteCursor) throws(TraceError) {
    kallsyms = try Self.takeSized32(&cursor, "kallsyms")
  }

  /// Thread names: u64 size, text.
  mutating func parseSavedCommandLines(_ cursor: inout ByteCursor) throws(TraceError) {
    savedCommandLines = try Self.takeSized64(&cursor, "saved command lines")
  }

  private static func takeSized32(_ cursor: inout ByteCursor, _ what: String) throws(TraceError)
    -> ByteView
  {
    let size = Int(try cursor.take(UInt32.self, "size of \(what)"))
    return try cursor.take(size, what)
  }

  private static func takeSized64(_ cursor: inout ByteCursor, _ what: String) throws(TraceError)
    -> ByteView
  {
    let size = try cursor.takeSize("size of \(what)")
    return try cursor.take(size, what)
  }
}
