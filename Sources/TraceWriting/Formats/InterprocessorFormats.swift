import TraceEvents

extension EventFormat {
  /// Linux 6.12 x86-64: `include/trace/events/csd.h`, `ipi.h`,
  /// `arch/x86/include/asm/trace/irq_vectors.h`.
  static let interprocessor: [EventFormat] = [
    EventFormat(
      .csdFunctionEntry, id: 481,
      [
        FieldLayout("void * func", 8, 8),
        FieldLayout("void * csd", 16, 8),
      ],
      printFormat: #"""
        "func=%ps, csd=%p", REC->func, REC->csd
        """#),
    EventFormat(
      .csdFunctionExit, id: 480,
      [
        FieldLayout("void * func", 8, 8),
        FieldLayout("void * csd", 16, 8),
      ],
      printFormat: #"""
        "func=%ps, csd=%p", REC->func, REC->csd
        """#),
    EventFormat(
      .csdQueueCPU, id: 482,
      [
        FieldLayout("unsigned int cpu", 8, 4),
        FieldLayout("void * callsite", 16, 8),
        FieldLayout("void * func", 24, 8),
        FieldLayout("void * csd", 32, 8),
      ],
      printFormat: #"""
        "cpu=%u callsite=%pS func=%ps csd=%p", REC->cpu, REC->callsite, REC->func, REC->csd
        """#),
    EventFormat(
      .ipiSendCPU, id: 288,
      [
        FieldLayout("unsigned int cpu", 8, 4),
        FieldLayout("void * callsite", 16, 8),
        FieldLayout("void * callback", 24, 8),
      ],
      printFormat: #"""
        "cpu=%u callsite=%pS callback=%pS", REC->cpu, REC->callsite, REC->callback
        """#),
    EventFormat(
      .ipiSendCPUMask, id: 287,
      [
        FieldLayout("__data_loc cpumask_t cpumask", 8, 4),
        FieldLayout("void * callsite", 16, 8),
        FieldLayout("void * callback", 24, 8),
      ],
      printFormat: #"""
        "cpumask=%s callsite=%pS callback=%pS", __get_cpumask(cpumask), REC->callsite, \#
        REC->callback
        """#),
    EventFormat(
      .callFunctionEntry, id: 80,
      [
        FieldLayout("int vector", 8, 4, signed: true)
      ],
      printFormat: #"""
        "vector=%d", REC->vector
        """#),
    EventFormat(
      .callFunctionExit, id: 79,
      [
        FieldLayout("int vector", 8, 4, signed: true)
      ],
      printFormat: #"""
        "vector=%d", REC->vector
        """#),
    EventFormat(
      .callFunctionSingleEntry, id: 78,
      [
        FieldLayout("int vector", 8, 4, signed: true)
      ],
      printFormat: #"""
        "vector=%d", REC->vector
        """#),
    EventFormat(
      .callFunctionSingleExit, id: 77,
      [
        FieldLayout("int vector", 8, 4, signed: true)
      ],
      printFormat: #"""
        "vector=%d", REC->vector
        """#),
  ]
}
