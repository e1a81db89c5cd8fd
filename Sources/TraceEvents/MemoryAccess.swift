/// What a program does with a page, in the classes that hardware counts apart.
public enum AccessClass: UInt8, Sendable, CaseIterable {
  /// Instruction fetch.
  case fetch
  /// Data load.
  case load
  /// Data store.
  case store
}

/// One access to one 4 KiB page of virtual memory, in a word: streams of them are long.
///
/// An access that crosses a page boundary is one for each page that it touches.
public struct PageAccess: Hashable, Sendable, RawRepresentable {
  /// Page number (virtual address / 4096) times four, and the class.
  public var rawValue: UInt64

  /// From a word that another access gave.
  @inlinable
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// An access; of `page` the lower 62 bits count.
  @inlinable
  public init(page: UInt64, class: AccessClass) {
    rawValue = page << 2 | UInt64(`class`.rawValue)
  }

  /// Virtual address / 4096.
  @inlinable
  public var page: UInt64 { rawValue >> 2 }

  /// What was done; a word with class bits 3 counts as a store.
  @inlinable
  public var `class`: AccessClass { AccessClass(rawValue: UInt8(rawValue & 3)) ?? .store }
}
