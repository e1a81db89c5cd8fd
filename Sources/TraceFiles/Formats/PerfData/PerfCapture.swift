import TraceEvents

/// Everything that a perf.data says besides its samples: events, machine, tasks, losses.
///
/// Fed by the feature sections of file mode and by the side records of both modes. Side records,
/// each behind the 8-byte header of ``PerfRecord``:
///
///     2  LOST          u64 id, u64 n              13 LOST_SAMPLES  u64 n
///     3  COMM          u32 pid, tid, text NUL     7  FORK          u32 pid, ppid, tid, ptid, ...
///     64 HEADER_ATTR   perf_event_attr, u64 ids   67 BUILD_ID      s32 pid, 20 bytes, ..., text
///     66 TRACING_DATA  u32 size (the blob follows the record)
///     78 EVENT_UPDATE  u64 kind, u64 id, payload  80 FEATURE       u64 id, as in file mode
struct PerfCapture {
  /// What the file says about itself and the machine.
  var facts: TraceFacts
  /// The events.
  private(set) var table = PerfEventTable()
  /// The tracepoints' formats.
  private(set) var decoder: RecordDecoder
  /// Names.
  let directory = EventDirectory()
  /// What was bad.
  var statistics = IngestStatistics()
  /// Changes whenever ``table`` or ``decoder`` do.
  private(set) var revision = 0
  private var lostByRecords = 0
  private var hasLostRecords = false
  private var lostBySamples = 0
  private var hasTracingData = false
  /// Set when samples may have been read: what describes events from then on comes late.
  var isHeadRead = false
  private var buildIDs = 0

  /// Build ids listed among the facts.
  private static let buildIDsMax = 64

  init(format: String, payloads: EventKindSet = .all) {
    decoder = RecordDecoder(payloads: payloads)
    facts = TraceFacts(
      format: format,
      instances: [TraceInstance(name: "", clock: nil, timeUnit: .nanoseconds(resolution: 1))])
    facts.hasCPUColumn = false
  }

  // MARK: Events

  /// Adds an event.
  mutating func add(_ attribute: PerfEventAttribute, at offset: Int?) {
    guard table.add(attribute) else {
      statistics.note(
        "too-many-events", .damage, at: offset,
        "more than \(PerfEventTable.attributesMax) events or \(PerfEventTable.idsMax) ids")
      return
    }
    resolve(table.attributes.count - 1)
  }

  /// Looks the events' names up in the directory, after more has become known about them.
  mutating func resolveAll() {
    for index in table.attributes.indices { resolve(index) }
  }

  private mutating func resolve(_ index: Int) {
    revision += 1
    let attribute = table.attributes[index]
    if attribute.isTracepoint, let plan = decoder.plan(UInt16(truncatingIfNeeded: attribute.config))
    {
      table.resolve(index: index, event: plan.event)
    } else {
      let name = attribute.eventName
      table.resolve(
        index: index,
        event: directory.index(system: name.system, name: name.name) ?? RecordDecoder.noEvent)
    }
  }

  /// Draws the facts that the events tell; call when all are known.
  mutating func concludeEvents() {
    let sampling = table.attributes.filter { !$0.isDummy }
    facts.hasCPUColumn = sampling.contains { $0.has(.cpu) }
    facts.instances[0].clock = sampling.lazy.compactMap(\.clockName).first
    if !sampling.contains(where: { $0.has(.time) }) { facts.instances[0].timeUnit = .none }
  }

  /// Takes the tracing data: the formats of the recorded tracepoints.
  mutating func takeTracingData(_ blob: ByteView, at offset: Int) {
    noteIfLate(at: offset)
    do throws(TraceError) {
      guard blob.hasPrefix([0x17, 0x08, 0x44]) && blob.suffix(from: 3).hasPrefix("tracing") else {
        throw TraceError("expected tracing data (17 08 44 \"tracing\")", at: offset)
      }
      var cursor = ByteCursor(blob, at: 10, origin: offset)
      let version = try cursor.takeString(max: 16, "version of the tracing data")
      let data = TracingData(&cursor, hasSavedCommandLines: version != "0.5")
      let bad = data.addFormats(to: &decoder, directory)
      if bad > 0 {
        statistics.note(
          "bad-event-format", .damage, at: offset, "\(bad) format texts have no name or no id")
      }
      data.addTaskNames(to: directory)
      if data.pageSize > 0 { facts.pageSize = data.pageSize }
      if let damage = data.damage { throw damage }
    } catch {
      statistics.note("bad-tracing-data", .damage, at: error.offset ?? offset, error.message)
    }
    hasTracingData = true
    resolveAll()
  }

  /// Notes an event's name.
  mutating func name(index: Int, _ name: String) {
    table.name(index: index, name)
  }

