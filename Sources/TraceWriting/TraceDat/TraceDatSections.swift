/// The sections of a version 7 `trace.dat`: their headers, their names, the chain of options.
///
/// Section header, 16 bytes: u16 id, u16 flags (1 = compressed), u32 offset of the name among the
/// names of section 15, u64 bytes that follow. Compressed content: u32 packed size, u32 unpacked
/// size, payload. Options end with id 0, size 8 and the offset of the next options.
struct TraceDatSections {
  private static let headerSize: UInt64 = 16

  private var names: [UInt8] = []
  /// Where the offset of the next options section must be written.
  var lastOptions: UInt64 = 0

  /// Writes a section's header and returns where it stands; the size is filled in by `end`.
  mutating func begin(
    _ id: UInt16, _ name: String, compressed: Bool, in sink: inout FileSink
  ) throws(TraceWriteError) -> UInt64 {
    let start = sink.offset
    try sink.write(id)
    try sink.write(UInt16(compressed ? 1 : 0))
    try sink.write(UInt32(names.count))
    try sink.write(UInt64(0))
    names += Array(name.utf8) + [0]
    return start
  }

  /// Fills in the size of the section that began at `start` and ends here.
  func end(_ start: UInt64, in sink: inout FileSink) throws(TraceWriteError) {
    try sink.patch(sink.offset - start - Self.headerSize, at: start + 8)
  }

  /// Writes a whole section.
  mutating func write(
    _ id: UInt16, _ name: String, _ bytes: [UInt8], to sink: inout FileSink,
    _ compressor: inout BlockCompressor, _ options: TraceDatOptions
  ) throws(TraceWriteError) {
    let isCompressed = options.compression != .none
    let start = try begin(id, name, compressed: isCompressed, in: &sink)
    if isCompressed {
      let packed = try compressor.compress(bytes, path: sink.path)
      try sink.write(UInt32(packed.count))
      try sink.write(UInt32(bytes.count))
      try sink.write(packed)
    } else {
      try sink.write(bytes)
    }
    try end(start, in: &sink)
  }

  /// Writes an options section, and into the one before it where this one stands.
  mutating func writeOptions(
    _ options: [(id: UInt16, data: [UInt8])], _ name: String, to sink: inout FileSink
  ) throws(TraceWriteError) {
    let start = try begin(0, name, compressed: false, in: &sink)
    try sink.patch(start, at: lastOptions)
    for option in options {
      try sink.write(option.id)
      try sink.write(UInt32(option.data.count))
      try sink.write(option.data)
    }
    try sink.write(UInt16(0))
    try sink.write(UInt32(8))
    lastOptions = sink.offset
    try sink.write(UInt64(0))
    try end(start, in: &sink)
  }

  /// Writes the section of names, which closes the file.
  mutating func writeNames(
    to sink: inout FileSink, _ compressor: inout BlockCompressor, _ options: TraceDatOptions
  ) throws(TraceWriteError) {
    let all = names + Array("strings".utf8) + [0]
    try write(15, "strings", all, to: &sink, &compressor, options)
  }
}
