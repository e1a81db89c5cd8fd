/// Payload slots of `tlb:tlb_flush`.
public enum TLBFlush {
  /// Why: see ``FlushReason``.
  public static let reason = 0
  /// How much: -1 everything, 0 nothing was left to flush, else pages. Reasons 1 to 3 count in the
  /// mapping's stride, reason 4 in 4 KiB pages (Linux 6.12 `arch/x86/mm/tlb.c`).
  public static let pages = 1
}

extension Tracepoint {
  /// Linux 6.12 `include/trace/events/tlb.h`. Newer kernels spell some reasons differently, so text
  /// readers must take the number in parentheses.
  static let tlb = [
    Tracepoint(
      .tlbFlush, "tlb", "tlb_flush", [TracepointField("reason"), TracepointField("pages")])
  ]
}
