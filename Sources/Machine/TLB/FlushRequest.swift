/// Which pages of an address space a flush is about.
public struct FlushRange: Hashable, Sendable {
  /// Virtual address / 4096 of the first page.
  public var firstPage: UInt64
  /// Pages of `stride`.
  public var count: UInt64
  /// Size of the pages.
  public var stride: PageSize
  /// Whether it is about everything.
  public var isAll: Bool

  /// Some pages.
  public init(firstPage: UInt64, count: UInt64, stride: PageSize = .small) {
    self.firstPage = firstPage
    self.count = count
    self.stride = stride
    isAll = false
  }

  private init() {
    firstPage = 0
    count = 0
    stride = .small
    isAll = true
  }

  /// The whole address space.
  public static let all = FlushRange()
}

/// A flush on its way to CPUs: `struct flush_tlb_info`.
public struct FlushRequest: Sendable {
  /// The address space; nil for a batched unmap, which names none.
  public var space: AddressSpace?
  /// What is to go.
  public var range: FlushRange
  /// Generation that the address space has with it; 0 for none.
  public var generation: UInt64
  /// CPU that asks.
  public var initiator: Int
  /// Whether page tables go as well: then lazy CPUs are interrupted too.
  public var freesTables = false
  /// Whether CPUs that run something else are to leave the mask.
  public var trims = false
}

/// An address space (`struct mm_struct`) of ``LinuxTLBs``.
public struct AddressSpace: Hashable, Sendable {
  let index: Int

  /// The kernel's own (`init_mm`), which idle CPUs and kernel threads may have loaded.
  public static let kernel = AddressSpace(index: 0)
}

/// CPUs that reclaim or migration has yet to flush (`struct arch_tlbflush_unmap_batch`).
public struct UnmapBatch: Hashable, Sendable {
  var mask: [UInt64] = []

  /// No CPU.
  public init() {}

  /// Whether nothing is to be flushed.
  public var isEmpty: Bool { mask.allSatisfy { $0 == 0 } }
}
