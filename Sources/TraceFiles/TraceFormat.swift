import TraceEvents

/// The registry of input formats: how each is recognised and who reads it.
///
/// To add one: a case, a line in `recognise` (binary formats have magic numbers; text is decided by
/// ``TextDialect``), a line in `makeReader`.
enum TraceFormat {
  case traceDat
  case perfData
  case perfDataDirectory
  case text(TextDialect)

  /// Whether it needs random access to the bytes.
  var isBinary: Bool {
    if case .text = self { return false }
    return true
  }

  /// What `head` (the first bytes, at least a few lines) begins.
  static func recognise(_ head: ByteView) throws(TraceError) -> TraceFormat {
    if head.hasPrefix([0x17, 0x08, 0x44]) && head.suffix(from: 3).hasPrefix("tracing") {
      return .traceDat
    }
    if head.hasPrefix("PERFILE2") || head.hasPrefix("2ELIFREP") { return .perfData }
    if head.hasPrefix([0x7f, 0x45, 0x4c, 0x46]) {
      throw TraceError("is an ELF file (a program or library), not a trace", at: 0)
    }
    if let dialect = try TextDialect.recognise(head) { return .text(dialect) }
    if LackeyLine.survey(head) == .accesses {
      throw TraceError(
        "is a memory trace of Valgrind's lackey and holds no kernel event: see tlbreplay profile",
        at: 0)
    }
    throw TraceError(
      """
      is no trace that this tool knows: expected trace.dat (17 08 44 \"tracing\"), perf.data \
      (\"PERFILE2\"), or ftrace, trace-cmd report or perf script text, maybe gzip or zstd compressed
      """, at: 0)
  }

  /// A reader of this format.
  func makeReader(
    _ parts: [TraceFilePart], _ compression: Compression?, _ request: ReadRequest
  ) throws(TraceError) -> any TraceReader {
    guard let first = parts.first else { throw TraceError("has no trace in it") }
    switch self {
    case .traceDat: return try TraceDatReader(first, compression, request)
    case .perfData, .perfDataDirectory: return try PerfDataReader(parts, compression, request)
    case .text(let dialect):
      return try dialect.makeReader(
        TextInput(first.file, compression: compression), compression, request)
    }
  }
}
