import CZstd
import TraceEvents

/// Hands out the pages of one CPU piece by piece.
enum PageSource {
  case plain(PlainPages)
  case chunks(ChunkSource)

  /// The pages of `data`, one of `cpus` CPUs that are read side by side.
  init(
    _ data: CPUData, file: MappedFile, pageSize: Int, cpus: Int,
    statistics: inout IngestStatistics
  ) {
    if let codec = data.codec {
      self = .chunks(
        ChunkSource(data, codec, file: file.bytes, cpus: cpus, statistics: &statistics))
    } else {
      self = .plain(
        PlainPages(data, file: file, pageSize: pageSize, cpus: cpus, statistics: &statistics))
    }
  }

  /// Whether offsets inside a piece are offsets in the file.
  var isPlain: Bool {
    if case .plain = self { return true }
    return false
  }

  /// The next pages and the file offset where they (or the chunk they were packed in) begin; valid
  /// until the next call. Nil at the end.
  mutating func next(_ statistics: inout IngestStatistics) -> (bytes: ByteView, origin: Int)? {
    switch self {
    case .plain(var source):
      defer { self = .plain(source) }
      return source.next(&statistics)
    case .chunks(var source):
      defer { self = .chunks(source) }
      return source.next(&statistics)
    }
  }
}

/// The uncompressed pages of one CPU, copied through a buffer.
struct PlainPages {
  /// Bytes copied at once, of one CPU, and of all CPUs together: small enough to stay in a second-level
  /// cache while they are decoded.
  static let pieceSize = 256 << 10
  /// See ``pieceSize``.
  static let allPiecesSize = 1 << 20
  /// But at least so many of a CPU, for each piece is a system call; and of all CPUs together at most
  /// so many.
  static let pieceSizeMin = 32 << 10
  /// See ``pieceSizeMin``.
  static let allPiecesMax = 16 << 20

  private let file: MappedFile
  private let buffer: OwnedBytes
  private var position: Int
  private let end: Int

  /// The pages of `data`, one of `cpus` CPUs that are read side by side.
  init(
    _ data: CPUData, file: MappedFile, pageSize: Int, cpus: Int,
    statistics: inout IngestStatistics
  ) {
    self.file = file
    let left = file.bytes.count - data.offset
    if data.size > left {
      statistics.note(
        "truncated-file", .damage, at: file.bytes.count,
        "CPU \(data.cpu)'s pages need \(data.size) bytes from byte \(data.offset), \(left) are there"
      )
    }
    position = data.offset
    end = data.offset + min(data.size, left)
    let wanted = min(Self.pieceSize, max(Self.pieceSizeMin, Self.allPiecesSize / max(cpus, 1)))
    let share = min(wanted, Self.allPiecesMax / max(cpus, 1))
    buffer = OwnedBytes(count: min(max(share / pageSize, 1) * pageSize, max(end - position, 1)))
  }

  mutating func next(_ statistics: inout IngestStatistics) -> (bytes: ByteView, origin: Int)? {
    guard position < end else { return nil }
    let origin = position
    do {
      buffer.count = try file.copy(origin, end - origin, into: buffer.buffer)
    } catch {
      statistics.note("unreadable-bytes", .damage, at: error.offset, error.message)
      buffer.count = 0
    }
    position = buffer.count == 0 ? end : origin + buffer.count
    return buffer.count == 0 ? nil : (buffer.bytes, origin)
  }
}

/// The compressed chunks of one CPU in a version 7 file.
///
///     u32 number of chunks, then of each: u32 compressed size, u32 uncompressed size, payload
///
/// Chunks are independent: a damaged one costs its own pages, no more.
struct ChunkSource {
  /// A recorder writes 10 pages a chunk (trace-cmd 3.1 `lib/trace-cmd/trace-compress.c`); sub-buffers
  /// can be larger than 4 KiB, so allow far more and no more than memory bears.
  static let chunkSizeMax = 64 << 20
  /// Bytes of all chunks that are unpacked at once, one a CPU: a few bytes of zstd can stand for as
  /// many as they like.
  static let allChunksMax = 512 << 20
  /// What a chunk may have however many CPUs there are: a recorder packs 10 pages of 4 KiB.
  static let chunkSizeMin = 64 << 10

