import TraceEvents

/// The records of one file, compressed ones unpacked on the way, as windows of plain records.
///
///     u32 type, u16 misc, u16 size (header included), body; next record
///     66 TRACING_DATA, 71 AUXTRACE      more bytes follow outside the record
///     81 COMPRESSED    payload          a flushed piece of one zstd stream that never ends
///     83 COMPRESSED2   u64 bytes, payload, padding to 8
///
/// Whoever reads walks the window from `position` on and comes back with what it cannot handle. While
/// a compressed record is unpacked the window lies in a buffer; an incomplete record at the buffer's
/// end waits there for the next compressed record.
///
/// Source: tools/perf/util/session.c and tools/perf/util/zstd.c, Linux 6.12; COMPRESSED2 from 6.16 on.
struct PerfRecordStream {
  /// Why a walk stopped.
  enum Stop {
    /// The consumer has no room: `position` is where to go on.
    case full
    /// The consumer wants to do something first; `position` is behind the record that told it to.
    case paused
    /// The same, the record being FINISHED_ROUND.
    case roundEnded
    /// Fewer bytes than a record are left, or none.
    case exhausted
    /// The record at `position` has an impossible size.
    case irregular
    /// The record at `position` has more to it than its size tells.
    case special
  }

  /// Where records are now.
  private(set) var window: ByteView
  /// Where the next record stands in the window.
  var position = 0
  /// The buffer that the window lies in; nil if it is the file.
  private(set) var buffer: OwnedBytes?
  private(set) var isUnpacking = false

  /// Whether unpacked records must stay where they are after the window has moved on; the one who
  /// reads then keeps ``buffer``.
  var keepsBuffers = false

  private let file: ByteView
  private let end: Int
  private let name: String
  private var filePosition: Int
  private var resumePosition = 0
  private var decompressor: Decompressor?
  private var isBroken = false
  /// Compressed pieces not yet unpacked, as ranges of the file.
  private var pieces: [Range<Int>] = []
  private var held: OwnedBytes?
  private var parsed = 0

  /// Bytes of a buffer that records are unpacked into.
  private static let bufferSize = 1 << 20
  /// Room for the rest of a record (65535 bytes) and a piece of something new.
  private static let roomMin = 1 << 17

  /// The records of `file` in `range`; `name` is for messages where there are several files.
  init(_ file: ByteView, _ range: Range<Int>, name: String) {
    self.file = file
    self.name = name
    end = range.upperBound
    filePosition = range.lowerBound
    window = ByteView(start: file.start, count: range.upperBound)
    position = range.lowerBound
  }

  /// The place in the file of what stands at `offset` in the window; of unpacked records, that of the
  /// compressed one behind them.
  func fileOffset(_ offset: Int) -> Int { isUnpacking ? filePosition : offset }

  /// Bytes of the file that are behind the reader.
  var bytesRead: Int { isUnpacking ? filePosition : position }

  /// Deals with what stopped the walk and moves to where it can go on.
  ///
  /// - Returns: false at the end of the file.
  mutating func resume(_ stop: Stop, _ capture: inout PerfCapture) -> Bool {
    switch stop {
    case .full, .paused, .roundEnded: return true
    case .exhausted: return isUnpacking ? unpackMore(&capture) : finish(&capture)
    case .special: return takeSpecial(&capture)
    case .irregular:
      return takeIrregular(&capture)
    }
  }

  private mutating func takeIrregular(_ capture: inout PerfCapture) -> Bool {
    let type = window.u32(position)
    let size = Int(window.u16(position + 6))
    if !isUnpacking, type == PerfRecord.compressed2, takeCompressed2(&capture) { return true }
    guard PerfRecord.isPossible(type), size >= PerfRecord.headerSize else {
      return resynchronise(&capture)
    }
    // Longer than what is left: more of it may come, or the file is cut.
    if isUnpacking { return unpackMore(&capture) }
    guard type == PerfRecord.compressed else { return finish(&capture) }
    noteTruncation(&capture)
    startUnpacking([position + PerfRecord.headerSize..<end], next: end)
    return true
  }

  // Names the file in messages where there are several.
  private var suffix: String { name.isEmpty ? "" : " of \(name)" }

