import CZstd
import TraceEvents

/// Where one CPU's pages lie in the file.
struct CPUData {
  /// CPU number.
  var cpu: Int
  /// File offset and bytes of its pages, or of its chunks.
  var offset: Int
  var size: Int
  /// How its chunks are compressed; nil for plain pages.
  var codec: ChunkCodec?
}

/// How the sections and chunks of a version 7 file are compressed.
enum ChunkCodec {
  case zlib, zstd
}

/// The records of one CPU in their order: pages are opened one by one, records are found in them.
///
///     record header u32: low 5 bits type_len, high 27 bits time since the record before
///       1...28  payload of type_len * 4 bytes behind it
///       0       u32 payload length + 4, then the payload
///       29      delta 0: rest of the page is empty; else a discarded record, skip 4 + u32
///       30      time extend: add u32 << 27
///       31      absolute time: u32 << 27 | delta, 59 bits
///
/// (Linux 6.12 `include/linux/ring_buffer.h`, `kernel/trace/ring_buffer.c`.) Invariant: unless
/// `isExhausted`, a record is pending: `record` lies inside its page, `timestamp` is its time.
struct CPUStream {
  let cpu: UInt16
  private let layout: PageLayout
  private var chunks: ChunkSource?

  /// Bytes in memory that hold pages, and the file offset of their first byte (of the chunk that
  /// they were decompressed from).
  private var pages: ByteView
  private var pagesOrigin: Int
  private var nextPage = 0

  private var records: UnsafeRawPointer
  private var position = 0
  private var end = 0

  /// Raw time of the pending record.
  private(set) var timestamp: UInt64 = 0
  private var recordStart = 0
  private var recordLength = 0
  /// Whether there is no pending record and never will be.
  private(set) var isExhausted = false

  /// A stream over `data`, which has been checked to begin inside `file`.
  init(_ data: CPUData, file: ByteView, layout: PageLayout, statistics: inout IngestStatistics) {
    cpu = UInt16(data.cpu)
    self.layout = layout
    records = file.start
    if let codec = data.codec {
      chunks = ChunkSource(data, codec, file: file, statistics: &statistics)
      pages = ByteView(start: file.start, count: 0)
      pagesOrigin = data.offset
    } else {
      let left = file.count - data.offset
      if data.size > left {
        statistics.note(
          "truncated-file", .damage, at: file.count,
          "CPU \(data.cpu)'s pages need \(data.size) bytes from byte \(data.offset), \(left) are there"
        )
      }
      pages = ByteView(start: file.start + data.offset, count: min(data.size, left))
      pagesOrigin = data.offset
    }
    advance(&statistics)
  }

  /// Adds pending records up to time `limit` to `batch`, as far as it has room.
  mutating func emit(
    until limit: UInt64, clock: ClockConversion, decoder: borrowing RecordDecoder,
    directory: EventDirectory, batch: inout EventBatch, statistics: inout IngestStatistics
  ) {
    while !isExhausted, timestamp <= limit, !batch.isFull {
      let record = ByteView(start: records + recordStart, count: recordLength)
      var type = record.u16(0)
      var task = record.load(4, as: Int32.self)
      if layout.bigEndian {
        type = type.byteSwapped
        task = task.byteSwapped
      }
      // Linux 6.12 `include/linux/threads.h` PID_MAX_LIMIT: no thread id is larger.
      if UInt32(bitPattern: task) > 4_194_304 { noteImplausible("thread \(task)", &statistics) }
      let time = clock.isIdentity ? timestamp : clock.convert(timestamp)
      if let plan = decoder.plan(type) {
        if !decoder.append(
          record, plan: plan, timestamp: time, cpu: cpu, task: task, to: &batch,
          directory: directory)
        {
          noteShort(record, type, &statistics)
        } else if plan.event == EventKind.tlbFlush.rawValue,
          batch.word(batch.count &- 1, TLBFlush.reason) > 63
        {
          noteImplausible("tlb_flush of a reason that no kernel has", &statistics)
        }
      } else {
        appendUnknown(type, time, task, &batch, directory, &statistics)
      }
      advance(&statistics)
    }
  }

  /// Finds the next record; sets `isExhausted` if there is none.
  @inline(__always)
  private mutating func advance(_ statistics: inout IngestStatistics) {
    while true {
      // A header and the smallest payload head that a record of ours can have: 4 + 8 bytes; less
      // than 4 cannot be a header at all.
      guard end &- position >= 4 else {
        if !openPage(&statistics) { return }
        continue
      }
      var word = records.loadUnaligned(fromByteOffset: position, as: UInt32.self)
      var type = word & 31
      var delta = UInt64(word >> 5)
      if layout.bigEndian {
        word = word.byteSwapped
        type = word >> 27
        delta = UInt64(word & 0x07ff_ffff)
      }
      if type != 0 && type <= 28 {
        let length = Int(type) &* 4
        timestamp &+= delta
        guard end &- position &- 4 >= length, length >= 8 else {
          damagedRecord(&statistics)
          continue
        }
        recordStart = position &+ 4
        recordLength = length
        position = recordStart &+ length
        return
      }
      if advanceRare(type, delta, &statistics) { return }
    }
  }

