#if canImport(Glibc)
  import Glibc
#endif

/// Reads whole small files.
enum SymbolFile {
  /// A kallsyms of a kernel with all its modules has some 20 MB.
  static let bytesMax = 1 << 28

  /// Whether there is something at `path`.
  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// The content of `path`; files of /proc tell no size, so it is read to its end.
  static func bytes(_ path: String) throws(SymbolError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw SymbolError("cannot be opened: \(String(cString: strerror(errno)))", in: path)
    }
    defer { close(descriptor) }
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      let got = read(descriptor, &buffer, buffer.count)
      if got == 0 { return content }
      if got < 0 {
        if errno == EINTR { continue }
        throw SymbolError(
          "cannot be read: \(String(cString: strerror(errno)))", in: path, at: content.count)
      }
      content.append(contentsOf: buffer[..<got])
      guard content.count <= bytesMax else {
        throw SymbolError(
          "has more than \(bytesMax) bytes: expected kernel symbols", in: path, at: bytesMax)
      }
    }
  }
}
