public import TraceEvents

/// One stream of accesses through simulated TLBs several times at once: as it is, and with a full flush
/// of the address space every so many accesses. Exact for what the TLBs are.
public struct ExactWalks: Sendable {
  /// One way through.
  public struct Run: Sendable {
    /// Accesses from one flush to the next; nil without flushes.
    public let gap: UInt64?
    /// Full flushes so far.
    public internal(set) var flushes: UInt64 = 0
    fileprivate var untilFlush: UInt64
    fileprivate var buffers: TranslationBuffers

    /// What was counted.
    public var counts: TranslationCounts { buffers.counts }
  }

  /// The runs, the one without flushes first.
  public private(set) var runs: [Run]

  /// Runs on `geometry` with flushes every so many accesses; gaps of 0 are taken for 1.
  public init(_ geometry: TLBGeometry, gaps: [UInt64] = []) {
    runs = ([nil] + gaps.map { max($0, 1) }).map { gap in
      Run(gap: gap, untilFlush: gap ?? .max, buffers: TranslationBuffers(geometry))
    }
  }

  /// Takes accesses, which follow those taken before.
  public mutating func access(_ accesses: [PageAccess]) {
    accesses.withUnsafeBufferPointer { accesses in
      for index in runs.indices { runs[index].access(accesses) }
    }
  }

  /// Walks of `class` that each flush of a run made on average, over those without flushes.
  public func walksPerFlush(_ class: AccessClass, of run: Run) -> Double {
    guard run.flushes > 0 else { return 0 }
    let more = run.counts.walks[`class`] &- runs[0].counts.walks[`class`]
    return Double(Int64(bitPattern: more)) / Double(run.flushes)
  }
}

extension ExactWalks.Run {
  fileprivate mutating func access(_ accesses: UnsafeBufferPointer<PageAccess>) {
    guard let gap else { return buffers.access(accesses) }
    var done = 0
    while done < accesses.count {
      // A flush comes before the access that follows it, so none behind the last.
      if untilFlush == 0 {
        buffers.flushNonGlobal()
        flushes += 1
        untilFlush = gap
      }
      let length = Int(min(UInt64(accesses.count - done), untilFlush))
      buffers.access(UnsafeBufferPointer(rebasing: accesses[done..<done + length]))
      done += length
      untilFlush -= UInt64(length)
    }
  }
}