  // MARK: Side records

  /// Takes a record that is no sample and that concerns nobody else; `offset` is its place.
  mutating func take(_ record: ByteView, type: UInt32, at offset: Int) {
    let body = record.suffix(from: PerfRecord.headerSize)
    switch type {
    case PerfRecord.lost where body.count >= 16:
      hasLostRecords = true
      lostByRecords = lostByRecords.saturatingSum(body.u64(8))
    case PerfRecord.lostSamples where body.count >= 8:
      lostBySamples = lostBySamples.saturatingSum(body.u64(0))
    case PerfRecord.comm where body.count >= 8:
      let task = body.load(4, as: Int32.self)
      directory.name(
        task: task, body.suffix(from: 8).text,
        at: PerfMappings.time(record, table.attributes.first))
      directory.group(task: task, body.load(0, as: Int32.self))
    case PerfRecord.fork where body.count >= 16:
      takeFork(body)
    case PerfRecord.throttle:
      statistics.note(
        "throttled-event", .loss, at: offset, "the kernel paused an event that came too often")
    case PerfRecord.attribute:
      takeAttribute(body, at: offset)
    case PerfRecord.buildID:
      takeBuildID(record)
    case PerfRecord.eventUpdate where body.count >= 16:
      takeEventUpdate(body)
    case PerfRecord.feature where body.count >= 8:
      takeFeature(Int(truncatingIfNeeded: body.u64(0)), body.suffix(from: 8), at: offset + 16)
    default:
      if !PerfRecord.isKnown(type) {
        statistics.note(
          "unknown-record-type", .note, at: offset, "record type \(type) was skipped")
      }
    }
  }

  /// Events that the recorder says it lost.
  ///
  /// LOST counts at the ring buffer, LOST_SAMPLES reads the events' own counters at the end: the same
  /// loss told twice. The first is never less, so it is the one to believe; they are never added.
  var lost: Int { hasLostRecords ? lostByRecords : lostBySamples }

  private mutating func takeFork(_ body: ByteView) {
    let task = body.load(8, as: Int32.self)
    directory.group(task: task, body.load(0, as: Int32.self))
    let time = body.count >= 24 ? body.u64(16) : 0
    directory.fork(task: task, of: body.load(12, as: Int32.self), at: time)
  }

  // No recorder does this. Samples are read when they are met, or when their turn in time comes, so
  // how those before such a record are read depends on the order that was asked for.
  private mutating func noteIfLate(at offset: Int) {
    guard isHeadRead else { return }
    statistics.note(
      "late-description", .damage, at: offset,
      "an event is described behind the first samples: those before it may be counted wrongly")
  }

  private mutating func takeAttribute(_ body: ByteView, at offset: Int) {
    noteIfLate(at: offset)
    let size = PerfEventAttribute.statedSize(body)
    guard var attribute = PerfEventAttribute(body), let ids = body.slice(size, body.count - size)
    else {
      statistics.note(
        "bad-attributes", .damage, at: offset,
        "expected an attribute, \(body.count) bytes are there")
      return
    }
    attribute.ids = stride(from: 0, to: ids.count - 7, by: 8).map { ids.u64($0) }
    add(attribute, at: offset)
  }

  private mutating func takeEventUpdate(_ body: ByteView) {
    // Kind 2 is the name; units, scales and CPU lists do not matter here.
    guard body.u64(0) == 2 else { return }
    let index = table.index(id: body.u64(8))
    guard index >= 0 else { return }
    name(index: index, body.suffix(from: 16).text)
    resolve(index)
  }

  // struct perf_record_header_build_id: s32 pid, 20 bytes of id, u8 size, 3 bytes, file name; the size
  // counts only where misc bit 15 says so.
  mutating func takeBuildID(_ record: ByteView) {
    guard record.count >= 36 else { return }
    buildIDs += 1
    guard buildIDs <= Self.buildIDsMax else { return }
    let stated = record.u16(4) & 0x8000 != 0 ? Int(record.u8(32)) : 20
    let digits = "0123456789abcdef".utf8.map { UInt8($0) }
    var text: [UInt8] = []
    for index in 0..<min(stated, 20) {
      let byte = record.u8(12 + index)
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    let name = record.suffix(from: 36).text
    remark("build ids", String(decoding: text, as: UTF8.self) + (name.isEmpty ? "" : " " + name))
  }

  /// Adds to the facts that have no place of their own; what has been told before is continued.
  mutating func remark(_ name: String, _ value: String) {
    if value.isEmpty { return }
    if let known = facts.remarks.firstIndex(where: { $0.name == name }) {
      facts.remarks[known].value += "; " + value
    } else {
      facts.remarks.append((name, value))
    }
  }
}
