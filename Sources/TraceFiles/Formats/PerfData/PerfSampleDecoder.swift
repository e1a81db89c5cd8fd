import TraceEvents

/// Turns samples into rows.
///
/// Holds copies of what it needs of the ``PerfCapture``; ``refresh(_:)`` renews them.
struct PerfSampleDecoder {
  /// What became of a sample.
  enum Outcome: UInt8 {
    /// It is a row now.
    case added
    /// It needs more rows than the batch has left; nothing was added.
    case full
    /// It is a row without payload: its RAW field is cut or too short for the event's format.
    case badPayload
    /// It is a row, but its record is of another tracepoint than its id says.
    case mismatched
    /// It is a row, but its CPU is one that the machine does not have.
    case oddCPU
    /// It is no row: its id belongs to no event.
    case unknownEvent
    /// It is no row: it is shorter than its fields.
    case short
    /// It is no row: the directory has no room for the event's name.
    case nameless

    /// Whether there is a row of the sample.
    @inline(__always)
    var isRow: Bool { self != .full && rawValue < Outcome.unknownEvent.rawValue }
  }

  /// Largest group whose members get rows.
  private static let groupMembersMax = 256
  /// Counters of group members remembered, one an id.
  private static let countersMax = 1 << 20

  private var table = PerfEventTable()
  private var decoder = RecordDecoder()
  private var directory = EventDirectory()
  private var wordCounts: [UInt8] = []
  private var counters: [UInt64: UInt64] = [:]
  private var latestTime: UInt64 = 0
  private var untimedRows: UInt64 = 0
  private var hasTimes = true
  private var cpuCount = UInt16.max
  /// Whether rows of the call chains of flushes follow these.
  var readsCallChains = false
  private var kernelFrames: [UInt64] = []
  private var userFrames: [UInt64] = []
  /// The capture's revision that the copies are of.
  private(set) var revision = -1

  /// Takes over what `capture` knows now.
  mutating func refresh(_ capture: PerfCapture) {
    table = capture.table
    decoder = capture.decoder
    directory = capture.directory
    wordCounts = Tracepoint.all.map { UInt8($0.fields.count) }
    hasTimes = capture.facts.instances[0].timeUnit != .none
    cpuCount = capture.facts.cpuCount.map { UInt16(clamping: $0) } ?? .max
    revision = capture.revision
  }

  /// The event of a sample, -1 if there is none that fits it.
  @inline(__always)
  func event(of record: ByteView) -> Int {
    let index = table.index(of: record)
    guard index >= 0, record.count >= Int(table.layouts[index].fixedEnd) else { return -1 }
    return index
  }

  /// Why a sample without an ``event(of:)`` has none.
  func fault(of record: ByteView) -> Outcome {
    table.index(of: record) < 0 ? .unknownEvent : .short
  }

  /// Time and CPU of a sample; `time` is that of the sample before it, for events without one.
  @inline(__always)
  func key(of record: ByteView, event: Int, after time: UInt64) -> (time: UInt64, cpu: UInt16) {
    let layout = table.layouts[event]
    var found = time
    if layout.timeOffset >= 0 {
      let own = record.u64(Int(layout.timeOffset))
      // perf gives these to what has no time.
      if own != 0 && own != .max { found = own }
    }
    guard layout.cpuOffset >= 0 else { return (found, EventBatch.unknownCPU) }
    return (found, UInt16(truncatingIfNeeded: min(record.u32(Int(layout.cpuOffset)), 0xffff)))
  }

  /// Adds the row of a sample in file order.
  @inline(__always)
  mutating func append(_ record: ByteView, to batch: inout EventBatch) -> Outcome {
    let event = table.index(of: record)
    guard event >= 0 else { return .unknownEvent }
    guard record.count >= Int(table.layouts[event].fixedEnd) else { return .short }
    var key = key(of: record, event: event, after: latestTime)
    latestTime = key.time
    if !hasTimes {
      // Rows are numbered where the file has no times.
      key.time = untimedRows
    }
    let outcome = append(record, event: event, time: key.time, cpu: key.cpu, to: &batch)
    if outcome.isRow { untimedRows &+= 1 }
    return outcome
  }

  /// Adds the row of a sample whose event, time and CPU are known.
  @inline(__always)
  mutating func append(
    _ record: ByteView, event: Int, time: UInt64, cpu: UInt16, to batch: inout EventBatch
  ) -> Outcome {
    let outcome = appendRow(record, event: event, time: time, cpu: cpu, to: &batch)
    guard cpu >= cpuCount, cpu != EventBatch.unknownCPU, outcome == .added else { return outcome }
    return .oddCPU
  }

  @inline(__always)
  private mutating func appendRow(
    _ record: ByteView, event: Int, time: UInt64, cpu: UInt16, to batch: inout EventBatch
  ) -> Outcome {
    let layout = table.layouts[event]
    let task =
      layout.taskOffset >= 0
      ? record.load(Int(layout.taskOffset) &+ 4, as: Int32.self) : EventBatch.unknownTask
    if layout.rawField == .fixed {
      let at = layout.rawOffset
      guard record.count >= at &+ 4, Int(record.u32(at)) <= record.count &- at &- 4 else {
        return appendPlain(layout.event, time, cpu, task, to: &batch, .badPayload)
      }
      let raw = ByteView(start: record.start + (at &+ 4), count: Int(record.u32(at)))
      return appendRaw(raw, layout.tracepoint, layout.event, time, cpu, task, to: &batch)
    }
    if layout.rawField == .none && !layout.readsGroup {
      return appendPlain(layout.event, time, cpu, task, to: &batch, .added)
    }
    return appendWalked(record, event, time, cpu, task, to: &batch)
  }

