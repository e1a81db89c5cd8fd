/// Payload slot of `ftrace:print`, which a write to `trace_marker` makes.
public enum PrintMark {
  /// The text written, without its final line end.
  public static let text = 0
}

extension Tracepoint {
  /// Linux 6.12 `kernel/trace/trace_entries.h`. Kernel text and trace-cmd call the print event by
  /// other names (`tracing_mark_write`), and print stacks as `<stack trace>`.
  static let ftrace = [
    Tracepoint(
      .print, "ftrace", "print", formerNames: ["tracing_mark_write"],
      [TracepointField("buf", .text)]),
    Tracepoint(.kernelStack, "ftrace", "kernel_stack"),
    Tracepoint(.userStack, "ftrace", "user_stack"),
  ]
}
