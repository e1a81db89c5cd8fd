import TraceEvents

/// Section ids of version 7 (trace-cmd 3.4, the same header as ``TraceDatOption``).
enum TraceDatSection {
  static let options = 0
  static let records = 3
  static let headerInfo = 16
  static let ftraceFormats = 17
  static let eventFormats = 18
  static let kallsyms = 19
  static let savedCommandLines = 21
  /// Ids beyond this have never been assigned: a sign of damage.
  static let idMax = 63
}

/// The head of a version 7 section: 16 bytes.
///
///     u16 id, u16 flags (bit 0 compressed), u32 name, u64 bytes behind this head
struct SectionHead {
  static let size = 16
  var id: Int
  var isCompressed: Bool
  /// File offset of the head.
  var offset: Int
  /// Bytes of the body.
  var length: Int
}

/// What the options of a version 7 file name.
struct OptionsFound {
  /// BUFFER options.
  var buffers: [ByteView] = []
  /// File offsets of sections.
  var sections: [Int] = []

  mutating func add(section data: ByteView, _ bigEndian: Bool) {
    let raw = data.u64(0)
    if let offset = Int(exactly: bigEndian ? raw.byteSwapped : raw), offset > 0 {
      sections.append(offset)
    }
  }
}

extension TraceDatHeader {
  /// Bytes that a compressed section may unpack to: kallsyms of a large kernel are 16 MiB.
  static let sectionSizeMax = 64 << 20
  /// How many sections a file may have; a loop of options must end.
  static let sectionsMax = 65_536

  /// Reads the head and every section that can be found: front to back, then along the options.
  mutating func readVersion7(_ cursor: inout ByteCursor, _ statistics: inout IngestStatistics)
    throws(TraceError)
  {
    let name = try cursor.takeString(max: 64, "name of the compression")
    _ = try cursor.takeString(max: 64, "version of the compression")
    codecName = name
    switch name {
    case "none", "": codec = nil
    case "zstd": codec = .zstd
    case "zlib": codec = .zlib
    default:
      throw TraceError(
        "is compressed with \(name): expected zstd, zlib or none", at: cursor.offset)
    }
    let firstOptions = try cursor.takeSize("offset of the options")
    var sections: [Int: SectionHead] = [:]
    var found = OptionsFound()
    walk(cursor.bytes, from: cursor.offset, &sections, &statistics)
    if firstOptions != 0 { found.sections.append(firstOptions) }
    for head in sections.values.sorted(by: { $0.offset < $1.offset }) {
      read(head, cursor.bytes, &found, &statistics)
    }
    // Sections that the walk missed behind damage: the options name them. Each is read once.
    while let offset = found.sections.popLast(), sections.count < Self.sectionsMax {
      guard sections[offset] == nil else { continue }
      guard let head = head(cursor.bytes, at: offset), head.id <= TraceDatSection.idMax,
        head.length <= cursor.bytes.count - offset - SectionHead.size
      else {
        statistics.note("missing-section", .damage, at: offset, "expected a section here")
        continue
      }
      sections[offset] = head
      read(head, cursor.bytes, &found, &statistics)
    }
    for option in found.buffers {
      do throws(TraceError) {
        try addBuffer(option, cursor.bytes)
      } catch {
        statistics.note("damaged-buffer-option", .damage, at: error.offset, error.message)
      }
    }
    salvageBuffers(cursor.bytes, sections, &statistics)
    // The top buffer first, the others in the order of the file.
    buffers = buffers.filter { $0.name.isEmpty } + buffers.filter { !$0.name.isEmpty }
  }

  private func head(_ file: ByteView, at offset: Int) -> SectionHead? {
    guard offset >= 0, offset <= file.count - SectionHead.size else { return nil }
    var cursor = ByteCursor(file, at: offset, bigEndian: metadata.bigEndian)
    guard let id = try? cursor.take(UInt16.self, ""), let flags = try? cursor.take(UInt16.self, ""),
      (try? cursor.take(UInt32.self, "")) != nil, let size = try? cursor.takeSize("")
    else { return nil }
    return SectionHead(
      id: Int(id), isCompressed: flags & 1 != 0, offset: offset, length: size)
  }

  private func walk(
    _ file: ByteView, from start: Int, _ sections: inout [Int: SectionHead],
    _ statistics: inout IngestStatistics
  ) {
    var position = start
    while position < file.count, sections.count < Self.sectionsMax {
      guard let head = head(file, at: position), head.id <= TraceDatSection.idMax else {
        statistics.note(
          "damaged-section", .damage, at: position, "expected the head of a section")
        return
      }
      sections[position] = head
      let next = position + SectionHead.size
      guard head.length <= file.count - next else {
        statistics.note(
          "truncated-file", .damage, at: file.count,
          "section \(head.id) at byte \(position) needs \(head.length) bytes, \(file.count - next) are there"
        )
        return
      }
      position = next + head.length
    }
  }

