import Foundation
import Testing
import TraceEvents

@testable import TraceFiles

@Suite struct PerfDataFactsTests {
  private func reader(_ file: String) throws -> any TraceReader {
    try TraceInput(Fixtures.path(file)).makeReader(ReadRequest(order: .any))
  }

  @Test(arguments: ["pd-a-one.data", "pd-a-pipe.data", "pd-a-pipe-z.data", "pd-a-threads.data"])
  func machineIsTold(_ file: String) throws {
    let facts = try reader(file).facts
    #expect(facts.hostName == "guest")
    #expect(facts.kernelRelease == "6.12.117+deb12-cloud-amd64")
    #expect(facts.architecture == "x86_64")
    #expect(facts.cpuCount == 4)
    #expect(facts.nodes.map(\.number) == [0, 1])
    #expect(facts.nodes.map(\.cpuList) == ["0-3", ""])
    #expect(facts.nodes.allSatisfy { 300_000...400_000 ~= $0.memoryKiB ?? 0 })
    #expect(facts.commandLine?.contains("record -a -N") == true)
    #expect(facts.instances.count == 1)
    #expect(facts.instances[0].timeUnit == .nanoseconds(resolution: 1))
    #expect(facts.instances[0].clock == nil)
    #expect(facts.hasCPUColumn)
    let blocks = facts.remarks.first { $0.name == "memory blocks" }?.value
    #expect(blocks == "134217728 bytes each; node 0: 3, node 1: 3")
    #expect(facts.remarks.contains { $0.name == "cpu" && $0.value.hasPrefix("QEMU TCG") })
  }

  @Test func formatsAreNamed() throws {
    #expect(try reader("pd-a-one.data").facts.format == "perf.data")
    #expect(try reader("pd-a-pipe.data").facts.format == "perf.data/pipe")
    #expect(try reader("pd-a-threads.data").facts.format == "perf.data/dir")
  }

  @Test func theChosenClockIsNamed() throws {
    let facts = try reader("pd-a-clockid.data").facts
    #expect(facts.instances[0].clock == "monotonic")
    #expect(facts.remarks.contains { $0.name == "clock resolution" && $0.value == "1 ns" })
    #expect(facts.remarks.contains { $0.name == "clock reference" })
  }

  @Test func noCPUColumnWithoutTheField() throws {
    #expect(try !reader("pd-a-mem.data").facts.hasCPUColumn)
  }

  @Test func buildIDsEqualThoseOfPerf() throws {
    let list = try String(contentsOfFile: Fixtures.path("pd-a-g.data.buildids"), encoding: .utf8)
    let told = try reader("pd-a-g.data").facts.remarks.first { $0.name == "build ids" }?.value
    #expect(told == list.split(separator: "\n").joined(separator: "; "))
  }

  @Test func tasksHaveNamesAndGroups() throws {
    var reader = try reader("pd-a-one.data")
    var batch = EventBatch()
    var names: Set<String> = []
    while try reader.next(into: &batch) {
      for row in 0..<batch.count {
        if let name = reader.directory.taskName(batch.task(row)) { names.insert(name) }
      }
    }
    #expect(names.isSuperset(of: ["a b-c:1 [z]", "rd-1 [x]: y", "<...>-77", " kid-5 "]))
  }

  @Test func anotherInstanceIsAnError() throws {
    let input = try TraceInput(Fixtures.path("pd-a-one.data"))
    #expect(throws: TraceError.self) {
      try input.makeReader(ReadRequest(order: .any, instance: "instA"))
    }
    _ = try input.makeReader(ReadRequest(order: .any, instance: ""))
  }

  @Test func aMemberOfAGroupHasNoPayload() throws {
    let tally = try Tally(Fixtures.path("pd-a-group.data"))
    #expect(tally.eventsPerCPU["000"]?["mm_page_alloc"] == 19)
    #expect(tally.allocations == [:])
  }

  /// The fields of every sample fill it to the byte, and call chains are as long as perf says.
  @Test(arguments: PerfDataReaderTests.files.filter { !$0.contains("-z") && !$0.contains("pipe") })
  func samplesAreConsumedToTheByte(_ file: String) throws {
    guard file != "pd-a-threads.data" else { return }
    let key = try AnswerKey(of: file)
    let descriptor = open(Fixtures.path(file), O_RDONLY)
    defer { close(descriptor) }
    let mapped = try MappedFile(descriptor: descriptor)
    var statistics = IngestStatistics()
    let header = try PerfDataHeader(mapped.bytes, &statistics)
    var table = PerfEventTable()
    for attribute in header.attributes { _ = table.add(attribute) }
    var at = header.records.lowerBound
    var entries = 0
    while let record = PerfRecordHeader(mapped.bytes, at), at < header.records.upperBound {
      if record.type == PerfRecord.sample {
        let bytes = record.record(mapped.bytes, at)
        let sample = PerfSample(bytes, table.layouts[table.index(of: bytes)])
        #expect(sample.isWhole && sample.end == bytes.count)
        entries += (sample.callChain?.count ?? 0) / 8
      }
      at += record.size
    }
    if let expected = key.callChainEntries { #expect(entries == expected) }
  }
}
