public import TraceEvents

/// What an access stream holds, which decides what can be made of it.
public enum AccessSource: String, Sendable {
  /// Every access in program order: reuse times are exact.
  case lackey
  /// Addresses sampled by period: how popular each page is, not when it comes back.
  case samples
}

/// What the reader of an access stream met so far.
public struct AccessStatistics: Sendable {
  /// Lines, or samples, read.
  public var records = 0
  /// Bytes of (decompressed) input read.
  public var bytesRead = 0
  /// Findings: skipped lines by kind, damage.
  public var ingest = IngestStatistics()

  /// Nothing read.
  public init() {}
}

/// Turns an access stream into batches of page accesses.
///
/// Contract: `next` replaces what `batch` held with the next accesses, some
/// ``accessesPerBatch``; it returns false, with an empty batch, at the end. Lines that are no
/// accesses are counted in `statistics`, by kind; input without a single access throws.
public protocol AccessReader {
  /// What the stream can tell.
  var source: AccessSource { get }
  /// What was read, skipped and damaged so far.
  var statistics: AccessStatistics { get }
  /// Fills `batch` with the next accesses.
  mutating func next(into batch: inout [PageAccess]) throws(TraceError) -> Bool
}

/// Accesses that a batch has about; it stays in a 1 MiB second-level cache.
public let accessesPerBatch = 1 << 16
