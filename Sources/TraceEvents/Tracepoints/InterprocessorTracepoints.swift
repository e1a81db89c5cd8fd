/// Payload slots of `csd:csd_queue_cpu`.
public enum CSDQueue {
  /// The CPU that will run the function.
  public static let cpu = 0
  /// Who queued it.
  public static let callsite = 1
  /// What will run: ``FunctionName/flushTLBFunction`` is a shootdown.
  public static let function = 2
  /// The call-single-data's address (hashed in kernel text).
  public static let csd = 3
}

/// Payload slots of `csd:csd_function_entry` and `csd_function_exit`.
public enum CSDFunction {
  /// What runs.
  public static let function = 0
  /// The call-single-data; 0 when the initiator runs the function itself, which no interrupt brought.
  public static let csd = 1
}

/// Payload slots of `ipi:ipi_send_cpu` and `ipi_send_cpumask`.
public enum IPISend {
  /// The target CPU, or of `ipi_send_cpumask` the target mask.
  public static let target = 0
  /// Who sent it.
  public static let callsite = 1
  /// What the interrupt will run, where the kernel tells.
  public static let callback = 2
}

/// Payload slot of the `irq_vectors` events.
public enum IRQVector {
  /// 251 single function call, 252 function call (Linux 6.12 `asm/irq_vectors.h`).
  public static let vector = 0
}

extension Tracepoint {
  private static let csdFields = [
    TracepointField("func", .function), TracepointField("csd", .hexadecimal),
  ]
  private static let sendFields = [
    TracepointField("callsite", .function), TracepointField("callback", .function),
  ]

  /// Linux 6.12 `include/trace/events/csd.h` and `ipi.h`, `arch/x86/include/asm/trace/irq_vectors.h`.
  static let interprocessor = [
    Tracepoint(
      .csdQueueCPU, "csd", "csd_queue_cpu",
      [TracepointField("cpu"), TracepointField("callsite", .function)] + csdFields),
    Tracepoint(.csdFunctionEntry, "csd", "csd_function_entry", csdFields),
    Tracepoint(.csdFunctionExit, "csd", "csd_function_exit", csdFields),
    Tracepoint(.ipiSendCPU, "ipi", "ipi_send_cpu", [TracepointField("cpu")] + sendFields),
    Tracepoint(
      .ipiSendCPUMask, "ipi", "ipi_send_cpumask",
      [TracepointField("cpumask", .cpuMask)] + sendFields),
    Tracepoint(
      .callFunctionEntry, "irq_vectors", "call_function_entry", [TracepointField("vector")]),
    Tracepoint(.callFunctionExit, "irq_vectors", "call_function_exit", [TracepointField("vector")]),
    Tracepoint(
      .callFunctionSingleEntry, "irq_vectors", "call_function_single_entry",
      [TracepointField("vector")]),
    Tracepoint(
      .callFunctionSingleExit, "irq_vectors", "call_function_single_exit",
      [TracepointField("vector")]),
  ]
}
