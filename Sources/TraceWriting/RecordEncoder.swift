import TraceEvents

/// Turns rows into records: the bytes that the kernel leaves in its ring buffer for an event.
///
/// Layout (Linux 6.12 `struct trace_entry`): u16 type, u8 flags, u8 preempt count, s32 thread id, the
/// event's fields at the offsets of its format, then what its dynamic fields point at.
///
/// Not copyable because it owns the bytes that it hands out.
struct RecordEncoder: ~Copyable {
  /// The most bytes of a record; more would not fit a page of the ring buffer.
  static let recordMax = 4000

  private enum Store: UInt8 {
    case none, byte, half, word, double, characters, dynamicText, trailingText, dynamicMask
  }

  /// How a payload word gets into the record.
  private struct Slot {
    var store = Store.none
    var isFunction = false
    var offset: UInt16 = 0
    var size: UInt16 = 0
  }

  private struct Plan {
    var size = 0
    var slots = InlineArray<8, Slot>(repeating: Slot())
    var slotCount = 0
    /// Start of the record's template.
    var template = 0
    /// Offset of a dynamic text that no row carries: it is written empty. 0 if there is none.
    var emptyText = 0
  }

  private var plans: [Plan]
  private let templates: [UInt8]
  private let texts: [[UInt8]]
  private let flushFunctionAddress: UInt64
  private let maskBytes: Int
  private let record: UnsafeMutableRawPointer

  /// An encoder for records of `formats`, on a machine with `cpus` CPUs.
  init(_ formats: [EventFormat], names: TraceNames, cpus: Int) {
    var plans = [Plan](repeating: Plan(), count: Int(EventKind.knownCount))
    var templates: [UInt8] = []
    for format in formats {
      precondition(format.recordSize <= Self.recordMax)
      var plan = Plan()
      plan.size = format.recordSize
      plan.template = templates.count
      templates += Self.template(format)
      let wanted = Tracepoint.of(format.kind).fields
      precondition(wanted.count <= TraceRow.wordsMax)
      plan.slotCount = wanted.count
      for (index, field) in wanted.enumerated() {
        plan.slots[index] = Self.slot(field, in: format)
      }
      let written = (0..<wanted.count).map { Int(plan.slots[$0].offset) }
      plan.emptyText =
        format.fields.first { $0.isDynamic && !written.contains($0.offset) }?.offset ?? 0
      plans[Int(format.kind.rawValue)] = plan
    }
    self.plans = plans
    self.templates = templates
    texts = names.texts.map { Array($0.utf8.prefix(1000)) }
    flushFunctionAddress = names.flushFunctionAddress
    // The kernel's masks are whole longs (Linux 6.12 BITS_TO_LONGS).
    maskBytes = (cpus + 63) / 64 * 8
    record = .allocate(byteCount: 8192, alignment: 16)
  }

  deinit { record.deallocate() }

  /// x86-64 system call numbers (Linux 6.12 `arch/x86/entry/syscalls/syscall_64.tbl`).
  private static let systemCalls: [Substring: UInt8] = [
    "write": 1, "mmap": 9, "mprotect": 10, "munmap": 11, "pwrite64": 18, "mremap": 25,
    "madvise": 28, "exit": 60, "exit_group": 231,
  ]

