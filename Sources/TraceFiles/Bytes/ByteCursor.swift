/// Reads a header front to back; every read is checked and says where it failed.
struct ByteCursor {
  /// What is read.
  let bytes: ByteView
  /// Where the cursor stands in `bytes`.
  var offset: Int
  /// What to add to `offset` in messages: where `bytes` begin in the file.
  let origin: Int
  /// Whether multi-byte numbers are big-endian.
  var bigEndian = false

  init(_ bytes: ByteView, at offset: Int = 0, origin: Int = 0, bigEndian: Bool = false) {
    self.bytes = bytes
    self.offset = offset
    self.origin = origin
    self.bigEndian = bigEndian
  }

  /// Bytes from the cursor to the end.
  var left: Int { bytes.count - offset }

  /// Takes an integer; `what` names it in the error.
  mutating func take<T: FixedWidthInteger & BitwiseCopyable>(
    _ type: T.Type, _ what: @autoclosure () -> String
  ) throws(TraceError) -> T {
    guard left >= MemoryLayout<T>.size else { throw truncated(MemoryLayout<T>.size, what()) }
    let value = bytes.load(offset, as: type)
    offset += MemoryLayout<T>.size
    return bigEndian ? value.byteSwapped : value
  }

  /// Takes `length` bytes.
  mutating func take(_ length: Int, _ what: @autoclosure () -> String) throws(TraceError)
    -> ByteView
  {
    guard length >= 0, let part = bytes.slice(offset, length) else {
      throw truncated(length, what())
    }
    offset += length
    return part
  }

  /// Takes the text up to the next NUL, and the NUL; at most `max` bytes.
  mutating func takeString(max: Int = 65_536, _ what: @autoclosure () -> String)
    throws(TraceError) -> String
  {
    var length = 0
    while length < left, length < max {
      if bytes.u8(offset + length) == 0 {
        let text = ByteView(start: bytes.start + offset, count: length).text
        offset += length + 1
        return text
      }
      length += 1
    }
    throw TraceError("expected \(what()), a NUL-terminated text", at: origin + offset)
  }

  /// Takes a size that a 64-bit field states; a size that cannot be is an error here, not later.
  mutating func takeSize(_ what: @autoclosure () -> String) throws(TraceError) -> Int {
    let at = offset
    let value = try take(UInt64.self, what())
    guard let size = Int(exactly: value) else {
      throw TraceError("\(what()) is \(value), more than any file holds", at: origin + at)
    }
    return size
  }

  private func truncated(_ length: Int, _ what: String) -> TraceError {
    TraceError("expected \(what) of \(length) bytes, \(max(left, 0)) are left", at: origin + offset)
  }
}
