import TraceEvents

/// Reads perf.data: file mode, pipe mode, and the directory that `perf record --threads` makes.
///
///     file mode   ``PerfDataHeader``, ids, records, features (``PerfCapture``)
///     pipe mode   16 bytes, then records only, the features among them
///     directory   `data` in file mode, `data.N` records only
///
/// Samples become rows one for one. A sample of a tracepoint is decoded by the format in the tracing
/// data; one without a format keeps its name (or `tracepoint/ID`) and has no payload. Any other event
/// (`cpu-clock`, `page-faults`) is a row with perf's name for it and no payload.
///
/// Where a group is read as a whole (`{a,b}:S`) the file has samples of the leader only, with the
/// counters of all members. As perf script does, a member whose counter rose since the last such
/// sample gets a row of its own, once, however much it rose; its payload is not known.
struct PerfDataReader: TraceReader {
  private var capture: PerfCapture
  private var streams: [PerfRecordStream] = []
  private let parts: [TraceFilePart]
  private var samples = PerfSampleDecoder()
  /// The streams that have not ended, by index, and the one that is read now.
  private var unfinished: [Int]
  private var current = 0
  private let isSorted: Bool
  private var sorter = RoundSorter()
  /// Time of the latest sample read of each stream, and of the latest one that became a row.
  private var latestRead: [UInt64]
  private var latestTaken: UInt64 = 0

  var facts: TraceFacts { capture.facts }
  var directory: EventDirectory { capture.directory }
  var statistics: IngestStatistics {
    var statistics = capture.statistics
    statistics.lost.known = capture.lost
    statistics.bytesRead = streams.reduce(0) { $0 + $1.bytesRead }
    return statistics
  }

  init(_ parts: [TraceFilePart], _ compression: Compression?, _ request: ReadRequest)
    throws(TraceError)
  {
    guard let first = parts.first else { throw TraceError("has no perf.data in it") }
    if let name = request.instance, !name.isEmpty {
      throw TraceError("has no instance \"\(name)\": a perf.data has one buffer without a name")
    }
    self.parts = parts
    samples.readsCallChains = request.readsCallChains
    capture = PerfCapture(format: "perf.data", payloads: request.payloads)
    let header = try PerfDataHeader(first.file.bytes, &capture.statistics)
    capture.facts.format = header.isPipe ? "perf.data/pipe" : "perf.data"
    if parts.count > 1 || header.features.contains(where: { $0.id == 24 }) {
      capture.facts.format = "perf.data/dir"
    }
    capture.facts.compression = compression?.rawValue
    for attribute in header.attributes { capture.add(attribute, at: nil) }
    for feature in header.features {
      capture.takeFeature(feature.id, feature.content, at: feature.offset)
    }
    for part in parts where part.compressionDamage != nil {
      capture.statistics.note(
        "compressed-data-damaged", .damage, at: part.compressionDamage?.offset,
        part.compressionDamage?.message ?? "")
    }
    for (index, part) in parts.enumerated() {
      part.file.adviseSequential()
      let range = index == 0 ? header.records : 0..<part.file.bytes.count
      streams.append(
        PerfRecordStream(part.file.bytes, range, name: parts.count > 1 ? part.name : ""))
    }
    unfinished = Array(parts.indices)
    latestRead = Array(repeating: 0, count: parts.count)
    if header.isPipe { Self.readHead(&streams[0], &capture) }
    capture.isHeadRead = true
    capture.concludeEvents()
    // Without times there is nothing to sort by.
    isSorted = request.order == .time && capture.facts.instances[0].timeUnit != .none
    for index in streams.indices { streams[index].keepsBuffers = isSorted }
    guard !capture.table.attributes.isEmpty else {
      throw TraceError(
        "describes no event: expected attributes\(header.isPipe ? " (record type 64)" : "")",
        at: header.isPipe ? PerfDataHeader.pipeSize : 24)
    }
  }

  mutating func next(into batch: inout EventBatch) throws(TraceError) -> Bool {
    batch.removeAll()
    batch.instance = 0
    if isSorted {
      fillByTime(&batch)
    } else {
      fillInFileOrder(&batch)
    }
    return batch.count > 0
  }

