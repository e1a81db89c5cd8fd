/// Whether a user mapping has VM_WRITE or VM_MAYWRITE, as far as the trace tells.
enum MayWrite: UInt8 {
  case unknown
  /// An event at this very page, or the `mmap` or `mprotect` call that made the mapping, says yes.
  case recorded
  /// An event elsewhere in the same 2 MiB of address space says yes, and none says otherwise.
  case concluded
  /// Mapped MAP_SHARED without PROT_WRITE: VM_MAYWRITE only if the file was opened for writing,
  /// which no event tells.
  case sharedReadOnly

  var isYes: Bool { self == .recorded || self == .concluded }
}

/// What mappings permit, collected from system calls, write faults and migrations.
///
/// Three sources. A call of `mmap` states it for a range: MAP_PRIVATE and anonymous mappings keep
/// VM_MAYWRITE whatever `prot` says (Linux 6.12 `mm/mmap.c` `do_mmap`). A write that a fault let
/// through, and an entry that a migration saved or restored writable, prove VM_WRITE at one page.
/// So does a promotion: NUMA scans skip read-only file mappings (Linux 6.12 `kernel/sched/fair.c`
/// `task_numa_work`), so a hinting fault lies in a mapping that is writable or anonymous.
///
/// Proofs at one page are kept by 2 MiB of address space, the reach of one page-table page: there
/// they prove their own page and are evidence for its neighbours.
///
/// Addresses are kept by process where the trace names it, else together: a mapping that no process
/// is known for stands for all. Invariant: memory is bounded by ``rangesMax`` and ``regionsMax``;
/// what does not fit is forgotten, which makes answers unknown and never wrong.
struct AddressEvidence {
  static let rangesMax = 4096
  static let regionsMax = 1 << 15

  /// A mapping made inside the trace: pages from `start` up to `end`.
  struct Range: Equatable {
    var process: UInt32
    var start: UInt64
    var end: UInt64
    var mayWrite: MayWrite
  }

  /// By process, then address; ranges of one process do not overlap.
  private(set) var ranges: [Range] = []
  /// Keys of 2 MiB regions with a proof, 0 none, and one proven page in each.
  private var regions: [UInt64] = []
  private var provenPages: [UInt16] = []

  /// What is known of the mapping at `address` in `process`.
  func mayWrite(_ address: UInt64, in process: UInt32) -> MayWrite {
    let found = range(at: address >> 12, of: process) ?? range(at: address >> 12, of: 0)
    if let found { return ranges[found].mayWrite }
    guard !regions.isEmpty else { return .unknown }
    let own = region(address, process)
    return own != .unknown || process == 0 ? own : region(address, 0)
  }

  /// A write was let through, or an entry was writable, at `address`.
  mutating func prove(_ address: UInt64, in process: UInt32) {
    if let found = range(at: address >> 12, of: process) {
      // The calls seen say otherwise, so they are not all: the file was open for writing after all.
      ranges[found].mayWrite = .recorded
      return
    }
    if regions.isEmpty {
      regions = Array(repeating: 0, count: Self.regionsMax)
      provenPages = Array(repeating: 0, count: Self.regionsMax)
    }
    let key = Self.key(address, process)
    let slot = Self.slot(key)
    regions[slot] = key
    provenPages[slot] = UInt16(truncatingIfNeeded: address >> 12 & 511)
  }

  /// A mapping was made over `address`, whatever was there before.
  mutating func map(_ address: UInt64, _ length: UInt64, in process: UInt32, _ mayWrite: MayWrite) {
    guard let pages = Self.pages(address, length) else { return }
    cut(pages, process)
    guard ranges.count < Self.rangesMax else { return }
    let index = firstRange(endingAfter: pages.lowerBound, of: process)
    ranges.insert(
      Range(process: process, start: pages.lowerBound, end: pages.upperBound, mayWrite: mayWrite),
      at: index)
  }

  /// The mappings of a range got PROT_WRITE.
  mutating func permitWrite(_ address: UInt64, _ length: UInt64, in process: UInt32) {
    map(address, length, in: process, .recorded)
  }

  /// A range was unmapped.
  mutating func unmap(_ address: UInt64, _ length: UInt64, in process: UInt32) {
    guard let pages = Self.pages(address, length) else { return }
    cut(pages, process)
    guard !regions.isEmpty else { return }
    // Only whole regions go, and of huge ranges the first: what stays is evidence, not proof.
    let first = (pages.lowerBound + 511) >> 9
    let last = min(pages.upperBound >> 9, first + 1024)
    guard first < last else { return }
    for number in first..<last {
      let key = Self.key(number << 21, process)
      if regions[Self.slot(key)] == key { regions[Self.slot(key)] = 0 }
    }
  }

  /// A process replaced its address space.
  mutating func forget(_ process: UInt32) {
    guard process != 0 else { return }
    ranges.removeAll { $0.process == process }
  }

  private mutating func cut(_ pages: Swift.Range<UInt64>, _ process: UInt32) {
    var index = firstRange(endingAfter: pages.lowerBound, of: process)
    while index < ranges.count, ranges[index].process == process,
      ranges[index].start < pages.upperBound
    {
      let old = ranges[index]
      switch (old.start < pages.lowerBound, old.end > pages.upperBound) {
      case (true, true):
        ranges[index].end = pages.lowerBound
        var rest = old
        rest.start = pages.upperBound
        if ranges.count < Self.rangesMax { ranges.insert(rest, at: index + 1) }
        return
      case (true, false):
        ranges[index].end = pages.lowerBound
        index += 1
      case (false, true):
        ranges[index].start = pages.upperBound
        return
      case (false, false): ranges.remove(at: index)
      }
    }
  }

  /// Index of the first range of `process`, or of a later process, that ends after `page`.
  private func firstRange(endingAfter page: UInt64, of process: UInt32) -> Int {
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      let range = ranges[middle]
      if range.process < process || (range.process == process && range.end <= page) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }

  private func range(at page: UInt64, of process: UInt32) -> Int? {
    guard !ranges.isEmpty else { return nil }
    let index = firstRange(endingAfter: page, of: process)
    guard index < ranges.count, ranges[index].process == process, ranges[index].start <= page
    else { return nil }
    return index
  }

  private func region(_ address: UInt64, _ process: UInt32) -> MayWrite {
    let key = Self.key(address, process)
    let slot = Self.slot(key)
    guard regions[slot] == key else { return .unknown }
    return UInt64(provenPages[slot]) == address >> 12 & 511 ? .recorded : .concluded
  }

  /// Whole pages of a range of user addresses; nil if it is empty or none.
  private static func pages(_ address: UInt64, _ length: UInt64) -> Swift.Range<UInt64>? {
    let (end, overflow) = address.addingReportingOverflow(length)
    guard !overflow, length > 0, end <= 1 << 57 else { return nil }
    return address >> 12..<(end + 4095) >> 12
  }

  /// 28 bits of process above 36 of region number, plus one: a user address has at most 57 bits.
  private static func key(_ address: UInt64, _ process: UInt32) -> UInt64 {
    (UInt64(process & 0xfff_ffff) << 36 | address >> 21 & (1 << 36 - 1)) &+ 1
  }

  private static func slot(_ key: UInt64) -> Int {
    Int(truncatingIfNeeded: (key &* 0x9e37_79b9_7f4a_7c15) >> 49)
  }
}
