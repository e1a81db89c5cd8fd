import TraceFiles

#if canImport(Glibc)
  import Glibc
#endif

/// The text of a JSON file of runs, told from traces by its first character.
enum RunText {
  /// Bytes that a file of runs may have; a trace of gigabytes is not read into memory.
  static let bytesMax = 64 << 20

  /// The text of `path`; nil if it is no regular file that begins like a JSON object.
  static func read(_ path: String) throws(TraceError) -> String? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let got = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
      if got < 0, errno == EINTR { continue }
      guard got >= 0 else {
        throw TraceError("cannot be read: \(String(cString: strerror(errno)))", file: path)
      }
      if got == 0 { break }
      bytes += chunk[..<got]
      if !begins(bytes) { return nil }
      guard bytes.count <= bytesMax else {
        throw TraceError("is larger than 64 MiB: expected a JSON file of runs", file: path)
      }
    }
    return begins(bytes) ? String(decoding: bytes, as: UTF8.self) : nil
  }

  private static func begins(_ bytes: [UInt8]) -> Bool {
    let blanks: Set<UInt8> = [0x20, 0x09, 0x0a, 0x0d]
    return bytes.first { !blanks.contains($0) } == UInt8(ascii: "{")
  }
}
