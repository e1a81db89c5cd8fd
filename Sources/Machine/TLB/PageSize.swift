/// What one translation maps on x86-64 (Intel SDM volume 3, 4.5).
public enum PageSize: Int, CaseIterable, Sendable {
  /// 4 KiB: a page-table entry.
  case small
  /// 2 MiB: an entry of a page directory.
  case large
  /// 1 GiB: an entry of a page-directory-pointer table.
  case huge

  /// Pages of 4 KiB in it, as a power of two.
  @inlinable
  public var shift: Int { 9 * rawValue }

  /// What data sheets call it.
  public var label: String {
    switch self {
    case .small: "4K"
    case .large: "2M"
    case .huge: "1G"
    }
  }
}

/// The page sizes that an array of a TLB takes.
public struct PageSizes: OptionSet, Hashable, Sendable {
  /// A bit for each ``PageSize``, the smallest lowest.
  public let rawValue: Int

  /// From bits.
  public init(rawValue: Int) { self.rawValue = rawValue }

  /// 4 KiB.
  public static let small = PageSizes(rawValue: 1)
  /// 2 MiB.
  public static let large = PageSizes(rawValue: 2)
  /// 1 GiB.
  public static let huge = PageSizes(rawValue: 4)
  /// All three.
  public static let all: PageSizes = [.small, .large, .huge]

  /// Whether pages of `size` are taken.
  public func contains(_ size: PageSize) -> Bool { rawValue & 1 << size.rawValue != 0 }

  /// The members, smallest first.
  public var members: [PageSize] { PageSize.allCases.filter(contains) }
}
