import CZstd

/// The way of records into a `perf.data`: as they are, or in pieces of one zstd stream.
///
/// A piece is record type 81: 8-byte head, then what the stream's flush gave. The stream is never
/// ended (Linux 6.1 `tools/perf/util/zstd.c`), so a reader must keep its state from piece to piece.
///
/// Not copyable because it owns a C object and a buffer.
struct PerfStreamPacker: ~Copyable {
  /// Unpacked bytes of a piece; with zstd's overhead a piece still fits a u16 record size.
  private static let pieceMax = 60_000
  private static let recordMax = 65_535

  private let stream: OpaquePointer?
  private let staged: UnsafeMutableRawBufferPointer
  private let packed: UnsafeMutableRawBufferPointer
  private var used = 0

  init(isCompressed: Bool) {
    stream = isCompressed ? ZSTD_createCCtx() : nil
    staged = .allocate(byteCount: Self.pieceMax, alignment: 16)
    packed = .allocate(byteCount: Self.recordMax, alignment: 16)
    if let stream { ZSTD_CCtx_setParameter(stream, ZSTD_c_compressionLevel, 1) }
  }

  deinit {
    if let stream { ZSTD_freeCCtx(stream) }
    staged.deallocate()
    packed.deallocate()
  }

  mutating func append(_ record: UnsafeRawBufferPointer, to sink: inout FileSink)
    throws(TraceWriteError)
  {
    if stream == nil { return try sink.write(record) }
    precondition(record.count <= Self.pieceMax)
    if used + record.count > Self.pieceMax { try flush(to: &sink) }
    UnsafeMutableRawBufferPointer(rebasing: staged[used...]).copyMemory(from: record)
    used += record.count
  }

  /// Writes what is staged as one piece.
  mutating func flush(to sink: inout FileSink) throws(TraceWriteError) {
    guard let stream, used > 0 else { return }
    var source = ZSTD_inBuffer(src: staged.baseAddress, size: used, pos: 0)
    var target = ZSTD_outBuffer(dst: packed.baseAddress, size: packed.count, pos: 8)
    let rest = ZSTD_compressStream2(stream, &target, &source, ZSTD_e_flush)
    guard rest == 0, source.pos == used else {
      throw TraceWriteError("zstd cannot pack a piece of the trace", path: sink.path)
    }
    packed.storeBytes(of: UInt32(81).littleEndian, toByteOffset: 0, as: UInt32.self)
    packed.storeBytes(of: 0, toByteOffset: 4, as: UInt16.self)
    packed.storeBytes(of: UInt16(target.pos).littleEndian, toByteOffset: 6, as: UInt16.self)
    try sink.write(UnsafeRawBufferPointer(rebasing: packed[..<target.pos]))
    used = 0
  }
}