  private mutating func finish(_ capture: inout PerfCapture) -> Bool {
    if position < end { noteTruncation(&capture) }
    position = end
    if let held, held.count > parsed, !isBroken {
      capture.statistics.note(
        "truncated-record", .damage, at: end,
        "the unpacked records end \(held.count - parsed) bytes into a record\(suffix)")
    }
    parsed = held?.count ?? 0
    return false
  }

  // MARK: Damage

  private func noteTruncation(_ capture: inout PerfCapture) {
    capture.statistics.note(
      "truncated-record", .damage, at: position,
      "expected a whole record, \(end - position) bytes are left\(suffix)")
  }

  private mutating func resynchronise(_ capture: inout PerfCapture) -> Bool {
    capture.statistics.note(
      "bad-record", .damage, at: fileOffset(position),
      """
      expected a record, found type \(window.u32(position)), size \(window.u16(position + 6))\(suffix); \
      skipped to the next plausible one
      """)
    // Records are multiples of 8 except around compressed and feature ones.
    let step = position % 8 == 0 && !isUnpacking ? 8 : 1
    var candidate = position + step
    while candidate + PerfRecord.headerSize <= window.count {
      if isPlausible(candidate) {
        position = candidate
        return true
      }
      candidate += step
    }
    position = window.count
    return isUnpacking ? unpackMore(&capture) : finish(&capture)
  }

  // Four headers in a row, or as many as there are up to the end, do not come about by chance.
  private func isPlausible(_ start: Int) -> Bool {
    var at = start
    for _ in 0..<4 {
      if at == window.count { return at > start }
      guard window.count - at >= PerfRecord.headerSize else { return false }
      let size = Int(window.u16(at + 6))
      guard PerfRecord.isKnown(window.u32(at)), size >= PerfRecord.headerSize,
        size <= window.count - at
      else { return false }
      at += size
    }
    return true
  }

  // MARK: Records with more to them

  private mutating func takeSpecial(_ capture: inout PerfCapture) -> Bool {
    let size = Int(window.u16(position + 6))
    let type = window.u32(position)
    guard !isUnpacking else {
      capture.statistics.note(
        "nested-record", .damage, at: filePosition,
        "record type \(type) cannot be inside a compressed one\(suffix); skipped")
      position += size
      return true
    }
    switch type {
    case PerfRecord.compressed:
      startUnpacking([position + PerfRecord.headerSize..<position + size], next: position + size)
    case PerfRecord.compressed2:
      if takeCompressed2(&capture) { return true }
      position += size
    case PerfRecord.tracingData:
      takeTracingData(size, &capture)
    default:
      takeAuxTrace(size, &capture)
    }
    return true
  }

  private mutating func takeTracingData(_ size: Int, _ capture: inout PerfCapture) {
    let stated = size >= 12 ? Int(window.u32(position + 8)) : 0
    let from = position + size
    let blob = file.slice(from, min(stated, end - from)) ?? window.suffix(from: window.count)
    capture.takeTracingData(blob, at: from)
    position = min(from + (stated + 7) / 8 * 8, end)
  }

  // u64 size of the trace bytes that follow the record.
  private mutating func takeAuxTrace(_ size: Int, _ capture: inout PerfCapture) {
    let stated = size >= 16 ? window.u64(position + 8) : 0
    let from = position + size
    guard let length = Int(exactly: stated), length <= end - from else {
      capture.statistics.note(
        "truncated-record", .damage, at: position,
        "expected \(stated) bytes of AUX trace, \(end - from) are left\(suffix)")
      position = end
      return
    }
    position = from + length
  }

