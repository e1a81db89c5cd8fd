/// The TLB row of two `/proc/interrupts` snapshots around a traced window.
public struct RecordedTLBRow: Sendable, Equatable {
  /// TLB shootdown interrupts received between the snapshots, by CPU number.
  public var perCPU: [UInt64]
  /// The kernel's label width (`prec` in `kernel/irq/proc.c`): 3 below 1000 interrupts.
  public var labelWidth: Int

  /// A row.
  public init(perCPU: [UInt64], labelWidth: Int) {
    self.perCPU = perCPU
    self.labelWidth = labelWidth
  }
}
