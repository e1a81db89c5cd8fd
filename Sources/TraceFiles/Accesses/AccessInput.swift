import TraceEvents

/// A file or standard input with an access stream, recognised by content, never by name.
public final class AccessInput {
  /// What the user called it.
  public let name: String
  private let file: MappedFile
  private let compression: Compression?
  private let isPerfData: Bool
  private var damage: TraceError?

  /// Opens `path`; `-` is standard input.
  public init(_ path: String) throws(TraceError) {
    name = path == "-" ? "standard input" : path
    do throws(TraceError) {
      let mapped = try TraceInput.mapInput(path)
      guard mapped.bytes.count > 0 else {
        throw TraceError("is empty: expected an access stream", at: 0)
      }
      compression = try Compression.recognise(mapped.bytes)
      isPerfData = try Self.isPerfData(mapped, compression)
      // perf.data is read at random, text front to back.
      guard isPerfData, let compression else {
        file = mapped
        return
      }
      (file, damage) = try Spool.decompressed(mapped.bytes, compression: compression)
    } catch {
      var named = error
      named.file = name
      throw named
    }
  }

  /// A reader from the first access on.
  public func makeReader() throws(TraceError) -> any AccessReader {
    do throws(TraceError) {
      guard isPerfData else {
        return LackeyReader(try TextInput(file, compression: compression), name: name)
      }
      return try PerfAddressReader(
        TraceFilePart(name: name, file: file, compressionDamage: damage), name: name)
    } catch {
      var named = error
      named.file = name
      throw named
    }
  }

  private static func isPerfData(_ file: MappedFile, _ compression: Compression?)
    throws(TraceError) -> Bool
  {
    guard let compression else { return try isPerfData(file.bytes) }
    let head = try Spool.head(of: file.bytes, compression: compression)
    defer { withExtendedLifetime(head) {} }
    return try isPerfData(head.bytes)
  }

  private static func isPerfData(_ head: ByteView) throws(TraceError) -> Bool {
    if head.hasPrefix("PERFILE2") || head.hasPrefix("2ELIFREP") { return true }
    switch LackeyLine.survey(head) {
    case .accesses: return false
    case .lackeyWithoutAccesses:
      throw TraceError(
        "is Valgrind lackey text without memory accesses: run lackey with --trace-mem=yes", at: 0)
    case .foreign:
      throw TraceError(
        """
        is no access stream that this tool knows: expected Valgrind lackey text \
        (lines like "I  0401ab70,3" and " S 1fff000678,8") or perf.data with sampled addresses, \
        maybe gzip or zstd compressed
        """, at: 0)
    }
  }
}