  private let cpu: Int
  private let file: ByteView
  private let codec: ChunkCodec
  private let sizeMax: Int
  private var position: Int
  private let limit: Int
  private var chunksLeft: Int
  private var buffer = OwnedBytes(count: 0)
  private let context: ZstdContext?

  /// The chunks of `data`, one of `cpus` CPUs that are read side by side.
  init(
    _ data: CPUData, _ codec: ChunkCodec, file: ByteView, cpus: Int,
    statistics: inout IngestStatistics
  ) {
    cpu = data.cpu
    sizeMax = min(Self.chunkSizeMax, max(Self.allChunksMax / max(cpus, 1), Self.chunkSizeMin))
    self.file = file
    self.codec = codec
    context = codec == .zstd ? ZstdContext() : nil
    position = data.offset
    limit = data.size > file.count - data.offset ? file.count : data.offset + data.size
    chunksLeft = 0
    guard file.count - position >= 4 else {
      statistics.note(
        "truncated-file", .damage, at: file.count,
        "expected the chunk count of CPU \(data.cpu) at byte \(data.offset)")
      return
    }
    chunksLeft = Int(file.u32(position))
    position += 4
  }

  /// The pages of the next readable chunk, valid until the next call; nil at the end.
  mutating func next(_ statistics: inout IngestStatistics) -> (bytes: ByteView, origin: Int)? {
    while chunksLeft > 0 {
      chunksLeft -= 1
      guard file.count - position >= 8 else {
        statistics.note(
          "truncated-file", .damage, at: position,
          "expected a chunk of CPU \(cpu), the file ends")
        break
      }
      let origin = position
      let compressed = Int(file.u32(position))
      let plain = Int(file.u32(position + 4))
      guard let payload = file.slice(position + 8, compressed) else {
        statistics.note(
          "truncated-chunk", .damage, at: origin,
          "expected a chunk of \(compressed) bytes of CPU \(cpu), \(file.count - position - 8) are there"
        )
        break
      }
      position += 8 + compressed
      guard plain <= sizeMax else {
        statistics.note(
          "damaged-chunk", .damage, at: origin,
          "a chunk of CPU \(cpu) claims \(plain) bytes, more than \(sizeMax)")
        continue
      }
      if buffer.buffer.count < plain { buffer = OwnedBytes(count: plain) }
      do {
        let room = UnsafeMutableRawBufferPointer(rebasing: buffer.buffer[..<plain])
        buffer.count = try codec.decompress(payload, into: room, context: context)
        return (buffer.bytes, origin)
      } catch {
        statistics.note("damaged-chunk", .damage, at: origin, error.message)
      }
    }
    chunksLeft = 0
    return nil
  }
}

/// A zstd decompression context, reused from chunk to chunk. A class because it owns a C object.
final class ZstdContext {
  let pointer: OpaquePointer?
  init() { pointer = ZSTD_createDCtx() }
  deinit { ZSTD_freeDCtx(pointer) }
}

extension ChunkCodec {
  /// Decompresses one block. - Throws: `TraceError` without an offset.
  func decompress(
    _ input: ByteView, into output: UnsafeMutableRawBufferPointer, context: ZstdContext?
  ) throws(TraceError) -> Int {
    switch self {
    case .zlib: return try BlockDecompression.zlib(input, into: output)
    case .zstd:
      guard let pointer = context?.pointer else { throw TraceError("zstd cannot start") }
      return try BlockDecompression.zstd(input, into: output, context: pointer)
    }
  }
}
