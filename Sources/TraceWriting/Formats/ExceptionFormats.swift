import TraceEvents

extension EventFormat {
  /// Linux 6.12 x86-64: `arch/x86/include/asm/trace/exceptions.h`.
  static let exceptions: [EventFormat] = [
    EventFormat(
      .pageFaultKernel, id: 122,
      [
        FieldLayout("unsigned long address", 8, 8),
        FieldLayout("unsigned long ip", 16, 8),
        FieldLayout("unsigned long error_code", 24, 8),
      ],
      printFormat: #"""
        "address=%ps ip=%ps error_code=0x%lx", (void *)REC->address, (void *)REC->ip, \#
        REC->error_code
        """#),
    EventFormat(
      .pageFaultUser, id: 123,
      [
        FieldLayout("unsigned long address", 8, 8),
        FieldLayout("unsigned long ip", 16, 8),
        FieldLayout("unsigned long error_code", 24, 8),
      ],
      printFormat: #"""
        "address=%ps ip=%ps error_code=0x%lx", (void *)REC->address, (void *)REC->ip, \#
        REC->error_code
        """#),
  ]
}
