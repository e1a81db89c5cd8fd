public import TraceEvents

/// One event to be written: a row of an ``EventBatch`` with the record head that a batch leaves out.
public struct TraceRow {
  /// The most payload words; ``Tracepoint/fields`` of no tracepoint has more.
  public static var wordsMax: Int { 8 }

  /// What happened; of no account where ``other`` is set.
  public var kind: EventKind
  /// An event that the tool knows nothing of but its name: one more than its place among those that
  /// were declared, 0 for a known one.
  public var other: UInt16 = 0
  /// Where.
  public var cpu: UInt16
  /// Thread that ran, 0 for the idle task.
  public var task: Int32
  /// `common_flags`: 1 interrupts off, 4 need resched, 8 hard interrupt, 0x10 soft interrupt.
  public var flags: UInt8 = 0
  /// `common_preempt_count`: low four bits preemption depth, high four migrate-disable depth.
  public var preemptCount: UInt8 = 0
  /// Nanoseconds of the trace clock.
  public var time: UInt64
  /// Payload in the order of ``Tracepoint/fields``. A text is an index into ``TraceNames/texts``, a
  /// function an address or ``FunctionName/flushTLBFunction``, a CPU mask the bits of CPUs 0 to 63.
  public var words = InlineArray<8, UInt64>(repeating: 0)

  /// A row without payload.
  public init(_ kind: EventKind, cpu: UInt16, task: Int32, time: UInt64) {
    self.kind = kind
    self.cpu = cpu
    self.task = task
    self.time = time
  }

  /// A row with `payload` in its first words.
  public init(_ kind: EventKind, cpu: UInt16, task: Int32, time: UInt64, _ payload: UInt64...) {
    precondition(payload.count <= Self.wordsMax)
    self.init(kind, cpu: cpu, task: task, time: time)
    for (slot, word) in payload.enumerated() { words[slot] = word }
  }
}

/// A kernel function of the traced machine.
public struct KernelSymbol: Sendable, Equatable {
  /// First byte.
  public let address: UInt64
  /// Bytes, for the `+0x20/0x60` of call sites.
  public let size: UInt64
  /// Its name.
  public let name: String

  /// A function.
  public init(_ address: UInt64, _ size: UInt64, _ name: String) {
    self.address = address
    self.size = size
    self.name = name
  }
}

/// What a trace says about numbers: the names of tasks, of functions, and the texts of its rows.
public struct TraceNames: Sendable {
  /// `comm` by thread id; at most 15 bytes each are kept.
  public var tasks: [(task: Int32, name: String)]
  /// Functions in the order of their addresses; one is called `flush_tlb_func`.
  public var symbols: [KernelSymbol]
  /// What text words index.
  public var texts: [String]
  /// The text of /proc/kallsyms in place of ``symbols``, where the whole is at hand.
  public var kallsymsText: String?

  /// Names for a trace.
  public init(
    tasks: [(task: Int32, name: String)] = [], symbols: [KernelSymbol] = Self.kernelSymbols,
    texts: [String] = []
  ) {
    precondition(zip(symbols, symbols.dropFirst()).allSatisfy { $0.address < $1.address })
    self.tasks = tasks
    self.symbols = symbols
    self.texts = texts
  }

  /// Functions that shootdown events name, at addresses of a kernel without address randomisation.
  public static let kernelSymbols = [
    KernelSymbol(0xffff_ffff_8100_0000, 0x1000, "_stext"),
    KernelSymbol(0xffff_ffff_8109_0000, 0x200, "flush_tlb_func"),
    KernelSymbol(0xffff_ffff_8109_1000, 0x60, "native_flush_tlb_multi"),
    KernelSymbol(0xffff_ffff_811a_0000, 0x60, "on_each_cpu_cond_mask"),
    KernelSymbol(0xffff_ffff_811a_1000, 0x400, "smp_call_function_many_cond"),
    KernelSymbol(0xffff_ffff_8200_0000, 0x1000, "_etext"),
  ]

  /// Where `flush_tlb_func` starts, 0 when no symbol has that name.
  var flushFunctionAddress: UInt64 {
    symbols.first { $0.name == FunctionName.flushTLBFunctionSymbol }?.address ?? 0
  }

  /// `/proc/kallsyms`: address, type, name.
  var kallsyms: String {
    if let kallsymsText { return kallsymsText }
    return symbols.reduce(into: "") { text, symbol in
      text += "\(hexadecimal(symbol.address, width: 16)) t \(symbol.name)\n"
    }
  }

  /// `saved_cmdlines`: thread id, name.
  var savedCommandLines: String {
    tasks.reduce(into: "") { $0 += "\($1.task) \($1.name)\n" }
  }
}

func hexadecimal(_ value: UInt64, width: Int) -> String {
  let digits = String(value, radix: 16)
  return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
