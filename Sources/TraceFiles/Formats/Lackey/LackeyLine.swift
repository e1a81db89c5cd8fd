#if canImport(Glibc)
  import Glibc
#endif

/// One line of Valgrind lackey's `--trace-mem=yes` text.
///
///     I  0401ab70,3      instruction fetch: address in hexadecimal, at least 8 digits; bytes
///      L 1fff000678,8    load
///      S 1fff000678,8    store
///      M 1fff000678,8    load, then store, by one instruction
///     ==123== text       Valgrind itself; --123-- too; SB 0401ab70 with --trace-superblocks
///
/// Source: trace_instr, trace_load, trace_store, trace_modify of valgrind 3.19 lackey/lk_main.c. The
/// text goes to standard error, so that what the program writes there stands in between.
enum LackeyLine {
  /// Bytes that one access may have; Valgrind's largest (a state save of a vector unit) is below.
  static let sizeMax = 4096
  /// Accesses that one line can make: load and store, each in two pages.
  static let accessesMax = 4
  /// Bytes that the fast path looks at.
  static let fastLength = 40

  /// What the first three bytes say, little-endian, as ``classes`` has it.
  static let fetch: UInt32 = 0x20_2049
  static let load: UInt32 = 0x20_4c20
  static let store: UInt32 = 0x20_5320
  static let modify: UInt32 = 0x20_4d20

  /// Whether three bytes begin a memory access.
  @inline(__always)
  static func isAccess(_ tag: UInt32) -> Bool {
    tag == fetch || tag == load || tag == store || tag == modify
  }

  /// The number that eight lower-case hexadecimal digits spell, the first in the lowest byte; nil if
  /// they are no such digits. Eight at once: a loop over bytes took three times as long.
  @inline(__always)
  static func hexadecimal(_ text: UInt64) -> UInt64? {
    let high: UInt64 = 0x8080_8080_8080_8080
    // In bytes below 0x80, bit 7 of a sum says whether the byte is at least 0x80 less the addend.
    let isDigit =
      (text &+ 0x5050_5050_5050_5050) & ~(text &+ 0x4646_4646_4646_4646)
    let isLetter =
      (text &+ 0x1f1f_1f1f_1f1f_1f1f) & ~(text &+ 0x1919_1919_1919_1919)
    guard text & high == 0, (isDigit | isLetter) & high == high else { return nil }
    var value = (text & 0x0f0f_0f0f_0f0f_0f0f) &+ (text >> 6 & 0x0101_0101_0101_0101) &* 9
    value = (value &<< 4 | value &>> 8) & 0x00ff_00ff_00ff_00ff
    value = (value &<< 8 | value &>> 16) & 0x0000_ffff_0000_ffff
    return (value &<< 16 | value &>> 32) & 0xffff_ffff
  }

  /// The value of one lower-case hexadecimal digit; more than 15 if it is none.
  @inline(__always)
  static func digit(_ byte: UInt8) -> UInt8 {
    let decimal = byte &- 0x30
    if decimal < 10 { return decimal }
    let letter = byte &- 0x61
    return letter < 6 ? letter &+ 10 : 0xff
  }

  /// An access as a line has it.
  struct Access {
    var tag: UInt32
    var address: UInt64
    var size: Int
    /// Offset behind the line's end.
    var end: Int
  }

  /// The access in the line at `at`; nil if it is none, or not spelled as lackey spells it.
  @inline(__always)
  static func access(_ text: ByteView, _ at: Int) -> Access? {
    guard text.count &- at >= fastLength else { return accessAtEnd(text, at) }
    let tag = text.u32(at) & 0xff_ffff
    guard isAccess(tag), var address = hexadecimal(text.u64(at &+ 3)) else { return nil }
    var next = at &+ 11
    // Up to 16 digits: at + 19 is inside.
    while next < at &+ 19 {
      let value = digit(text.u8(next))
      if value > 15 { break }
      address = address &<< 4 | UInt64(value)
      next &+= 1
    }
    guard text.u8(next) == 0x2c else { return nil }
    next &+= 1
    var size = 0
    // Up to 5 digits, a carriage return, a line end: at + 27 is inside.
    let sizeStart = next
    while next < sizeStart &+ 5 {
      let value = text.u8(next) &- 0x30
      if value > 9 { break }
      size = size &* 10 &+ Int(value)
      next &+= 1
    }
    if text.u8(next) == 0x0d { next &+= 1 }
    guard text.u8(next) == 0x0a, size > 0, size <= sizeMax else { return nil }
    return Access(tag: tag, address: address, size: size, end: next &+ 1)
  }

  /// The same close to the end of the text, through a copy with room behind it.
  @inline(never)
  private static func accessAtEnd(_ text: ByteView, _ at: Int) -> Access? {
    let left = text.count - at
    return withUnsafeTemporaryAllocation(byteCount: 2 * fastLength, alignment: 8) { copy in
      guard let base = copy.baseAddress, left > 0 else { return nil }
      base.initializeMemory(as: UInt8.self, repeating: 0, count: copy.count)
      base.copyMemory(from: text.start + at, byteCount: left)
      // The last line of a text may lack its end.
      if text.u8(text.count - 1) != 0x0a { copy[left] = 0x0a }
      guard let found = access(ByteView(start: UnsafeRawPointer(base), count: copy.count), 0) else {
        return nil
      }
      return Access(
        tag: found.tag, address: found.address, size: found.size, end: at + min(found.end, left))
    }
  }

  /// The offset behind the end of the line at `at`.
  static func lineEnd(_ text: ByteView, _ at: Int) -> Int {
    guard at < text.count, let found = memchr(text.start + at, 0x0a, text.count - at) else {
      return text.count
    }
    return UnsafeRawPointer(found) - text.start + 1
  }

  /// What the beginning of an input is.
  enum Survey {
    case accesses
    /// Lackey's banner, and nothing that it traced.
    case lackeyWithoutAccesses
    case foreign
  }

  /// Looks for lackey's lines in `head`, among whatever the program wrote before them.
  static func survey(_ head: ByteView) -> Survey {
    var at = 0
    var hasBanner = false
    let limit = min(head.count, Spool.headSize)
    while at < limit {
      if access(head, at) != nil { return .accesses }
      let end = lineEnd(head, at)
      if head.count - at > 3, head.u8(at) == 0x3d, head.u8(at + 1) == 0x3d,
        let line = head.slice(at, min(end - at, 80)), line.text.contains("== Lackey")
      {
        hasBanner = true
      }
      at = end
    }
    return hasBanner ? .lackeyWithoutAccesses : .foreign
  }
}
