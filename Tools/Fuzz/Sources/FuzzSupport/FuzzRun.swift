import TraceChecking

#if canImport(Glibc)
  import Glibc
#endif

/// One call from libFuzzer: 0 keeps an input that found something new, -1 never does.
///
/// The scratch file lives as long as the process: making one costs more than reading a small trace.
public enum FuzzRun {
  private nonisolated(unsafe) static let scratch = ScratchInput(in: "/dev/shm")
  private nonisolated(unsafe) static let capture = ScratchCapture(in: "/dev/shm")

  /// Checks a trace that begins with one of `magics`; other inputs are another target's.
  public static func trace(
    _ data: UnsafePointer<UInt8>?, _ count: Int, magics: [[UInt8]]
  ) -> CInt {
    let bytes = UnsafeRawBufferPointer(start: data, count: count)
    guard magics.contains(where: { bytes.starts(with: $0) }) else { return -1 }
    return file(bytes)
  }

  /// Checks a trace of any other form than a binary or compressed one.
  public static func text(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeRawBufferPointer(start: data, count: count)
    guard let first = bytes.first, first >= 0x09, first < 0x7f else { return -1 }
    return file(bytes)
  }

  /// Checks a packed capture directory.
  public static func capture(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let capture else { preconditionFailure("/dev/shm cannot be written") }
    return outcome { try capture.check(UnsafeRawBufferPointer(start: data, count: count)) != nil }
  }

  private static func file(_ bytes: UnsafeRawBufferPointer) -> CInt {
    guard let scratch else { preconditionFailure("/dev/shm cannot be written") }
    return outcome {
      try scratch.write(bytes)
      _ = try InputCheck.check(scratch.path)
      return true
    }
  }

  private static func outcome(_ body: () throws -> Bool) -> CInt {
    do {
      return try body() ? 0 : -1
    } catch {
      // libFuzzer saves the input of a process that dies.
      print("broken invariant: \(error)")
      fflush(nil)
      abort()
    }
  }
}
