import Foundation
import Testing
import TraceEvents

@testable import TraceFiles

/// What a trace holds, counted in the shape of an ``AnswerKey``.
struct Tally {
  var total = 0
  var first = UInt64.max
  var last: UInt64 = 0
  var eventsPerCPU: [String: [String: Int]] = [:]
  var flushes: [String: [String: [String: Int]]] = [:]
  var allocations: [String: Int] = [:]
  var decreases = 0
  /// A value that does not depend on the order of rows.
  var checksum: UInt64 = 0
  var statistics = IngestStatistics()
  var facts: TraceFacts

  init(_ reader: any TraceReader) throws {
    var reader = reader
    facts = reader.facts
    var batch = EventBatch()
    var previous: UInt64 = 0
    while try reader.next(into: &batch) {
      for row in 0..<batch.count {
        add(batch, row, reader.directory)
        if batch.timestamp(row) < previous { decreases += 1 }
        previous = batch.timestamp(row)
      }
    }
    #expect(batch.count == 0)
    #expect(try !reader.next(into: &batch))
    statistics = reader.statistics
  }

  init(_ path: String, _ order: EventOrder = .any) throws {
    try self.init(TraceInput(path).makeReader(ReadRequest(order: order)))
  }

  private mutating func add(_ batch: borrowing EventBatch, _ row: Int, _ directory: EventDirectory)
  {
    let time = batch.timestamp(row)
    let number = String(batch.cpu(row))
    let cpu =
      batch.cpu(row) == EventBatch.unknownCPU
      ? "-" : String(repeating: "0", count: max(0, 3 - number.count)) + number
    let name = directory.names[Int(batch.event(row))]
    total += 1
    first = min(first, time)
    last = max(last, time)
    eventsPerCPU[cpu, default: [:]][name.name, default: 0] += 1
    var hash = time &* 31 &+ UInt64(batch.cpu(row))
    hash = hash &* 31 &+ UInt64(batch.event(row))
    hash = hash &* 31 &+ UInt64(bitPattern: Int64(batch.task(row)))
    if let kind = batch.kind(row) {
      let schema = Tracepoint.of(kind)
      for slot in schema.fields.indices {
        switch schema.fields[slot].form {
        // Where they stand in the pool and the directory depends on the order.
        case .cpuMask:
          for cpu in batch.cpuMask(row: row, slot: slot) ?? [] { hash = hash &* 31 &+ UInt64(cpu) }
        case .text: hash = hash &* 31 &+ UInt64(directory.string(batch.word(row, slot)).utf8.count)
        default: hash = hash &* 31 &+ batch.word(row, slot)
        }
      }
      addKnown(kind, batch, row, cpu)
    }
    checksum &+= hash &* 0x9e37_79b9_7f4a_7c15 ^ hash >> 7
  }

  private mutating func addKnown(
    _ kind: EventKind, _ batch: borrowing EventBatch, _ row: Int, _ cpu: String
  ) {
    if kind == .tlbFlush, let reason = batch.value(row, 0), batch.value(row, 1) != nil {
      let pages = batch.signedWord(row, 1)
      let size = pages == -1 ? "full" : pages == 0 ? "none" : "range"
      flushes[cpu, default: [:]]["\(reason)", default: [:]][size, default: 0] += 1
    }
    if kind == .pageAlloc,
      let slot = Tracepoint.of(kind).fields.firstIndex(where: { $0.name == "order" }),
      let order = batch.value(row, slot)
    {
      allocations["\(order)", default: 0] += 1
    }
  }
}

@Suite struct PerfDataReaderTests {
  static let files = [
    "pd-a-addr", "pd-a-clockid", "pd-a-cpuclock", "pd-a-dwarf", "pd-a-g", "pd-a-gmix", "pd-a-group",
    "pd-a-guser", "pd-a-lost", "pd-a-mem", "pd-a-noids", "pd-a-one-1ev", "pd-a-one", "pd-a-pipe-z",
    "pd-a-pipe", "pd-a-switch", "pd-a-threads", "pd-a-z-chunks", "pd-a-z", "pd-b-noids", "pd-b-one",
  ].map { $0 + ".data" }

  @Test(arguments: files, [EventOrder.any, .time])
  func countsEqualTheKey(_ file: String, _ order: EventOrder) throws {
    let key = try AnswerKey(of: file)
    let tally = try Tally(Fixtures.path(file), order)
    #expect(tally.total == key.total)
    #expect(tally.eventsPerCPU == key.eventsPerCPU)
    #expect(tally.first == AnswerKey.nanoseconds(key.first))
    #expect(tally.last == AnswerKey.nanoseconds(key.last))
    if let flushes = key.flushes { #expect(tally.flushes == flushes) }
    if let allocations = key.allocations, file != "pd-a-group.data" {
      #expect(tally.allocations == allocations)
    }
    #expect(tally.statistics.lost.known == key.lostRecords ?? 0)
    #expect(tally.statistics.findings == [])
    #expect(order == .any || tally.decreases == 0)
  }

  @Test(arguments: files)
  func bothOrdersGiveTheSameRows(_ file: String) throws {
    let any = try Tally(Fixtures.path(file), .any)
    let time = try Tally(Fixtures.path(file), .time)
    #expect(any.checksum == time.checksum)
  }
}
