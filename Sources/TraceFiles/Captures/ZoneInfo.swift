import TraceEvents

/// Reads one copy of /proc/zoneinfo.
///
///     Node 0, zone    DMA32
///       pages free     3724
///             min      3215
///             spanned  77824
///             managed  66563
///           nr_free_pages 3724
///           numa_local   80345
///       pagesets
///         cpu: 0
///                   count:    17
///       vm stats threshold: 125
///       start_pfn:           4096
///
/// Linux 6.12 `mm/vmstat.c` `zoneinfo_show_print`: a zone without pages ends behind `managed`, so it
/// has no start; `nr_free_pages` and the other counters lag behind by what the CPUs have not folded
/// in, at most the threshold of each.
struct ZoneInfo {
  /// Zones that a file may have: 1024 nodes (`NODES_SHIFT` 10) of six zones each.
  static let zonesMax = 8192
  /// Frame numbers are below this: 52 bits of physical address less 12 of offset (Intel SDM 4.5).
  static let frameLimit: UInt64 = 1 << 40

  private let path: String
  private var zones: [ZoneSnapshot] = []
  private var zone: ZoneSnapshot?
  private var hasStart = false

  /// The zones with frames of the file at `path`.
  static func read(_ path: String) throws(TraceError) -> MemorySnapshot {
    try parse(SnapshotFile.text(path), path)
  }

  /// The zones with frames of a whole file.
  static func parse(_ text: String, _ path: String) throws(TraceError) -> MemorySnapshot {
    var info = ZoneInfo(path)
    for line in text.split(whereSeparator: \.isNewline) { try info.read(line) }
    try info.close()
    guard !info.zones.isEmpty else {
      throw TraceError("expected a copy of /proc/zoneinfo with a zone that has pages", file: path)
    }
    info.zones.sort { ($0.node, $0.startFrame) < ($1.node, $1.startFrame) }
    return MemorySnapshot(zones: info.zones)
  }

  private init(_ path: String) { self.path = path }

  private mutating func read(_ line: Substring) throws(TraceError) {
    let words = line.split(whereSeparator: \.isWhitespace)
    guard words.count >= 2 else { return }
    if words[0] == "Node" {
      try close()
      try open(words)
      return
    }
    guard var open = zone else { return }
    switch words[0] {
    case "spanned": open.spanned = try pages(words[1])
    case "managed": open.managed = try pages(words[1])
    case "min": open.min = try pages(words[1])
    case "low": open.low = try pages(words[1])
    case "high": open.high = try pages(words[1])
    case "pages": if words.count == 3, words[1] == "free" { open.free = try pages(words[2]) }
    case "numa_local": open.localAllocations = UInt64(words[1])
    case "count:": open.perCPUFree &+= try pages(words[1])
    case "vm":
      if words.count == 4, words[2] == "threshold:" { open.counterSlack &+= try pages(words[3]) }
    case "start_pfn:":
      open.startFrame = try pages(words[1])
      hasStart = true
    default: return
    }
    zone = open
  }

  private mutating func open(_ words: [Substring]) throws(TraceError) {
    guard words.count == 4, words[1].last == ",", words[2] == "zone",
      let node = Int(words[1].dropLast()), (0..<(1 << 16)).contains(node)
    else { throw TraceError("is no copy of /proc/zoneinfo: \"Node\" without a zone", file: path) }
    zone = ZoneSnapshot(node: node, name: String(words[3].prefix(32)))
    hasStart = false
  }

  private mutating func close() throws(TraceError) {
    guard let done = zone else { return }
    zone = nil
    guard done.spanned > 0 else { return }
    let name = "node \(done.node), zone \(done.name)"
    // A zone whose pages are all elsewhere spans frames but prints nothing behind `managed`.
    guard hasStart else {
      if done.managed == 0 { return }
      throw TraceError("ends before the start_pfn of \(name)", file: path)
    }
    guard done.startFrame < Self.frameLimit, done.spanned <= Self.frameLimit,
      done.managed <= done.spanned
    else { throw TraceError("\(name) has impossible frame numbers", file: path) }
    guard zones.count < Self.zonesMax else {
      throw TraceError("has more than \(Self.zonesMax) zones", file: path)
    }
    zones.append(done)
  }

  /// A number of pages, small enough that those of a whole file can be added up.
  private func pages(_ word: Substring) throws(TraceError) -> UInt64 {
    guard let value = UInt64(word), value <= Self.frameLimit else {
      throw TraceError("expected a number of pages, found \"\(word.prefix(40))\"", file: path)
    }
    return value
  }
}
