/// A NUMA node with memory, as a scenario describes it.
public struct MemoryNode: Sendable, Equatable {
  /// Pages of 4 KiB that the kernel manages.
  public var pages: Int
  /// Of these, pages that the kernel uses itself and never gives back.
  public var kernelPages = 0
  /// Pages that are free when the traced window begins, at least; nil leaves it to reclaim.
  public var freePages: Int?
  /// CPUs on it; a node without any is a slower tier.
  public var cpus: Range<Int>
  /// Nanoseconds to read all of a page, and the least and most that are plausible.
  public var pageRead: ParameterRange
  /// Where its pages are demoted to; nil where to none.
  public var demotionTarget: Int?

  /// A node.
  public init(
    pages: Int, cpus: Range<Int>, pageRead: ParameterRange, demotionTarget: Int? = nil
  ) {
    self.pages = pages
    self.cpus = cpus
    self.pageRead = pageRead
    self.demotionTarget = demotionTarget
  }
}

/// Where a frame is.
public enum FramePlace: UInt8, Sendable {
  /// No memory that the kernel manages: fills a zone up to whole blocks.
  case hole
  /// The first frame of a free block, or one behind it.
  case buddyHead
  /// See ``buddyHead``.
  case buddyBody
  /// On a per-CPU list.
  case perCPU
  /// In use.
  case allocated
}

/// The lists that reclaim looks at, by node.
public enum LRUKind: UInt8, Sendable, CaseIterable {
  case inactiveAnonymous, activeAnonymous, inactiveFile, activeFile

  /// Whether it is one of the active ones.
  public var isActive: Bool { self == .activeAnonymous || self == .activeFile }
  /// The list of the same kind of page on the other side.
  public var opposite: LRUKind {
    switch self {
    case .inactiveAnonymous: .activeAnonymous
    case .activeAnonymous: .inactiveAnonymous
    case .inactiveFile: .activeFile
    case .activeFile: .inactiveFile
    }
  }
}