  /// Reads the records that precede the first one of the kernel: in pipe mode, what describes the rest.
  private static func readHead(_ stream: inout PerfRecordStream, _ capture: inout PerfCapture) {
    while true {
      let stop = walkHead(&stream, &capture)
      guard stop != .paused, stream.resume(stop, &capture) else { return }
    }
  }

  private static func walkHead(_ stream: inout PerfRecordStream, _ capture: inout PerfCapture)
    -> PerfRecordStream.Stop
  {
    while let header = PerfRecordHeader(stream.window, stream.position) {
      if header.type < PerfRecord.attribute || header.type == PerfRecord.compressed
        || header.type == PerfRecord.compressed2 || header.type == PerfRecord.finishedRound
      {
        return .paused
      }
      guard header.isRegular else { return .irregular }
      if header.isSpecial { return .special }
      let at = stream.position
      capture.take(header.record(stream.window, at), type: header.type, at: at)
      stream.position = at + header.size
    }
    return .exhausted
  }

  // MARK: File order

  private mutating func fillInFileOrder(_ batch: inout EventBatch) {
    while let index = unfinished.first {
      current = index
      let stop = walk(&batch)
      if stop == .full { return }
      if !streams[current].resume(stop, &capture) { unfinished.removeFirst() }
    }
  }

  private mutating func walk(_ batch: inout EventBatch) -> PerfRecordStream.Stop {
    if samples.revision != capture.revision { samples.refresh(capture) }
    let window = streams[current].window
    var at = streams[current].position
    defer { streams[current].position = at }
    while let header = PerfRecordHeader(window, at) {
      guard header.isRegular else { return .irregular }
      if header.type == PerfRecord.sample {
        if batch.isFull { return .full }
        let outcome = samples.append(header.record(window, at), to: &batch)
        if outcome != .added {
          if outcome == .full { return .full }
          note(outcome, at: streams[current].fileOffset(at))
        }
      } else if header.isSpecial {
        return .special
      } else {
        let offset = streams[current].fileOffset(at)
        capture.take(header.record(window, at), type: header.type, at: offset)
        if header.describesEvents {
          at &+= header.size
          return .paused
        }
      }
      at &+= header.size
    }
    return .exhausted
  }

  private mutating func note(_ outcome: PerfSampleDecoder.Outcome, at offset: Int?) {
    switch outcome {
    case .added, .full: break
    case .oddCPU:
      capture.statistics.note(
        "odd-cpu", .damage, at: offset,
        "the sample's CPU is beyond the \(capture.facts.cpuCount ?? 0) that the machine has")
    case .badPayload:
      capture.statistics.note(
        "bad-sample-payload", .damage, at: offset,
        "the sample's fields do not fit into it, or its record is shorter than its format")
    case .mismatched:
      capture.statistics.note(
        "mismatched-sample", .damage, at: offset,
        "the sample's id and the type of its record name different tracepoints")
    case .unknownEvent:
      capture.statistics.note(
        "unknown-sample-id", .damage, at: offset, "the sample's id belongs to no event of the file")
    case .short:
      capture.statistics.note(
        "short-sample", .damage, at: offset, "the sample is shorter than the fields of its event")
    case .nameless:
      capture.statistics.note(
        "too-many-event-names", .loss, at: offset,
        "more than \(EventDirectory.unknownNamesMax) event names; the sample was dropped")
    }
  }

  // MARK: Time order

  private mutating func fillByTime(_ batch: inout EventBatch) {
    while true {
      while let run = sorter.next {
        if batch.isFull || !take(run, &batch) { return }
      }
      if unfinished.isEmpty { return }
      readRound()
    }
  }

