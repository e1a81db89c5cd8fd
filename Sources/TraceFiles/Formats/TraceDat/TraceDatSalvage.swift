import TraceEvents

/// Finds the pages of a version 7 file whose BUFFER options are gone.
///
/// A recorder writes those options behind the records, so a file that was cut has records and no
/// table. The pages are there: each CPU's begin on a page boundary, and inside a CPU the page times
/// never step back. Their numbers come from the idle tasks: CPU 3 switches to and from `swapper/3`. A
/// CPU that never idles gets the lowest number that is left.
extension TraceDatHeader {
  mutating func salvageBuffers(
    _ file: ByteView, _ sections: [Int: SectionHead], _ statistics: inout IngestStatistics
  ) {
    let records = sections.values.filter { $0.id == TraceDatSection.records }
      .sorted { $0.offset < $1.offset }
    guard buffers.isEmpty, !records.isEmpty, metadata.pageSize >= 64,
      metadata.pageSize <= Self.pageSizeMax
    else { return }
    for (index, section) in records.enumerated() {
      let start = section.offset + SectionHead.size
      let end = section.length <= file.count - start ? start + section.length : file.count
      let cpus =
        section.isCompressed
        ? chunkedCPUs(file, from: aligned(start), to: end)
        : pagedCPUs(file, from: aligned(start), to: end)
      guard !cpus.isEmpty else { continue }
      statistics.note(
        "missing-cpu-table", .damage, at: section.offset,
        "the table of this buffer is missing: its CPUs are told apart by their page times and "
          + "numbered by their idle tasks, else in order")
      buffers.append(
        TraceDatBuffer(
          name: index == 0 ? "" : "buffer-\(index)", clock: clock, pageSize: metadata.pageSize,
          cpus: cpus))
    }
  }

  private func aligned(_ offset: Int) -> Int {
    (offset + metadata.pageSize - 1) / metadata.pageSize * metadata.pageSize
  }

  private func pagedCPUs(_ file: ByteView, from start: Int, to end: Int) -> [CPUData] {
    var layout = PageLayout(pageSize: metadata.pageSize)
    layout.bigEndian = metadata.bigEndian
    layout.read(headerPage: metadata.headerPage)
    var cpus: [CPUData] = []
    var position = start
    var lastTime = UInt64.max
    while end - position >= layout.dataOffset, cpus.count <= Self.cpusMax {
      let head = PageHead(file.suffix(from: position), layout)
      guard layout.dataOffset + head.length <= layout.pageSize else { break }
      if head.timestamp < lastTime {
        cpus.append(CPUData(cpu: cpus.count, offset: position, size: 0, codec: nil))
      }
      lastTime = head.timestamp
      let length = min(layout.pageSize, end - position)
      cpus[cpus.count - 1].size += length
      position += length
    }
    return cpus
  }

  private func chunkedCPUs(_ file: ByteView, from start: Int, to end: Int) -> [CPUData] {
    var cpus: [CPUData] = []
    var position = start
    while end - position >= 4, cpus.count <= Self.cpusMax {
      let first = position
      let chunks = Int(file.u32(position))
      position += 4
      guard chunks > 0 else { break }
      var left = chunks
      while left > 0, end - position >= 8 {
        position += 8 + min(Int(file.u32(position)), end - position - 8)
        left -= 1
      }
      cpus.append(CPUData(cpu: cpus.count, offset: first, size: position - first, codec: codec))
      position = aligned(position)
    }
    return cpus
  }
}

extension TraceDatHeader {
  /// Batches of a CPU that are searched for its idle task.
  private static let batchesSearched = 4

  /// Gives salvaged CPUs the numbers that their idle tasks tell.
  mutating func numberSalvagedCPUs(
    _ file: MappedFile, _ decoder: RecordDecoder, _ directory: EventDirectory
  ) {
    for buffer in buffers.indices {
      let told = buffers[buffer].cpus.map {
        idleTaskNumber($0, buffers[buffer], file, decoder, directory)
      }
      var taken = Set(told.compactMap { $0 })
      // Two CPUs with one idle task: the pages were told apart wrongly, so no number can be trusted.
      guard taken.count == told.compactMap({ $0 }).count else { continue }
      var next = 0
      for (index, number) in told.enumerated() {
        while taken.contains(next) { next += 1 }
        buffers[buffer].cpus[index].cpu = number ?? next
        if number == nil { taken.insert(next) }
      }
    }
  }

  private func idleTaskNumber(
    _ data: CPUData, _ buffer: TraceDatBuffer, _ file: MappedFile, _ decoder: RecordDecoder,
    _ directory: EventDirectory
  ) -> Int? {
    var unused = IngestStatistics()
    var layout = PageLayout(pageSize: buffer.pageSize)
    layout.bigEndian = metadata.bigEndian
    layout.read(headerPage: metadata.headerPage)
    let source = PageSource(
      data, file: file, pageSize: buffer.pageSize, cpus: buffer.cpus.count, statistics: &unused)
    var stream = CPUStream(
      data.cpu, source, layout: layout, clock: ClockConversion(), statistics: &unused)
    var batch = EventBatch()
    for _ in 0..<Self.batchesSearched where !stream.isExhausted {
      batch.removeAll()
      stream.emit(
        until: .max, clock: ClockConversion(), decoder: decoder, directory: directory,
        batch: &batch, statistics: &unused)
      for row in 0..<batch.count where batch.event(row) == EventKind.schedSwitch.rawValue {
        let names = [
          (SchedSwitch.previousTask, SchedSwitch.previousName),
          (SchedSwitch.nextTask, SchedSwitch.nextName),
        ]
        for (task, name) in names where batch.word(row, task) == 0 {
          let text = directory.string(batch.word(row, name))
          if text.hasPrefix("swapper/"), let number = Int(text.dropFirst(8)),
            (0..<Self.cpusMax).contains(number)
          {
            return number
          }
        }
      }
    }
    return nil
  }
}
