/// How a field is spelled in a text dialect and what its payload word holds.
public enum FieldForm: Sendable, Equatable {
  /// An integer. Text: decimal or `0x` hexadecimal, maybe negative. Word: two's complement.
  case integer
  /// An integer that the kernel prints in hexadecimal without a `0x` (`addr=7fffd5c54000`).
  case hexadecimal
  /// An integer that the kernel prints by name; the word is the number. `names` maps them.
  case symbolic(names: [String: Int64])
  /// Several bits that the kernel prints as `A|B`; the word is their union.
  case flags(names: [String: UInt64])
  /// A kernel function. Word: its address, or ``FunctionName`` encoded where the dialect names it.
  case function
  /// Text. Word: an index into ``EventDirectory/string(_:)``.
  case text
  /// A CPU mask. Word: see ``EventBatch/cpuMask(row:slot:)``.
  case cpuMask
}

/// One payload field that a replay wants from a tracepoint.
public struct TracepointField: Sendable {
  /// The field's name in the event's format text of the newest kernel.
  public let name: String
  /// Names that the same thing has, or had, elsewhere: other kernels' format texts, and the keys of
  /// text dialects where they differ from the field's name.
  public let aliases: [String]
  /// Its spelling.
  public let form: FieldForm

  /// A field called `name`.
  public init(_ name: String, _ form: FieldForm = .integer, aliases: [String] = []) {
    self.name = name
    self.form = form
    self.aliases = aliases
  }
}

/// A kernel tracepoint that the tool knows: its name and the payload words that a row carries.
///
/// Words stand in the order of ``fields``. A field that the recording kernel lacks holds
/// ``EventBatch/absent``.
public struct Tracepoint: Sendable {
  /// What it means.
  public let kind: EventKind
  /// The subsystem (`tlb`).
  public let system: String
  /// The event's name in its subsystem (`tlb_flush`).
  public let name: String
  /// Other names of the same event (`mm_vmscan_writepage` before it became `write_folio`).
  public let formerNames: [String]
  /// The payload, a word each, in this order.
  public let fields: [TracepointField]

  init(
    _ kind: EventKind, _ system: String, _ name: String, formerNames: [String] = [],
    _ fields: [TracepointField] = []
  ) {
    self.kind = kind
    self.system = system
    self.name = name
    self.formerNames = formerNames
    self.fields = fields
  }

  /// Every tracepoint the tool decodes; `all[kind.rawValue].kind == kind`.
  ///
  /// To add one: a case in ``EventKind``, a line in its family's file, and a family's list here.
  public static let all: [Tracepoint] = {
    let families = [
      tlb, migrate, kmem, pagemap, filemap, vmscan, exceptions, interprocessor, sched, mmap, signal,
      syscalls, ftrace,
    ]
    let sorted = families.flatMap { $0 }.sorted { $0.kind.rawValue < $1.kind.rawValue }
    precondition(
      sorted.map(\.kind) == EventKind.allCases, "each event kind needs exactly one tracepoint")
    return sorted
  }()

  /// The tracepoint of a kind.
  public static func of(_ kind: EventKind) -> Tracepoint { all[Int(kind.rawValue)] }
}
