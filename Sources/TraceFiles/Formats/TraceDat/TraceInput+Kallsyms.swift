import TraceEvents

extension TraceInput {
  /// The text of /proc/kallsyms that a trace.dat embeds, nil where there is none: in other formats, and
  /// where the recorder left it out.
  public func kallsyms() throws(TraceError) -> [UInt8]? {
    let reader = try makeReader(ReadRequest(order: .any, payloads: EventKindSet([])))
    guard let text = (reader as? TraceDatReader)?.kallsyms, !text.isEmpty else { return nil }
    return text
  }
}
