import FuzzSupport

/// trace.dat of versions 6 and 7.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  FuzzRun.trace(data, count, magics: [[0x17, 0x08, 0x44]])
}
