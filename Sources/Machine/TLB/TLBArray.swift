/// One set-associative array of a TLB or of a paging-structure cache.
public struct TLBArray: Hashable, Sendable {
  /// Translations that it holds.
  public var entries: CountRange
  /// Translations in a set; as many as ``entries`` where it is fully associative.
  public var ways: CountRange
  /// Sizes of the pages that it takes; of no meaning in a paging-structure cache.
  public var sizes: PageSizes

  /// The most entries that an array may have: above that of any machine, below what hurts.
  public static let entriesMax = 1 << 16
  /// The most ways: sets are searched one entry after the other.
  public static let waysMax = 1 << 10

  /// An array.
  public init(entries: CountRange, ways: CountRange, sizes: PageSizes) {
    self.entries = entries
    self.ways = ways
    self.sizes = sizes
  }

  /// An array whose two numbers have one source; fully associative without `ways`.
  public init(
    _ entries: Int, ways: Int? = nil, _ sizes: PageSizes, source: String,
    confidence: Confidence = .high
  ) {
    self.entries = CountRange(entries, source: source, confidence: confidence)
    self.ways = CountRange(ways ?? entries, source: source, confidence: confidence)
    self.sizes = sizes
  }

  /// Sets; 0 where the numbers do not fit each other.
  public var sets: Int {
    ways.expected > 0 && entries.expected % ways.expected == 0
      ? entries.expected / ways.expected : 0
  }

  /// What is wrong with the numbers; nil if they make an array.
  public var fault: String? {
    if entries.expected < 1 || entries.expected > Self.entriesMax {
      return "entries is 1 to \(Self.entriesMax)"
    }
    if ways.expected < 1 || ways.expected > Self.waysMax { return "ways is 1 to \(Self.waysMax)" }
    guard sets > 0, sets & (sets - 1) == 0 else {
      return "entries / ways is a power of two, because low bits of the page number pick the set"
    }
    return nil
  }
}
