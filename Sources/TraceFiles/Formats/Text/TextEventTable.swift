import TraceEvents

/// How a name is spelled in a line; the same bytes may mean different events in two spellings.
enum TextSpelling: UInt64 {
  /// `tlb_flush: `: the event's name without its system.
  case bare = 1
  /// `sys_munmap(`: what the kernel's text calls `sys_enter_munmap`.
  case syscallEntry = 2
  /// `sys_munmap -> `: and `sys_exit_munmap`.
  case syscallExit = 3
  /// `tlb:tlb_flush: `, `cycles:u: `: perf's.
  case perf = 4
}

/// How the text of one kind of event is laid out.
enum TextLayout: UInt8 {
  /// `key=value` or `key:value` in any order.
  case keyed
  /// sched_switch, whose text a plugin of trace-cmd rewrites without keys.
  case schedSwitch
  /// `dev 8:1 ino 2f`, then keys.
  case pageCache
  /// The whole text is the value.
  case mark
  /// The value alone, or a key.
  case result
  /// `NR 11 (7f.., 1000, ...)`.
  case rawEntry
  /// `NR 11 = 0`.
  case rawExit
}

/// How one value is read.
enum TextReading: UInt8 {
  case integer, hexadecimal, flushReason, symbolic, flags, letters, function, mask, name
  /// `ofs`, bytes where the record has pages.
  case offset
}

/// One key that may stand before a value, and where its value goes.
struct TextKey {
  /// The longest key: three words.
  static let lengthMax = 24

  /// Its first, second and last eight bytes and its length, which is all of it; a key of up to eight
  /// bytes is its own last, one of up to 16 bytes has no second.
  var first: UInt64
  /// See ``first``.
  var second: UInt64
  /// See ``first``.
  var last: UInt64
  /// See ``first``.
  var count: UInt8
  /// Payload word.
  var slot: UInt8
  /// How to read it.
  var reading: TextReading
  /// Which names table: index of the field in the plan's tracepoint.
  var field: UInt8
}

/// What to do with the lines of one event.
struct TextPlan {
  /// Index in the directory.
  var event: UInt16
  /// Payload words.
  var words: UInt8
  /// How its text is laid out.
  var layout: TextLayout
  /// Its keys: a range of the table's.
  var keys: UInt16
  /// See ``keys``.
  var keyCount: UInt8
}

/// Finds the plan of an event by the bytes of its name.
///
/// Open addressing over copies of the names; an entry is added when a name is first met, by way of
/// the directory. A class because it owns memory; the hot loop goes through its `let` pointers.
final class TextEventTable {
  private struct Slot {
    var hash: UInt64
    var name: UnsafePointer<UInt8>?
    var count: UInt32
    var plan: UInt16
  }

  private static let slotCount = 8192
  /// Names that get a slot; a file with more is no ordinary trace and reads slower from there on.
  private static let namesMax = 4096
  /// Bytes of a name; longer ones are looked up the slow way.
  private static let nameLengthMax = 256

  /// Plans by number.
  let plans: UnsafeMutablePointer<TextPlan>
  /// Keys of all plans.
  let keys: UnsafeMutablePointer<TextKey>
  private let slots: UnsafeMutablePointer<Slot>
  private let directory: EventDirectory
  private var names: [UnsafeMutablePointer<UInt8>] = []
  private var planOfKind: [EventKind: UInt16] = [:]
  private var planCount = 0
  private let allKeys: [[TextKey]]

  /// The plan used for a name that found no slot, rewritten at each use.
  private static let spare = UInt16(namesMax)

  private let payloads: EventKindSet

  init(_ directory: EventDirectory, payloads: EventKindSet = .all) {
    self.directory = directory
    self.payloads = payloads
    allKeys = Tracepoint.all.map(TextKey.all)
    plans = .allocate(capacity: Self.namesMax + 1)
    slots = .allocate(capacity: Self.slotCount)
    slots.initialize(
      repeating: Slot(hash: 0, name: nil, count: 0, plan: 0), count: Self.slotCount)
    let flat = allKeys.flatMap { $0 }
    keys = .allocate(capacity: max(flat.count, 1))
    keys.initialize(from: flat, count: flat.count)
  }

  deinit {
    for name in names { name.deallocate() }
    plans.deallocate()
    slots.deallocate()
    keys.deallocate()
  }

  /// The number of the plan for a name; nil if the directory takes no more names.
  @inline(__always)
  func plan(_ name: TextSpan, _ spelling: TextSpelling) -> Int? {
    let hash = name.hash(spelling.rawValue)
    var index = Int(truncatingIfNeeded: hash &>> 20) & (Self.slotCount - 1)
    while let known = slots[index].name {
      if slots[index].hash == hash,
        name.equals(TextSpan(start: known, count: Int(slots[index].count)))
      {
        return Int(slots[index].plan)
      }
      index = (index &+ 1) & (Self.slotCount - 1)
    }
    return add(name, spelling, hash, index)
  }

