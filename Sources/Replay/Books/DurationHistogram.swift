/// Durations by size, for a median that needs no memory an entry: eight buckets to each doubling,
/// hence within 12.5 % above the truth.
struct DurationHistogram {
  private var buckets: [UInt64] = Array(repeating: 0, count: 64 * 8)
  private(set) var count: UInt64 = 0

  mutating func record(_ duration: UInt64) {
    buckets[Self.bucket(duration)] += 1
    count += 1
    longest = max(longest, duration)
  }

  /// The longest one.
  private(set) var longest: UInt64 = 0

  /// The lower end of the median's bucket; 0 when empty.
  var median: UInt64 { percentile(50) }

  /// The lower end of the bucket with the given percentile; 0 when empty.
  func percentile(_ percent: UInt64) -> UInt64 {
    var below: UInt64 = 0
    for (index, entries) in buckets.enumerated() {
      below += entries
      if below * 100 >= count * percent, count > 0 { return Self.floor(index) }
    }
    return 0
  }

  private static func bucket(_ duration: UInt64) -> Int {
    guard duration >= 8 else { return Int(duration) }
    let exponent = 63 - duration.leadingZeroBitCount
    return (exponent - 2) * 8 + Int(duration >> UInt64(exponent - 3) & 7)
  }

  private static func floor(_ bucket: Int) -> UInt64 {
    guard bucket >= 8 else { return UInt64(bucket) }
    return (8 + UInt64(bucket % 8)) << UInt64(bucket / 8 - 1)
  }
}