  /// Constants of fields that no row carries: the usual priority, the number of the system call.
  private static func template(_ format: EventFormat) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: format.recordSize)
    bytes[0] = UInt8(truncatingIfNeeded: format.id)
    bytes[1] = UInt8(truncatingIfNeeded: format.id >> 8)
    for field in format.fields where field.name.hasSuffix("prio") { bytes[field.offset] = 120 }
    if let field = format.fields.first(where: { $0.name == "__syscall_nr" }) {
      let call = format.name.split(separator: "_", maxSplits: 2).last ?? ""
      bytes[field.offset] = systemCalls[call] ?? 23  // move_pages is 279: 1 << 8 | 23
      bytes[field.offset + 1] = call == "move_pages" ? 1 : 0
    }
    return bytes
  }

  private static func slot(_ wanted: TracepointField, in format: EventFormat) -> Slot {
    if let element = arrayElement(wanted.name, in: format) { return element }
    let names = [wanted.name] + wanted.aliases
    guard let field = format.fields.first(where: { names.contains($0.name) }) else { return Slot() }
    var slot = Slot()
    slot.offset = UInt16(field.offset)
    slot.size = UInt16(field.size)
    switch wanted.form {
    case .cpuMask: slot.store = .dynamicMask
    case .text:
      slot.store = field.isDynamic ? .dynamicText : field.size == 0 ? .trailingText : .characters
    case .function:
      slot.isFunction = true
      slot.store = .double
    default: slot.store = integerStore(field.size)
    }
    return slot
  }

  /// `args[2]`: the third 8-byte word of the field `args`.
  private static func arrayElement(_ name: String, in format: EventFormat) -> Slot? {
    let parts = name.split(separator: "[")
    guard parts.count == 2, let index = Int(parts[1].dropLast()),
      let field = format.fields.first(where: { $0.name == parts[0] })
    else { return nil }
    return Slot(store: .double, offset: UInt16(field.offset + 8 * index), size: 8)
  }

  private static func integerStore(_ size: Int) -> Store {
    switch size {
    case 1: .byte
    case 2: .half
    case 4: .word
    case 8: .double
    default: .none
    }
  }

  /// The record of `row`; valid until the next call.
  ///
  /// - Precondition: the encoder was made with a format of the row's kind.
  mutating func encode(_ row: TraceRow) -> UnsafeRawBufferPointer {
    guard row.other == 0 else { return encodeHead(row) }
    let plan = plans[Int(row.kind.rawValue)]
    precondition(plan.size > 0, "no format was declared for this event")
    templates.withUnsafeBytes { all in
      guard let base = all.baseAddress else { return }
      record.copyMemory(from: base + plan.template, byteCount: plan.size)
    }
    record.storeBytes(of: row.flags, toByteOffset: 2, as: UInt8.self)
    record.storeBytes(of: row.preemptCount, toByteOffset: 3, as: UInt8.self)
    record.storeBytes(of: row.task.littleEndian, toByteOffset: 4, as: Int32.self)
    var end = plan.size
    for index in 0..<plan.slotCount {
      let slot = plan.slots[index]
      let word = row.words[index] == EventBatch.absent ? 0 : row.words[index]
      let offset = Int(slot.offset)
      switch slot.store {
      case .double:
        let value =
          slot.isFunction && word == FunctionName.flushTLBFunction ? flushFunctionAddress : word
        record.storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt64.self)
      case .word:
        record.storeBytes(
          of: UInt32(truncatingIfNeeded: word).littleEndian, toByteOffset: offset, as: UInt32.self)
      case .half:
        record.storeBytes(
          of: UInt16(truncatingIfNeeded: word).littleEndian, toByteOffset: offset, as: UInt16.self)
      case .byte:
        record.storeBytes(of: UInt8(truncatingIfNeeded: word), toByteOffset: offset, as: UInt8.self)
      case .none: break
      case .characters: putCharacters(word, at: offset, size: Int(slot.size))
      case .trailingText: end = putText(word, at: end)
      case .dynamicText:
        let start = end
        end = putText(word, at: end)
        putLocation(at: offset, start: start, length: end - start)
      case .dynamicMask:
        let start = (end + 7) & ~7
        record.storeBytes(of: 0, toByteOffset: end, as: UInt64.self)
        for limb in stride(from: 0, to: maskBytes, by: 8) {
          record.storeBytes(
            of: limb == 0 ? word.littleEndian : 0, toByteOffset: start + limb, as: UInt64.self)
        }
        end = start + maskBytes
        putLocation(at: offset, start: start, length: maskBytes)
      }
    }
    if plan.emptyText > 0 {
      record.storeBytes(of: 0, toByteOffset: end, as: UInt8.self)
      putLocation(at: plan.emptyText, start: end, length: 1)
      end += 1
    }
    return UnsafeRawBufferPointer(start: record, count: end)
  }

  /// The record of an event without known fields.
  private mutating func encodeHead(_ row: TraceRow) -> UnsafeRawBufferPointer {
    let id = BareEvent.firstID + (row.other - 1)
    record.storeBytes(of: id.littleEndian, toByteOffset: 0, as: UInt16.self)
    record.storeBytes(of: row.flags, toByteOffset: 2, as: UInt8.self)
    record.storeBytes(of: row.preemptCount, toByteOffset: 3, as: UInt8.self)
    record.storeBytes(of: row.task.littleEndian, toByteOffset: 4, as: Int32.self)
    return UnsafeRawBufferPointer(start: record, count: 8)
  }

  /// A fixed array of characters, cut like `comm`: the last byte stays NUL.
  private mutating func putCharacters(_ index: UInt64, at offset: Int, size: Int) {
    guard index < texts.count else { return }
    let text = texts[Int(index)]
    for position in 0..<min(text.count, size - 1) {
      record.storeBytes(of: text[position], toByteOffset: offset + position, as: UInt8.self)
    }
  }

  /// Text and a NUL; returns where the record ends now.
  private mutating func putText(_ index: UInt64, at start: Int) -> Int {
    let text = index < texts.count ? texts[Int(index)] : []
    for (position, byte) in text.enumerated() {
      record.storeBytes(of: byte, toByteOffset: start + position, as: UInt8.self)
    }
    record.storeBytes(of: 0, toByteOffset: start + text.count, as: UInt8.self)
    return start + text.count + 1
  }

  /// `__data_loc`: low half the offset from the record's start, high half the length.
  private mutating func putLocation(at offset: Int, start: Int, length: Int) {
    record.storeBytes(
      of: (UInt32(length) << 16 | UInt32(start)).littleEndian, toByteOffset: offset,
      as: UInt32.self)
  }
}