  @inline(never)
  private func add(_ name: TextSpan, _ spelling: TextSpelling, _ hash: UInt64, _ index: Int) -> Int?
  {
    guard let event = event(name, spelling) else { return nil }
    guard names.count < Self.namesMax, name.count <= Self.nameLengthMax else {
      plans[Int(Self.spare)] = makePlan(event)
      return Int(Self.spare)
    }
    let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: max(name.count, 1))
    copy.update(from: name.start, count: name.count)
    names.append(copy)
    let number = planNumber(event)
    slots[index] = Slot(hash: hash, name: copy, count: UInt32(name.count), plan: number)
    return Int(number)
  }

  private func planNumber(_ event: UInt16) -> UInt16 {
    let kind = EventKind(rawValue: event)
    if let kind, let known = planOfKind[kind] { return known }
    let number = UInt16(planCount)
    planCount += 1
    plans[Int(number)] = makePlan(event)
    if let kind { planOfKind[kind] = number }
    return number
  }

  private func makePlan(_ event: UInt16) -> TextPlan {
    guard let kind = EventKind(rawValue: event), payloads.contains(kind) else {
      return TextPlan(event: event, words: 0, layout: .keyed, keys: 0, keyCount: 0)
    }
    let firstKey = allKeys[..<Int(event)].reduce(0) { $0 + $1.count }
    return TextPlan(
      event: event, words: UInt8(Tracepoint.of(kind).fields.count), layout: Self.layout(kind),
      keys: UInt16(firstKey), keyCount: UInt8(allKeys[Int(event)].count))
  }

  private static func layout(_ kind: EventKind) -> TextLayout {
    switch kind {
    case .schedSwitch: .schedSwitch
    case .filemapAdd, .filemapDelete: .pageCache
    case .print: .mark
    case .rawSysEnter: .rawEntry
    case .rawSysExit: .rawExit
    default: Tracepoint.of(kind).fields.map(\.name) == ["ret"] ? .result : .keyed
    }
  }

  private func event(_ name: TextSpan, _ spelling: TextSpelling) -> UInt16? {
    let text = name.text
    switch spelling {
    case .bare: return directory.index(system: nil, name: text)
    case .syscallEntry:
      return directory.index(system: "syscalls", name: "sys_enter_" + text.dropFirst(4))
    case .syscallExit:
      return directory.index(system: "syscalls", name: "sys_exit_" + text.dropFirst(4))
    case .perf:
      let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
      // `cycles:u`, `tlb:tlb_flush:k`: the last part may be modifiers and not a name.
      let plain =
        parts.count > 1 && Self.areModifiers(parts[parts.count - 1])
        ? parts.dropLast() : parts[...]
      if plain.count == 2, plain.allSatisfy({ !$0.isEmpty }) {
        return directory.index(system: plain[0], name: plain[1])
      }
      return directory.index(system: nil, name: text)
    }
  }

  /// Letters that perf takes behind a name (perf-list(1)): user, kernel, hypervisor, precise, ...
  private static func areModifiers(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 8 && text.allSatisfy { "ukhIGHpPSDWebR".contains($0) }
  }
}

extension TextKey {
  init(_ name: String, slot: Int, _ reading: TextReading) {
    let bytes = Array(name.utf8)
    precondition(
      bytes.count <= Self.lengthMax, "a key of a tracepoint is longer than its comparison")
    func word(_ part: ArraySlice<UInt8>) -> UInt64 {
      part.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    self.init(
      first: word(bytes.prefix(8)), second: bytes.count > 16 ? word(bytes[8..<16]) : 0,
      last: word(bytes.suffix(8)), count: UInt8(bytes.count), slot: UInt8(slot), reading: reading,
      field: UInt8(slot))
  }

  /// All keys of a tracepoint's text.
  static func all(_ tracepoint: Tracepoint) -> [TextKey] {
    tracepoint.fields.enumerated().flatMap { slot, field in
      ([field.name] + field.aliases).map { name in
        TextKey(name, slot: slot, reading(tracepoint, field, name))
      }
    }
  }

  private static func reading(
    _ tracepoint: Tracepoint, _ field: TracepointField, _ name: String
  ) -> TextReading {
    switch field.form {
    case .integer:
      if tracepoint.kind == .tlbFlush, field.name == "reason" { return .flushReason }
      return name == "ofs" ? .offset : .integer
    case .hexadecimal: return .hexadecimal
    case .symbolic: return .symbolic
    case .flags: return tracepoint.kind == .lruInsertion ? .letters : .flags
    case .function: return .function
    case .text: return .name
    case .cpuMask: return .mask
    }
  }
}
