/// What a ``Moment`` has no room for: records in the order of the moments that name them.
///
/// Invariant: a record lives exactly as long as its moment, numbers are given once and wrap.
struct SideRecords<Record> {
  private var records: [Record] = []
  private var positions: [UInt64] = []
  private var base: UInt32 = 0

  /// Adds the record of the moment at `position` in the stream; returns its number.
  mutating func append(_ record: Record, at position: UInt64) -> UInt32 {
    records.append(record)
    positions.append(position)
    return base &+ UInt32(truncatingIfNeeded: records.count &- 1)
  }

  /// The record with a number that a moment holds.
  subscript(number: UInt32) -> Record { records[Int(number &- base)] }

  /// Takes away the records of moments before `position`.
  mutating func drop(before position: UInt64) {
    guard let first = positions.first, first < position else { return }
    let dropped = positions.firstIndex { $0 >= position } ?? positions.count
    records.removeFirst(dropped)
    positions.removeFirst(dropped)
    base &+= UInt32(truncatingIfNeeded: dropped)
  }
}

/// A page fault on a user address.
struct UserFault {
  var address: UInt64
  /// x86 error code: 1 present, 2 write, 4 user.
  var errorCode: UInt32
  /// What is known of the mapping.
  var mayWrite: MayWrite
  var isWrite: Bool { errorCode & 2 != 0 }
  var isPresent: Bool { errorCode & 1 != 0 }
}

/// A range of user addresses that a system call unmaps, protects or maps over.
struct AddressRange {
  var address: UInt64
  /// Bytes.
  var length: UInt64
  /// `prot` of mmap and mprotect, `behavior` of madvise, new length of mremap; absent 0.
  var detail: UInt64
  var call: MemoryCall
  /// Whether the call ended (and did not fail), or only began.
  var isEnd: Bool
  /// Whether a migration may have unmapped one of its pages.
  var mayHoldMigrated = true

  /// Its pages; nil where it has none or is no range of user addresses.
  var pages: Range<UInt64>? {
    guard length > 0, address < 1 << 57, length < 1 << 57 else { return nil }
    let first = address >> 12
    return first..<(first + (length + 4095) >> 12)
  }
}

/// A page-table entry that a migration made present again.
struct PageMapping {
  var address: UInt64
  /// Index of its frame in the frame table; nil where that frame is not followed.
  var frame: UInt32?
  var isWritable: Bool
}

/// A page that an unmap batch took out of the page cache and that came in again.
struct ReturnedPage {
  /// The frame that it was in before, by index.
  var frame: UInt32
  /// Whether the task that brought it in was in write(2) or the like, and not in a fault there.
  var isInWrite: Bool
}

/// A page that came into the page cache or left it.
struct PageCacheChange {
  var device: UInt64
  var inode: UInt64
  /// Page index in the file.
  var index: UInt64
  /// Index of its first frame in the frame table; nil where that frame is not followed.
  var frame: UInt32?
}

/// The kinds of moment that somebody wants to be told.
struct MomentKindSet: Equatable, Sendable {
  private var bits: UInt64
  static let all = MomentKindSet(bits: .max)
  static let none = MomentKindSet(bits: 0)
  /// All but what only few policies listen to.
  static let always = MomentKindSet(
    bits: ~MomentKindSet([
      .inaccessibleUnmap, .frameFreed, .unmappedFramesFreed, .unmappedFrameAllocated,
      .onceUnmappedAllocated, .pageReturned, .unmappedFault, .pageReclaimed,
    ]).bits)
  /// What policies need that put off the flushes of unmap batches and know mappings only by calls.
  static let unmapFlushes = MomentKindSet([
    .shootdown, .mmShootdown, .framesFreed, .frameAllocated, .frameRefilled, .frameDrained,
    .taskAllocated,
    .writeProtectFault, .writableMapping, .fileWriteEnd, .switchedMM, .lazyBegin, .lazyEnd,
  ])

  /// Moments at which some version of lazy unmap flush ends deferral, beside allocations.
  static let decisions = MomentKindSet([
    .taskAllocated, .writeProtectFault, .writableMapping, .fileWriteEnd, .userFault, .unmapRange,
    .fixedMapping, .pageCacheRemoved, .pageReclaimed, .directReclaimBegin, .kswapdWakeup,
  ])

  /// Moments of the frames of one batch, or of those that one flush of an mm freed.
  static let ofFrames = MomentKindSet([
    .framesFreed, .frameAllocated, .frameRefilled, .frameDrained, .unmappedFramesFreed,
    .unmappedFrameAllocated,
  ])

  private init(bits: UInt64) { self.bits = bits & (.max >> 1) }

  init(_ kinds: [Moment.Kind]) {
    bits = kinds.reduce(0) { $0 | 1 << UInt64($1.rawValue) }
  }

  /// 1 if `kind` is in it, else 0.
  @inline(__always)
  func bit(_ kind: Moment.Kind) -> UInt32 {
    UInt32(truncatingIfNeeded: bits >> UInt64(kind.rawValue)) & 1
  }

  /// The kinds of both.
  func union(_ other: MomentKindSet) -> MomentKindSet { MomentKindSet(bits: bits | other.bits) }

  /// The kinds that are in both.
  func intersection(_ other: MomentKindSet) -> MomentKindSet {
    MomentKindSet(bits: bits & other.bits)
  }

  /// The kinds that are not in `other`.
  func subtracting(_ other: MomentKindSet) -> MomentKindSet {
    MomentKindSet(bits: bits & ~other.bits)
  }

  var isEmpty: Bool { bits == 0 }

  @inline(__always)
  func contains(_ kind: Moment.Kind) -> Bool { bits >> UInt64(kind.rawValue) & 1 != 0 }
}
