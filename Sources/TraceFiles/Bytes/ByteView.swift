/// Bytes that somebody else owns: a mapped file, a decompressed chunk, a buffer.
///
/// The fast loads are unchecked in release builds. The rule that keeps them safe: compare a record's
/// length with what is left once, then load inside it. `slice` and the cursor are checked always.
struct ByteView {
  /// First byte. Never dereferenced when `count` is 0.
  let start: UnsafeRawPointer
  /// How many.
  let count: Int

  /// The part from `offset`, `length` bytes long; nil if it does not lie inside.
  func slice(_ offset: Int, _ length: Int) -> ByteView? {
    guard offset >= 0, length >= 0, offset <= count, length <= count - offset else { return nil }
    return ByteView(start: start + offset, count: length)
  }

  /// The part from `offset` to the end, empty if `offset` lies behind it.
  func suffix(from offset: Int) -> ByteView {
    let from = min(max(offset, 0), count)
    return ByteView(start: start + from, count: count - from)
  }

  /// A little-endian load; the caller has checked that it lies inside.
  @inline(__always)
  func load<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: T.Type) -> T {
    assert(offset >= 0 && offset + MemoryLayout<T>.size <= count)
    return start.loadUnaligned(fromByteOffset: offset, as: type)
  }

  @inline(__always) func u8(_ offset: Int) -> UInt8 { load(offset, as: UInt8.self) }
  @inline(__always) func u16(_ offset: Int) -> UInt16 { load(offset, as: UInt16.self) }
  @inline(__always) func u32(_ offset: Int) -> UInt32 { load(offset, as: UInt32.self) }
  @inline(__always) func u64(_ offset: Int) -> UInt64 { load(offset, as: UInt64.self) }

  /// Whether the bytes begin with `prefix`.
  func hasPrefix(_ prefix: [UInt8]) -> Bool {
    count >= prefix.count && prefix.indices.allSatisfy { u8($0) == prefix[$0] }
  }

  /// Whether the bytes begin with the ASCII text `prefix`.
  func hasPrefix(_ prefix: StaticString) -> Bool {
    prefix.utf8CodeUnitCount <= count
      && (0..<prefix.utf8CodeUnitCount).allSatisfy { u8($0) == prefix.utf8Start[$0] }
  }

  /// The bytes up to the first NUL, or all of them, as text; broken UTF-8 is repaired.
  var text: String {
    var length = 0
    while length < count, u8(length) != 0 { length += 1 }
    return String(
      decoding: UnsafeRawBufferPointer(start: start, count: length), as: UTF8.self)
  }
}
