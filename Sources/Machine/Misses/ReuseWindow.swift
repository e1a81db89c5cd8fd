public import TraceEvents

/// Reuse times of one stretch of an access stream, by class.
///
/// The reuse time of an access is the number of accesses since the last one to the same page, of any
/// class, the access itself included: 1 if the access before it touched that page. A first touch has
/// none. Windows keep phases apart: pooled with its start-up, a steady phase was predicted up to
/// 94 % too high.
public struct ReuseWindow: Sendable, Equatable {
  /// Reuses by class (``TraceEvents/AccessClass`` raw value) times ``ReuseBins/count``, and bin.
  public internal(set) var reuses: [UInt64]
  /// First touches, by class.
  public internal(set) var firstTouches: [UInt64]

  /// No access.
  public init() {
    reuses = Array(repeating: 0, count: Self.classes * ReuseBins.count)
    firstTouches = Array(repeating: 0, count: Self.classes)
  }

  static let classes = AccessClass.allCases.count

  /// Reuses of `class` in `bin`.
  public func reuses(_ class: AccessClass, bin: Int) -> UInt64 {
    reuses[Int(`class`.rawValue) * ReuseBins.count + bin]
  }

  /// Counts reuses, as a reader of a file does.
  mutating func add(_ count: UInt64, _ class: AccessClass, bin: Int) {
    let index = Int(`class`.rawValue) * ReuseBins.count + bin
    reuses[index] = reuses[index].addingSaturated(count)
  }

  /// Counts first touches.
  mutating func addFirstTouches(_ count: UInt64, _ class: AccessClass) {
    let index = Int(`class`.rawValue)
    firstTouches[index] = firstTouches[index].addingSaturated(count)
  }

  /// Accesses of `class`.
  public func accesses(_ class: AccessClass) -> UInt64 {
    let start = Int(`class`.rawValue) * ReuseBins.count
    return reuses[start..<start + ReuseBins.count].reduce(firstTouches[Int(`class`.rawValue)]) {
      $0.addingSaturated($1)
    }
  }

  /// Accesses of all classes.
  public var accesses: UInt64 {
    AccessClass.allCases.reduce(0) { $0.addingSaturated(accesses($1)) }
  }

  /// Adds another window's counts.
  mutating func merge(_ other: ReuseWindow) {
    for index in reuses.indices {
      reuses[index] = reuses[index].addingSaturated(other.reuses[index])
    }
    for index in firstTouches.indices {
      firstTouches[index] = firstTouches[index].addingSaturated(other.firstTouches[index])
    }
  }
}

extension UInt64 {
  /// The sum, or the greatest number: counts from a file may be anything.
  func addingSaturated(_ other: UInt64) -> UInt64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
