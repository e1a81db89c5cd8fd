/// The free blocks that frames from per-CPU lists form in the buddy allocator, as far as the trace
/// shows them.
///
/// A frame that goes to buddy merges with its neighbour of the same size as long as that is free
/// too, up to order 10; when a frame is taken, halves of its block stay behind as smaller blocks
/// (Linux 6.12 `mm/page_alloc.c` `__free_one_page`, `expand`). So a frame's block is the largest
/// aligned one that is free as a whole. Frames that were free before the trace are not known, hence
/// orders are at least these.
struct BuddyBlocks {
  /// `MAX_PAGE_ORDER` of x86-64 (Linux 6.12 `include/linux/mmzone.h`).
  static let orderMax: UInt64 = 10

  /// Whether a frame, by its index in the ``FrameTable``, lies in buddy.
  private var isFree: [Bool] = []

  mutating func growTo(frames: Int) {
    guard isFree.count < frames else { return }
    isFree.append(contentsOf: repeatElement(false, count: frames - isFree.count))
  }

  /// A frame went from a per-CPU list to buddy.
  mutating func entered(_ frame: Int) { isFree[frame] = true }

  /// A frame is taken; the order of the block that it was in, nil where it was in none.
  mutating func left(_ frame: Int, _ frames: borrowing FrameTable) -> UInt64? {
    guard isFree[frame] else { return nil }
    defer { isFree[frame] = false }
    let pfn = frames.pfn(frame)
    var order: UInt64 = 0
    while order < Self.orderMax {
      let buddy = (pfn >> order ^ 1) << order
      for neighbour in buddy..<buddy + 1 << order {
        guard let index = frames.knownIndex(of: neighbour), index < isFree.count, isFree[index]
        else { return order }
      }
      order += 1
    }
    return order
  }
}
