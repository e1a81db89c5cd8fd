import TraceEvents

/// Turns the kernel's binary records into payload words, by the file's own format texts.
///
/// trace.dat pages and perf.data raw samples carry the same records: common_type u16 at 0,
/// common_flags u8 at 2, common_preempt_count u8 at 3, common_pid s32 at 4, then the event's fields
/// at the offsets that its format text states. Every format is compiled once into a plan; the plan of
/// a record is found by its common_type.
struct RecordDecoder {
  /// How to make one payload word.
  private struct Step {
    enum Load: UInt8 {
      case absent, u8, u16, u32, u64, s8, s16, s32, text, dynamicText, mask, callers

      var isSigned: Bool { self == .s8 || self == .s16 || self == .s32 }
    }
    var load: Load
    var relative: Bool
    var offset: UInt16
    var size: UInt16
  }

  /// What to do with the records of one type.
  struct Plan {
    /// Index in the directory.
    var event: UInt16 = 0
    /// Bytes that the fixed fields need.
    var bytesNeeded: UInt16 = 0
    /// Payload words.
    var words: UInt8 = 0
    /// Whether the file has a format for the type.
    fileprivate(set) var isKnown = false
    /// Whether all fields are fixed-size integers in this machine's byte order.
    fileprivate(set) var isPlain = true
    var isOfStack: Bool {
      event == EventKind.kernelStack.rawValue || event == EventKind.userStack.rawValue
    }
    fileprivate var firstStep: UInt32 = 0
    fileprivate var firstPlainStep: UInt32 = 0
  }

  private let tables = DecoderTables()
  private var steps: [Step] = []
  private let bigEndian: Bool

  /// Stands for no event where an event index is kept: a directory never gives it.
  static let noEvent = UInt16.max
  /// Records whose type is beyond this are damaged: event ids are 16 bits.
  static let typesMax = 65_536

  private let payloads: EventKindSet
  private let readsCallChains: Bool

  /// A decoder that fills the payload words of `payloads` and leaves out those of other kinds.
  init(
    bigEndian: Bool = false, payloads: EventKindSet = .all, readsCallChains: Bool = false
  ) {
    self.bigEndian = bigEndian
    self.payloads = payloads
    self.readsCallChains = readsCallChains
  }

  /// Adds a format; `system` is what the file files it under. A second format of the same id loses.
  mutating func add(_ format: TracepointFormat, system: String, to directory: EventDirectory) {
    guard format.id < Self.typesMax, let event = directory.index(system: system, name: format.name),
      !tables.plans[format.id].isKnown
    else { return }
    var plan = Plan()
    plan.event = event
    plan.isKnown = true
    plan.isPlain = !bigEndian
    plan.firstStep = UInt32(steps.count)
    var plainSteps: [PlainStep] = []
    if let kind = EventKind(rawValue: event) {
      let isWanted = payloads.contains(kind)
      for field in Tracepoint.all[Int(event)].fields {
        let step = Self.step(for: field, in: format)
        // A record that is too short is damaged, whether or not somebody wants its fields.
        plan.bytesNeeded = max(plan.bytesNeeded, step.offset + step.size)
        guard isWanted else { continue }
        steps.append(step)
        plan.words += 1
        if step.load.rawValue < Step.Load.text.rawValue {
          plainSteps.append(
            PlainStep(
              offset: Int(step.offset), size: Int(step.size), isSigned: step.load.isSigned))
        } else {
          plan.isPlain = false
        }
      }
    }
    if readsCallChains, plan.isOfStack {
      steps.append(Self.callersStep(in: format))
      plan.words = 1
      plan.isPlain = false
    }
    if plan.isPlain { plan.firstPlainStep = tables.add(plainSteps) }
    tables.plans[format.id] = plan
  }

  /// The plan of records of `type`, nil if the file has no format for it.
  @inline(__always)
  func plan(_ type: UInt16) -> Plan? {
    let plan = tables.plans[Int(type)]
    return plan.isKnown ? plan : nil
  }

