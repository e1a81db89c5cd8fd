import TraceEvents

/// Reads trace.dat versions 6 and 7, as `trace-cmd record` writes them.
///
/// ``TraceDatHeader`` finds the pages, a ``CPUStream`` walks those of one CPU, this merges the CPUs of
/// one buffer instance by time. Instances are read one after the other: their clocks may differ.
struct TraceDatReader: TraceReader {
  private(set) var facts: TraceFacts
  let directory = EventDirectory()
  private(set) var statistics = IngestStatistics()

  /// Bytes of one page of every CPU of a buffer together.
  private static let pagesAtOnceMax = 256 << 20

  private let part: TraceFilePart
  private let header: TraceDatHeader
  private let decoder: RecordDecoder
  private let order: EventOrder
  /// Indices into `header.buffers` still to be read; the first is being read.
  private var buffersLeft: [Int]
  private var streams: [CPUStream] = []
  private var tree = StreamTree([])
  private var isOpen = false

  init(_ part: TraceFilePart, _ compression: Compression?, _ request: ReadRequest)
    throws(TraceError)
  {
    self.part = part
    order = request.order
    part.file.adviseSequential()
    if let damage = part.compressionDamage {
      statistics.note("compressed-data-damaged", .damage, at: damage.offset, damage.message)
    }
    var header = try TraceDatHeader(part.file.bytes, &statistics)
    var decoder = RecordDecoder(
      bigEndian: header.metadata.bigEndian, payloads: request.payloads,
      readsCallChains: request.readsCallChains)
    let bad = header.metadata.addFormats(to: &decoder, directory)
    if bad > 0 {
      statistics.note("damaged-format", .damage, at: nil, "\(bad) event formats cannot be read")
    }
    header.metadata.addTaskNames(to: directory)
    self.decoder = decoder
    if statistics.count("missing-cpu-table") > 0 {
      // The names are payload that the consumer may not have asked for.
      var named = RecordDecoder(
        bigEndian: header.metadata.bigEndian, payloads: EventKindSet([.schedSwitch]))
      _ = header.metadata.addFormats(to: &named, directory)
      header.numberSalvagedCPUs(part.file, named, directory)
    }
    self.header = header
    guard !header.buffers.isEmpty else {
      throw TraceError(
        "has no events that could be saved: expected a table of the CPUs' pages",
        at: part.file.bytes.count)
    }
    facts = Self.facts(header, compression)
    buffersLeft = header.buffers.indices.filter {
      request.instance == nil || header.buffers[$0].name == request.instance
    }
  }

  private static func facts(_ header: TraceDatHeader, _ compression: Compression?) -> TraceFacts {
    var facts = TraceFacts(
      format: "trace.dat/\(header.version)",
      instances: header.buffers.map {
        let clock = $0.clock ?? header.clock
        // A TSC2NSEC option makes nanoseconds of x86-tsc: `trace-cmd convert` changes the clock's name
        // from tsc2nsec to that, and keeps the option.
        let isConverted = clock == "x86-tsc" && header.conversion.multiplier != 0
        let unit = isConverted ? .nanoseconds(resolution: 1) : TraceClock.unit(of: clock)
        return TraceInstance(name: $0.name, clock: clock, timeUnit: unit)
      })
    facts.compression = compression?.rawValue
    let highest = header.buffers.flatMap(\.cpus).map(\.cpu).max() ?? -1
    facts.cpuCount = max(header.cpuCount ?? 0, highest + 1)
    facts.pageSize = header.metadata.pageSize
    facts.flushTLBFunction = Kallsyms(header.metadata.kallsyms).address(
      of: FunctionName.flushTLBFunctionSymbol)
    if let words = header.uname?.split(separator: " ").map(String.init), words.count >= 3 {
      facts.hostName = words[1]
      facts.kernelRelease = words[2]
      facts.architecture = words.last
    }
    if let recorder = header.recorder, !recorder.isEmpty {
      facts.remarks.append((name: "recorder", value: "trace-cmd \(recorder)"))
    }
    if let codec = header.codecName, codec != "none" {
      facts.remarks.append((name: "section compression", value: codec))
    }
    return facts
  }

  /// The embedded text of /proc/kallsyms.
  var kallsyms: [UInt8] {
    let text = header.metadata.kallsyms
    return Array(UnsafeRawBufferPointer(start: text.start, count: text.count))
  }

  mutating func next(into batch: inout EventBatch) throws(TraceError) -> Bool {
    batch.removeAll()
    while let buffer = buffersLeft.first {
      if !isOpen { open(buffer) }
      batch.instance = buffer
      fill(&batch)
      if batch.count > 0 { return true }
      buffersLeft.removeFirst()
      isOpen = false
    }
    return false
  }

  private mutating func open(_ index: Int) {
    let buffer = header.buffers[index]
    var layout = PageLayout(pageSize: buffer.pageSize)
    layout.bigEndian = header.metadata.bigEndian
    layout.read(headerPage: header.metadata.headerPage)
    tree = StreamTree([])
    isOpen = true
    streams = []
    // Every CPU needs a page in memory; a file that asks for more than this is damaged.
    guard buffer.cpus.count * buffer.pageSize <= Self.pagesAtOnceMax else {
      statistics.note(
        "oversized-buffer", .damage, at: nil,
        "\(buffer.cpus.count) CPUs with pages of \(buffer.pageSize) bytes: buffer \"\(buffer.name)\" is skipped"
      )
      return
    }
    streams = buffer.cpus.map { data in
      let source = PageSource(
        data, file: part.file, pageSize: layout.pageSize, cpus: buffer.cpus.count,
        statistics: &statistics)
      return CPUStream(
        data.cpu, source, layout: layout, clock: header.conversion, statistics: &statistics)
    }
    tree = StreamTree(
      streams.enumerated().map { number, stream in
        stream.isExhausted ? nil : order == .time ? stream.timestamp : UInt64(number)
      })
  }

  private mutating func fill(_ batch: inout EventBatch) {
    // Taken out, so that the loop checks once and not at each event that nobody else holds them.
    var streams: [CPUStream] = []
    swap(&streams, &self.streams)
    streams.withUnsafeMutableBufferPointer { fill(&batch, from: $0) }
    swap(&streams, &self.streams)
  }

  private mutating func fill(
    _ batch: inout EventBatch, from streams: UnsafeMutableBufferPointer<CPUStream>
  ) {
    let conversion = header.conversion
    let order = order
    var before = -1
    while !tree.isEmpty, !batch.isFull {
      let number = tree.first
      // How far it may run is worth finding out only for a stream that has come first twice: where CPUs
      // take turns, an event at a time is less work.
      if order == .time, number != before {
        streams[number].emitNext(conversion, decoder, directory, &batch, &statistics)
      } else {
        let limit = order == .any ? .max : max(tree.limit, streams[number].timestamp)
        streams[number].emit(
          until: limit, clock: conversion, decoder: decoder, directory: directory,
          batch: &batch, statistics: &statistics)
      }
      before = number
      if streams[number].isExhausted {
        tree.removeFirst()
      } else if order == .time {
        tree.replaceFirst(time: streams[number].timestamp)
      }
    }
  }
}
