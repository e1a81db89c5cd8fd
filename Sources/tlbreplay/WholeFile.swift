import TraceFiles

#if canImport(Glibc)
  import Glibc
#endif

/// Files that are read into memory whole, and may have so many bytes.
enum WholeFile {
  /// The rest of an open file that is called `path`; nil where `isFit` says no of what is read so far.
  /// More than `mebibytesMax` mebibytes are no `expected`.
  static func read(
    _ descriptor: Int32, _ path: String, mebibytesMax: Int, expected: String,
    while isFit: ([UInt8]) -> Bool = { _ in true }
  ) throws(TraceError) -> [UInt8]? {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let got = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
      if got < 0, errno == EINTR { continue }
      guard got >= 0 else {
        throw TraceError("cannot be read: \(String(cString: strerror(errno)))", file: path)
      }
      if got == 0 { return bytes }
      bytes += chunk[..<got]
      if !isFit(bytes) { return nil }
      guard bytes.count <= mebibytesMax << 20 else {
        throw TraceError("is larger than \(mebibytesMax) MiB: expected \(expected)", file: path)
      }
    }
  }
}