  /// Takes the COMPRESSED2 record at `position`; false if it is none that can be.
  ///
  /// perf 6.16 and later write the size of all pieces of one flush into the first one's 16-bit size
  /// field: beyond 65535 bytes it wraps, while the u64 is the true total. Then there is no padding,
  /// the first piece has as many bytes as a piece can have, and the others have a good size and a u64
  /// that means nothing.
  private mutating func takeCompressed2(_ capture: inout PerfCapture) -> Bool {
    let payloadMax = 65_519
    guard end - position >= 16 else { return false }
    let size = Int(window.u16(position + 6))
    guard let stated = Int(exactly: window.u64(position + 8)), stated < Int.max / 2 else {
      return false
    }
    let from = position + 16
    let padded = (16 + stated + 7) / 8 * 8
    if padded <= size {
      // A cut file may end inside it.
      if size > end - position { noteTruncation(&capture) }
      startUnpacking([from..<min(from + stated, end)], next: min(position + size, end))
      return true
    }
    guard padded & 0xffff == size else { return false }
    let total = min(stated, end - from)
    var pieces = [from..<from + min(total, payloadMax)]
    var at = from + min(total, payloadMax)
    while at + 16 <= from + total {
      let length = Int(window.u16(at + 6)) - 16
      guard window.u32(at) == PerfRecord.compressed2, length >= 0 else {
        capture.statistics.note(
          "bad-record", .damage, at: at, "expected another piece of a COMPRESSED2\(suffix)")
        break
      }
      pieces.append(at + 16..<min(at + 16 + length, from + total))
      at += 16 + length
    }
    capture.statistics.note(
      "wrapped-compressed2", .note, at: position,
      "a COMPRESSED2 of \(16 + stated) bytes says \(size): read by its inner sizes")
    startUnpacking(pieces, next: from + total)
    return true
  }

  // MARK: Unpacking

  private mutating func startUnpacking(_ ranges: [Range<Int>], next: Int) {
    pieces = ranges.reversed()
    // What findings point to, and where the file goes on.
    filePosition = position
    resumePosition = next
    isUnpacking = true
    let bytes = held ?? OwnedBytes(count: Self.bufferSize)
    if held == nil { bytes.count = 0 }
    held = bytes
    buffer = bytes
    window = bytes.bytes
    position = parsed
  }

  private mutating func stopUnpacking() {
    isUnpacking = false
    buffer = nil
    window = ByteView(start: file.start, count: end)
    position = resumePosition
  }

  /// Unpacks what fits into the buffer, or goes back to the file when nothing is left to unpack.
  private mutating func unpackMore(_ capture: inout PerfCapture) -> Bool {
    parsed = position
    while let piece = pieces.last {
      if isBroken {
        pieces.removeLast()
        continue
      }
      if let made = unpack(piece, &capture), made > 0 {
        window = held?.bytes ?? window
        position = parsed
        return true
      }
    }
    stopUnpacking()
    return true
  }

  private mutating func unpack(_ piece: Range<Int>, _ capture: inout PerfCapture) -> Int? {
    let bytes = roomyBuffer()
    do throws(TraceError) {
      if decompressor == nil { decompressor = try Decompressor(.zstd) }
      guard let stream = decompressor else { return nil }
      let input = ByteView(start: file.start + piece.lowerBound, count: piece.count)
      let room = UnsafeMutableRawBufferPointer(rebasing: bytes.buffer[bytes.count...])
      let step = try stream.step(input, into: room)
      bytes.count += step.produced
      // zstd may hold back output for want of room even when it has taken all input.
      let isDone = step.consumed == piece.count && step.produced < room.count
      let from = piece.lowerBound + step.consumed
      pieces[pieces.count - 1] = from..<piece.upperBound
      if isDone { pieces.removeLast() }
      if !isDone && step.consumed == 0 && step.produced == 0 {
        throw TraceError("the zstd stream makes no progress")
      }
      return step.produced
    } catch {
      isBroken = true
      parsed = bytes.count
      capture.statistics.note(
        "bad-compressed-record", .damage, at: piece.lowerBound,
        """
        \(error.message)\(suffix); all compressed records of a file are one stream, so the \
        later ones cannot be read
        """)
      return nil
    }
  }

  /// The buffer, with room for a whole record behind what is not parsed yet.
  private mutating func roomyBuffer() -> OwnedBytes {
    guard let bytes = held else { return OwnedBytes(count: Self.bufferSize) }
    guard bytes.buffer.count - bytes.count < Self.roomMin else { return bytes }
    let rest = bytes.bytes.suffix(from: parsed)
    let target = keepsBuffers ? OwnedBytes(count: Self.bufferSize) : bytes
    target.buffer.baseAddress?.copyMemory(from: rest.start, byteCount: rest.count)
    target.count = rest.count
    parsed = 0
    held = target
    buffer = target
    return target
  }
}
