import CZlib
import CZstd

/// How a version 7 `trace.dat` packs its sections and pages.
public enum TraceDatCompression: Sendable, Equatable {
  case none
  case zlib
  case zstd

  /// The names that the file's head states: algorithm and version of its library.
  var names: (algorithm: String, version: String) {
    switch self {
    case .none: ("none", "")
    case .zlib: ("zlib", String(cString: zlibVersion()))
    case .zstd: ("zstd", String(cString: ZSTD_versionString()))
    }
  }
}

/// Packs blocks, each of which can be unpacked on its own.
///
/// Not copyable because it owns a C object and the bytes that it hands out.
struct BlockCompressor: ~Copyable {
  private let compression: TraceDatCompression
  private let context: OpaquePointer?
  private var output: UnsafeMutableRawBufferPointer

  init(_ compression: TraceDatCompression) {
    self.compression = compression
    context = compression == .zstd ? ZSTD_createCCtx() : nil
    output = .allocate(byteCount: 1 << 17, alignment: 16)
  }

  deinit {
    if let context { ZSTD_freeCCtx(context) }
    output.deallocate()
  }

  /// The packed form of `block`, valid until the next call.
  ///
  /// - Precondition: there is a compression.
  mutating func compress(_ block: [UInt8], path: String) throws(TraceWriteError)
    -> UnsafeRawBufferPointer
  {
    switch compression {
    case .none: preconditionFailure("nothing to pack with")
    case .zlib:
      reserve(Int(compressBound(UInt(block.count))))
      var length = UInt(output.count)
      let status = compress2(
        output.baseAddress?.assumingMemoryBound(to: UInt8.self), &length, block,
        UInt(block.count), Z_DEFAULT_COMPRESSION)
      guard status == Z_OK else { throw TraceWriteError("zlib error \(status)", path: path) }
      return UnsafeRawBufferPointer(rebasing: output[..<Int(length)])
    case .zstd:
      reserve(ZSTD_compressBound(block.count))
      let length = ZSTD_compressCCtx(
        context, output.baseAddress, output.count, block, block.count, ZSTD_CLEVEL_DEFAULT)
      guard ZSTD_isError(length) == 0 else {
        throw TraceWriteError(String(cString: ZSTD_getErrorName(length)), path: path)
      }
      return UnsafeRawBufferPointer(rebasing: output[..<length])
    }
  }

  private mutating func reserve(_ size: Int) {
    guard output.count < size else { return }
    output.deallocate()
    output = .allocate(byteCount: size, alignment: 16)
  }
}
