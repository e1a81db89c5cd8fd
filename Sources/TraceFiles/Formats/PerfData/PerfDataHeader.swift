import TraceEvents

/// The head of a perf.data in file mode, or the sign of pipe mode.
///
///     0   "PERFILE2"                40  u64 offset, u64 size of the records
///     8   u64 header size: 104,     56  u64 offset, u64 size of event types (unused)
///         or 16 in pipe mode        72  256 bits: which features follow the records
///     16  u64 size of an entry      then, at the end of the records, for each set bit in ascending
///     24  u64 offset, u64 size      order: u64 offset, u64 size of its section
///         of the attribute entries
///
/// An attribute entry is a `perf_event_attr` padded to (entry size - 16), then u64 offset and u64 size
/// of its array of u64 ids. Source: tools/perf/util/header.h of Linux 6.12.
struct PerfDataHeader {
  /// A feature section.
  struct Feature {
    var id: Int
    var content: ByteView
    /// Where it begins in the file.
    var offset: Int
  }

  /// Bytes of the header in file mode.
  static let fileSize = 104
  /// Bytes of the header in pipe mode.
  static let pipeSize = 16

  /// Whether only records follow.
  private(set) var isPipe = false
  /// The recorded events; empty in pipe mode.
  private(set) var attributes: [PerfEventAttribute] = []
  /// Where the records stand.
  private(set) var records = 0..<0
  /// The feature sections that could be found.
  private(set) var features: [Feature] = []

  /// Parses the head of `file`.
  ///
  /// - Throws: if not even one record can be there.
  init(_ file: ByteView, _ statistics: inout IngestStatistics) throws(TraceError) {
    if file.hasPrefix("2ELIFREP") {
      throw TraceError(
        "is a big-endian perf.data, which is not supported: only x86 emits tlb:tlb_flush", at: 0)
    }
    var cursor = ByteCursor(file, at: 8)
    let size = try cursor.takeSize("the header's size")
    guard size != Self.pipeSize else {
      isPipe = true
      records = Self.pipeSize..<file.count
      return
    }
    guard size >= 72 else {
      throw TraceError("expected a header of 104 bytes (or 16: pipe mode), it says \(size)", at: 8)
    }
    let entrySize = try cursor.takeSize("the size of an attribute entry")
    let attributes = try Self.takeSection(&cursor, "the attributes")
    let records = try Self.takeSection(&cursor, "the records")
    readAttributes(file, attributes, entrySize: entrySize, &statistics)
    try locate(records, file, &statistics)
    guard size >= Self.fileSize, file.count >= Self.fileSize, records.size > 0 else { return }
    readFeatures(file, after: records, &statistics)
  }

  private static func takeSection(_ cursor: inout ByteCursor, _ what: String) throws(TraceError)
    -> (offset: Int, size: Int)
  {
    let offset = try cursor.takeSize("the offset of \(what)")
    return (offset, try cursor.takeSize("the size of \(what)"))
  }

  private mutating func locate(
    _ section: (offset: Int, size: Int), _ file: ByteView, _ statistics: inout IngestStatistics
  ) throws(TraceError) {
    guard section.offset < file.count else {
      throw TraceError(
        "expected records from byte \(section.offset) on, the file ends at \(file.count)",
        at: file.count)
    }
    let left = file.count - section.offset
    records = section.offset..<(section.offset + min(section.size, left))
    if section.size == 0 {
      records = section.offset..<file.count
      statistics.note(
        "unfinished-recording", .damage, at: 48,
        """
        the size of the records is 0: perf was killed before it could write the event names and the \
        facts about the machine; all records up to the end of the file are read
        """)
    } else if section.size > left {
      statistics.note(
        "truncated-file", .damage, at: file.count,
        """
        expected records up to byte \(section.offset) + \(section.size) and the features after them, \
        the file ends at \(file.count): event names and facts about the machine are lost
        """)
    }
  }

  private mutating func readAttributes(
    _ file: ByteView, _ section: (offset: Int, size: Int), entrySize: Int,
    _ statistics: inout IngestStatistics
  ) {
    guard entrySize >= PerfEventAttribute.sizeMin + 16, entrySize < 65_536,
      let entries = file.slice(
        section.offset, min(section.size, max(file.count - section.offset, 0)))
    else {
      statistics.note(
        "bad-attributes", .damage, at: 16,
        "expected attribute entries of 80 bytes or more, found \(entrySize) at \(section.offset)")
      return
    }
    let count = min(entries.count / entrySize, PerfEventTable.attributesMax)
    for index in 0..<count {
      let entry = entries.suffix(from: index * entrySize)
      guard let attributeBytes = entry.slice(0, entrySize - 16),
        var attribute = PerfEventAttribute(attributeBytes)
      else { continue }
      attribute.ids = Self.ids(file, entry.u64(entrySize - 16), entry.u64(entrySize - 8))
      attributes.append(attribute)
    }
    if entries.count < section.size || count * entrySize != section.size {
      statistics.note(
        "bad-attributes", .damage, at: section.offset,
        "expected \(section.size) bytes of attributes, \(count * entrySize) could be read")
    }
  }

  private static func ids(_ file: ByteView, _ offset: UInt64, _ size: UInt64) -> [UInt64] {
    guard let offset = Int(exactly: offset), let size = Int(exactly: size),
      size <= PerfEventTable.idsMax * 8, let array = file.slice(offset, size)
    else { return [] }
    return stride(from: 0, to: array.count - 7, by: 8).map { array.u64($0) }
  }

  private mutating func readFeatures(
    _ file: ByteView, after records: (offset: Int, size: Int), _ statistics: inout IngestStatistics
  ) {
    // `locate` has noted it if the records do not end inside the file.
    guard records.size <= file.count - records.offset else { return }
    let table = records.offset + records.size
    var entry = 0
    for id in 0..<256 where file.u64(72 + id / 64 * 8) >> UInt64(id % 64) & 1 != 0 {
      defer { entry += 1 }
      guard let place = file.slice(table + entry * 16, 16) else {
        statistics.note(
          "missing-features", .damage, at: file.count,
          "expected the place of feature \(id) at byte \(table + entry * 16), the file ends")
        continue
      }
      guard let offset = Int(exactly: place.u64(0)), let size = Int(exactly: place.u64(8)),
        let content = file.slice(offset, size)
      else {
        statistics.note(
          "missing-features", .damage, at: table + entry * 16,
          "feature \(id) lies outside the file: offset \(place.u64(0)), size \(place.u64(8))")
        continue
      }
      features.append(Feature(id: id, content: content, offset: offset))
    }
  }
}
