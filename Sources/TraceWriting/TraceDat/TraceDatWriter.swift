/// Writes a `trace.dat` that stock trace-cmd reads, a CPU at a time.
///
/// Memory: a page and a chunk of pages, whatever the length of the trace. Order: for each buffer
/// (the top one, then each instance) and each of its CPUs, `begin` and then that CPU's rows in time
/// order. CPUs that are left out are empty.
///
/// Version 6: magic, metadata, number of CPUs, `options  \0`, `flyrecord\0`, a table of u64 offset,
/// u64 size a CPU, the clock's text, then each CPU's pages. An instance has its own `flyrecord\0` and
/// table, which a BUFFER option points at.
///
/// Version 7: magic, compression, u64 offset of the first options, then sections (u16 id, u16 flags,
/// u32 name, u64 size): metadata, options, and for each buffer a section of pages and one of options
/// that holds its table; last the names.
public struct TraceDatWriter: ~Copyable {
  /// Pages in a compressed chunk, as trace-cmd has it.
  static let chunkPages = 10

  private enum Table {
    /// Version 6: where the first pair of the table stands.
    case fixed(UInt64)
    /// Version 7: pairs kept until the section is closed, and where its header stands.
    case kept([(cpu: Int, offset: UInt64, size: UInt64)], section: UInt64)
  }

  private let options: TraceDatOptions
  private var sink: FileSink
  private var sections = TraceDatSections()
  private var encoder: RecordEncoder
  private var page: RingBufferPage
  private var compressor: BlockCompressor
  private var chunk: [UInt8] = []

  /// Version 6: where the offsets in the BUFFER options stand.
  private var bufferOffsets: [UInt64] = []
  /// Index of the buffer being written: 0 the top one.
  private var buffer = 0
  private var table = Table.fixed(0)
  private var cpu: Int?
  private var nextCPU = 0
  private var dataStart: UInt64 = 0
  private var chunks: UInt32 = 0
  private var chunkBytes: UInt64 = 0

  /// Creates `path` and writes everything that precedes the events.
  ///
  /// Not an initialiser: Swift 6.3 has none that throws after it has made a part that is not copyable.
  public static func create(_ path: String, _ options: TraceDatOptions) throws(TraceWriteError)
    -> TraceDatWriter
  {
    var writer = TraceDatWriter(try FileSink(path: path), options)
    switch options.version {
    case .six: try writer.writeHeadSix()
    case .seven: try writer.writeHeadSeven()
    }
    try writer.openBuffer()
    return writer
  }

  private init(_ sink: consuming FileSink, _ options: TraceDatOptions) {
    self.options = options
    self.sink = sink
    page = RingBufferPage(size: TraceDatOptions.pageSize)
    encoder = RecordEncoder(options.formats, names: options.names, cpus: options.cpus)
    compressor = BlockCompressor(options.compression)
  }

  // MARK: Events

  /// Goes on to the next buffer instance.
  public mutating func beginNextInstance() throws(TraceWriteError) {
    precondition(buffer < options.instances.count, "no further instance was declared")
    try closeBuffer()
    buffer += 1
    try openBuffer()
  }

  /// Starts the events of `cpu`.
  ///
  /// - Precondition: CPUs of a buffer come in ascending order.
  public mutating func begin(cpu: Int) throws(TraceWriteError) {
    precondition(cpu >= nextCPU && cpu < options.cpus, "CPUs must ascend")
    try closeCPU()
    try sink.align(to: TraceDatOptions.pageSize)
    self.cpu = cpu
    nextCPU = cpu + 1
    dataStart = sink.offset
    chunks = 0
    chunkBytes = 0
    if options.compression != .none { try sink.write(UInt32(0)) }
  }

  /// Adds an event of the CPU that was begun; the row's own CPU is not looked at.
  public mutating func append(_ row: TraceRow) throws(TraceWriteError) {
    precondition(cpu != nil, "no CPU was begun")
    let record = encoder.encode(row)
    if page.append(record, at: row.time) { return }
    try flushPage()
    let fits = page.append(record, at: row.time)
    precondition(fits, "a record is longer than a page")
  }

  /// Says that the CPU lost events here: so many, or nobody knows how many.
  public mutating func noteLost(_ count: UInt64?) throws(TraceWriteError) {
    try flushPage()
    page.noteLost(count.map { .counted($0) } ?? .unknown)
  }

  /// Writes what is left and closes the file.
  public consuming func finish() throws(TraceWriteError) {
    while buffer < options.instances.count { try beginNextInstance() }
    try closeBuffer()
    if case .seven = options.version { try sections.writeNames(to: &sink, &compressor, options) }
    try sink.flush()
  }

  private mutating func flushPage() throws(TraceWriteError) {
    if page.isEmpty { return }
    if options.compression == .none {
      try sink.write(page.seal())
      return
    }
    chunk.append(contentsOf: page.seal())
    if chunk.count == Self.chunkPages * TraceDatOptions.pageSize { try flushChunk() }
  }

  /// Writes u32 packed size, u32 unpacked size, packed pages.
  private mutating func flushChunk() throws(TraceWriteError) {
    if chunk.isEmpty { return }
    let packed = try compressor.compress(chunk, path: sink.path)
    try sink.write(UInt32(packed.count))
    try sink.write(UInt32(chunk.count))
    try sink.write(packed)
    chunks += 1
    chunkBytes += 8 + UInt64(packed.count)
    chunk.removeAll(keepingCapacity: true)
  }

