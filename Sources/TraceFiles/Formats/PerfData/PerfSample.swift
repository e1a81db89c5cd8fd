/// Bits of `read_format`.
enum PerfReadFormat {
  static let timeEnabled: UInt64 = 1
  static let timeRunning: UInt64 = 2
  static let id: UInt64 = 4
  static let group: UInt64 = 8
  static let lost: UInt64 = 16
}

/// All fields of variable size of one sample, and whether they fill it to the byte.
///
///     READ        value, [enabled], [running], [id], [lost], or of a group:
///                 nr, [enabled], [running], nr x { value, [id], [lost] }
///     CALLCHAIN   u64 n, n x u64            RAW u32 size, bytes (4 + size is a multiple of 8)
///     BRANCH_STACK u64 n, [u64 hw_idx], n x 24 bytes, [n x u64 counters]
///     REGS_USER   u64 abi, registers if abi != 0
///     STACK_USER  u64 size, bytes and u64 used if size != 0
///     WEIGHT or WEIGHT_STRUCT, DATA_SRC, TRANSACTION u64 each; REGS_INTR as REGS_USER;
///     PHYS_ADDR, CGROUP, DATA_PAGE_SIZE, CODE_PAGE_SIZE u64 each; AUX u64 size, bytes
///
/// Nothing is copied. A sample whose later fields are damaged still has its earlier ones.
struct PerfSample {
  /// Call chain entries, 8 bytes each, the innermost first; context markers are >= 2^64 - 4095.
  private(set) var callChain: ByteView?
  /// The tracepoint's record, from its common_type on.
  private(set) var raw: ByteView?
  /// The READ field of a group, from its first value on; a member takes ``groupStride`` bytes.
  private(set) var group: ByteView?
  /// Bytes of a group member in ``group``.
  private(set) var groupStride = 8
  /// The part of the user's stack that was copied.
  private(set) var userStack: ByteView?
  /// `union perf_mem_data_src`: what the sampled access was, nil where the event does not tell.
  private(set) var dataSource: UInt64?
  /// Whether all fields fit.
  private(set) var isWhole = false
  /// Bytes of the sample that its fields take, as far as they fit.
  private(set) var end: Int

  /// Walks `record`, a sample from its header on.
  init(_ record: ByteView, _ layout: PerfSampleLayout) {
    end = Int(layout.fixedEnd)
    guard end <= record.count else { return }
    isWhole = walkHead(record, layout) && walkTail(record, layout)
  }

  /// How many members ``group`` has.
  var memberCount: Int { (group?.count ?? 0) / groupStride }

  /// Id and counter of a group's member; the format has ids, and `index` is below ``memberCount``.
  func member(_ index: Int) -> (id: UInt64, value: UInt64) {
    guard let part = group?.slice(index * groupStride, groupStride), part.count >= 16 else {
      return (0, 0)
    }
    return (part.u64(8), part.u64(0))
  }

  /// Adds the addresses of a sample's call chain to those of the kernel and of the user, by the
  /// markers that the chain holds. Before any marker the record's own mode counts:
  /// PERF_RECORD_MISC_USER is 2.
  static func split(
    _ chain: ByteView, of record: ByteView, kernel: inout [UInt64], user: inout [UInt64]
  ) {
    var takesUser = record.u16(4) & 7 == 2
    var isForeign = false
    for at in stride(from: 0, to: chain.count - 7, by: 8) {
      let address = chain.u64(at)
      if address >= UInt64(bitPattern: -4095) {
        takesUser = address == UInt64(bitPattern: -512)
        isForeign = !takesUser && address != UInt64(bitPattern: -128)
      } else if takesUser {
        user.append(address)
      } else if !isForeign {
        kernel.append(address)
      }
    }
  }

  private mutating func walkHead(_ record: ByteView, _ layout: PerfSampleLayout) -> Bool {
    if layout.has(.read) {
      guard takeRead(record, layout.readFormat) else { return false }
    }
    if layout.has(.callChain) {
      guard let chain = takeCounted(record, stride: 8) else { return false }
      callChain = chain
    }
    if layout.has(.raw) {
      guard record.count - end >= 4, let bytes = record.slice(end + 4, Int(record.u32(end)))
      else { return false }
      raw = bytes
      end += 4 + bytes.count
    }
    return true
  }

  private mutating func walkTail(_ record: ByteView, _ layout: PerfSampleLayout) -> Bool {
    if layout.has(.branchStack) {
      guard takeBranches(record, layout.branchSampleType) else { return false }
    }
    if layout.has(.userRegisters) {
      guard takeRegisters(record, layout.userRegisters) else { return false }
    }
    if layout.has(.userStack) {
      guard let stack = takeCounted(record, stride: 1) else { return false }
      userStack = stack
      if stack.count > 0, !skip(record, 8) { return false }
    }
    for field in [PerfSampleField.weight, .dataSource, .transaction] {
      let isThere = layout.has(field) || field == .weight && layout.has(.weightStruct)
      let start = end
      if isThere, !skip(record, 8) { return false }
      if isThere, field == .dataSource { dataSource = record.u64(start) }
    }
    if layout.has(.interruptRegisters) {
      guard takeRegisters(record, layout.interruptRegisters) else { return false }
    }
    for field in [PerfSampleField.physicalAddress, .cgroup, .dataPageSize, .codePageSize]
    where layout.has(field) {
      guard skip(record, 8) else { return false }
    }
    if layout.has(.aux), takeCounted(record, stride: 1) == nil { return false }
    return true
  }

  private mutating func skip(_ record: ByteView, _ length: Int) -> Bool {
    guard length <= record.count - end else { return false }
    end += length
    return true
  }

  private mutating func takeCount(_ record: ByteView) -> Int? {
    guard record.count - end >= 8 else { return nil }
    // A count beyond the record's own size is damage, and must not overflow below.
    guard let count = Int(exactly: record.u64(end)), count <= record.count else { return nil }
    end += 8
    return count
  }

  private mutating func takeCounted(_ record: ByteView, stride: Int) -> ByteView? {
    guard let count = takeCount(record), let part = record.slice(end, count * stride) else {
      return nil
    }
    end += part.count
    return part
  }

  private mutating func takeRead(_ record: ByteView, _ format: UInt64) -> Bool {
    let times =
      (format & PerfReadFormat.timeEnabled).nonzeroBitCount
      + (format & PerfReadFormat.timeRunning).nonzeroBitCount
    let extras =
      (format & PerfReadFormat.id).nonzeroBitCount
      + (format & PerfReadFormat.lost).nonzeroBitCount
    guard format & PerfReadFormat.group != 0 else {
      return skip(record, 8 * (1 + times + extras))
    }
    guard let count = takeCount(record), skip(record, 8 * times) else { return false }
    groupStride = 8 * (1 + extras)
    guard let members = record.slice(end, count * groupStride) else { return false }
    group = members
    end += members.count
    return true
  }

  private mutating func takeBranches(_ record: ByteView, _ format: UInt64) -> Bool {
    guard let count = takeCount(record) else { return false }
    // PERF_SAMPLE_BRANCH_HW_INDEX, PERF_SAMPLE_BRANCH_COUNTERS
    if format & 1 << 17 != 0, !skip(record, 8) { return false }
    guard skip(record, count * 24) else { return false }
    return format & 1 << 19 == 0 || skip(record, count * 8)
  }

  private mutating func takeRegisters(_ record: ByteView, _ mask: UInt64) -> Bool {
    guard record.count - end >= 8 else { return false }
    let abi = record.u64(end)
    end += 8
    return abi == 0 || skip(record, mask.nonzeroBitCount * 8)
  }
}
