import TraceFiles

#if canImport(Glibc)
  import Glibc
#endif

/// The text of a JSON file of runs, told from traces by its first character.
enum RunText {
  /// What a file of runs may have; a trace of gigabytes is not read into memory.
  static let mebibytesMax = 64

  /// The text of `path`; nil if it is no regular file that begins like a JSON object.
  static func read(_ path: String) throws(TraceError) -> String? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    let read = try WholeFile.read(
      descriptor, path, mebibytesMax: mebibytesMax, expected: "a JSON file of runs", while: begins)
    guard let bytes = read else { return nil }
    return begins(bytes) ? String(decoding: bytes, as: UTF8.self) : nil
  }

  private static func begins(_ bytes: [UInt8]) -> Bool {
    let blanks: Set<UInt8> = [0x20, 0x09, 0x0a, 0x0d]
    return bytes.first { !blanks.contains($0) } == UInt8(ascii: "{")
  }
}
