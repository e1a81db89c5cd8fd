import CZlib
import CZstd

/// How a file of text is compressed as a whole.
public enum TextPacking: Sendable, Equatable {
  case none
  case gzip
  case zstd
}

/// Packs pieces of a file into gzip members or zstd frames of their own: any reader of these forms
/// takes several in a row for one file (RFC 1952 2.2, RFC 8878 3).
struct TextPacker {
  private let packing: TextPacking
  private var output: [UInt8] = []

  init(_ packing: TextPacking) { self.packing = packing }

  /// The packed form of `bytes`.
  mutating func pack(_ bytes: UnsafeRawBufferPointer, path: String) throws(TraceWriteError)
    -> UnsafeRawBufferPointer?
  {
    let bound =
      packing == .zstd
      ? ZSTD_compressBound(bytes.count) : Int(compressBound(UInt(bytes.count))) + 32
    if output.count < bound { output = [UInt8](repeating: 0, count: bound) }
    let length =
      packing == .zstd ? try zstd(bytes, path: path) : try gzip(bytes, path: path)
    return output.withUnsafeBytes { UnsafeRawBufferPointer(rebasing: $0[..<length]) }
  }

  private mutating func zstd(
    _ bytes: UnsafeRawBufferPointer, path: String
  ) throws(TraceWriteError) -> Int {
    let length = output.withUnsafeMutableBytes {
      ZSTD_compress($0.baseAddress, $0.count, bytes.baseAddress, bytes.count, ZSTD_CLEVEL_DEFAULT)
    }
    guard ZSTD_isError(length) == 0 else {
      throw TraceWriteError(String(cString: ZSTD_getErrorName(length)), path: path)
    }
    return length
  }

  private mutating func gzip(
    _ bytes: UnsafeRawBufferPointer, path: String
  ) throws(TraceWriteError) -> Int {
    var stream = z_stream()
    // 16 above the window's bits asks for a gzip member; its head has no name and no time.
    var status = deflateInit2_(
      &stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, zlibVersion(),
      Int32(MemoryLayout<z_stream>.size))
    guard status == Z_OK else { throw TraceWriteError("zlib error \(status)", path: path) }
    defer { deflateEnd(&stream) }
    let length = output.withUnsafeMutableBytes { room -> Int in
      stream.next_in = UnsafeMutablePointer(
        mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
      stream.avail_in = UInt32(bytes.count)
      stream.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
      stream.avail_out = UInt32(room.count)
      status = deflate(&stream, Z_FINISH)
      return room.count - Int(stream.avail_out)
    }
    guard status == Z_STREAM_END else { throw TraceWriteError("zlib error \(status)", path: path) }
    return length
  }
}
