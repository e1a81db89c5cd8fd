/// A part of a file that a process, or the kernel, had mapped to run.
public struct PerfMapping: Sendable, Hashable {
  /// Nanoseconds of the trace's clock; 0 if it was there before the recording.
  public internal(set) var time: UInt64 = 0
  /// The process, -1 of the kernel.
  public internal(set) var process: Int32 = -1
  /// Its first address.
  public internal(set) var start: UInt64 = 0
  /// Its bytes.
  public internal(set) var length: UInt64 = 0
  /// The byte of the file that is mapped to `start`.
  public internal(set) var fileOffset: UInt64 = 0
  /// The file's path, or `[vdso]`, `[kernel.kallsyms]_text`, `[MODULE]`.
  public internal(set) var name = ""
  /// The file's build id as the record itself has it (MMAP2 with misc bit 14).
  public internal(set) var buildID: [UInt8]?

  /// The byte of the file that is mapped to `address`, which lies in the mapping.
  public func fileOffset(of address: UInt64) -> UInt64 { address &- start &+ fileOffset }
}

/// What a perf.data says of mapped files.
///
///     1  MMAP      u32 pid, tid; u64 start, length, file offset; text NUL, padded; sample id
///     10 MMAP2     the same up to the offset; u32 major, minor, u64 inode, generation, or, with misc
///                  bit 14, u8 size, 3 bytes, 20 bytes of build id; u32 protection, flags; text; id
///     7  FORK      u32 pid, ppid, tid, ptid; u64 time
///     67 BUILD_ID  s32 pid, 20 bytes, u8 size, 3 bytes, text
///
/// Source: include/uapi/linux/perf_event.h of Linux 6.12. Mappings that cannot run are left out.
public struct PerfMappings: Sendable {
  /// What of the kernel and its modules is mapped, in the file's order.
  public private(set) var kernel: [PerfMapping] = []
  /// Build ids by file name, as the BUILD_ID records and feature have them.
  public private(set) var buildIDs: [String: [UInt8]] = [:]

  private var processes: [Int32: [PerfMapping]] = [:]
  /// Per process, where its mappings end at most, up to and with each.
  private var reaches: [Int32: [UInt64]] = [:]
  private var parents: [Int32: [Parent]] = [:]
  private var count = 0

  private struct Parent {
    var time: UInt64
    var process: Int32
  }

  /// Mappings, forks and build ids kept.
  public static let mappingsMax = 1 << 20
  private static let generationsMax = 64

  /// The build id of what `mapping` maps, nil if the file has none.
  public func buildID(of mapping: PerfMapping) -> [UInt8]? {
    mapping.buildID ?? buildIDs[mapping.name]
  }

  /// The build id of the kernel, nil if the file has none.
  public var kernelBuildID: [UInt8]? { buildIDs["[kernel.kallsyms]"] }

  /// Where `_text` (or `_stext`) of the running kernel was: its symbol and address.
  public var kernelAnchor: (symbol: String, address: UInt64)? {
    for mapping in kernel where mapping.name.hasPrefix("[kernel.kallsyms]") {
      let symbol = mapping.name.dropFirst("[kernel.kallsyms]".count)
      if !symbol.isEmpty { return (String(symbol), mapping.fileOffset) }
    }
    return nil
  }

  /// The mapping that `address` of `process` lay in at `time`; a child has what its parent had at the
  /// fork. Of mappings over each other the latest counts.
  public func mapping(process: Int32, address: UInt64, time: UInt64) -> PerfMapping? {
    var process = process
    var time = time
    for _ in 0..<Self.generationsMax {
      if let found = ownMapping(process, address, time) { return found }
      // A new thread is a fork of the process itself, which changes nothing.
      guard let fork = parents[process]?.last(where: { $0.time <= time }) else { return nil }
      (process, time) = (fork.process, fork.time)
    }
    return nil
  }

  private func ownMapping(_ process: Int32, _ address: UInt64, _ time: UInt64) -> PerfMapping? {
    guard let mappings = processes[process], let reaches = reaches[process],
      reaches.count == mappings.count
    else { return nil }
    var low = 0
    var high = mappings.count
    while low < high {
      let middle = (low + high) / 2
      if mappings[middle].start <= address { low = middle + 1 } else { high = middle }
    }
    var best: PerfMapping?
    while low > 0, reaches[low - 1] > address {
      low -= 1
      let mapping = mappings[low]
      guard address - mapping.start < mapping.length, mapping.time <= time else { continue }
      if best.map({ $0.time < mapping.time }) ?? true { best = mapping }
    }
    return best
  }

