import TraceEvents

/// The text dialects and how they are told apart.
enum TextDialect {
  case ftrace, traceCmd, perfScript

  static func recognise(_ head: ByteView) throws(TraceError) -> TextDialect? { nil }

  func makeReader(_ input: TextInput, _ compression: Compression?, _ request: ReadRequest)
    throws(TraceError) -> any TraceReader
  {
    throw TraceError("text is read by the next commit")
  }
}
