import Glibc
import TraceEvents

/// Writes a `trace.dat` from rows of all CPUs in any order among CPUs, each CPU's own in time order.
///
/// The file wants CPU by CPU and a machine runs all at once, so rows wait in a file without a name
/// beside the one to be, packed to some 20 bytes each. Memory: a block a CPU, and 16 bytes for each
/// 64 KiB block that has left it.
///
/// A packed row: varint of the time since the CPU's row before, u8 kind, u8 flags, zigzag varint of
/// the thread, and a varint for each field of the kind's ``Tracepoint``. An event without known fields
/// has kind 255 and a varint of its number for them; a loss has kind 254, and a varint of one more than
/// the events lost, or 0, for the thread.
public struct TraceDatSpool: ~Copyable {
  private static let blockSize = 1 << 16
  private static let otherKind: UInt8 = 255
  private static let lossKind: UInt8 = 254
  /// The most bytes that a packed row takes: 10 a varint.
  private static let rowMax = 2 + 10 * (TraceRow.wordsMax + 2)

  private struct Stream {
    var used = 0
    var lastTime: UInt64 = 0
    var blocks: [(offset: UInt64, size: Int)] = []
  }

  private let path: String
  private var options: TraceDatOptions
  private let descriptor: Int32
  private var spooled: UInt64 = 0
  private var streams: [Stream]
  private let buffers: UnsafeMutablePointer<UInt8>
  private let fieldCounts: [Int]
  /// Rows so far.
  public private(set) var count = 0

  /// Begins the trace that will stand at `path`.
  public static func create(
    _ path: String, _ options: TraceDatOptions
  ) throws(TraceWriteError) -> TraceDatSpool {
    let spool = path + ".spool"
    let descriptor = open(spool, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw TraceWriteError("open", path: spool, code: errno) }
    unlink(spool)
    return TraceDatSpool(path, options, descriptor)
  }

  private init(_ path: String, _ options: TraceDatOptions, _ descriptor: Int32) {
    self.path = path
    self.options = options
    self.descriptor = descriptor
    streams = Array(repeating: Stream(), count: options.cpus)
    buffers = .allocate(capacity: options.cpus * Self.blockSize)
    fieldCounts = EventKind.allCases.map { Tracepoint.of($0).fields.count }
  }

  deinit {
    buffers.deallocate()
    close(descriptor)
  }

  /// Adds a row.
  ///
  /// - Precondition: it is not earlier than the row of its CPU before it.
  public mutating func append(_ row: TraceRow) throws(TraceWriteError) {
    let cpu = Int(row.cpu)
    precondition(cpu < streams.count && row.time >= streams[cpu].lastTime)
    if streams[cpu].used + Self.rowMax > Self.blockSize { try spill(cpu) }
    let base = buffers + cpu * Self.blockSize
    var used = streams[cpu].used
    Self.put(row.time &- streams[cpu].lastTime, base, &used)
    base[used] =
      row.other == 0 ? UInt8(truncatingIfNeeded: row.kind.rawValue) : Self.otherKind
    base[used + 1] = row.flags
    used += 2
    Self.put(UInt64(truncatingIfNeeded: row.task << 1 ^ row.task >> 31), base, &used)
    if row.other > 0 {
      Self.put(UInt64(row.other), base, &used)
    } else {
      for slot in 0..<fieldCounts[Int(row.kind.rawValue)] { Self.put(row.words[slot], base, &used) }
    }
    streams[cpu].used = used
    streams[cpu].lastTime = row.time
    count += 1
  }

  /// Says that `cpu` lost so many events here; nil if nobody knows how many.
  public mutating func noteLost(_ lost: UInt64?, cpu: Int) throws(TraceWriteError) {
    precondition(cpu < streams.count)
    if streams[cpu].used + Self.rowMax > Self.blockSize { try spill(cpu) }
    let base = buffers + cpu * Self.blockSize
    var used = streams[cpu].used
    Self.put(0, base, &used)
    base[used] = Self.lossKind
    base[used + 1] = 0
    used += 2
    Self.put(lost.map { $0 &+ 1 } ?? 0, base, &used)
    streams[cpu].used = used
  }

