/// How reuse times are binned: one by one up to 63, then 32 bins to each power of two.
///
/// A bin is at most 1/32 of its values wide, and inside it the model takes reuse times as spread
/// evenly: against unbinned times its walks per flush differ by less than 0.2 % (ReuseBinsTests).
public enum ReuseBins {
  /// Reuse times below this have a bin each.
  static let exactMax = 64
  /// Bins to a power of two above that.
  static let perOctave = 32
  /// Powers of two that have bins; what is longer goes into the last bin.
  static let octaves = 42
  /// How many bins there are.
  public static let count = exactMax + octaves * perOctave

  /// The bin of a reuse time (in accesses; 1 is the very next access).
  @inline(__always)
  public static func index(of time: UInt64) -> Int {
    if time < UInt64(exactMax) { return Int(truncatingIfNeeded: time) }
    let exponent = 63 &- time.leadingZeroBitCount
    if exponent >= 6 &+ octaves { return count &- 1 }
    let part = Int(truncatingIfNeeded: time &>> UInt64(exponent &- 5)) & (perOctave &- 1)
    return exactMax &+ (exponent &- 6) &* perOctave &+ part
  }

  /// The least reuse time of a bin; for `count`, the first that no bin has.
  public static func lowerBound(of index: Int) -> UInt64 {
    guard index >= exactMax else { return UInt64(max(index, 0)) }
    let octave = (index - exactMax) / perOctave
    let part = (index - exactMax) % perOctave
    return UInt64(perOctave + part) << UInt64(octave + 1)
  }
}
