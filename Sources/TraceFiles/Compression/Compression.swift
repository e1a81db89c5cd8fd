import CZlib
import CZstd
import TraceEvents

/// Compression of a whole input or of parts of one, recognised by its first bytes.
enum Compression: String {
  case gzip
  case zstd

  /// What `head` begins with; throws for compressions that the tool cannot read.
  static func recognise(_ head: ByteView) throws(TraceError) -> Compression? {
    if head.hasPrefix([0x1f, 0x8b, 0x08]) { return .gzip }
    if head.hasPrefix([0x28, 0xb5, 0x2f, 0xfd]) { return .zstd }
    // A skippable zstd frame: 0x184D2A5?, little-endian.
    if head.count >= 4, head.u32(0) & 0xffff_fff0 == 0x184d_2a50 { return .zstd }
    if head.hasPrefix([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]) {
      throw TraceError(
        "is xz-compressed, which is not supported: decompress it first (xz -dc FILE | tlbreplay ... -)",
        at: 0)
    }
    if head.hasPrefix("BZh") {
      throw TraceError(
        "is bzip2-compressed, which is not supported: decompress it first (bzip2 -dc FILE | tlbreplay ... -)",
        at: 0)
    }
    return nil
  }
}

/// What a decompressor did with the input it was given.
struct DecompressionStep {
  /// Input bytes used.
  var consumed: Int
  /// Output bytes made.
  var produced: Int
  /// Whether a frame or member ended here; more may follow.
  var frameEnded: Bool
}

/// One decompressor that is fed piece by piece; it survives the ends of frames and members.
///
/// A class because it owns a C object.
final class Decompressor {
  private enum Engine {
    case zlib(UnsafeMutablePointer<z_stream>)
    case zstd(OpaquePointer)
  }

  /// zstd says nothing of what it made in a call that fails, so a call gets little: damage then costs
  /// the blocks of so many input bytes at the most.
  private static let zstdInputMax = 4096

  private let engine: Engine
  private var needsReset = false
  /// An error that came with output: the output goes first, the next call throws.
  private var pendingError: TraceError?

  /// A stream decompressor for `compression`.
  init(_ compression: Compression) throws(TraceError) {
    switch compression {
    case .gzip:
      let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
      stream.initialize(to: z_stream())
      // 15 window bits, + 32: zlib or gzip header, whichever is there.
      guard tlbreplay_inflateInit2(stream, 15 + 32) == Z_OK else {
        stream.deallocate()
        throw TraceError("zlib cannot start")
      }
      engine = .zlib(stream)
    case .zstd:
      guard let stream = ZSTD_createDStream() else { throw TraceError("zstd cannot start") }
      // 128 MiB of window: what `zstd -d` accepts without --long.
      ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, 27)
      engine = .zstd(stream)
    }
  }

  deinit {
    switch engine {
    case .zlib(let stream):
      inflateEnd(stream)
      stream.deallocate()
    case .zstd(let stream): ZSTD_freeDStream(stream)
    }
  }

  /// Decompresses some of `input` into `output`.
  ///
  /// - Throws: `TraceError` without an offset: the caller knows where `input` lies.
  func step(_ input: ByteView, into output: UnsafeMutableRawBufferPointer) throws(TraceError)
    -> DecompressionStep
  {
    if let pendingError { throw pendingError }
    switch engine {
    case .zlib(let stream):
      if needsReset {
        inflateReset(stream)
        needsReset = false
      }
      let given = min(input.count, 1 << 30)
      let room = min(output.count, 1 << 30)
      stream.pointee.next_in = UnsafeMutablePointer(
        mutating: input.start.assumingMemoryBound(to: UInt8.self))
      stream.pointee.avail_in = UInt32(given)
      stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
      stream.pointee.avail_out = UInt32(room)
      let status = inflate(stream, Z_NO_FLUSH)
      guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else {
        let reason = stream.pointee.msg.map { String(cString: $0) } ?? "error \(status)"
        let error = TraceError("damaged gzip data: \(reason)")
        let produced = room - Int(stream.pointee.avail_out)
        guard produced > 0 else { throw error }
        pendingError = error
        return DecompressionStep(
          consumed: given - Int(stream.pointee.avail_in), produced: produced, frameEnded: false)
      }
      needsReset = status == Z_STREAM_END
      return DecompressionStep(
        consumed: given - Int(stream.pointee.avail_in),
        produced: room - Int(stream.pointee.avail_out),
        frameEnded: status == Z_STREAM_END)
    case .zstd(let stream):
      var source = ZSTD_inBuffer(
        src: input.start, size: min(input.count, Self.zstdInputMax), pos: 0)
      var target = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
      let status = ZSTD_decompressStream(stream, &target, &source)
      if ZSTD_isError(status) != 0 {
        throw TraceError("damaged zstd data: \(String(cString: ZSTD_getErrorName(status)))")
      }
      return DecompressionStep(
        consumed: source.pos, produced: target.pos, frameEnded: status == 0)
    }
  }
}

/// Decompresses a block whose compressed and uncompressed sizes are stated.
enum BlockDecompression {
  /// - Returns: the bytes made, at most `output.count`.
  /// - Throws: `TraceError` without an offset.
  static func zstd(
    _ input: ByteView, into output: UnsafeMutableRawBufferPointer, context: OpaquePointer
  ) throws(TraceError) -> Int {
    let made = ZSTD_decompressDCtx(
      context, output.baseAddress, output.count, input.start, input.count)
    if ZSTD_isError(made) != 0 {
      throw TraceError("damaged zstd data: \(String(cString: ZSTD_getErrorName(made)))")
    }
    return made
  }

  /// - Returns: the bytes made, at most `output.count`.
  /// - Throws: `TraceError` without an offset.
  static func zlib(_ input: ByteView, into output: UnsafeMutableRawBufferPointer)
    throws(TraceError) -> Int
  {
    var length = UInt(output.count)
    let status = uncompress(
      output.baseAddress?.assumingMemoryBound(to: UInt8.self), &length,
      input.start.assumingMemoryBound(to: UInt8.self), UInt(input.count))
    guard status == Z_OK else { throw TraceError("damaged zlib data: error \(status)") }
    return Int(length)
  }
}
