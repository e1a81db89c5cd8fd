import TraceEvents

/// One ring buffer of the file.
struct TraceDatBuffer {
  /// Empty for the top buffer.
  var name: String
  /// The clock's name, nil where the file does not tell.
  var clock: String?
  /// Bytes of its pages; version 7 buffers may differ from the file.
  var pageSize: Int
  /// Its CPUs.
  var cpus: [CPUData]
}

/// Everything in a trace.dat but the events.
///
///     17 08 44 "tracing" version NUL, u8 byte order, u8 long size, u32 page size
///     version 6: metadata in a fixed sequence, options, a table of the CPUs' pages
///     version 7: compression name NUL, version NUL, u64 offset of the options; then sections
///
/// Source: `Documentation/trace-cmd/trace-cmd.dat.v6.5` and `.v7.5` of trace-cmd 3.4.
struct TraceDatHeader {
  /// Most CPUs that a file may claim: Linux 6.12's largest NR_CPUS is 8192 (arch/x86/Kconfig).
  static let cpusMax = 8192
  /// Largest ring-buffer page: Linux 6.12 `kernel/trace/ring_buffer.c` ring_buffer_subbuf_order_set()
  /// allows RB_WRITE_MASK + 1 bytes.
  static let pageSizeMax = 1 << 20

  var version = 0
  var metadata = TracingData()
  var buffers: [TraceDatBuffer] = []
  var conversion = ClockConversion()
  var cpuCount: Int?
  var clock: String?
  var uname: String?
  var recorder: String?
  var codecName: String?
  var codec: ChunkCodec?
  /// Memory that views into decompressed sections need.
  var owned: [OwnedBytes] = []

  init(_ file: ByteView, _ statistics: inout IngestStatistics) throws(TraceError) {
    var cursor = ByteCursor(file, at: 10)
    let text = try cursor.takeString(max: 8, "version of the trace.dat format")
    guard let version = Int(text), version == 6 || version == 7 else {
      throw TraceError("expected version 6 or 7 of the trace.dat format, found \"\(text)\"", at: 10)
    }
    self.version = version
    if version == 6 {
      metadata = TracingData(&cursor)
      if let damage = metadata.damage { throw damage }
      try readVersion6(&cursor, &statistics)
    } else {
      try metadata.parseMachine(&cursor)
      try readVersion7(&cursor, &statistics)
    }
    guard metadata.pageSize >= 64, metadata.pageSize <= Self.pageSizeMax else {
      throw TraceError(
        "expected a page size between 64 bytes and 1 MiB, found \(metadata.pageSize)",
        at: cursor.offset)
    }
  }

  // MARK: Version 6

  private mutating func readVersion6(
    _ cursor: inout ByteCursor, _ statistics: inout IngestStatistics
  ) throws(TraceError) {
    let at = cursor.offset
    let cpus = Int(try cursor.take(UInt32.self, "number of CPUs"))
    guard cpus <= Self.cpusMax else {
      throw TraceError("expected at most \(Self.cpusMax) CPUs, found \(cpus)", at: at)
    }
    var tag = try cursor.take(10, "the section tag")
    var instances: [(offset: Int, name: String)] = []
    if tag.hasPrefix("options") {
      try readOptions6(&cursor, &instances)
      tag = try cursor.take(10, "the section tag")
    }
    if tag.hasPrefix("latency") {
      throw TraceError(
        "holds the text of a latency tracer: extract it (trace-cmd report) and give that",
        at: cursor.offset)
    }
    guard tag.hasPrefix("flyrecord") else {
      throw TraceError("expected \"options\", \"latency\" or \"flyrecord\"", at: cursor.offset - 10)
    }
    let table = try takeTable(&cursor, cpus, &statistics)
    // Old recorders, and `trace-cmd split`, name the clock only behind the table: u64 size, text.
    if clock == nil, let size = try? cursor.takeSize("size of the clock"), size <= 4096,
      let text = try? cursor.take(size, "the clock").text, text.contains("[")
    {
      clock = Self.activeClock(text)
    }
    buffers = [
      TraceDatBuffer(name: "", clock: clock, pageSize: metadata.pageSize, cpus: table)
    ]
    for (offset, name) in instances {
      do throws(TraceError) {
        var table = ByteCursor(cursor.bytes, at: offset, bigEndian: cursor.bigEndian)
        guard try table.take(10, "the tag of instance \(name)").hasPrefix("flyrecord") else {
          throw TraceError("expected \"flyrecord\" of instance \(name)", at: offset)
        }
        buffers.append(
          TraceDatBuffer(
            name: name, clock: clock, pageSize: metadata.pageSize,
            cpus: try takeTable(&table, cpus, &statistics)))
      } catch {
        statistics.note("missing-instance", .damage, at: error.offset, error.message)
      }
    }
  }

