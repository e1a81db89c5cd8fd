import TraceEvents

extension EventFormat {
  /// Linux 6.12 x86-64: `include/trace/events/tlb.h`.
  static let tlb: [EventFormat] = [
    EventFormat(
      .tlbFlush, id: 684,
      [
        FieldLayout("int reason", 8, 4, signed: true),
        FieldLayout("unsigned long pages", 16, 8),
      ],
      printFormat: #"""
        "pages:%ld reason:%s (%d)", REC->pages, __print_symbolic(REC->reason, { 0, \#
        "flush on task switch" }, { 1, "remote shootdown" }, { 2, "local shootdown" }, { 3, \#
        "local mm shootdown" }, { 4, "remote ipi send" }), REC->reason
        """#)
  ]
}