  private mutating func closeCPU() throws(TraceWriteError) {
    guard let cpu else { return }
    try flushPage()
    try flushChunk()
    self.cpu = nil
    var size = sink.offset - dataStart
    if options.compression != .none {
      try sink.patch(chunks, at: dataStart)
      // The table's size leaves out the count of chunks: trace-cmd's own habit.
      size = chunkBytes
    }
    switch table {
    case .fixed(let start):
      try sink.patch(dataStart, at: start + UInt64(cpu) * 16)
      try sink.patch(size, at: start + UInt64(cpu) * 16 + 8)
    case .kept(var rows, let section):
      rows[cpu] = (cpu, dataStart, size)
      table = .kept(rows, section: section)
    }
  }

  // MARK: Buffers

  private mutating func openBuffer() throws(TraceWriteError) {
    nextCPU = 0
    switch options.version {
    case .six:
      if buffer > 0 {
        try sink.align(to: TraceDatOptions.pageSize)
        try sink.patch(sink.offset, at: bufferOffsets[buffer - 1])
      }
      try sink.write("flyrecord\0")
      table = .fixed(sink.offset)
      for _ in 0..<options.cpus * 2 { try sink.write(UInt64(0)) }
      if buffer == 0 {
        try sink.write(TraceDatMetadata.longText(options.clockText))
      }
    case .seven:
      let name = buffer == 0 ? "" : " " + options.instances[buffer - 1]
      let section = try sections.begin(
        3, "buffer flyrecord\(name)", compressed: options.compression != .none, in: &sink)
      table = .kept((0..<options.cpus).map { ($0, 0, 0) }, section: section)
    }
  }

  private mutating func closeBuffer() throws(TraceWriteError) {
    try closeCPU()
    guard case .kept(let rows, let section) = table else { return }
    try sections.end(section, in: &sink)
    var part = ByteBuilder()
    part.append(section)
    part.append(terminated: buffer == 0 ? "" : options.instances[buffer - 1])
    part.append(terminated: options.clock)
    part.append(UInt32(TraceDatOptions.pageSize))
    part.append(UInt32(rows.count))
    for row in rows {
      part.append(UInt32(row.cpu))
      part.append(row.offset)
      part.append(row.size)
    }
    try sections.writeOptions([(3, part.bytes)], "buffer options", to: &sink)
  }

  // MARK: Heads

  private mutating func writeHeadSix() throws(TraceWriteError) {
    try sink.write(TraceDatMetadata.magic(version: "6"))
    try sink.write(TraceDatMetadata.headerInfo())
    try sink.write(TraceDatMetadata.ftraceFormats(options.formats))
    try sink.write(TraceDatMetadata.eventFormats(options.formats, options.others))
    try sink.write(TraceDatMetadata.shortText(options.names.kallsyms))
    try sink.write(TraceDatMetadata.shortText(""))
    try sink.write(TraceDatMetadata.longText(options.names.savedCommandLines))
    try sink.write(UInt32(options.cpus))
    try sink.write("options  \0")
    for option in commonOptions() { try writeOption(option) }
    for instance in options.instances {
      bufferOffsets.append(sink.offset + 6)
      try writeOption((3, [UInt8](repeating: 0, count: 8) + Array(instance.utf8) + [0]))
    }
    try sink.write(UInt16(0))
  }

  private mutating func writeOption(_ option: (id: UInt16, data: [UInt8])) throws(TraceWriteError) {
    try sink.write(option.id)
    try sink.write(UInt32(option.data.count))
    try sink.write(option.data)
  }

  private mutating func writeHeadSeven() throws(TraceWriteError) {
    try sink.write(TraceDatMetadata.magic(version: "7"))
    let names = options.compression.names
    try sink.write("\(names.algorithm)\0\(names.version)\0")
    sections.lastOptions = sink.offset
    try sink.write(UInt64(0))
    let parts: [(id: UInt16, name: String, bytes: [UInt8])] = [
      (16, "headers", TraceDatMetadata.headerInfo()),
      (17, "ftrace events", TraceDatMetadata.ftraceFormats(options.formats)),
      (18, "events format", TraceDatMetadata.eventFormats(options.formats, options.others)),
      (19, "kallsyms", TraceDatMetadata.shortText(options.names.kallsyms)),
      (20, "printk", TraceDatMetadata.shortText("")),
      (21, "command lines", TraceDatMetadata.longText(options.names.savedCommandLines)),
    ]
    var pointers: [(UInt16, [UInt8])] = []
    for part in parts {
      pointers.append((part.id, ByteBuilder.bytes(of: sink.offset)))
      try sections.write(part.id, part.name, part.bytes, to: &sink, &compressor, options)
    }
    try sections.writeOptions(pointers + commonOptions(), "options", to: &sink)
  }

  /// TRACECLOCK, UNAME, VERSION, TRACEID, CPUCOUNT.
  private func commonOptions() -> [(UInt16, [UInt8])] {
    func text(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }
    let system: [(UInt16, [UInt8])] =
      options.systemName.isEmpty ? [] : [(UInt16(5), text(options.systemName))]
    let rest: [(UInt16, [UInt8])] = [
      (9, text(options.recorder)),
      (11, ByteBuilder.bytes(of: UInt64(0x746c_6272_6570_6c79))),
      (8, ByteBuilder.bytes(of: UInt32(options.cpus))),
    ]
    return [(4, text(options.clockText))] + system + rest
  }
}
