import FuzzSupport

/// ftrace, trace-cmd report and perf script text.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  FuzzRun.text(data, count)
}
