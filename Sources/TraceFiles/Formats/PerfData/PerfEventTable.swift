/// The recorded events of a perf.data and which of them a sample belongs to.
///
/// A sample names its event by an id at an offset that all events of a file share in practice; a
/// file of one event may carry none. Ids are looked up in an open-addressed table: they are small and
/// dense where perf made them, but nothing says that they must be.
struct PerfEventTable {
  /// The events, in the file's order.
  private(set) var attributes: [PerfEventAttribute] = []
  /// The layouts of their samples, by the same index.
  private(set) var layouts: [PerfSampleLayout] = []
  private var keys: [UInt64] = []
  private var values: [Int32] = []
  private var idOffsets: [Int] = []
  private var shift: UInt64 = 64
  private var idsUsed = 0

  /// More events than that in one file are damage.
  static let attributesMax = 4096
  /// More ids than that in one file are damage: an event has one a CPU.
  static let idsMax = 1 << 20

  /// Adds an event; an id that an earlier one has stays with the earlier one.
  ///
  /// - Returns: false if the table is full.
  mutating func add(_ attribute: PerfEventAttribute) -> Bool {
    guard attributes.count < Self.attributesMax, attribute.ids.count <= Self.idsMax - idsUsed
    else { return false }
    attributes.append(attribute)
    let layout = PerfSampleLayout(attribute)
    layouts.append(layout)
    let offset = Int(layout.idOffset)
    if offset >= 0, !idOffsets.contains(offset) { idOffsets.append(offset) }
    idsUsed += attribute.ids.count
    if idsUsed * 2 > keys.count {
      grow()
    } else {
      insert(attribute.ids, Int32(attributes.count - 1))
    }
    return true
  }

  /// Notes the name of the event that has `id`, or of the one at `index`.
  mutating func name(index: Int, _ name: String) {
    guard attributes.indices.contains(index) else { return }
    attributes[index].name = name
  }

  /// Notes the directory's index of the event at `index`.
  mutating func resolve(index: Int, event: UInt16) { layouts[index].event = event }

  /// The index of the event with `id`, -1 if there is none.
  @inline(__always)
  func index(id: UInt64) -> Int {
    guard !keys.isEmpty else { return -1 }
    var slot = Int(truncatingIfNeeded: (id &* 0x9e37_79b9_7f4a_7c15) >> shift)
    // The table is at most half full, so an empty slot ends the search.
    while values[slot] >= 0 {
      if keys[slot] == id { return Int(values[slot]) }
      slot = (slot &+ 1) & (keys.count &- 1)
    }
    return -1
  }

  /// The index of the event that the sample `record` belongs to, -1 if it names an unknown one.
  @inline(__always)
  func index(of record: ByteView) -> Int {
    if idOffsets.count == 1 {
      let offset = idOffsets[0]
      guard record.count >= offset &+ 8 else { return -1 }
      let found = index(id: record.u64(offset))
      if found >= 0 { return found }
    }
    return unusualIndex(of: record)
  }

  // As `evlist__event2evsel` of tools/perf/util/evlist.c: no id, id 0 and a single event all mean the
  // first one.
  private func unusualIndex(of record: ByteView) -> Int {
    if attributes.count == 1 { return 0 }
    if idOffsets.isEmpty { return attributes.isEmpty ? -1 : 0 }
    for offset in idOffsets where record.count >= offset + 8 {
      let id = record.u64(offset)
      if id == 0 { return 0 }
      let found = index(id: id)
      if found >= 0, Int(layouts[found].idOffset) == offset { return found }
    }
    return -1
  }

  private mutating func grow() {
    var bits: UInt64 = 4
    while 1 << bits < idsUsed * 2 { bits += 1 }
    shift = 64 - bits
    keys = Array(repeating: 0, count: 1 << bits)
    values = Array(repeating: -1, count: 1 << bits)
    for (value, attribute) in attributes.enumerated() { insert(attribute.ids, Int32(value)) }
  }

  private mutating func insert(_ ids: [UInt64], _ value: Int32) {
    for id in ids where index(id: id) < 0 {
      var slot = Int(truncatingIfNeeded: (id &* 0x9e37_79b9_7f4a_7c15) >> shift)
      while values[slot] >= 0 { slot = (slot + 1) & (keys.count - 1) }
      keys[slot] = id
      values[slot] = value
    }
  }
}