  /// A section's content, decompressed where needed.
  private mutating func content(_ head: SectionHead, _ file: ByteView) throws(TraceError)
    -> ByteView
  {
    let start = head.offset + SectionHead.size
    guard let body = file.slice(start, min(head.length, file.count - start)) else {
      throw TraceError("expected a section", at: head.offset)
    }
    guard head.isCompressed else { return body }
    var cursor = ByteCursor(body, origin: start, bigEndian: metadata.bigEndian)
    let compressed = Int(try cursor.take(UInt32.self, "compressed size"))
    let plain = Int(try cursor.take(UInt32.self, "uncompressed size"))
    let payload = try cursor.take(compressed, "compressed section")
    guard plain <= Self.sectionSizeMax else {
      throw TraceError(
        "section \(head.id) claims \(plain) bytes, more than \(Self.sectionSizeMax)", at: start)
    }
    guard let codec else {
      throw TraceError("a compressed section in a file without compression", at: start)
    }
    let bytes = OwnedBytes(count: plain)
    do {
      bytes.count = try codec.decompress(
        payload, into: UnsafeMutableRawBufferPointer(rebasing: bytes.buffer[..<plain]),
        context: ZstdContext())
    } catch {
      throw TraceError(error.message, at: start)
    }
    owned.append(bytes)
    return bytes.bytes
  }

  private mutating func read(
    _ head: SectionHead, _ file: ByteView, _ found: inout OptionsFound,
    _ statistics: inout IngestStatistics
  ) {
    let wanted = [
      TraceDatSection.options, TraceDatSection.headerInfo, TraceDatSection.ftraceFormats,
      TraceDatSection.eventFormats, TraceDatSection.kallsyms, TraceDatSection.savedCommandLines,
    ]
    guard wanted.contains(head.id) else { return }
    do {
      var cursor = ByteCursor(
        try content(head, file), origin: head.offset + SectionHead.size,
        bigEndian: metadata.bigEndian)
      switch head.id {
      case TraceDatSection.options: try readOptions7(&cursor, &found)
      case TraceDatSection.headerInfo: try metadata.parseHeaders(&cursor)
      case TraceDatSection.ftraceFormats: try metadata.parseFtraceFormats(&cursor)
      case TraceDatSection.eventFormats: try metadata.parseEventFormats(&cursor)
      case TraceDatSection.kallsyms: try metadata.parseKallsyms(&cursor)
      default: try metadata.parseSavedCommandLines(&cursor)
      }
    } catch {
      statistics.note(
        "damaged-section", .damage, at: error.offset ?? head.offset,
        "section \(head.id): \(error.message)")
    }
  }

  private mutating func readOptions7(
    _ cursor: inout ByteCursor, _ found: inout OptionsFound
  ) throws(TraceError) {
    while cursor.left >= 6 {
      let id = Int(try cursor.take(UInt16.self, "option"))
      let size = Int(try cursor.take(UInt32.self, "size of option \(id)"))
      let data = try cursor.take(size, "option \(id)")
      switch id {
      case TraceDatOption.done:
        // The last option of a section points to the next options section, 0 if there is none.
        if data.count >= 8 { found.add(section: data, metadata.bigEndian) }
        return
      case TraceDatOption.buffer: found.buffers.append(data)
      case TraceDatSection.headerInfo...TraceDatSection.savedCommandLines where data.count >= 8:
        found.add(section: data, metadata.bigEndian)
      default: take(option: id, data)
      }
    }
  }

  /// A BUFFER option: u64 offset of its records section, name NUL, clock NUL, u32 page size, u32
  /// CPUs, of each u32 number, u64 offset, u64 size.
  private mutating func addBuffer(_ data: ByteView, _ file: ByteView) throws(TraceError) {
    var cursor = ByteCursor(data, bigEndian: metadata.bigEndian)
    let section = try cursor.takeSize("offset of a buffer's records")
    let name = try cursor.takeString("name of a buffer")
    let clock = try cursor.takeString("clock of a buffer")
    let pageSize = Int(try cursor.take(UInt32.self, "page size of a buffer"))
    let count = Int(try cursor.take(UInt32.self, "CPUs of a buffer"))
    guard pageSize >= 64, pageSize <= Self.pageSizeMax, count <= Self.cpusMax else {
      throw TraceError("buffer \"\(name)\" claims pages of \(pageSize) bytes and \(count) CPUs")
    }
    let isCompressed = head(file, at: section)?.isCompressed ?? (codec != nil)
    var cpus: [CPUData] = []
    for _ in 0..<count {
      let cpu = Int(try cursor.take(UInt32.self, "CPU number"))
      let offset = try cursor.takeSize("offset of CPU \(cpu)'s pages")
      let size = try cursor.takeSize("size of CPU \(cpu)'s pages")
      guard size > 0 else { continue }
      guard cpu < Self.cpusMax, offset <= file.count else {
        throw TraceError("CPU \(cpu)'s pages should begin at byte \(offset) of \(file.count)")
      }
      cpus.append(CPUData(cpu: cpu, offset: offset, size: size, codec: isCompressed ? codec : nil))
    }
    buffers.append(
      TraceDatBuffer(name: name, clock: clock.isEmpty ? nil : clock, pageSize: pageSize, cpus: cpus)
    )
  }
}
