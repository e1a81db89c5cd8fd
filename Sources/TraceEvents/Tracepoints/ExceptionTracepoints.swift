/// Payload slots of `exceptions:page_fault_user` and `page_fault_kernel`.
public enum PageFault {
  /// Faulting address (text of a kernel address is a symbol: absent then).
  public static let address = 0
  /// Instruction pointer.
  public static let ip = 1
  /// x86 error code: 1 present, 2 write, 4 user, 8 reserved bit, 0x10 instruction fetch.
  public static let errorCode = 2
}

extension Tracepoint {
  /// Linux 6.12 `arch/x86/include/asm/trace/exceptions.h`.
  static let exceptions = [
    Tracepoint(
      .pageFaultUser, "exceptions", "page_fault_user",
      [TracepointField("address"), TracepointField("ip"), TracepointField("error_code")]),
    Tracepoint(
      .pageFaultKernel, "exceptions", "page_fault_kernel",
      [TracepointField("address"), TracepointField("ip"), TracepointField("error_code")]),
  ]
}
