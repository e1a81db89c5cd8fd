import TraceEvents

#if canImport(Glibc)
  import Glibc
#endif

/// The TLB row of one copy of /proc/interrupts.
///
///                CPU0       CPU1
///     TLB:       8705       8134   TLB shootdowns
///
/// Linux 6.12 `kernel/irq/proc.c` and `arch/x86/kernel/irq.c`: only online CPUs have a column, the
/// header says which; the label is right-aligned in `prec` columns; counters are 32 bits wide.
struct InterruptSnapshot {
  /// A snapshot longer than this is no /proc file.
  static let sizeMax = 64 << 20

  private let path: String
  /// CPU number of each column.
  private let cpus: [Int]
  private let counts: [UInt64]
  private let labelWidth: Int

  init(_ path: String) throws(TraceError) {
    self.path = path
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw TraceError("cannot be opened: \(String(cString: strerror(errno)))", file: path)
    }
    defer { close(descriptor) }
    let file = try MappedFile(descriptor: descriptor)
    guard file.bytes.count <= Self.sizeMax else {
      throw TraceError("is too large for a copy of /proc/interrupts", file: path)
    }
    // A carriage return and its newline are one Character.
    let lines = file.bytes.text.split(whereSeparator: \.isNewline)
    guard let header = lines.first, header.trimmed.hasPrefix("CPU"),
      let row = lines.first(where: { $0.trimmed.hasPrefix("TLB:") })
    else {
      throw TraceError(
        "expected a copy of /proc/interrupts with a CPU header and a TLB row", file: path)
    }
    cpus = header.split(whereSeparator: \.isWhitespace).compactMap { Int($0.dropFirst(3)) }
    counts = row.split(whereSeparator: \.isWhitespace).dropFirst().prefix(cpus.count).compactMap {
      UInt64($0)
    }
    // The header is indented by prec + 8.
    labelWidth = max(3, header.prefix { $0 == " " }.count - 8)
    guard counts.count == cpus.count, cpus.allSatisfy({ (0..<8192).contains($0) }) else {
      throw TraceError("the TLB row has \(counts.count) counts for \(cpus.count) CPUs", file: path)
    }
  }

  func tlbRow(since before: InterruptSnapshot) throws(TraceError) -> RecordedTLBRow {
    guard before.cpus == cpus else {
      throw TraceError("the CPUs online differ from those of \(before.path)", file: path)
    }
    var row = [UInt64](repeating: 0, count: (cpus.max() ?? -1) + 1)
    for (column, cpu) in cpus.enumerated() {
      // 32-bit counters: a smaller count has wrapped once.
      row[cpu] = UInt64(UInt32(truncatingIfNeeded: counts[column] &- before.counts[column]))
    }
    return RecordedTLBRow(perCPU: row, labelWidth: labelWidth)
  }
}
