import TraceEvents

#if canImport(Glibc)
  import Glibc
#endif

/// A file mapped read-only for as long as somebody refers to it.
///
/// A class because views into it must keep it alive. A file that another process truncates while it
/// is mapped raises SIGBUS: the same hazard that `perf` and `trace-cmd` live with.
final class MappedFile {
  /// The whole file.
  let bytes: ByteView
  private let mappedLength: Int

  /// Maps the file behind `descriptor`, which the caller may close afterwards.
  init(descriptor: Int32) throws(TraceError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw TraceError("cannot be examined: \(String(cString: strerror(errno)))")
    }
    let length = Int(status.st_size)
    mappedLength = length
    guard length > 0 else {
      bytes = ByteView(start: UnsafeRawPointer(bitPattern: 16).unsafelyUnwrapped, count: 0)
      return
    }
    guard let start = mmap(nil, length, PROT_READ, MAP_PRIVATE, descriptor, 0),
      start != MAP_FAILED
    else {
      throw TraceError("cannot be mapped: \(String(cString: strerror(errno)))")
    }
    bytes = ByteView(start: UnsafeRawPointer(start), count: length)
  }

  /// Tells the kernel that `range` will be read front to back, once.
  func adviseSequential() {
    guard mappedLength > 0 else { return }
    _ = madvise(UnsafeMutableRawPointer(mutating: bytes.start), mappedLength, MADV_SEQUENTIAL)
  }

  deinit {
    if mappedLength > 0 {
      munmap(UnsafeMutableRawPointer(mutating: bytes.start), mappedLength)
    }
  }
}
