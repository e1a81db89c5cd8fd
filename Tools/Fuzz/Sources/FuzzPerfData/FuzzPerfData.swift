import FuzzSupport

/// perf.data, of files and of pipes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  FuzzRun.trace(data, count, magics: [Array("PERFILE2".utf8), Array("2ELIFREP".utf8)])
}
