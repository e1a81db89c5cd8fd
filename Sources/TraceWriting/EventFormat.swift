public import TraceEvents

/// Where a field lies in an event's record, as the kernel's `format` file says it.
public struct FieldLayout: Sendable, Equatable {
  /// The C declaration, name last: `unsigned long pages`, `char prev_comm[16]`.
  public let declaration: String
  /// Bytes from the start of the record, the 8 common bytes included.
  public let offset: Int
  /// Bytes; 0 for an array that runs to the end of the record.
  public let size: Int
  /// What the kernel's `is_signed_type` says.
  public let isSigned: Bool

  /// A field of a record.
  public init(_ declaration: String, _ offset: Int, _ size: Int, signed isSigned: Bool = false) {
    self.declaration = declaration
    self.offset = offset
    self.size = size
    self.isSigned = isSigned
  }

  /// The field's own name: the declaration's last word, without array brackets.
  public var name: String {
    let word = declaration.split(separator: " ").last ?? ""
    return String(word.prefix { $0 != "[" })
  }

  /// Whether the record holds a 32-bit offset and length here, and the data behind the fields.
  public var isDynamic: Bool { declaration.hasPrefix("__data_loc ") }

  var line: String {
    "\tfield:\(declaration);\toffset:\(offset);\tsize:\(size);\tsigned:\(isSigned ? 1 : 0);\n"
  }
}

/// The layout of one event's records, and the text by which a trace file tells it to its reader.
///
/// Text as `events/SYSTEM/NAME/format` prints it (Linux 6.12 `kernel/trace/trace_events.c`,
/// `f_show`).
public struct EventFormat: Sendable {
  /// The tracepoint.
  public let kind: EventKind
  /// The number that opens each of its records. Kernels give it out at boot; readers must not know it.
  public let id: UInt16
  /// Its own fields, behind the common ones.
  public let fields: [FieldLayout]
  /// The `print fmt` by which stock tools print it.
  public let printFormat: String

  /// A format for an event that the tool knows.
  public init(_ kind: EventKind, id: UInt16, _ fields: [FieldLayout], printFormat: String) {
    self.kind = kind
    self.id = id
    self.fields = fields
    self.printFormat = printFormat
  }

  /// The subsystem (`tlb`).
  public var system: String { Tracepoint.of(kind).system }
  /// The event's name (`tlb_flush`).
  public var name: String { Tracepoint.of(kind).name }

  /// Bytes of the fixed part of a record: what dynamic data is put behind.
  public var recordSize: Int { fields.reduce(8) { max($0, $1.offset + $1.size) } }

  /// The whole text of the `format` file.
  public var text: String {
    var text = "name: \(name)\nID: \(id)\nformat:\n"
    for field in Self.commonFields { text += field.line }
    text += "\n"
    for field in fields { text += field.line }
    return text + "\nprint fmt: \(printFormat)\n"
  }

  /// The head of every record (Linux 6.12 `struct trace_entry`).
  static let commonFields = [
    FieldLayout("unsigned short common_type", 0, 2),
    FieldLayout("unsigned char common_flags", 2, 1),
    FieldLayout("unsigned char common_preempt_count", 3, 1),
    FieldLayout("int common_pid", 4, 4, signed: true),
  ]

  /// Formats of every tracepoint in ``Tracepoint/all`` as Debian's x86-64 Linux 6.12.117 prints them
  /// (numbers in place of the longest constant expressions).
  public static let builtIn: [EventFormat] =
    tlb + migrate + kmem + pageCache + vmscan + exceptions + interprocessor + sched + syscalls
    + ftrace

  /// Without the fields that `words` say, by their places among the tracepoint's: a trace must not
  /// claim what was not recorded. What is left is printed by name.
  func without(_ words: [Int]) -> EventFormat {
    guard !words.isEmpty else { return self }
    let fields = Tracepoint.of(kind).fields
    let dropped = Set(words.flatMap { [fields[$0].name] + fields[$0].aliases })
    let kept = self.fields.filter { !dropped.contains($0.name) }
    let printed = kept.filter { !$0.isDynamic && $0.size > 0 && $0.size <= 8 && !$0.name.isEmpty }
    let formats = printed.map { "\($0.name)=%\($0.isSigned ? "lld" : "llu")" }
    let values = printed.map { ", REC->\($0.name)" }
    return EventFormat(
      kind, id: id, kept,
      printFormat: "\"\(formats.joined(separator: " "))\"\(values.joined())")
  }

  /// The built-in format of `kind`.
  public static func of(_ kind: EventKind) -> EventFormat? { builtIn.first { $0.kind == kind } }
}

/// An event of which a trace shall say that it happened, and nothing more.
public struct BareEvent: Sendable, Equatable {
  /// The first number that they get: behind those of ``EventFormat/builtIn``.
  static let firstID: UInt16 = 4096

  /// The subsystem.
  public let system: String
  /// The event's name.
  public let name: String

  /// An event.
  public init(system: String, name: String) {
    self.system = system
    self.name = name
  }

  /// The text of its `format` file.
  func text(id: UInt16) -> String {
    var text = "name: \(name)\nID: \(id)\nformat:\n"
    for field in EventFormat.commonFields { text += field.line }
    return text + "\n\nprint fmt: \"\"\n"
  }
}
