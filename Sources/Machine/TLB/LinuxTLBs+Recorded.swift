/// What a trace recorded, taken as it is: the kernel that ran has applied its rules.
extension LinuxTLBs {
  /// Pages flushed one by one at most, whatever a damaged record says; the kernel's ceiling is 33.
  static let recordedPagesMax: UInt64 = 4096

  /// `tlb:tlb_flush` of a shootdown, on the CPU that flushed: `pages` -1 for all, 0 for nothing.
  ///
  /// The event does not tell which pages; without a `range` from elsewhere their entries stay, the
  /// paging-structure caches go, and ``FlushPathCounts/unplacedPages`` says how many.
  public mutating func applyShootdown(cpu: Int, pages: Int, range: FlushRange? = nil) {
    guard isCPU(cpu), pages != 0 else { return }
    let state = states[cpu]
    if state.asid < Self.slots {
      slotTable[cpu * Self.slots + state.asid].generation = spaces[state.loaded].generation
    }
    if pages < 0 {
      dropNonGlobal(cpu)
    } else if let range, !range.isAll, range.count <= min(UInt64(pages), Self.recordedPagesMax) {
      drop(range, cpu)
    } else {
      dropPagingStructures(cpu)
      paths[cpu].unplacedPages &+= UInt64(pages)
    }
  }

  /// `tlb:tlb_flush` of a task switch to `space`: `pages` -1 where the slot was flushed, 0 where its
  /// PCID was reused.
  public mutating func applySwitch(to space: AddressSpace, cpu: Int, pages: Int) {
    guard isCPU(cpu), spaces.indices.contains(space.index) else { return }
    let known = (0..<Self.slots).contains {
      slotTable[cpu * Self.slots + $0].space == space.index
    }
    let asid =
      states[cpu].loaded == space.index && states[cpu].asid < Self.slots
      ? states[cpu].asid : chooseASID(space.index, cpu).asid
    if pages == 0, !known {
      slotTable[cpu * Self.slots + asid] = Slot(
        space: space.index, generation: spaces[space.index].generation)
      paths[cpu].unexplainedReuses &+= 1
    }
    states[cpu].isLazy = false
    load(space.index, asid, flushes: pages != 0, cpu)
  }
}