  // MARK: Reading

  /// Takes `record`; `attribute` tells what stands behind side records.
  ///
  /// - Returns: what to say if there is no room for it.
  mutating func take(_ record: ByteView, _ type: UInt32, _ attribute: PerfEventAttribute?)
    -> String?
  {
    switch type {
    case 1, 10:
      guard let mapping = Self.mapping(record, isSecond: type == 10, attribute) else { return nil }
      guard hasRoom() else { return Self.fullness }
      if mapping.process < 0 {
        kernel.append(mapping)
      } else {
        processes[mapping.process, default: []].append(mapping)
      }
    case PerfRecord.fork where record.count >= 32:
      let child = record.load(8, as: Int32.self)
      let parent = record.load(12, as: Int32.self)
      guard child != parent else { return nil }
      guard hasRoom() else { return Self.fullness }
      parents[child, default: []].append(Parent(time: record.u64(24), process: parent))
    case PerfRecord.buildID:
      takeBuildID(record)
    case PerfRecord.feature where record.count >= 16 && record.u64(8) == 2:
      takeBuildIDs(record.suffix(from: 16))
    default: break
    }
    return nil
  }

  private static let fullness = "more than \(mappingsMax) mappings and forks"

  private mutating func hasRoom() -> Bool {
    count += 1
    return count <= Self.mappingsMax
  }

  private static func mapping(
    _ record: ByteView, isSecond: Bool, _ attribute: PerfEventAttribute?
  ) -> PerfMapping? {
    let nameAt = isSecond ? 72 : 40
    guard record.count > nameAt else { return nil }
    let misc = record.u16(4)
    // PROT_EXEC is 4; MMAP tells data by PERF_RECORD_MISC_MMAP_DATA, bit 13.
    guard isSecond ? record.u32(64) & 4 != 0 : misc & 0x2000 == 0 else { return nil }
    var mapping = PerfMapping()
    mapping.process = misc & 7 == 1 ? -1 : record.load(8, as: Int32.self)
    mapping.start = record.u64(16)
    mapping.length = record.u64(24)
    mapping.fileOffset = record.u64(32)
    mapping.name = record.suffix(from: nameAt).text
    mapping.time = time(record, attribute)
    if isSecond, misc & 0x4000 != 0 {
      mapping.buildID = (0..<min(Int(record.u8(40)), 20)).map { record.u8(44 + $0) }
    }
    return mapping
  }

  // Behind a side record, with attribute flag sample_id_all (bit 18), stand those that the samples
  // have of: TID, TIME, ID, STREAM_ID, CPU, IDENTIFIER, 8 bytes each.
  static func time(_ record: ByteView, _ attribute: PerfEventAttribute?) -> UInt64 {
    guard let attribute, attribute.flags & 1 << 18 != 0, attribute.has(.time) else { return 0 }
    var back = 8
    for field in [PerfSampleField.id, .streamID, .cpu, .identifier] where attribute.has(field) {
      back += 8
    }
    return record.count >= back + 8 ? record.u64(record.count - back) : 0
  }

  /// Takes the content of the BUILD_ID feature.
  mutating func takeBuildIDs(_ content: ByteView) {
    var at = 0
    while let header = content.slice(at, PerfRecord.headerSize) {
      let size = Int(header.u16(6))
      guard size >= PerfRecord.headerSize, let record = content.slice(at, size) else { return }
      takeBuildID(record)
      at += size
    }
  }

  private mutating func takeBuildID(_ record: ByteView) {
    guard record.count >= 36, hasRoom() else { return }
    let size = record.u16(4) & 0x8000 != 0 ? min(Int(record.u8(32)), 20) : 20
    buildIDs[record.suffix(from: 36).text] = (0..<size).map { record.u8(12 + $0) }
  }

  /// Makes ready for look-ups; to be called when all has been taken.
  mutating func finish() {
    for (process, mappings) in processes where reaches[process]?.count != mappings.count {
      let order = mappings.indices.sorted {
        (mappings[$0].start, $0) < (mappings[$1].start, $1)
      }
      let sorted = order.map { mappings[$0] }
      var reach: UInt64 = 0
      processes[process] = sorted
      reaches[process] = sorted.map { mapping in
        let (end, overflow) = mapping.start.addingReportingOverflow(mapping.length)
        reach = max(reach, overflow ? .max : end)
        return reach
      }
    }
    for (process, forks) in parents { parents[process] = forks.sorted { $0.time < $1.time } }
  }
}