  /// The time of the CPU's last row.
  public func lastTime(cpu: Int) -> UInt64 { streams[cpu].lastTime }

  /// Writes the trace and closes it, with names and formats that were not known when it was begun.
  public consuming func finish(_ options: TraceDatOptions) throws(TraceWriteError) {
    precondition(options.cpus == streams.count)
    self.options = options
    try finish()
  }

  /// Writes the trace and closes it.
  public consuming func finish() throws(TraceWriteError) {
    for cpu in streams.indices { try spill(cpu) }
    var writer = try TraceDatWriter.create(path, options)
    for cpu in streams.indices where !streams[cpu].blocks.isEmpty {
      try writer.begin(cpu: cpu)
      var time: UInt64 = 0
      for block in streams[cpu].blocks {
        try fetch(block)
        var position = 0
        while position < block.size {
          if let lost = takeLoss(&position) {
            try writer.noteLost(lost == 0 ? nil : lost - 1)
            continue
          }
          let row = unpack(cpu, &time, &position)
          try writer.append(row)
        }
      }
    }
    try writer.finish()
  }

  /// The loss that stands at `position`; nil if a row does.
  private func takeLoss(_ position: inout Int) -> UInt64? {
    var next = position
    _ = Self.take(buffers, &next)
    guard buffers[next] == Self.lossKind else { return nil }
    position = next + 2
    return Self.take(buffers, &position)
  }

  private func unpack(_ cpu: Int, _ time: inout UInt64, _ position: inout Int) -> TraceRow {
    time &+= Self.take(buffers, &position)
    let isOther = buffers[position] == Self.otherKind
    let kind = EventKind(rawValue: UInt16(buffers[position])) ?? .print
    let flags = buffers[position + 1]
    position += 2
    let task = UInt32(truncatingIfNeeded: Self.take(buffers, &position))
    var row = TraceRow(
      kind, cpu: UInt16(cpu), task: Int32(bitPattern: task >> 1 ^ (0 &- (task & 1))), time: time)
    row.flags = flags
    if isOther {
      row.other = UInt16(truncatingIfNeeded: Self.take(buffers, &position))
      return row
    }
    for slot in 0..<fieldCounts[Int(kind.rawValue)] {
      row.words[slot] = Self.take(buffers, &position)
    }
    return row
  }

  private static func put(
    _ value: UInt64, _ base: UnsafeMutablePointer<UInt8>, _ used: inout Int
  ) {
    var rest = value
    while rest >= 0x80 {
      base[used] = UInt8(truncatingIfNeeded: rest) | 0x80
      rest >>= 7
      used += 1
    }
    base[used] = UInt8(truncatingIfNeeded: rest)
    used += 1
  }

  private static func take(
    _ base: UnsafeMutablePointer<UInt8>, _ position: inout Int
  ) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let byte = base[position]
      position += 1
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
  }

  private mutating func spill(_ cpu: Int) throws(TraceWriteError) {
    let size = streams[cpu].used
    guard size > 0 else { return }
    var done = 0
    while done < size {
      let written = pwrite(
        descriptor, buffers + cpu * Self.blockSize + done, size - done,
        off_t(spooled) + off_t(done))
      if written < 0 {
        if errno == EINTR { continue }
        throw TraceWriteError("write", path: path + ".spool", code: errno)
      }
      done += written
    }
    streams[cpu].blocks.append((spooled, size))
    streams[cpu].used = 0
    spooled += UInt64(size)
  }

  /// Reads a block back, into the first CPU's place: all of them are empty by then.
  private func fetch(_ block: (offset: UInt64, size: Int)) throws(TraceWriteError) {
    var done = 0
    while done < block.size {
      let got = pread(
        descriptor, buffers + done, block.size - done, off_t(block.offset) + off_t(done))
      if got < 0, errno == EINTR { continue }
      guard got > 0 else {
        throw TraceWriteError("read", path: path + ".spool", code: got == 0 ? EIO : errno)
      }
      done += got
    }
  }
}
