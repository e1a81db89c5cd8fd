import TraceEvents

/// Writes a `perf.data` in file mode that stock perf reads.
///
/// Order: rounds. Within a round the rows of a CPU are in time order, CPUs follow each other as
/// `perf record` empties its buffers; no row of a round is older than the newest of the round before
/// the last one (that is what readers sort by).
///
/// Record: u32 type, u16 misc, u16 size. Sample (type 9): u64 id, u64 ip, u32 pid, u32 tid, u64 time,
/// u32 cpu, u32 0, u64 period, u32 size of the raw bytes, the ftrace record.
public struct PerfDataWriter: ~Copyable {
  private static let sampleHead = 60

  private let parts: PerfDataParts
  private var sink: FileSink
  private var encoder: RecordEncoder
  private var packer: PerfStreamPacker
  private let record: UnsafeMutableRawPointer
  /// Index of the format of each kind.
  private var formatIndex: [Int]
  private var first = UInt64.max
  private var last: UInt64 = 0

  /// Creates `path` and writes everything that precedes the events.
  public static func create(_ path: String, _ options: PerfDataOptions) throws(TraceWriteError)
    -> PerfDataWriter
  {
    var writer = PerfDataWriter(try FileSink(path: path), options)
    try writer.sink.write([UInt8](repeating: 0, count: PerfDataParts.headerSize))
    try writer.sink.write(writer.parts.attributes())
    precondition(writer.sink.offset == writer.parts.dataOffset)
    for task in options.names.tasks { try writer.writeName(task.name, of: task.task) }
    return writer
  }

  private init(_ sink: consuming FileSink, _ options: PerfDataOptions) {
    self.sink = sink
    parts = PerfDataParts(options: options)
    encoder = RecordEncoder(options.formats, names: options.names, cpus: options.cpus)
    packer = PerfStreamPacker(isCompressed: options.isCompressed)
    record = .allocate(byteCount: 1 << 14, alignment: 16)
    formatIndex = [Int](repeating: -1, count: Int(EventKind.knownCount))
    for (index, format) in options.formats.enumerated() {
      formatIndex[Int(format.kind.rawValue)] = index
    }
  }

  deinit { record.deallocate() }

  /// Adds a sample.
  ///
  /// - Precondition: a format of the row's kind was declared.
  public mutating func append(_ row: TraceRow) throws(TraceWriteError) {
    let format = formatIndex[Int(row.kind.rawValue)]
    precondition(format >= 0 && Int(row.cpu) < parts.options.cpus)
    let raw = encoder.encode(row)
    // The kernel pads so that the size word and the bytes end on a multiple of 8.
    let padded = (raw.count + 4 + 7) / 8 * 8 - 4
    let size = Self.sampleHead + padded
    putHead(type: 9, misc: 1, size: size)
    put(parts.id(format: format, cpu: Int(row.cpu)), at: 8)
    put(UInt64(0xffff_ffff_8100_0000), at: 16)
    put(row.task, at: 24)
    put(row.task, at: 28)
    put(row.time, at: 32)
    put(UInt32(row.cpu), at: 40)
    put(UInt32(0), at: 44)
    put(UInt64(1), at: 48)
    put(UInt32(padded), at: 56)
    UnsafeMutableRawBufferPointer(start: record + Self.sampleHead, count: padded)
      .copyMemory(from: raw)
    for offset in Self.sampleHead + raw.count..<size { put(UInt8(0), at: offset) }
    first = min(first, row.time)
    last = max(last, row.time)
    try packer.append(UnsafeRawBufferPointer(start: record, count: size), to: &sink)
  }

  /// Says that `count` events of `cpu` were lost (record type 2: u64 id, u64 count).
  public mutating func noteLost(_ count: UInt64, cpu: UInt16, time: UInt64) throws(TraceWriteError)
  {
    putHead(type: 2, misc: 0, size: 56)
    let id = parts.id(format: 0, cpu: Int(cpu))
    put(id, at: 8)
    put(count, at: 16)
    putSampleID(id, task: 0, time: time, cpu: UInt32(cpu), at: 24)
    try packer.append(UnsafeRawBufferPointer(start: record, count: 56), to: &sink)
  }

  /// Ends a round (record type 68), behind which readers may sort what came before.
  public mutating func endRound() throws(TraceWriteError) {
    try packer.flush(to: &sink)
    putHead(type: 68, misc: 0, size: 8)
    try sink.write(UnsafeRawBufferPointer(start: record, count: 8))
  }

  /// Writes what is left, the features and the head, and closes the file.
  public consuming func finish() throws(TraceWriteError) {
    try endRound()
    let dataSize = sink.offset - parts.dataOffset
    let features = parts.features(first: min(first, last), last: last)
    var offset = sink.offset + UInt64(features.count) * 16
    for feature in features {
      try sink.write(offset)
      try sink.write(UInt64(feature.bytes.count))
      offset += UInt64(feature.bytes.count)
    }
    for feature in features { try sink.write(feature.bytes) }
    try sink.patch(parts.header(dataSize: dataSize, features: features.map(\.bit)), at: 0)
  }

  /// A synthesised COMM record (type 3: u32 pid, u32 tid, text), time 0.
  private mutating func writeName(_ name: String, of task: Int32) throws(TraceWriteError) {
    let text = Array(name.utf8.prefix(15))
    let padded = (text.count + 1 + 7) / 8 * 8
    let size = 16 + padded + 32
    putHead(type: 3, misc: 0, size: size)
    put(task, at: 8)
    put(task, at: 12)
    for index in 0..<padded { put(index < text.count ? text[index] : 0, at: 16 + index) }
    putSampleID(0, task: task, time: 0, cpu: 0, at: 16 + padded)
    try packer.append(UnsafeRawBufferPointer(start: record, count: size), to: &sink)
  }

  /// What ends every other record of the kernel: TID, TIME, CPU, IDENTIFIER.
  private func putSampleID(_ id: UInt64, task: Int32, time: UInt64, cpu: UInt32, at offset: Int) {
    put(task, at: offset)
    put(task, at: offset + 4)
    put(time, at: offset + 8)
    put(cpu, at: offset + 16)
    put(UInt32(0), at: offset + 20)
    put(id, at: offset + 24)
  }

  private func putHead(type: UInt32, misc: UInt16, size: Int) {
    put(type, at: 0)
    put(misc, at: 4)
    put(UInt16(size), at: 6)
  }

  private func put<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value, at offset: Int) {
    record.storeBytes(of: value.littleEndian, toByteOffset: offset, as: Value.self)
  }
}
