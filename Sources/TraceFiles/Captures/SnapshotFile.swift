import TraceEvents

#if canImport(Glibc)
  import Glibc
#endif

/// A copy of a /proc file in a capture directory, plain or compressed as a whole.
enum SnapshotFile {
  /// A snapshot longer than this is no /proc file.
  static let sizeMax = 64 << 20

  /// The path of `stem` in `directory`, as it is or with `.gz` or `.zst`; nil without it.
  static func path(_ directory: String, _ names: [String], _ stem: String) -> String? {
    ["", ".zst", ".gz"].map { stem + $0 }.first(where: names.contains).map { "\(directory)/\($0)" }
  }

  /// The text of the file at `path`.
  static func text(_ path: String) throws(TraceError) -> String {
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw TraceError("cannot be opened: \(String(cString: strerror(errno)))", file: path)
    }
    defer { close(descriptor) }
    do throws(TraceError) {
      let file = try MappedFile(descriptor: descriptor)
      guard file.bytes.count <= sizeMax else { throw tooLarge }
      guard let compression = try Compression.recognise(file.bytes) else { return file.bytes.text }
      return try decompressed(file.bytes, compression)
    } catch {
      var named = error
      named.file = path
      throw named
    }
  }

  private static var tooLarge: TraceError {
    TraceError("is too large for a copy of a /proc file")
  }

  /// All of it or nothing: a snapshot without its end would hide nodes.
  private static func decompressed(
    _ input: ByteView, _ compression: Compression
  ) throws(TraceError) -> String {
    let decompressor = try Decompressor(compression)
    let chunk = OwnedBytes(count: 1 << 18)
    var text: [UInt8] = []
    var consumed = 0
    var ended = false
    while true {
      let step = try decompressor.step(input.suffix(from: consumed), into: chunk.buffer)
      consumed += step.consumed
      ended = step.frameEnded
      text.append(contentsOf: chunk.buffer[..<step.produced])
      guard text.count <= sizeMax else { throw tooLarge }
      if consumed >= input.count && step.produced < chunk.buffer.count { break }
      if step.consumed == 0 && step.produced == 0 { break }
    }
    guard ended else {
      throw TraceError("the compressed data ends in the middle of a frame", at: consumed)
    }
    return String(decoding: text, as: UTF8.self)
  }
}
