public import TraceEvents

/// A sample of a perf.data with the addresses of its call chain.
public struct PerfStackSample: Sendable {
  /// Event as the directory numbers it; 0xffff if it has no name there.
  public internal(set) var event: UInt16 = 0xffff
  /// Nanoseconds of the trace's clock; `UInt64.max` if the event has no times.
  public internal(set) var time: UInt64 = .max
  /// The CPU, nil if the event does not tell.
  public internal(set) var cpu: UInt16?
  /// Process (thread group), -1 if not told.
  public internal(set) var process: Int32 = -1
  /// Task (thread), -1 if not told.
  public internal(set) var task: Int32 = -1
  /// Kernel addresses, the innermost first.
  public internal(set) var kernelFrames: [UInt64] = []
  /// User addresses, the innermost first.
  public internal(set) var userFrames: [UInt64] = []
  /// Whether the event records call chains.
  public internal(set) var hasChain = false

  /// A sample to read into.
  public init() {}
}

/// Reads the call chains of a perf.data, and meanwhile what it says of mappings and build ids.
///
/// Samples come in the file's order. Mappings are complete only at the end of the file: read it once
/// for them, then again for the samples. A chain holds context markers (`PERF_CONTEXT_*`, from -4095
/// on; include/uapi/linux/perf_event.h of Linux 6.12) that say whose addresses follow:
///
///     -32 hypervisor   -128 kernel   -512 user   -2048.. guests
public struct PerfStackReader {
  /// What was mapped where, as far as the file has been read.
  public private(set) var mappings = PerfMappings()
  /// What was bad.
  public var statistics: IngestStatistics { capture.statistics }
  /// Names of events and tasks.
  public var directory: EventDirectory { capture.directory }

  private var capture = PerfCapture(format: "perf.data", payloads: EventKindSet([]))
  private var streams: [PerfRecordStream] = []
  private let parts: [TraceFilePart]
  private var current = 0

  /// Opens `path`: a perf.data of either mode, compressed or not, or perf's directory form.
  public init(_ path: String) throws(TraceError) {
    do throws(TraceError) {
      parts = try Self.open(path)
      let header = try PerfDataHeader(parts[0].file.bytes, &capture.statistics)
      for attribute in header.attributes { capture.add(attribute, at: nil) }
      for feature in header.features {
        capture.takeFeature(feature.id, feature.content, at: feature.offset)
        if feature.id == 2 { mappings.takeBuildIDs(feature.content) }
      }
      for (index, part) in parts.enumerated() {
        let range = index == 0 ? header.records : 0..<part.file.bytes.count
        streams.append(PerfRecordStream(part.file.bytes, range, name: index == 0 ? "" : part.name))
      }
    } catch {
      var named = error
      named.file = path
      throw named
    }
  }

  private static func open(_ path: String) throws(TraceError) -> [TraceFilePart] {
    if let parts = try PerfDataDirectory.parts(path) { return parts }
    let file = try TraceInput.mapInput(path)
    guard file.bytes.count > 0 else { throw TraceError("is empty: expected a perf.data", at: 0) }
    var part = TraceFilePart(name: path, file: file)
    if let compression = try Compression.recognise(file.bytes) {
      let (whole, damage) = try Spool.decompressed(file.bytes, compression: compression)
      part = TraceFilePart(name: path, file: whole, compressionDamage: damage)
    }
    guard part.file.bytes.hasPrefix("PERFILE2") || part.file.bytes.hasPrefix("2ELIFREP") else {
      throw TraceError("is no perf.data: expected \"PERFILE2\"", at: 0)
    }
    return [part]
  }

  /// Reads the next sample into `sample`, whose storage is used again.
  ///
  /// - Returns: false at the end of the file; `sample` is not valid then.
  public mutating func next(into sample: inout PerfStackSample) -> Bool {
    while current < streams.count {
      let stop = walk(&sample)
      if stop == .paused { return true }
      if !streams[current].resume(stop, &capture) { current += 1 }
    }
    mappings.finish()
    return false
  }

  private mutating func walk(_ sample: inout PerfStackSample) -> PerfRecordStream.Stop {
    let window = streams[current].window
    var at = streams[current].position
    defer { streams[current].position = at }
    while let header = PerfRecordHeader(window, at) {
      guard header.isRegular else { return .irregular }
      if header.isSpecial { return .special }
      let record = header.record(window, at)
      let offset = streams[current].fileOffset(at)
      at &+= header.size
      if header.type == PerfRecord.sample {
        if take(record, at: offset, &sample) { return .paused }
      } else {
        capture.take(record, type: header.type, at: offset)
        if let full = mappings.take(record, header.type, capture.table.attributes.first) {
          capture.statistics.note("too-many-mappings", .loss, at: offset, full)
        }
      }
    }
    return .exhausted
  }

  private mutating func take(_ record: ByteView, at offset: Int, _ sample: inout PerfStackSample)
    -> Bool
  {
    let index = capture.table.index(of: record)
    guard index >= 0, record.count >= Int(capture.table.layouts[index].fixedEnd) else {
      capture.statistics.note(
        index < 0 ? "unknown-sample-id" : "short-sample", .damage, at: offset,
        "the sample belongs to no event, or is shorter than its event's fields")
      return false
    }
    let layout = capture.table.layouts[index]
    sample.event = layout.event
    sample.time = layout.timeOffset >= 0 ? record.u64(Int(layout.timeOffset)) : .max
    sample.cpu =
      layout.cpuOffset >= 0 ? UInt16(clamping: record.u32(Int(layout.cpuOffset))) : nil
    let task = Int(layout.taskOffset)
    sample.process = task >= 0 ? record.load(task, as: Int32.self) : -1
    sample.task = task >= 0 ? record.load(task + 4, as: Int32.self) : -1
    sample.kernelFrames.removeAll(keepingCapacity: true)
    sample.userFrames.removeAll(keepingCapacity: true)
    sample.hasChain = layout.has(.callChain)
    guard sample.hasChain else { return true }
    guard let chain = PerfSample(record, layout).callChain else {
      capture.statistics.note(
        "bad-call-chain", .damage, at: offset, "the call chain does not fit into its sample")
      return true
    }
    PerfSample.split(
      chain, of: record, kernel: &sample.kernelFrames, user: &sample.userFrames)
    return true
  }
}
