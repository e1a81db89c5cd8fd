import TraceEvents

extension EventFormat {
  /// Linux 6.12 x86-64: `kernel/trace/trace_entries.h`.
  static let ftrace: [EventFormat] = [
    EventFormat(
      .kernelStack, id: 4,
      [
        FieldLayout("int size", 8, 4, signed: true),
        FieldLayout("unsigned long caller[8]", 16, 64),
      ],
      printFormat: #"""
        "\t=> %ps\n\t=> %ps\n\t=> %ps\n" "\t=> %ps\n\t=> %ps\n\t=> %ps\n" "\t=> %ps\n\t=> \#
        %ps\n", (void *)REC->caller[0], (void *)REC->caller[1], (void *)REC->caller[2], \#
        (void *)REC->caller[3], (void *)REC->caller[4], (void *)REC->caller[5], \#
        (void *)REC->caller[6], (void *)REC->caller[7]
        """#),
    EventFormat(
      .print, id: 5,
      [
        FieldLayout("unsigned long ip", 8, 8),
        FieldLayout("char buf[]", 16, 0),
      ],
      printFormat: #"""
        "%ps: %s", (void *)REC->ip, REC->buf
        """#),
    EventFormat(
      .userStack, id: 12,
      [
        FieldLayout("unsigned int tgid", 8, 4),
        FieldLayout("unsigned long caller[8]", 16, 64),
      ],
      printFormat: #"""
        "\t=> %ps\n\t=> %ps\n\t=> %ps\n" "\t=> %ps\n\t=> %ps\n\t=> %ps\n" "\t=> %ps\n\t=> \#
        %ps\n", (void *)REC->caller[0], (void *)REC->caller[1], (void *)REC->caller[2], \#
        (void *)REC->caller[3], (void *)REC->caller[4], (void *)REC->caller[5], \#
        (void *)REC->caller[6], (void *)REC->caller[7]
        """#),
  ]
}
