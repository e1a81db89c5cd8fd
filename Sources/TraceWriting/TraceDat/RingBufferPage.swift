/// How many events a CPU lost before a page.
enum LostEvents {
  case none
  case unknown
  case counted(UInt64)
}

/// One page of the kernel's ring buffer that is being filled.
///
/// Layout (Linux 6.12 `include/linux/ring_buffer.h`, `kernel/trace/ring_buffer.c`):
/// u64 time of the first event, s64 commit (bits 0 to 26 bytes of records, bit 31 events were lost
/// before this page, bit 30 their number stands behind the records), records from byte 16.
/// A record opens with a u32: low five bits type, the rest nanoseconds since the record before.
/// Types: 1 to 28 payload in words, 0 length in the next u32, 30 time extend (next u32 << 27).
struct RingBufferPage: ~Copyable {
  static let headerSize = 16
  /// Largest delta that a record holds: 27 bits.
  static let deltaMax: UInt64 = 1 << 27 - 1
  /// Longest payload whose length fits the type, bytes.
  static let shortPayloadMax = 112

  private let page: UnsafeMutableRawBufferPointer
  private var used = 0
  private var lastTime: UInt64 = 0
  private var lost = LostEvents.none

  /// An empty page of `size` bytes.
  init(size: Int) {
    precondition(size >= 4096 && size.nonzeroBitCount == 1)
    page = .allocate(byteCount: size, alignment: 16)
    page.initializeMemory(as: UInt8.self, repeating: 0)
  }

  deinit { page.deallocate() }

  var isEmpty: Bool { used == 0 }

  /// Says that events were lost before the first of this page.
  mutating func noteLost(_ lost: LostEvents) {
    precondition(isEmpty)
    switch (self.lost, lost) {
    case (.none, _): self.lost = lost
    case (.counted(let one), .counted(let two)):
      let sum = one.addingReportingOverflow(two)
      self.lost = sum.overflow ? .unknown : .counted(sum.partialValue)
    default: self.lost = .unknown
    }
  }

  /// Adds a record; false, and nothing changed, when it does not fit.
  ///
  /// - Precondition: `time` is not before the page's last.
  mutating func append(_ payload: UnsafeRawBufferPointer, at time: UInt64) -> Bool {
    precondition(isEmpty || time >= lastTime, "events of a CPU must be written in time order")
    precondition(payload.count <= RecordEncoder.recordMax)
    let delta = isEmpty ? 0 : time - lastTime
    let padded = (payload.count + 3) & ~3
    let head = padded <= Self.shortPayloadMax && padded > 0 ? 4 : 8
    let extend = delta > Self.deltaMax ? 8 : 0
    var room = page.count
    // The number of lost events stands behind the records.
    if case .counted = lost { room -= 8 }
    guard Self.headerSize + used + extend + head + padded <= room else { return false }
    var position = Self.headerSize + used
    if isEmpty { put(time, at: 0) }
    if extend > 0 {
      put(30 | UInt32(truncatingIfNeeded: delta & Self.deltaMax) << 5, at: position)
      put(UInt32(truncatingIfNeeded: delta >> 27), at: position + 4)
      position += 8
    }
    let shortDelta = extend > 0 ? 0 : UInt32(truncatingIfNeeded: delta)
    put(shortDelta << 5 | (head == 4 ? UInt32(padded / 4) : 0), at: position)
    // The stored length counts itself.
    if head == 8 { put(UInt32(padded + 4), at: position + 4) }
    let target = UnsafeMutableRawBufferPointer(rebasing: page[(position + head)...])
    target.copyMemory(from: payload)
    for byte in payload.count..<padded { target[byte] = 0 }
    used = position + head + padded - Self.headerSize
    lastTime = time
    return true
  }

  /// The finished page, valid until the next `append`; from now on the page counts as empty.
  mutating func seal() -> UnsafeRawBufferPointer {
    var commit = Int64(used)
    var end = Self.headerSize + used
    switch lost {
    case .none: break
    // The kernel's flags are int constants: bit 31 comes out sign-extended in the 64-bit field.
    case .unknown: commit |= Int64(Int32(bitPattern: 0x8000_0000))
    case .counted(let number):
      commit |= Int64(Int32(bitPattern: 0x8000_0000))
      if end + 8 <= page.count {
        commit |= 1 << 30
        put(number, at: end)
        end += 8
      }
    }
    put(commit, at: 8)
    for byte in end..<page.count { page[byte] = 0 }
    used = 0
    lost = .none
    return UnsafeRawBufferPointer(page)
  }

  private func put(_ value: some FixedWidthInteger, at offset: Int) {
    page.storeBytes(of: value.littleEndian, toByteOffset: offset, as: type(of: value))
  }
}