  /// `unsigned long caller[]` of both stack events runs to the record's end (Linux 6.12
  /// `kernel/trace/trace_entries.h`), whatever size the format states.
  private static func callersStep(in format: TracepointFormat) -> Step {
    guard let found = format.field("caller"), found.offset >= 8,
      found.offset <= Int(UInt16.max) - 8
    else { return Step(load: .absent, relative: false, offset: 0, size: 0) }
    return Step(load: .callers, relative: false, offset: UInt16(found.offset), size: 0)
  }

  private static func step(for field: TracepointField, in format: TracepointFormat) -> Step {
    var absent = Step(load: .absent, relative: false, offset: 0, size: 0)
    var element = 0
    var names = [field.name] + field.aliases
    if let bracket = field.name.firstIndex(of: "[") {
      // `args[2]` is the third element of the array `args`.
      names = [String(field.name[..<bracket])]
      element = Int(field.name[bracket...].dropFirst().dropLast()) ?? 0
    }
    guard let found = names.lazy.compactMap({ format.field($0) }).first else { return absent }
    var size = found.size
    var offset = found.offset
    if names.count == 1, field.name.hasSuffix("]") {
      size = 8
      offset += element * 8
      guard offset + size <= found.offset + found.size else { return absent }
    }
    // Of a dynamic field 4 bytes are read, whatever size the format states.
    let needed = found.isDynamic || found.isRelative ? 4 : size
    // Behind the common head, and where 16 bits reach: no kernel's format says otherwise.
    guard offset + size >= 8, offset + max(needed, size) <= Int(UInt16.max) else { return absent }
    absent.relative = found.isRelative
    switch field.form {
    case .text:
      if found.isDynamic || found.isRelative {
        return Step(
          load: .dynamicText, relative: found.isRelative, offset: UInt16(offset), size: 4)
      }
      // `char buf[]` of the print event has size 0 in the format: text to the record's end.
      return Step(load: .text, relative: false, offset: UInt16(offset), size: UInt16(size))
    case .cpuMask:
      return found.isDynamic || found.isRelative
        ? Step(load: .mask, relative: found.isRelative, offset: UInt16(offset), size: 4) : absent
    default:
      let load: Step.Load
      switch (size, found.isSigned) {
      case (1, false): load = .u8
      case (1, true): load = .s8
      case (2, false): load = .u16
      case (2, true): load = .s16
      case (4, false): load = .u32
      case (4, true): load = .s32
      case (8, _): load = .u64
      default: return absent
      }
      return Step(load: load, relative: false, offset: UInt16(offset), size: UInt16(size))
    }
  }

  /// Adds the row of one record to `batch`.
  ///
  /// - Parameter record: the record from its common_type on; its length has been checked against
  ///   the page or sample, and is at least 8.
  /// - Returns: false if the record is shorter than its format says; the row is then not added.
  @inline(__always)
  func append(
    _ record: ByteView, plan: Plan, timestamp: UInt64, cpu: UInt16, task: Int32,
    to batch: inout EventBatch, directory: EventDirectory
  ) -> Bool {
    guard record.count >= Int(plan.bytesNeeded) else { return false }
    let payload = batch.append(
      timestamp: timestamp, cpu: cpu, event: plan.event, task: task, words: Int(plan.words))
    if plan.isPlain {
      fill(payload, record.start, plan)
    } else {
      fillSlowly(payload, record, plan, &batch, directory)
    }
    return true
  }

  /// Writes the payload words of a plain plan, in fours.
  ///
  /// Nobody asks how many are left, because most kinds have no more than four and a branch that
  /// depends on the kind of a record is mispredicted more often than not. What is written beyond
  /// the plan's words lies in the slack that every batch keeps.
  @inline(__always)
  func fill(_ payload: UnsafeMutablePointer<UInt64>, _ record: UnsafeRawPointer, _ plan: Plan) {
    var payload = payload
    var step = UnsafePointer(tables.plainSteps + Int(plan.firstPlainStep))
    var left = Int(plan.words)
    // A pass that asks for few payloads has none almost always, others hardly ever.
    guard left > 0 else { return }
    repeat {
      payload[0] = step[0].word(record)
      payload[1] = step[1].word(record)
      payload[2] = step[2].word(record)
      payload[3] = step[3].word(record)
      payload += 4
      step += 4
      left &-= 4
    } while left > 0
  }

