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
  private let clock: ClockConversion
  private var source: PageSource

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

  /// A stream over the pages of `cpu`.
  init(
    _ cpu: Int, _ source: PageSource, layout: PageLayout, clock: ClockConversion,
    statistics: inout IngestStatistics
  ) {
    self.cpu = UInt16(cpu)
    self.clock = clock
    self.layout = layout
    self.source = source
    // Nothing yet: `advance` asks the source for the first pages.
    let nothing = OwnedBytes(count: 0).bytes
    pages = nothing
    pagesOrigin = 0
    records = nothing.start
    advance(&statistics)
  }

  /// Linux 6.12 `include/linux/threads.h` PID_MAX_LIMIT: no thread id is larger.
  private static let taskMax: UInt32 = 4_194_304
  /// No kernel has as many flush reasons (6 in Linux 6.18).
  private static let flushReasonMax: UInt64 = 63

  /// Adds pending records up to time `limit` to `batch`, as far as it has room.
  @inline(__always)
  mutating func emit(
    until limit: UInt64, clock: ClockConversion, decoder: borrowing RecordDecoder,
    directory: EventDirectory, batch: inout EventBatch, statistics: inout IngestStatistics
  ) {
    while !isExhausted, timestamp <= limit, !batch.isFull {
      switch layout.bigEndian ? .special : emitPlain(limit, clock, decoder, &batch, &statistics) {
      case .stopped: continue
      case .special: emitOne(clock, decoder, directory, &batch, &statistics)
      case .atHeader: break
      }
      advance(&statistics)
    }
  }

  /// Why ``emitPlain`` returned.
  private enum PlainEnd {
    /// The limit is reached or the batch is full; a record is pending.
    case stopped
    /// The pending record needs ``emitOne``.
    case special
    /// The next record header needs ``advance``; no record is pending.
    case atHeader
  }

  /// Adds pending records as long as nothing about them is special: plain plans, plain headers
  /// behind them, all in the page at hand. The state lives in local variables: that makes it fast.
  @inline(__always)
  private mutating func emitPlain(
    _ limit: UInt64, _ clock: ClockConversion, _ decoder: borrowing RecordDecoder,
    _ batch: inout EventBatch, _ statistics: inout IngestStatistics
  ) -> PlainEnd {
    let records = self.records
    let end = self.end
    let cpu = self.cpu
    let isIdentity = clock.isIdentity
    var time = timestamp
    var start = recordStart
    var length = recordLength
    var next = position
    var reason = PlainEnd.stopped
    while time <= limit, !batch.isFull {
      switch Self.append(
        records + start, length, isIdentity ? time : clock.convert(time), cpu, decoder, &batch)
      {
      case .added: break
      case .implausible:
        recordStart = start
        noteImplausible(Self.unknownReason, &statistics)
      case .special: reason = .special
      }
      if reason == .special { break }
      guard let header = Self.plainHeader(records, next, end) else {
        reason = .atHeader
        break
      }
      time &+= header.delta
      start = next &+ 4
      length = header.length
      next = start &+ length
    }
    timestamp = time
    recordStart = start
    recordLength = length
    position = next
    return reason
  }

  /// Adds the pending record and finds the next one. Less work than ``emit`` where CPUs take turns.
  ///
  /// - Precondition: not exhausted, and the batch is not full.
  @inline(__always)
  mutating func emitNext(
    _ clock: ClockConversion, _ decoder: borrowing RecordDecoder, _ directory: EventDirectory,
    _ batch: inout EventBatch, _ statistics: inout IngestStatistics
  ) {
    let time = clock.isIdentity ? timestamp : clock.convert(timestamp)
    switch Self.append(records + recordStart, recordLength, time, cpu, decoder, &batch) {
    case .added: break
    case .implausible: noteImplausible(Self.unknownReason, &statistics)
    case .special: emitOne(clock, decoder, directory, &batch, &statistics)
    }
    if !layout.bigEndian, let header = Self.plainHeader(records, position, end) {
      timestamp &+= header.delta
      recordStart = position &+ 4
      recordLength = header.length
      position = recordStart &+ header.length
    } else {
      advance(&statistics)
    }
  }

  private enum PlainOutcome {
    case added
    /// Added, with a flush reason that no kernel has.
    case implausible
    /// Not added: needs ``emitOne``.
    case special
  }

  private static let unknownReason = "tlb_flush of a reason that no kernel has"

  /// Adds a record if nothing about it is special. Big-endian plans never are plain.
  @inline(__always)
  private static func append(
    _ record: UnsafeRawPointer, _ length: Int, _ time: UInt64, _ cpu: UInt16,
    _ decoder: borrowing RecordDecoder, _ batch: inout EventBatch
  ) -> PlainOutcome {
    let task = record.loadUnaligned(fromByteOffset: 4, as: Int32.self)
    guard let plan = decoder.plan(record.loadUnaligned(as: UInt16.self)), plan.isPlain,
      length >= Int(plan.bytesNeeded), UInt32(bitPattern: task) <= taskMax
    else { return .special }
    let payload = batch.append(
      timestamp: time, cpu: cpu, event: plan.event, task: task, words: Int(plan.words))
    decoder.fill(payload, record, plan)
    if plan.event == EventKind.tlbFlush.rawValue, plan.words > 0,
      payload[TLBFlush.reason] > flushReasonMax
    {
      return .implausible
    }
    return .added
  }

  /// The record header at `position`, of a page that ends at `end`; nil for padding, an extended time,
  /// the end of the page and damage, which are for ``advance``.
  @inline(__always)
  private static func plainHeader(
    _ records: UnsafeRawPointer, _ position: Int, _ end: Int
  ) -> (delta: UInt64, length: Int)? {
    guard end &- position >= 4 else { return nil }
    let word = records.loadUnaligned(fromByteOffset: position, as: UInt32.self)
    let type = Int(word & 31)
    guard type >= 2, type <= 28, end &- position &- 4 >= type &* 4 else { return nil }
    return (UInt64(word >> 5), type &* 4)
  }

  /// Adds the pending record, whatever it is.
  @inline(never)
  private mutating func emitOne(
    _ clock: ClockConversion, _ decoder: borrowing RecordDecoder, _ directory: EventDirectory,
    _ batch: inout EventBatch, _ statistics: inout IngestStatistics
  ) {
    let record = ByteView(start: records + recordStart, count: recordLength)
    var type = record.u16(0)
    var task = record.load(4, as: Int32.self)
    if layout.bigEndian {
      type = type.byteSwapped
      task = task.byteSwapped
    }
    if UInt32(bitPattern: task) > Self.taskMax { noteImplausible("thread \(task)", &statistics) }
    let time = clock.isIdentity ? timestamp : clock.convert(timestamp)
    guard let plan = decoder.plan(type) else {
      return appendUnknown(type, time, task, &batch, directory, &statistics)
    }
    if !decoder.append(
      record, plan: plan, timestamp: time, cpu: cpu, task: task, to: &batch, directory: directory)
    {
      noteShort(record, type, &statistics)
    } else if plan.event == EventKind.tlbFlush.rawValue, plan.words > 0,
      batch.word(batch.count &- 1, TLBFlush.reason) > Self.flushReasonMax
    {
      noteImplausible(Self.unknownReason, &statistics)
    }
  }

  /// Finds the next record; sets `isExhausted` if there is none.
  @inline(never)
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
        guard let next = source.next(&statistics) else {
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
    let time = clock.convert(head.timestamp)
    if head.lostCountStored, at + layout.commitSize <= min(page.count, layout.pageSize) {
      var count = UInt64(page.u32(at))
      if layout.commitSize == 8 { count = page.u64(at) }
      if layout.bigEndian {
        count = layout.commitSize == 8 ? count.byteSwapped : UInt64(UInt32(count).byteSwapped)
      }
      if count <= 1 << 48 {
        statistics.lost.known = statistics.lost.known.saturatingSum(count)
        statistics.lost.mark(LossMark(cpu: cpu, time: time, count: count))
        return
      }
    }
    statistics.lost.unknownMarks += 1
    statistics.lost.mark(LossMark(cpu: cpu, time: time, count: nil))
  }

  @inline(never)
  private mutating func damagedRecord(_ statistics: inout IngestStatistics) {
    statistics.note(
      "damaged-record", .damage,
      at: source.isPlain ? pagesOrigin + (records + position - pages.start) : pagesOrigin,
      "a record of CPU \(cpu) does not fit its page; the rest of that page is skipped")
    position = end
  }

  /// Offset of the pending record in the file (of its chunk, where pages are compressed).
  private var recordOffset: Int {
    source.isPlain
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
    guard let event = directory.index(system: nil, name: "type-\(type)") else {
      statistics.note(
        "too-many-event-names", .loss, at: recordOffset,
        "more than \(EventDirectory.unknownNamesMax) event names; the record was dropped")
      return
    }
    _ = batch.append(timestamp: time, cpu: cpu, event: event, task: task, words: 0)
  }
}