  /// Adds the first sample of `run`, the earliest there is, and moves on to the run's next one.
  ///
  /// - Returns: false if the batch lacks room for it.
  private mutating func take(_ run: SortedRun, _ batch: inout EventBatch) -> Bool {
    let window = ByteView(start: run.position, count: run.end - run.position)
    guard let header = PerfRecordHeader(window, 0), header.isRegular else {
      sorter.removeFirst()
      return true
    }
    let record = header.record(window, 0)
    let event = samples.event(of: record)
    if event >= 0 {
      let outcome = samples.append(record, event: event, time: run.time, cpu: run.cpu, to: &batch)
      if outcome == .full { return false }
      if outcome != .added { note(outcome, at: fileOffset(run.position)) }
      if run.time < latestTaken {
        capture.statistics.note(
          "late-sample", .loss, at: fileOffset(run.position),
          "a sample came later than its round allows; the order of rows is wrong there")
      }
      latestTaken = max(latestTaken, run.time)
    }
    var at = header.size
    while let next = PerfRecordHeader(window, at), next.isRegular {
      if next.type == PerfRecord.sample {
        let record = next.record(window, at)
        let event = samples.event(of: record)
        if event >= 0 {
          let key = samples.key(of: record, event: event, after: run.time)
          sorter.advance(to: window.start + at, time: key.time, cpu: key.cpu)
          return true
        }
      }
      at &+= next.size
    }
    sorter.removeFirst()
    return true
  }

  // Where a record lies in its file; nil if it was unpacked.
  private func fileOffset(_ pointer: UnsafeRawPointer) -> Int? {
    for part in parts {
      let offset = pointer - part.file.bytes.start
      if offset >= 0 && offset < part.file.bytes.count { return offset }
    }
    return nil
  }

  /// Finds the runs up to the end of a round, or of the input.
  private mutating func readRound() {
    // Of several streams the one that lags is read: the files of a directory have no rounds.
    while let index = unfinished.min(by: { latestRead[$0] < latestRead[$1] }) {
      current = index
      let stop = walkForRuns()
      if stop == .roundEnded {
        sorter.finishRound()
        return
      }
      if !streams[current].resume(stop, &capture) { unfinished.removeAll { $0 == index } }
      if sorter.isOverfull {
        release()
        return
      }
    }
    sorter.finish()
  }

  private mutating func release() {
    // What every stream has gone past is complete, as far as each of them is sorted.
    let common = unfinished.count > 1 ? unfinished.map { latestRead[$0] }.min() ?? 0 : 0
    if sorter.release(upTo: common) { return }
    sorter.releaseOlderHalf()
    capture.statistics.note(
      "unsorted-input", .loss, at: streams[current].bytesRead,
      """
      more than \(RoundSorter.runsMax) unsorted stretches or \(RoundSorter.heldBytesMax) unpacked \
      bytes before a round ended: some rows may be out of order
      """)
  }

  private mutating func walkForRuns() -> PerfRecordStream.Stop {
    if samples.revision != capture.revision { samples.refresh(capture) }
    let window = streams[current].window
    var at = streams[current].position
    var run: SortedRun?
    var last: (time: UInt64, cpu: UInt16) = (latestRead[current], 0)
    defer {
      close(run, at: window.start + at, last.time)
      latestRead[current] = last.time
      streams[current].position = at
    }
    while let header = PerfRecordHeader(window, at) {
      guard header.isRegular else { return .irregular }
      if header.type == PerfRecord.sample {
        let record = header.record(window, at)
        let event = samples.event(of: record)
        guard event >= 0 else {
          note(samples.fault(of: record), at: streams[current].fileOffset(at))
          at &+= header.size
          continue
        }
        let key = samples.key(of: record, event: event, after: last.time)
        if run == nil || key < last {
          close(run, at: record.start, last.time)
          run = SortedRun(time: key.time, cpu: key.cpu, position: record.start, end: record.start)
        }
        last = key
      } else if header.isSpecial {
        return .special
      } else {
        let offset = streams[current].fileOffset(at)
        capture.take(header.record(window, at), type: header.type, at: offset)
        if header.type == PerfRecord.finishedRound || header.describesEvents {
          at &+= header.size
          return header.type == PerfRecord.finishedRound ? .roundEnded : .paused
        }
      }
      at &+= header.size
    }
    return .exhausted
  }

  private mutating func close(_ run: SortedRun?, at end: UnsafeRawPointer, _ lastTime: UInt64) {
    guard var closed = run else { return }
    closed.end = end
    sorter.add(closed, lastTime: lastTime, in: streams[current].buffer)
  }
}
