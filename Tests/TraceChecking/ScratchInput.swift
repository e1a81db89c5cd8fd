import TraceEvents
import TraceFiles

#if canImport(Glibc)
  import Glibc
#endif

/// What mkstemp(3) and mkdtemp(3) replace.
private let letters = String(repeating: "X", count: 6)

/// Bytes as an unlinked file that can be opened by path, again and again with other bytes.
public final class ScratchInput {
  private let descriptor: Int32

  /// An empty file in `parent`; nil if the system refuses it.
  public init?(in parent: String) {
    var template = Array("\(parent)/trace-\(letters)".utf8CString)
    descriptor = mkstemp(&template)
    if descriptor < 0 { return nil }
    unlink(template)
  }

  deinit { close(descriptor) }

  /// Where it can be opened.
  public var path: String { "/proc/self/fd/\(descriptor)" }

  /// Replaces what is in it.
  public func write(_ bytes: UnsafeRawBufferPointer) throws {
    guard ftruncate(descriptor, 0) == 0,
      pwrite(descriptor, bytes.baseAddress, bytes.count, 0) == bytes.count
    else { throw BrokenInvariant("the scratch file cannot be written") }
  }
}

/// A capture directory packed into one run of bytes: `interrupts.before`, `interrupts.after` and the
/// trace, with two bytes 0x1e between them.
public final class ScratchCapture {
  private let directory: String
  private static let names = ["interrupts.before", "interrupts.after", "trace.dat"]

  /// An empty directory in `parent`; nil if the system refuses it.
  public init?(in parent: String) {
    var template = Array("\(parent)/capture-\(letters)".utf8CString)
    guard let made = mkdtemp(&template) else { return nil }
    directory = String(cString: made)
  }

  deinit {
    for name in Self.names { unlink("\(directory)/\(name)") }
    rmdir(directory)
  }

  /// Unpacks `bytes` and checks the capture; nil if they are no packed capture.
  public func check(_ bytes: UnsafeRawBufferPointer) throws -> CheckedInput? {
    guard let parts = Self.parts(bytes) else { return nil }
    for (name, part) in zip(Self.names, parts) {
      let file = open("\(directory)/\(name)", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
      guard file >= 0 else { throw BrokenInvariant("the scratch directory cannot be written") }
      defer { close(file) }
      guard Glibc.write(file, part.baseAddress, part.count) == part.count else {
        throw BrokenInvariant("the scratch directory cannot be written")
      }
    }
    guard let capture = try CaptureDirectory(directory) else {
      throw BrokenInvariant("a directory is taken for a file")
    }
    guard capture.tlbRow != nil || capture.problem != nil else {
      throw BrokenInvariant("there are snapshots, but neither a row nor a reason")
    }
    guard capture.tlbRow.map({ $0.perCPU.count <= 8192 }) ?? true else {
      throw BrokenInvariant("a TLB row wider than any machine")
    }
    return try InputCheck.check(capture.trace)
  }

  private static func parts(_ bytes: UnsafeRawBufferPointer) -> [UnsafeRawBufferPointer]? {
    var parts: [UnsafeRawBufferPointer] = []
    var start = 0
    var at = 0
    while parts.count < 2 {
      guard at + 1 < bytes.count else { return nil }
      if bytes[at] == 0x1e, bytes[at + 1] == 0x1e {
        parts.append(UnsafeRawBufferPointer(rebasing: bytes[start..<at]))
        at += 2
        start = at
      } else {
        at += 1
      }
    }
    return parts + [UnsafeRawBufferPointer(rebasing: bytes[start...])]
  }
}
