import TraceEvents

/// What a `perf.data` says beside its events.
public struct PerfDataOptions: Sendable {
  /// CPUs of the traced machine.
  public var cpus: Int
  /// Whether records are packed into a zstd stream (`perf record -z`).
  public var isCompressed = false
  /// Formats of the events that may occur. perf cannot record the `ftrace` system.
  public var formats = EventFormat.builtIn.filter { $0.system != "ftrace" }
  /// Names of tasks and functions.
  public var names = TraceNames()
  /// Name of the traced machine.
  public var hostName = "traced"
  /// Its kernel.
  public var kernelRelease = "6.12.117+deb12-cloud-amd64"
  /// The recorder, as it calls itself.
  public var recorder = "tlbreplay"

  /// Options of a trace of `cpus` CPUs.
  public init(cpus: Int) {
    precondition((1...4096).contains(cpus))
    self.cpus = cpus
  }
}

/// The parts of a `perf.data` around its records.
///
/// Layout (Linux 6.1 `tools/perf/util/header.c`, `tools/perf/Documentation/perf.data-file-format.txt`):
/// `PERFILE2`, u64 header size, u64 size of an attribute entry, then {u64 offset, u64 size} of the
/// attributes, of the records and of the dead event types, 256 feature bits; the ids; the attributes;
/// the records; {u64 offset, u64 size} of each feature in the order of its bit; the features.
struct PerfDataParts {
  static let headerSize = 104
  static let attributeSize = 128
  /// IP, TID, TIME, CPU, PERIOD, RAW, IDENTIFIER (Linux 6.1 `enum perf_event_sample_format`).
  static let sampleType: UInt64 = 0x1_0587
  /// Largest unpacked piece of a compressed record: `perf record` maps 128 pages and a header page.
  static let mappedBytes: UInt32 = 528_384

  let options: PerfDataOptions

  /// The id of a format's event on one CPU.
  func id(format: Int, cpu: Int) -> UInt64 { UInt64(1 + format * options.cpus + cpu) }

  private func ids(_ format: Int) -> [UInt64] {
    (0..<options.cpus).map { id(format: format, cpu: $0) }
  }

  private var idBytes: Int { options.formats.count * options.cpus * 8 }
  private var attributesOffset: Int { Self.headerSize + idBytes }
  private var attributesSize: Int { options.formats.count * (Self.attributeSize + 16) }

  /// Where the records start.
  var dataOffset: UInt64 { UInt64(attributesOffset + attributesSize) }

  /// The head with the size of the records, which is known at the end.
  func header(dataSize: UInt64, features: [Int]) -> [UInt8] {
    var part = ByteBuilder()
    part.append("PERFILE2")
    part.append(UInt64(Self.headerSize))
    part.append(UInt64(Self.attributeSize + 16))
    part.append(UInt64(attributesOffset))
    part.append(UInt64(attributesSize))
    part.append(dataOffset)
    part.append(dataSize)
    part.append(UInt64(0))
    part.append(UInt64(0))
    for word in 0..<4 {
      part.append(
        features.reduce(UInt64(0)) { $1 / 64 == word ? $0 | 1 << UInt64($1 % 64) : $0 })
    }
    return part.bytes
  }

  /// Ids and attributes.
  func attributes() -> [UInt8] {
    var part = ByteBuilder()
    for format in options.formats.indices { for id in ids(format) { part.append(id) } }
    for format in options.formats.indices {
      part.bytes += attribute(format)
      part.append(UInt64(Self.headerSize + format * options.cpus * 8))
      part.append(UInt64(options.cpus * 8))
    }
    return part.bytes
  }

  /// `struct perf_event_attr` of a tracepoint.
  private func attribute(_ format: Int) -> [UInt8] {
    var part = ByteBuilder()
    part.append(UInt32(2))  // PERF_TYPE_TRACEPOINT
    part.append(UInt32(Self.attributeSize))
    part.append(UInt64(options.formats[format].id))
    part.append(UInt64(1))  // sample period
    part.append(Self.sampleType)
    part.append(UInt64(4))  // read format: ID
    // sample_id_all; the first event carries the side records: mmap, comm, task, mmap2, comm_exec.
    let side: UInt64 = 1 << 8 | 1 << 9 | 1 << 13 | 1 << 23 | 1 << 24
    part.append(UInt64(1 << 18) | (format == 0 ? side : 0))
    part.bytes += [UInt8](repeating: 0, count: Self.attributeSize - part.bytes.count)
    return part.bytes
  }

  /// The features in the order of their bits.
  func features(first: UInt64, last: UInt64) -> [(bit: Int, bytes: [UInt8])] {
    var features: [(bit: Int, bytes: [UInt8])] = [
      (1, tracingData()), (3, text(options.hostName)), (4, text(options.kernelRelease)),
      (5, text(options.recorder)), (6, text("x86_64")), (7, numbers(UInt32(options.cpus), 2)),
      (11, numbers(UInt32(1), 1) + text("perf record -a")), (12, eventDescriptions()),
      (21, ByteBuilder.bytes(of: first) + ByteBuilder.bytes(of: last)),
    ]
    if options.isCompressed {
      var part = ByteBuilder()
      for value in [0, 1, 1, 1, Self.mappedBytes] { part.append(value) }
      features.append((27, part.bytes))
    }
    return features
  }

  private func numbers(_ value: UInt32, _ count: Int) -> [UInt8] {
    Array([[UInt8]](repeating: ByteBuilder.bytes(of: value), count: count).joined())
  }

  /// u32 length, bytes padded with NULs to 64 as perf does.
  private func text(_ text: String) -> [UInt8] {
    let size = (text.utf8.count + 1 + 63) / 64 * 64
    let padding = [UInt8](repeating: 0, count: size - text.utf8.count)
    return ByteBuilder.bytes(of: UInt32(size)) + Array(text.utf8) + padding
  }

  private func eventDescriptions() -> [UInt8] {
    var part = ByteBuilder()
    part.append(UInt32(options.formats.count))
    part.append(UInt32(Self.attributeSize))
    for (index, format) in options.formats.enumerated() {
      part.bytes += attribute(index)
      part.append(UInt32(options.cpus))
      part.bytes += text("\(format.system):\(format.name)")
      for id in ids(index) { part.append(id) }
    }
    return part.bytes
  }

  private func tracingData() -> [UInt8] {
    var part = ByteBuilder(bytes: TraceDatMetadata.magic(version: "0.6"))
    part.bytes += TraceDatMetadata.headerInfo()
    part.bytes += TraceDatMetadata.ftraceFormats(options.formats)
    part.bytes += TraceDatMetadata.eventFormats(options.formats)
    part.bytes += TraceDatMetadata.shortText("")
    part.bytes += TraceDatMetadata.shortText("")
    part.bytes += TraceDatMetadata.longText(options.names.savedCommandLines)
    part.align(to: 8)
    return part.bytes
  }
}
