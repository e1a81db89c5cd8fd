/// The reuse times of a workload, measured once, window by window: what the miss model needs of it.
public struct ReuseProfile: Sendable, Equatable {
  /// How the reuse times came about.
  public enum Source: String, Sendable, CaseIterable {
    /// Counted over all accesses of a stream.
    case accesses
    /// Drawn from page popularity: accesses are taken as independent of each other (IRM).
    case independent
  }

  /// How the reuse times came about.
  public var source: Source
  /// One page in so many was followed; 1 means all.
  public var interval: UInt64
  /// Distinct pages that were followed.
  public var pages: Int
  /// The stretches of the stream, in order.
  public var windows: [ReuseWindow]

  /// A profile.
  public init(source: Source, interval: UInt64, pages: Int, windows: [ReuseWindow]) {
    self.source = source
    self.interval = interval
    self.pages = pages
    self.windows = windows
  }

  /// Accesses of all windows.
  public var accesses: UInt64 { windows.reduce(0) { $0.addingSaturated($1.accesses) } }
}
