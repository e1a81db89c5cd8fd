import TraceEvents

#if canImport(Glibc)
  import Glibc
#endif

/// An input that can be read as often as needed: a file, standard input, a capture directory's trace.
///
/// Opening finds out what it is, by content. Standard input that cannot be mapped, and a whole binary
/// trace that is compressed, go to an unlinked temporary file first (in `$TMPDIR` or `/tmp`).
public final class TraceInput {
  /// What the user called it.
  public let name: String
  let files: [TraceFilePart]
  private let compression: Compression?
  private let format: TraceFormat

  /// Opens `path`; `-` is standard input.
  public init(_ path: String) throws(TraceError) {
    name = path == "-" ? "standard input" : path
    do {
      let opened = try Self.open(path)
      files = opened.files
      compression = opened.compression
      format = opened.format
    } catch {
      var named = error
      named.file = name
      throw named
    }
  }

  /// A reader from the first event on.
  public func makeReader(_ request: ReadRequest) throws(TraceError) -> any TraceReader {
    do {
      return try format.makeReader(files, compression, request)
    } catch {
      var named = error
      named.file = name
      throw named
    }
  }

  private static func open(_ path: String) throws(TraceError)
    -> (files: [TraceFilePart], compression: Compression?, format: TraceFormat)
  {
    if path != "-", let parts = try PerfDataDirectory.parts(path) {
      return (parts, nil, .perfDataDirectory)
    }
    let file = try mapInput(path)
    guard file.bytes.count > 0 else { throw TraceError("is empty: expected a trace", at: 0) }
    guard let compression = try Compression.recognise(file.bytes) else {
      let format = try TraceFormat.recognise(file.bytes)
      return ([TraceFilePart(name: path, file: file)], nil, format)
    }
    let head = try Spool.head(of: file.bytes, compression: compression)
    let format = try TraceFormat.recognise(head.bytes)
    guard format.isBinary else {
      return ([TraceFilePart(name: path, file: file)], compression, format)
    }
    let (whole, damage) = try Spool.decompressed(file.bytes, compression: compression)
    return (
      [TraceFilePart(name: path, file: whole, compressionDamage: damage)], compression, format
    )
  }

  static func mapInput(_ path: String) throws(TraceError) -> MappedFile {
    if path == "-" {
      var status = stat()
      if fstat(STDIN_FILENO, &status) == 0, status.st_mode & S_IFMT == S_IFREG {
        return try MappedFile(descriptor: STDIN_FILENO)
      }
      return try Spool.copied(from: STDIN_FILENO)
    }
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw TraceError("cannot be opened: \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw TraceError("cannot be examined: \(String(cString: strerror(errno)))")
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return try MappedFile(descriptor: descriptor)
    case S_IFDIR:
      throw TraceError(
        "is a directory without a trace: expected trace.dat*, perf.data* or trace.txt*")
    default: return try Spool.copied(from: descriptor)
    }
  }
}

/// One mapped file of an input; only perf's directory form has more than one.
struct TraceFilePart {
  /// Its path.
  let name: String
  /// Its bytes, decompressed.
  let file: MappedFile
  /// Where and why decompression of the whole file stopped early.
  var compressionDamage: TraceError?
}

extension TraceInput {
  /// Files that are read whole have at most so many bytes, unpacked: a kallsyms has some 20 MB.
  private static let contentMax = 1 << 28

  /// The content of a small file, unpacked if it is gzip or zstd compressed.
  public static func content(ofFile path: String) throws(TraceError) -> [UInt8] {
    let file = try mapInput(path)
    guard file.bytes.count > 0 else { return [] }
    var whole = file
    if let compression = try Compression.recognise(file.bytes) {
      let (unpacked, damage) = try Spool.decompressed(file.bytes, compression: compression)
      if let damage { throw damage }
      whole = unpacked
    }
    guard whole.bytes.count <= contentMax else {
      throw TraceError("has more than \(contentMax) bytes", at: contentMax)
    }
    return Array(UnsafeRawBufferPointer(start: whole.bytes.start, count: whole.bytes.count))
  }
}
