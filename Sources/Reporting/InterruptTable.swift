/// Rows in the exact layout of /proc/interrupts.
///
/// Linux 6.12 `kernel/irq/proc.c` and `arch/x86/kernel/irq.c`: the header is `prec + 8` blanks and
/// then `CPU%-8d` for each CPU; a row is the label right-aligned in `prec` columns, a colon, a blank,
/// `%10u ` for each CPU, then two blanks and the text. Counters are 64 bits wide here: the kernel's
/// wrap at 4,294,967,295.
public struct InterruptTable: Sendable {
  /// One row.
  public struct Row: Sendable {
    /// What stands above it, on a line of its own.
    public var caption: String?
    /// `TLB`.
    public var label: String
    /// Counts by CPU; a residual may be negative.
    public var counts: [Int64]
    /// `TLB shootdowns`.
    public var text: String

    /// A row.
    public init(caption: String? = nil, label: String = "TLB", counts: [Int64], text: String) {
      self.caption = caption
      self.label = label
      self.counts = counts
      self.text = text
    }
  }

  /// `prec`: the width of the label.
  public var labelWidth: Int
  /// CPUs in the header.
  public var cpus: Int
  /// The rows.
  public var rows: [Row]

  /// A table of `rows`.
  public init(labelWidth: Int, cpus: Int, rows: [Row]) {
    self.labelWidth = labelWidth
    self.cpus = cpus
    self.rows = rows
  }

  /// The header line, with the trailing blanks that the kernel prints.
  public var header: String {
    var line = String(repeating: " ", count: labelWidth + 8)
    for cpu in 0..<cpus { line += "CPU" + padded("\(cpu)", right: 8) }
    return line
  }

  /// A row as the kernel prints it.
  public func line(_ row: Row) -> String {
    var line = padded(row.label, left: labelWidth) + ": "
    for count in row.counts { line += padded("\(count)", left: 10) + " " }
    return line + "  " + row.text
  }
}

/// `text` with blanks before it up to `width`.
func padded(_ text: String, left width: Int) -> String {
  String(repeating: " ", count: max(0, width - text.count)) + text
}

/// `text` with blanks behind it up to `width`.
func padded(_ text: String, right width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - text.count))
}