  /// The record types that are not plain data. Returns true if a record is pending.
  @inline(never)
  private mutating func advanceRare(
    _ type: UInt32, _ delta: UInt64, _ statistics: inout IngestStatistics
  ) -> Bool {
    if type == 29 && delta == 0 {
      position = end
      return false
    }
    guard end - position >= 8 else {
      damagedRecord(&statistics)
      return false
    }
    var second = records.loadUnaligned(fromByteOffset: position + 4, as: UInt32.self)
    if layout.bigEndian { second = second.byteSwapped }
    switch type {
    case 0:
      timestamp &+= delta
      let stated = Int(second)
      // Never more than the page: the check also keeps the rounding from overflowing.
      guard stated >= 12, stated <= end - position - 4 else {
        damagedRecord(&statistics)
        return false
      }
      recordStart = position + 8
      recordLength = stated - 4
      position += min(4 + (stated + 3) & ~3, end - position)
      return true
    case 29:
      timestamp &+= delta
      guard Int(second) <= end - position - 4 else {
        damagedRecord(&statistics)
        return false
      }
      position += 4 + Int(second)
      statistics.note("discarded-record", .note, at: nil, "records that a filter discarded")
    case 30:
      timestamp &+= UInt64(second) << 27 &+ delta
      position += 8
    default:
      // 59 bits of absolute time: the top 5 bits stay those of the page.
      let low = (UInt64(second) << 27 | delta) & (1 << 59 - 1)
      timestamp = timestamp & ~(1 << 59 - 1) | low
      position += 8
    }
    return false
  }

  /// Opens the next page that holds records. Returns false, and is exhausted, after the last.
  @inline(never)
  private mutating func openPage(_ statistics: inout IngestStatistics) -> Bool {
    while true {
      guard pages.count - nextPage >= layout.dataOffset else {
        if pages.count > nextPage {
          statistics.note(
            "truncated-page", .damage, at: pagesOrigin + nextPage,
            "expected a page of CPU \(cpu), only \(pages.count - nextPage) bytes are there")
        }
        guard let next = chunks?.next(&statistics) else {
          isExhausted = true
          return false
        }
        pages = next.bytes
        pagesOrigin = next.origin
        nextPage = 0
        continue
      }
      let page = pages.suffix(from: nextPage)
      let at = pagesOrigin + nextPage
      nextPage += min(layout.pageSize, page.count)
      let head = PageHead(page, layout)
      guard layout.dataOffset + head.length <= layout.pageSize else {
        statistics.note(
          "damaged-page", .damage, at: at,
          "expected at most \(layout.pageSize - layout.dataOffset) bytes of records in a page of CPU "
            + "\(cpu), its header says \(head.length)")
        continue
      }
      let room = page.count - layout.dataOffset
      if head.length > room {
        statistics.note(
          "truncated-page", .damage, at: at + page.count,
          "expected \(head.length) bytes of records in a page of CPU \(cpu), \(room) are there")
      }
      if head.lostBefore { noteLost(head, page, &statistics) }
      if head.timestamp < timestamp {
        statistics.note(
          "time-steps-back", .damage, at: at,
          "a page of CPU \(cpu) begins at time \(head.timestamp), before the \(timestamp) reached")
      }
      records = page.start + layout.dataOffset
      position = 0
      end = min(head.length, room)
      timestamp = head.timestamp
      if end > 0 { return true }
    }
  }

  private func noteLost(_ head: PageHead, _ page: ByteView, _ statistics: inout IngestStatistics) {
    let at = layout.dataOffset + head.length
    if head.lostCountStored, at + layout.commitSize <= min(page.count, layout.pageSize) {
      var count = UInt64(page.u32(at))
      if layout.commitSize == 8 { count = page.u64(at) }
      if layout.bigEndian {
        count = layout.commitSize == 8 ? count.byteSwapped : UInt64(UInt32(count).byteSwapped)
      }
      if count <= 1 << 48 {
        statistics.lost.known += Int(count)
        return
      }
    }
    statistics.lost.unknownMarks += 1
  }

  @inline(never)
  private mutating func damagedRecord(_ statistics: inout IngestStatistics) {
    statistics.note(
      "damaged-record", .damage,
      at: chunks == nil ? pagesOrigin + (records + position - pages.start) : pagesOrigin,
      "a record of CPU \(cpu) does not fit its page; the rest of that page is skipped")
    position = end
  }

  /// Offset of the pending record in the file (of its chunk, where pages are compressed).
  private var recordOffset: Int {
    chunks == nil
      ? pagesOrigin + (records + recordStart - pages.start) : pagesOrigin
  }

  @inline(never)
  private func noteImplausible(_ what: String, _ statistics: inout IngestStatistics) {
    statistics.note(
      "implausible-record", .damage, at: recordOffset, "CPU \(cpu): \(what); counted as it stands")
  }

  @inline(never)
  private func noteShort(_ record: ByteView, _ type: UInt16, _ statistics: inout IngestStatistics) {
    statistics.note(
      "short-record", .damage, at: recordOffset,
      "a record of type \(type) on CPU \(cpu) has \(record.count) bytes, fewer than its format needs"
    )
  }

  @inline(never)
  private func appendUnknown(
    _ type: UInt16, _ time: UInt64, _ task: Int32, _ batch: inout EventBatch,
    _ directory: EventDirectory, _ statistics: inout IngestStatistics
  ) {
    statistics.note(
      "unknown-event-type", .loss, at: recordOffset,
      "records of type \(type), for which the file has no format, are counted as type-\(type)")
    guard let event = directory.index(system: nil, name: "type-\(type)") else { return }
    _ = batch.append(timestamp: time, cpu: cpu, event: event, task: task, words: 0)
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

  private let cpu: Int
  private let file: ByteView
  private let codec: ChunkCodec
  private var position: Int
  private let limit: Int
  private var chunksLeft: Int
  private var buffer = OwnedBytes(count: 0)
  private let context: ZstdContext?

  init(_ data: CPUData, _ codec: ChunkCodec, file: ByteView, statistics: inout IngestStatistics) {
    cpu = data.cpu
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
      guard plain <= Self.chunkSizeMax else {
        statistics.note(
          "damaged-chunk", .damage, at: origin,
          "a chunk of CPU \(cpu) claims \(plain) bytes, more than \(Self.chunkSizeMax)")
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
