import Replay
import TraceEvents
import TraceFiles

/// What one reading of an input gives.
struct ReadPass {
  /// The rows of one buffer instance, in figures that do not depend on their order.
  struct InstanceRows {
    var rows = 0
    var checksum: UInt64 = 0
    var stepsBack = 0
    var lastTime: UInt64 = 0
    /// Rows that are earlier than one before them on the same CPU.
    var stepsBackOnCPU = 0
    var lastTimes: [UInt16: UInt64] = [:]
  }

  private(set) var instances: [InstanceRows] = []
  private(set) var facts = TraceFacts(format: "", instances: [])
  private(set) var statistics = IngestStatistics()

  /// Reads all of `input`, with the payloads that its order's consumers ask for; nil if it throws.
  init?(
    _ input: TraceInput, order: EventOrder,
    _ consume: (borrowing EventBatch, EventDirectory) -> Void
  ) throws {
    let payloads = order == .any ? TraceSurvey.payloads : EventKindSet.all
    var batch = EventBatch()
    var reader: any TraceReader
    do {
      reader = try input.makeReader(ReadRequest(order: order, payloads: payloads))
      while try reader.next(into: &batch) {
        guard batch.count > 0, batch.instance >= 0, batch.instance < reader.facts.instances.count
        else {
          throw BrokenInvariant(
            "a batch of \(batch.count) rows for instance \(batch.instance) of "
              + "\(reader.facts.instances.count)")
        }
        try add(batch, payloads, reader.directory)
        consume(batch, reader.directory)
      }
      guard batch.count == 0, try !reader.next(into: &batch) else {
        throw BrokenInvariant("rows behind the end")
      }
    } catch let error as TraceError {
      guard !error.message.isEmpty else { throw BrokenInvariant("an error without a message") }
      return nil
    }
    facts = reader.facts
    statistics = reader.statistics
  }

  /// The figures of instance `index`, empty if no row was of it.
  func instance(_ index: Int) -> InstanceRows {
    index < instances.count ? instances[index] : InstanceRows()
  }

  private mutating func add(
    _ batch: borrowing EventBatch, _ payloads: EventKindSet, _ directory: EventDirectory
  ) throws {
    while instances.count <= batch.instance { instances.append(InstanceRows()) }
    var figures = instances[batch.instance]
    for row in 0..<batch.count {
      let event = Int(batch.event(row))
      guard event < directory.names.count else {
        throw BrokenInvariant("event \(event) of \(directory.names.count)")
      }
      let time = batch.timestamp(row)
      if time < figures.lastTime { figures.stepsBack += 1 }
      figures.lastTime = time
      if time < figures.lastTimes[batch.cpu(row)] ?? 0 { figures.stepsBackOnCPU += 1 }
      figures.lastTimes[batch.cpu(row)] = time
      figures.rows += 1
      // Names that the tool does not know are numbered as they come, which depends on the order.
      var hash = Self.mixed(time, UInt64(batch.cpu(row)))
      hash = Self.mixed(hash, UInt64(min(event, Int(EventKind.knownCount))))
      hash = Self.mixed(hash, UInt64(bitPattern: Int64(batch.task(row))))
      if let kind = batch.kind(row), payloads.contains(kind) {
        let words = try payload(batch, row, kind, directory)
        if TraceSurvey.payloads.contains(kind) { hash = Self.mixed(hash, words) }
      }
      figures.checksum &+= hash
    }
    instances[batch.instance] = figures
  }

  /// Reads every word of a row, which asserts that they are there, and hashes the numbers.
  private func payload(
    _ batch: borrowing EventBatch, _ row: Int, _ kind: EventKind, _ directory: EventDirectory
  ) throws -> UInt64 {
    var hash: UInt64 = 0
    for (slot, field) in Tracepoint.of(kind).fields.enumerated() {
      let word = batch.word(row, slot)
      switch field.form {
      case .text: hash = Self.mixed(hash, UInt64(directory.string(word).utf8.count))
      case .cpuMask:
        for cpu in batch.cpuMask(row: row, slot: slot) ?? [] {
          guard cpu < 4096 else { throw BrokenInvariant("CPU \(cpu) in a mask") }
        }
      // Names are numbered as they come.
      case .function: break
      default: hash = Self.mixed(hash, word)
      }
    }
    return hash
  }

  private static func mixed(_ a: UInt64, _ b: UInt64) -> UInt64 {
    var mixed = (a ^ b) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 29) ^ b.byteSwapped) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 32)
  }
}
