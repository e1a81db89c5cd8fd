/// A name with `*` (any characters) and `?` (one).
public struct NamePattern: Sendable, Equatable {
  /// As the user wrote it.
  public let text: String
  private let bytes: [UInt8]

  /// A pattern.
  public init(_ text: String) {
    self.text = text
    bytes = Array(text.utf8)
  }

  /// Whether it stands for `name`. Time: at most the product of both lengths.
  public func matches(_ name: String) -> Bool {
    let name = Array(name.utf8)
    var position = 0
    var at = 0
    // Where to go on when what follows the last star does not fit.
    var star: (position: Int, at: Int)?
    while at < name.count {
      if position < bytes.count, bytes[position] == 0x2a {
        star = (position, at)
        position += 1
      } else if position < bytes.count, bytes[position] == 0x3f || bytes[position] == name[at] {
        position += 1
        at += 1
      } else if let last = star {
        star = (last.position, last.at + 1)
        position = last.position + 1
        at = last.at + 1
      } else {
        return false
      }
    }
    return bytes[position...].allSatisfy { $0 == 0x2a }
  }
}

/// Some events: `tlb:tlb_flush`, `tlb_flush`, `kmem:*`, and `!kmem:rss_stat` for all but that.
public struct EventPattern: Sendable, Equatable {
  /// Whether it leaves events out.
  public let isExclusion: Bool
  private let pattern: NamePattern
  private let hasSystem: Bool

  /// As the user wrote it.
  public var text: String { (isExclusion ? "!" : "") + pattern.text }

  /// Parses one.
  public init(_ text: String) throws(FilterError) {
    isExclusion = text.hasPrefix("!")
    let name = isExclusion ? String(text.dropFirst()) : text
    guard !name.isEmpty else {
      throw FilterError("an event is missing: tlb:tlb_flush, tlb_flush, kmem:* or !kmem:rss_stat")
    }
    pattern = NamePattern(name)
    hasSystem = name.contains(":")
  }

  /// Whether it stands for an event; a pattern without a system does for those of any system.
  public func matches(_ event: EventName) -> Bool {
    if hasSystem { return pattern.matches(event.full) }
    return pattern.matches(event.name)
  }
}