  @inline(never)
  private func fillSlowly(
    _ payload: UnsafeMutablePointer<UInt64>, _ record: ByteView, _ plan: Plan,
    _ batch: inout EventBatch, _ directory: EventDirectory
  ) {
    for index in 0..<Int(plan.words) {
      payload[index] = word(record, steps[Int(plan.firstStep) + index], &batch, directory)
    }
  }

  private static func plainWord(_ record: ByteView, _ step: Step) -> UInt64 {
    let offset = Int(step.offset)
    switch step.load {
    case .u64: return record.u64(offset)
    case .u32: return UInt64(record.u32(offset))
    case .s32: return UInt64(bitPattern: Int64(record.load(offset, as: Int32.self)))
    case .u16: return UInt64(record.u16(offset))
    case .u8: return UInt64(record.u8(offset))
    case .s16: return UInt64(bitPattern: Int64(record.load(offset, as: Int16.self)))
    case .s8: return UInt64(bitPattern: Int64(record.load(offset, as: Int8.self)))
    default: return EventBatch.absent
    }
  }

  private func word(
    _ record: ByteView, _ step: Step, _ batch: inout EventBatch, _ directory: EventDirectory
  ) -> UInt64 {
    let offset = Int(step.offset)
    switch step.load {
    case .text:
      let length = step.size == 0 ? record.count - offset : Int(step.size)
      return intern(record.slice(offset, length), directory)
    case .dynamicText:
      return intern(dynamic(record, step), directory)
    case .mask:
      guard let bytes = dynamic(record, step), bytes.count % 8 == 0 else {
        return EventBatch.absent
      }
      return batch.appendMask(
        stride(from: 0, to: bytes.count, by: 8).map {
          bigEndian ? bytes.u64($0).byteSwapped : bytes.u64($0)
        })
    case .callers: return chain(record, from: offset, directory)
    default:
      guard bigEndian else { return Self.plainWord(record, step) }
      switch step.load {
      case .u64: return record.u64(offset).byteSwapped
      case .u32: return UInt64(record.u32(offset).byteSwapped)
      case .s32:
        return UInt64(bitPattern: Int64(record.load(offset, as: Int32.self).byteSwapped))
      case .u16: return UInt64(record.u16(offset).byteSwapped)
      case .s16:
        return UInt64(bitPattern: Int64(record.load(offset, as: Int16.self).byteSwapped))
      default: return Self.plainWord(record, step)
      }
    }
  }

  /// What is not filled is 0, older kernels end a stack with all ones, and a trampoline of ftrace
  /// stands as INT_MAX (Linux 6.12 `kernel/trace/trace.h` `FTRACE_TRAMPOLINE_MARKER`).
  private func chain(_ record: ByteView, from offset: Int, _ directory: EventDirectory) -> UInt64 {
    var frames: [UInt64] = []
    for at in stride(from: offset, to: record.count - 7, by: 8) {
      let frame = bigEndian ? record.u64(at).byteSwapped : record.u64(at)
      if frame == 0 || frame == .max { break }
      if frame != UInt64(Int32.max) { frames.append(frame) }
    }
    return directory.chain(of: frames)
  }

  private func dynamic(_ record: ByteView, _ step: Step) -> ByteView? {
    let raw = record.u32(Int(step.offset))
    let location = bigEndian ? raw.byteSwapped : raw
    let base = step.relative ? Int(step.offset) + 4 : 0
    return record.slice(base + Int(location & 0xffff), Int(location >> 16))
  }

  private func intern(_ bytes: ByteView?, _ directory: EventDirectory) -> UInt64 {
    guard let bytes else { return EventBatch.absent }
    var text = bytes.text
    while text.hasSuffix("\n") { text.removeLast() }
    return directory.intern(text)
  }
}