  private mutating func readOptions6(
    _ cursor: inout ByteCursor, _ instances: inout [(offset: Int, name: String)]
  ) throws(TraceError) {
    while true {
      let id = try cursor.take(UInt16.self, "option")
      if id == 0 { return }
      let size = Int(try cursor.take(UInt32.self, "size of option \(id)"))
      let data = try cursor.take(size, "option \(id)")
      if id == TraceDatOption.buffer {
        guard size > 8 else { continue }
        var fields = ByteCursor(data, bigEndian: cursor.bigEndian)
        let offset = try fields.takeSize("offset of an instance")
        instances.append((offset, data.suffix(from: 8).text))
      } else {
        take(option: Int(id), data)
      }
    }
  }

  private func takeTable(
    _ cursor: inout ByteCursor, _ cpus: Int, _ statistics: inout IngestStatistics
  ) throws(TraceError) -> [CPUData] {
    var table: [CPUData] = []
    for cpu in 0..<cpus {
      let at = cursor.offset
      let offset = try cursor.takeSize("offset of CPU \(cpu)'s pages")
      let size = try cursor.takeSize("size of CPU \(cpu)'s pages")
      guard size > 0 else { continue }
      guard offset <= cursor.bytes.count else {
        statistics.note(
          "truncated-file", .damage, at: at,
          "CPU \(cpu)'s pages should begin at byte \(offset), behind the end of the file")
        continue
      }
      table.append(CPUData(cpu: cpu, offset: offset, size: size, codec: nil))
    }
    return table
  }

  // MARK: Options of both versions

  /// Takes an option that says something about the recording; ignores the others.
  mutating func take(option: Int, _ data: ByteView) {
    switch option {
    case TraceDatOption.date:
      // Hexadecimal microseconds to add to every time.
      if let microseconds = Self.number(data.text), microseconds < 1 << 53 {
        conversion.offset &+= Int64(microseconds) * 1000
      }
    case TraceDatOption.offset:
      let text = data.text.trimmed
      let negative = text.hasPrefix("-")
      if let value = Self.number(negative ? String(text.dropFirst()) : text), value < 1 << 62 {
        conversion.offset &+= negative ? -Int64(value) : Int64(value)
      }
    case TraceDatOption.traceClock: clock = Self.activeClock(data.text)
    case TraceDatOption.uname: uname = data.text
    case TraceDatOption.version: recorder = data.text
    case TraceDatOption.cpuCount where data.count >= 4:
      let raw = data.u32(0)
      let count = Int(metadata.bigEndian ? raw.byteSwapped : raw)
      if count <= Self.cpusMax { cpuCount = count }
    case TraceDatOption.tsc2nsec where data.count >= 8:
      let swap = metadata.bigEndian
      conversion.multiplier = UInt64(swap ? data.u32(0).byteSwapped : data.u32(0))
      conversion.shift = UInt64(swap ? data.u32(4).byteSwapped : data.u32(4))
    default: break
    }
  }

  /// Decimal, or hexadecimal with `0x`.
  private static func number(_ text: String) -> UInt64? {
    let trimmed = text.trimmed
    return trimmed.hasPrefix("0x") ? UInt64(trimmed.dropFirst(2), radix: 16) : UInt64(trimmed)
  }

  /// The clock in brackets: `[local] global counter ...`.
  private static func activeClock(_ list: String) -> String? {
    guard let open = list.firstIndex(of: "["),
      let close = list[open...].firstIndex(of: "]")
    else { return list.trimmed.isEmpty ? nil : list.trimmed }
    return String(list[list.index(after: open)..<close])
  }
}

/// Option ids of both versions (trace-cmd 3.4 `lib/trace-cmd/include/private/trace-cmd-private.h`).
enum TraceDatOption {
  static let done = 0
  static let date = 1
  static let buffer = 3
  static let traceClock = 4
  static let uname = 5
  static let offset = 7
  static let cpuCount = 8
  static let version = 9
  static let tsc2nsec = 14
}
