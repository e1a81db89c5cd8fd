public import TraceEvents

/// A flush between two accesses of a stream.
public struct FlushMoment: Hashable, Sendable {
  /// Accesses of the stream before it.
  public var position: Int
  /// What it takes: all that is not global of the current PCID, or pages.
  public var range: FlushRange

  /// A flush.
  public init(position: Int, range: FlushRange = .all) {
    self.position = position
    self.range = range
  }
}

extension TranslationBuffers {
  /// Looks accesses up with flushes between them, recorded or of a policy; `flushes` is in order of
  /// position, and what lies behind the stream is done after it.
  public mutating func access(
    _ accesses: UnsafeBufferPointer<PageAccess>, flushes: [FlushMoment], thread: Int = 0,
    pages: PageMap = PageMap()
  ) {
    var done = 0
    for flush in flushes {
      let end = min(max(flush.position, done), accesses.count)
      access(
        UnsafeBufferPointer(rebasing: accesses[done..<end]), thread: thread, pages: pages)
      done = end
      self.flush(flush.range, thread: thread)
    }
    access(UnsafeBufferPointer(rebasing: accesses[done...]), thread: thread, pages: pages)
  }
}
