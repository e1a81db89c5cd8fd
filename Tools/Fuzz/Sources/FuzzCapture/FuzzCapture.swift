import FuzzSupport

/// Capture directories: snapshots, and any trace, also compressed.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  FuzzRun.capture(data, count)
}