  @inline(__always)
  private func appendRaw(
    _ raw: ByteView, _ tracepoint: UInt16, _ event: UInt16, _ time: UInt64, _ cpu: UInt16,
    _ task: Int32, to batch: inout EventBatch
  ) -> Outcome {
    guard raw.count >= 8 else {
      return appendPlain(event, time, cpu, task, to: &batch, .badPayload)
    }
    let type = raw.u16(0)
    guard let plan = decoder.plan(type) else {
      return appendPlain(
        event, time, cpu, task, to: &batch, type == tracepoint ? .added : .mismatched)
    }
    let owner = task == EventBatch.unknownTask ? raw.load(4, as: Int32.self) : task
    guard
      decoder.append(
        raw, plan: plan, timestamp: time, cpu: cpu, task: owner, to: &batch, directory: directory)
    else { return appendPlain(plan.event, time, cpu, owner, to: &batch, .badPayload) }
    return type == tracepoint ? .added : .mismatched
  }

  // A row whose payload words are all absent.
  private func appendPlain(
    _ event: UInt16, _ time: UInt64, _ cpu: UInt16, _ task: Int32, to batch: inout EventBatch,
    _ outcome: Outcome
  ) -> Outcome {
    guard event != RecordDecoder.noEvent else { return .nameless }
    let words = Int(event) < wordCounts.count ? Int(wordCounts[Int(event)]) : 0
    let payload = batch.append(timestamp: time, cpu: cpu, event: event, task: task, words: words)
    for index in 0..<words { payload[index] = EventBatch.absent }
    return outcome
  }

  private mutating func appendWalked(
    _ record: ByteView, _ event: Int, _ time: UInt64, _ cpu: UInt16, _ task: Int32,
    to batch: inout EventBatch
  ) -> Outcome {
    let layout = table.layouts[event]
    let sample = PerfSample(record, layout)
    let members = layout.readsGroup ? sample.memberCount : 0
    // Two rows more for the call chain.
    guard members <= Self.groupMembersMax, members + 2 < EventBatch.capacity - batch.count,
      (members + 3) * EventBatch.wordsPerRowMax <= EventBatch.wordCapacity - batch.wordCount
    else {
      return members > Self.groupMembersMax
        ? appendPlain(layout.event, time, cpu, task, to: &batch, .badPayload) : .full
    }
    var outcome = Outcome.badPayload
    if let raw = sample.raw, layout.rawField == .walked {
      outcome = appendRaw(raw, layout.tracepoint, layout.event, time, cpu, task, to: &batch)
    } else {
      let expected: Outcome = layout.rawField == .walked ? .badPayload : .added
      outcome = appendPlain(layout.event, time, cpu, task, to: &batch, expected)
    }
    if readsCallChains, let chain = sample.callChain, outcome == .added || outcome == .mismatched {
      appendChain(chain, of: record, to: &batch)
    }
    for member in 0..<members {
      appendMember(sample.member(member), besides: event, time, cpu, task, to: &batch)
    }
    return outcome == .added && !sample.isWhole ? .badPayload : outcome
  }

  /// Adds rows for the call chain of a flush that its CPU began: those of receivers and of task switches
  /// lead to nobody.
  private mutating func appendChain(
    _ chain: ByteView, of record: ByteView, to batch: inout EventBatch
  ) {
    let row = batch.count - 1
    guard batch.kind(row) == .tlbFlush,
      FlushReason.initiators.contains(batch.signedWord(row, TLBFlush.reason))
    else { return }
    kernelFrames.removeAll(keepingCapacity: true)
    userFrames.removeAll(keepingCapacity: true)
    PerfSample.split(chain, of: record, kernel: &kernelFrames, user: &userFrames)
    for (kind, frames) in [(EventKind.kernelStack, kernelFrames), (.userStack, userFrames)]
    where !frames.isEmpty {
      let payload = batch.append(
        timestamp: batch.timestamp(row), cpu: batch.cpu(row), event: kind.rawValue,
        task: batch.task(row), words: 1)
      payload[0] = directory.chain(of: frames)
    }
  }

  // `deliver_sample_group` of tools/perf/util/session.c: a member counts if its counter rose.
  private mutating func appendMember(
    _ member: (id: UInt64, value: UInt64), besides leader: Int, _ time: UInt64, _ cpu: UInt16,
    _ task: Int32, to batch: inout EventBatch
  ) {
    let event = table.index(id: member.id)
    guard event >= 0, event != leader else { return }
    let before = counters[member.id] ?? 0
    guard member.value != before else { return }
    if counters.count < Self.countersMax || before != 0 { counters[member.id] = member.value }
    _ = appendPlain(table.layouts[event].event, time, cpu, task, to: &batch, .added)
  }
}
