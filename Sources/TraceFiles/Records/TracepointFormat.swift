import TraceEvents

/// One field of an event's format text.
struct FormatField: Equatable {
  /// The last identifier of its declaration.
  var name: String
  /// Bytes from the start of the record.
  var offset: Int
  /// Bytes; of an array, all of it.
  var size: Int
  /// Whether the kernel calls it signed.
  var isSigned: Bool
  /// A `__data_loc`: 32 bits, low half offset from the record's start, high half length.
  var isDynamic: Bool
  /// A `__rel_loc`: the same, but the offset counts from the end of those 32 bits.
  var isRelative: Bool
  /// A fixed array of characters (`char comm[16]`).
  var isCharacterArray: Bool
}

/// An event's `format` text, as the kernel shows it in tracefs and as recorders embed it.
///
///     name: tlb_flush
///     ID: 412
///     format:
///     \tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
///     \tfield:int reason;\toffset:8;\tsize:4;\tsigned:1;
///     print fmt: "...", REC->pages
///
/// Only the field lines are read; `print fmt` is never evaluated.
struct TracepointFormat {
  /// The event's name.
  var name: String
  /// Its number in this boot: the `common_type` of its records.
  var id: Int
  /// Its fields, the common ones included.
  var fields: [FormatField]

  /// Parses a format text; nil if it has no name or no id.
  init?(_ text: ByteView) {
    var name: String?
    var id: Int?
    var fields: [FormatField] = []
    var position = 0
    while position < text.count {
      var end = position
      while end < text.count, text.u8(end) != 0x0a { end += 1 }
      let line = ByteView(start: text.start + position, count: end - position)
      position = end + 1
      if line.hasPrefix("name:") {
        name = line.suffix(from: 5).text.trimmed
      } else if line.hasPrefix("ID:") {
        id = Int(line.suffix(from: 3).text.trimmed)
      } else if line.hasPrefix("print fmt") {
        break
      } else if let field = FormatField(
        UnsafeRawBufferPointer(start: line.start, count: line.count))
      {
        fields.append(field)
      }
    }
    guard let name, let id, !name.isEmpty, id >= 0 else { return nil }
    self.name = name
    self.id = id
    self.fields = fields
  }

  /// The field called `name`.
  func field(_ name: String) -> FormatField? { fields.first { $0.name == name } }
}

extension FormatField {
  /// Parses `\tfield:T x[n];\toffset:N;\tsize:N;\tsigned:N;`.
  ///
  /// Byte by byte: a trace brings a thousand of them, and characters cost as much as its events.
  init?(_ line: UnsafeRawBufferPointer) {
    var declaration: Slice<UnsafeRawBufferPointer>?
    var offset: Int?
    var size: Int?
    var isSigned = false
    for part in line.split(separator: UInt8(ascii: ";")) {
      let trimmed = part.drop { $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: " ") }
      guard let colon = trimmed.firstIndex(of: UInt8(ascii: ":")) else { continue }
      let key = trimmed[..<colon]
      let value = trimmed[(colon + 1)...]
      if key.elementsEqual("field".utf8) || key.elementsEqual("field special".utf8) {
        declaration = value
      } else if key.elementsEqual("offset".utf8) {
        offset = Int(String(decoding: value, as: UTF8.self))
      } else if key.elementsEqual("size".utf8) {
        size = Int(String(decoding: value, as: UTF8.self))
      } else if key.elementsEqual("signed".utf8) {
        isSigned = value.elementsEqual("1".utf8)
      }
    }
    guard let declaration, let offset, let size, offset >= 0, size >= 0, offset < 65_536,
      size < 65_536
    else { return nil }
    let bracket = declaration.firstIndex(of: UInt8(ascii: "["))
    let isDynamic = declaration.starts(with: "__data_loc".utf8)
    let isRelative = declaration.starts(with: "__rel_loc".utf8)
    // `__data_loc char[] comm`: there the brackets belong to the type.
    let named =
      isDynamic || isRelative ? declaration : declaration[..<(bracket ?? declaration.endIndex)]
    let last = named.lastIndex { !Self.isOfIdentifier($0) }
    let name = named[(last.map { $0 + 1 } ?? named.startIndex)...]
    self.init(
      name: String(decoding: name, as: UTF8.self), offset: offset, size: size, isSigned: isSigned,
      isDynamic: isDynamic, isRelative: isRelative,
      isCharacterArray: bracket != nil && !isDynamic && !isRelative
        && Self.isOfCharacters(declaration))
  }

  /// The same of a text.
  init?(_ line: String) {
    var line = line
    guard let field = line.withUTF8({ FormatField(UnsafeRawBufferPointer($0)) }) else { return nil }
    self = field
  }

  private static func isOfIdentifier(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
      true
    default: false
    }
  }

  /// Whether it holds `char `.
  private static func isOfCharacters(_ declaration: Slice<UnsafeRawBufferPointer>) -> Bool {
    declaration.indices.contains { declaration[$0...].starts(with: "char ".utf8) }
  }
}

extension StringProtocol {
  /// Without white space at both ends.
  var trimmed: String {
    let front = drop { $0.isWhitespace }
    var end = front.endIndex
    while end > front.startIndex, front[front.index(before: end)].isWhitespace {
      end = front.index(before: end)
    }
    return String(front[..<end])
  }
}
