import TraceEvents

/// Reads the sampled data addresses of a perf.data: `perf mem record`, `perf record -d -e ...:P`.
///
/// A sample with `PERF_SAMPLE_ADDR` is an access to the address's page; `PERF_SAMPLE_DATA_SRC` says
/// whether it was a load or a store (`mem_op`: 2 load, 4 store, 16 fetch; include/uapi/linux/perf_event.h
/// of Linux 6.12). The process is part of the page number, for address spaces differ. What samples
/// cannot say is when a page comes back: they give each page's popularity.
///
/// Page faults (`-e page-faults -d`) carry addresses too, and no popularity: a page faults when it is
/// mapped, however often it is used afterwards. A file with nothing else is refused, with the number
/// of pages, which bounds the footprint from below.
struct PerfAddressReader: AccessReader {
  let source = AccessSource.samples
  private(set) var statistics = AccessStatistics()

  private let part: TraceFilePart
  private let name: String
  private var capture = PerfCapture(format: "perf.data", payloads: EventKindSet([]))
  private var stream: PerfRecordStream
  private var isEnded = false
  private var accesses = 0
  /// Pages that faults named, to say how many; no more are kept than ``faultPagesMax``.
  private var faultPages: Set<UInt64> = []
  private var faults = 0

  private static let faultPagesMax = 1 << 20

  init(_ part: TraceFilePart, name: String) throws(TraceError) {
    self.part = part
    self.name = name
    let header = try PerfDataHeader(part.file.bytes, &capture.statistics)
    for attribute in header.attributes { capture.add(attribute, at: nil) }
    for feature in header.features {
      capture.takeFeature(feature.id, feature.content, at: feature.offset)
    }
    stream = PerfRecordStream(part.file.bytes, header.records, name: "")
    if let damage = part.compressionDamage {
      capture.statistics.note("compressed-data-damaged", .damage, at: damage.offset, damage.message)
    }
    guard header.isPipe || !capture.table.attributes.isEmpty else {
      throw TraceError("describes no event: expected attributes", at: 24)
    }
  }

  mutating func next(into batch: inout [PageAccess]) throws(TraceError) -> Bool {
    batch.removeAll(keepingCapacity: true)
    while !isEnded, batch.count < accessesPerBatch {
      let stop = walk(&batch)
      if stop == .full { break }
      isEnded = !stream.resume(stop, &capture)
    }
    accesses += batch.count
    statistics.bytesRead = stream.bytesRead
    guard batch.isEmpty else { return true }
    for finding in capture.statistics.findings where statistics.ingest.count(finding.name) == 0 {
      statistics.ingest.note(
        finding.name, finding.severity, at: finding.firstOffset, finding.detail)
    }
    if accesses == 0 { throw absence() }
    return false
  }

  private func absence() -> TraceError {
    guard faults > 0 else {
      return TraceError(
        """
        has no sampled data address: expected samples with PERF_SAMPLE_ADDR (perf mem record, or \
        perf record -d with a precise memory event)
        """, at: statistics.bytesRead, file: name)
    }
    let pages = faultPages.count
    return TraceError(
      """
      has addresses of page faults only (\(faults) faults on \(pages) pages): a fault says when a page \
      was mapped, not how often it is used, so neither reuse nor popularity follows; the footprint is \
      at least \(pages) pages. Sample memory accesses (perf mem record) or trace them (valgrind \
      --tool=lackey --trace-mem=yes)
      """, at: statistics.bytesRead, file: name)
  }

  private mutating func walk(_ batch: inout [PageAccess]) -> PerfRecordStream.Stop {
    let window = stream.window
    var at = stream.position
    defer { stream.position = at }
    while let header = PerfRecordHeader(window, at) {
      guard header.isRegular else { return .irregular }
      if header.isSpecial { return .special }
      if header.type == PerfRecord.sample {
        if batch.count >= accessesPerBatch { return .full }
        take(header.record(window, at), at: stream.fileOffset(at), &batch)
      } else {
        let offset = stream.fileOffset(at)
        capture.take(header.record(window, at), type: header.type, at: offset)
      }
      at &+= header.size
    }
    return .exhausted
  }

  private mutating func take(_ record: ByteView, at offset: Int, _ batch: inout [PageAccess]) {
    statistics.records += 1
    let index = capture.table.index(of: record)
    guard index >= 0 else {
      return note("unknown-sample-id", .damage, offset, "the sample's id belongs to no event")
    }
    let layout = capture.table.layouts[index]
    guard record.count >= Int(layout.fixedEnd) else {
      return note("short-sample", .damage, offset, "the sample is shorter than its event's fields")
    }
    guard layout.addressOffset >= 0 else {
      return note("sample-without-address", .note, offset, "its event records no data address")
    }
    let address = record.u64(Int(layout.addressOffset))
    guard address != 0 else {
      return note("address-zero", .note, offset, "the hardware gave no address for this sample")
    }
    guard address >> 63 == 0 else {
      return note(
        "kernel-address", .note, offset,
        "kernel pages are global: flushes of a process leave them in the TLB")
    }
    let process =
      layout.taskOffset >= 0 ? UInt64(record.u32(Int(layout.taskOffset)) & 0x3f_ffff) : 0
    // 22 bits of process above the 36 of a page of four-level tables.
    let page = address >> 12 ^ process << 36
    if capture.table.attributes[index].isPageFault {
      faults += 1
      if faultPages.count < Self.faultPagesMax { faultPages.insert(page) }
      return note("page-fault-address", .note, offset, "a first touch, no sample of accesses")
    }
    guard let kind = accessClass(record, layout, offset) else { return }
    batch.append(PageAccess(page: page, class: kind))
  }

  private mutating func accessClass(
    _ record: ByteView, _ layout: PerfSampleLayout, _ offset: Int
  ) -> AccessClass? {
    let sample = PerfSample(record, layout)
    guard sample.isWhole else {
      note("short-sample", .damage, offset, "the sample is shorter than its event's fields")
      return nil
    }
    let operation = (sample.dataSource ?? 0) & 0x1f
    if operation & 0x10 != 0 { return .fetch }
    if operation & 0x04 != 0 { return .store }
    if operation & 0x02 == 0 {
      note(
        "unknown-operation", .note, offset,
        "the sample does not say whether it is a load or a store; taken as a load")
    }
    return .load
  }

  private mutating func note(
    _ name: String, _ severity: FindingSeverity, _ offset: Int, _ detail: @autoclosure () -> String
  ) {
    statistics.ingest.note(name, severity, at: offset, detail())
  }
}

extension PerfEventAttribute {
  /// `PERF_COUNT_SW_PAGE_FAULTS`, `_MIN`, `_MAJ`: the address of a sample is that of the fault.
  fileprivate var isPageFault: Bool { type == 1 && [2, 5, 6].contains(config) }
}
