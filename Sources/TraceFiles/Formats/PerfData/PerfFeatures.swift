import TraceEvents

/// The feature sections: what perf noted about the machine and the recording.
///
///     a string is u32 length, then that many bytes padded with NULs
///     3 HOSTNAME 4 OSRELEASE 5 VERSION 6 ARCH 8 CPUDESC 9 CPUID   a string each
///     2 BUILD_ID       records           7 NRCPUS      u32 present, u32 online
///     10 TOTAL_MEM     u64 KiB           11 CMDLINE    u32 n, strings
///     12 EVENT_DESC    u32 n, u32 size of an attribute; each: attribute, u32 ids, string, u64 ids
///     14 NUMA_TOPOLOGY u32 n; each: u32 node, u64 KiB total, u64 KiB free, string CPUs
///     17 GROUP_DESC    u32 n; each: string, u32 leader, u32 members
///     21 SAMPLE_TIME   u64 first, last   23 CLOCKID    u64 ns of resolution
///     22 MEM_TOPOLOGY  u64 version = 1, u64 block size, u64 n; each: u64 node, u64 bits, and
///                      a bitmap, which is u64 bits again and that many bits in u64 words
///     27 COMPRESSED    u32 version, type, level, ratio, mmap length
///     29 CLOCK_DATA    u32 version = 1, u32 clock, u64 wall ns, u64 clock ns
///
/// In pipe mode the same contents come as records. Source: tools/perf/util/header.c, Linux 6.12.
extension PerfCapture {
  /// Takes one feature; `offset` is where its content begins in the file.
  mutating func takeFeature(_ id: Int, _ content: ByteView, at offset: Int) {
    var cursor = ByteCursor(content, origin: offset)
    do throws(TraceError) {
      switch id {
      case 1: takeTracingData(content, at: offset)
      case 2: takeBuildIDs(content)
      case 3: facts.hostName = try cursor.takePerfString("the host name")
      case 4: facts.kernelRelease = try cursor.takePerfString("the kernel release")
      case 5: remark("perf version", try cursor.takePerfString("perf's version"))
      case 6: facts.architecture = try cursor.takePerfString("the architecture")
      case 7: facts.cpuCount = Int(try cursor.take(UInt32.self, "the number of CPUs"))
      case 8: remark("cpu", try cursor.takePerfString("the CPU's name"))
      case 9: remark("cpu id", try cursor.takePerfString("the CPU's id"))
      case 10: remark("memory", "\(try cursor.take(UInt64.self, "the memory")) KiB")
      case 11: try takeCommandLine(&cursor)
      case 12: try takeEventDescriptions(&cursor, at: offset)
      case 14: try takeNodes(&cursor)
      case 17: try takeGroups(&cursor)
      case 21: try takeSampleTimes(&cursor)
      case 22: try takeMemoryBlocks(&cursor)
      case 23: remark("clock resolution", "\(try cursor.take(UInt64.self, "the resolution")) ns")
      case 27: try takeCompression(&cursor)
      case 29: try takeClockReference(&cursor)
      default: break
      }
    } catch {
      statistics.note(
        "bad-feature", .damage, at: error.offset ?? offset, "feature \(id): \(error.message)")
    }
  }

  private mutating func takeBuildIDs(_ content: ByteView) {
    var position = 0
    while let header = content.slice(position, PerfRecord.headerSize) {
      let size = Int(header.u16(6))
      guard size >= PerfRecord.headerSize, let record = content.slice(position, size) else {
        return
      }
      takeBuildID(record)
      position += size
    }
  }

  private mutating func takeCommandLine(_ cursor: inout ByteCursor) throws(TraceError) {
    var words: [String] = []
    for _ in 0..<(try cursor.take(UInt32.self, "the number of words")) {
      words.append(try cursor.takePerfString("a word of the command line"))
    }
    facts.commandLine = words.joined(separator: " ")
  }

