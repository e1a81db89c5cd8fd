import TraceEvents

/// Where the parts of a ring-buffer page lie, from the file's `header_page` text.
///
///     field: u64 timestamp;  offset:0;  size:8;
///     field: local_t commit; offset:8;  size:8;   bytes of records, and two flags
///     field: int overwrite;  offset:8;  size:1;   a marker, not data
///     field: char data;      offset:16; size:4080;
struct PageLayout {
  /// Bytes of a page, header included.
  var pageSize: Int
  /// Where the length word lies and how wide it is (4 or 8 bytes).
  var commitOffset = 8
  var commitSize = 8
  /// Where the records begin.
  var dataOffset = 16
  var bigEndian = false

  init(pageSize: Int) { self.pageSize = pageSize }

  /// Takes the offsets from a `header_page` text; keeps the 64-bit layout where it says nothing.
  mutating func read(headerPage text: ByteView) {
    var stated = self
    for line in text.text.split(separator: "\n") {
      guard let field = FormatField(String(line)) else { continue }
      switch field.name {
      case "commit" where field.size == 4 || field.size == 8:
        stated.commitOffset = field.offset
        stated.commitSize = field.size
      case "data" where field.offset >= 12 && field.offset <= 64: stated.dataOffset = field.offset
      default: break
      }
    }
    // The head of a page ends where its records begin; a reader checks for that many bytes.
    if stated.commitOffset + stated.commitSize <= stated.dataOffset { self = stated }
  }
}

/// The head of one page.
struct PageHead {
  /// Bytes of records in it, flags removed.
  var length: Int
  /// Time of its first record's zero delta.
  var timestamp: UInt64
  /// Bit 31: events were lost before this page.
  var lostBefore: Bool
  /// Bit 30: how many stands behind the records.
  var lostCountStored: Bool

  /// Reads the head of the page at the front of `bytes`, which hold at least its header.
  @inline(__always)
  init(_ bytes: ByteView, _ layout: PageLayout) {
    var stamp = bytes.u64(0)
    // The flags of a signed 64-bit commit are sign-extended: only 32 bits of it mean anything.
    var commit = bytes.u32(layout.commitOffset)
    if layout.bigEndian {
      stamp = stamp.byteSwapped
      let low = layout.commitSize == 8 ? layout.commitOffset + 4 : layout.commitOffset
      commit = bytes.u32(low).byteSwapped
    }
    timestamp = stamp
    length = Int(commit & 0x07ff_ffff)
    lostBefore = commit & 0x8000_0000 != 0
    lostCountStored = commit & 0x4000_0000 != 0
  }
}