  private mutating func takeEventDescriptions(_ cursor: inout ByteCursor, at offset: Int)
    throws(TraceError)
  {
    let count = try cursor.take(UInt32.self, "the number of events")
    let size = Int(try cursor.take(UInt32.self, "the size of an attribute"))
    // A file whose attribute section is damaged still has the events here.
    let needsAttributes = table.attributes.isEmpty
    for index in 0..<Int(count) {
      let bytes = try cursor.take(size, "an attribute")
      let idCount = Int(try cursor.take(UInt32.self, "the number of ids"))
      let name = try cursor.takePerfString("an event's name")
      let ids = try cursor.take(idCount * 8, "an event's ids")
      if needsAttributes, var attribute = PerfEventAttribute(bytes) {
        attribute.ids = stride(from: 0, to: ids.count - 7, by: 8).map { ids.u64($0) }
        attribute.name = name
        add(attribute, at: offset)
      } else {
        // By id where there is one: events and descriptions are in the same order otherwise.
        let byID = ids.count >= 8 ? table.index(id: ids.u64(0)) : -1
        self.name(index: byID >= 0 ? byID : index, name)
      }
    }
    resolveAll()
  }

  private mutating func takeNodes(_ cursor: inout ByteCursor) throws(TraceError) {
    for _ in 0..<(try cursor.take(UInt32.self, "the number of nodes")) {
      let number = Int(try cursor.take(UInt32.self, "a node's number"))
      let memory = try cursor.take(UInt64.self, "a node's memory")
      _ = try cursor.take(UInt64.self, "a node's free memory")
      let cpus = try cursor.takePerfString("a node's CPUs")
      facts.nodes.append(NodeFacts(number: number, memoryKiB: memory, cpuList: cpus))
    }
  }

  private mutating func takeGroups(_ cursor: inout ByteCursor) throws(TraceError) {
    for _ in 0..<(try cursor.take(UInt32.self, "the number of groups")) {
      let name = try cursor.takePerfString("a group's name")
      let leader = try cursor.take(UInt32.self, "a group's leader")
      let members = try cursor.take(UInt32.self, "a group's size")
      remark(
        "group", "\(name.isEmpty ? "anonymous" : name): events \(leader) and \(members) members")
    }
  }

  private mutating func takeSampleTimes(_ cursor: inout ByteCursor) throws(TraceError) {
    let first = try cursor.take(UInt64.self, "the first sample's time")
    let last = try cursor.take(UInt64.self, "the last sample's time")
    // perf leaves 0 where it did not look (`-B -N`).
    if last > 0 { remark("sample time", "\(first) to \(last) ns") }
  }

  private mutating func takeMemoryBlocks(_ cursor: inout ByteCursor) throws(TraceError) {
    let version = try cursor.take(UInt64.self, "the version of the memory topology")
    guard version == 1 else { return }
    let blockSize = try cursor.take(UInt64.self, "the size of a memory block")
    var parts: [String] = []
    for _ in 0..<(try cursor.take(UInt64.self, "the number of nodes")) {
      let node = try cursor.take(UInt64.self, "a node's number")
      _ = try cursor.take(UInt64.self, "a node's number of blocks")
      let bits = try cursor.takeSize("the length of a node's bitmap")
      guard bits <= cursor.left * 8 else {
        throw TraceError("\(bits) memory blocks do not fit", at: cursor.origin + cursor.offset)
      }
      let bitmap = try cursor.take((bits + 63) / 64 * 8, "a node's memory blocks")
      var blocks = 0
      for index in 0..<bitmap.count { blocks += bitmap.u8(index).nonzeroBitCount }
      parts.append("node \(node): \(blocks)")
    }
    remark("memory blocks", "\(blockSize) bytes each; " + parts.joined(separator: ", "))
  }

  private mutating func takeCompression(_ cursor: inout ByteCursor) throws(TraceError) {
    _ = try cursor.take(UInt32.self, "the version")
    let type = try cursor.take(UInt32.self, "the kind of compression")
    let level = try cursor.take(UInt32.self, "the level")
    remark("record compression", "\(type == 1 ? "zstd" : "kind \(type)"), level \(level)")
  }

  private mutating func takeClockReference(_ cursor: inout ByteCursor) throws(TraceError) {
    guard try cursor.take(UInt32.self, "the version of the clock data") == 1 else { return }
    _ = try cursor.take(UInt32.self, "the clock")
    let wall = try cursor.take(UInt64.self, "the wall-clock time")
    let clock = try cursor.take(UInt64.self, "the trace clock's time")
    remark("clock reference", "\(clock) ns of the trace clock is \(wall) ns of wall-clock time")
  }
}

extension ByteCursor {
  /// Takes one of perf's strings: u32 length, bytes padded with NULs.
  fileprivate mutating func takePerfString(_ what: String) throws(TraceError) -> String {
    let length = Int(try take(UInt32.self, "the length of \(what)"))
    return try take(length, what).text
  }
}
