import Foundation
import Replay
import Testing
import TraceBuilding
import TraceEvents
import TraceFiles

/// Every event belongs to an operation, or is known not to.
@Suite struct EventAccountsTests {
  /// The bundled traces: those of captures and those of both modes of the pairs.
  private static var traces: [String] {
    let names = ["trace.dat", "trace.dat.zst", "trace.txt.zst", "perf.data.zst"]
    var found: [String] = []
    for root in ["captures", "luf-pairs/burst-16", "luf-pairs/small-4"] {
      let directory = Fixture.path(root)
      let runs = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
      for run in runs.sorted() {
        found += names.map { "\(root)/\(run)/\($0)" }
          .filter { FileManager.default.fileExists(atPath: Fixture.path($0)) }
      }
    }
    return found
  }

  @Test func bundledTracesAreThere() { #expect(Self.traces.count >= 9) }

  @Test(arguments: traces)
  func everyEventIsExplainedOrCounted(_ name: String) throws {
    let input = try TraceInput(Fixture.path(name))
    var reader = try input.makeReader(ReadRequest(order: .time, instance: ""))
    var batch = EventBatch()
    var survey = TraceSurvey()
    while try reader.next(into: &batch) { survey.absorb(batch, directory: reader.directory) }
    let instance = survey.instances[0]
    let context = ReplayContext(
      instance, facts: reader.facts, cpuCount: max(reader.facts.cpuCount ?? 0, instance.cpusSeen),
      window: nil)
    var session = try ReplaySession(context, policies: [])
    var seen = Array(repeating: 0, count: Int(EventKind.knownCount))
    var others = 0
    reader = try input.makeReader(ReadRequest(order: .time, instance: ""))
    while try reader.next(into: &batch) {
      for row in 0..<batch.count {
        let event = Int(batch.event(row))
        if event < seen.count { seen[event] += 1 } else { others += 1 }
      }
      session.consume(batch, directory: reader.directory)
    }
    let events = try session.finish().reconstruction.events
    for kind in EventKind.allCases {
      let index = Int(kind.rawValue)
      let accounted = events.explained[index] + events.unexplained[index] + events.unused[index]
      #expect(accounted == seen[index], "\(kind)")
      #expect(events.explained[index] == 0 || events.unused[index] == 0)
    }
    #expect(events.unknownEvents == others)
    let explained = events.explained.reduce(0, +)
    #expect(events.explainedByFamily.reduce(0, +) == explained)
    #expect(events.explainedByFamily.allSatisfy { $0 >= 0 })
    // One in a thousand: frees of frames that an event lost to the trace took.
    let unexplained = events.unexplained.reduce(0, +)
    #expect(explained > 0 && unexplained * 1000 <= explained, "\(unexplained) of \(explained)")
  }

  @Test func whatHasNoCauseIsNotExplained() throws {
    var script = BatchScript()
    // A receiver's flush that nobody asked for, a reason that no kernel has, a request without a
    // shootdown, a free of a free frame, an end without a beginning.
    script.flush(cpu: 0, task: 100, reason: 1)
    script.flush(cpu: 0, task: 100, reason: 9)
    script.add(.csdQueueCPU, cpu: 0, task: 100, [1, 0, FunctionName.flushTLBFunction, 64])
    script.add(.csdQueueCPU, cpu: 0, task: 100, [1, 0, 0xffff_ffff_8100_0000, 64])
    script.free(cpu: 0, task: 100, pfn: 5)
    script.free(cpu: 0, task: 100, pfn: 5)
    script.add(.directReclaimEnd, cpu: 0, task: 100, [1])
    script.add(.signalGenerate, cpu: 0, task: 100, [9, 0, 0])
    // A CPU that the machine does not have.
    script.allocate(cpu: 77, task: 100, pfn: 6)
    let events = try ReplaySessionTests.replay(script).reconstruction.events
    func figures(_ kind: EventKind) -> [Int] {
      let index = Int(kind.rawValue)
      return [events.explained[index], events.unexplained[index], events.unused[index]]
    }
    #expect(figures(.tlbFlush) == [0, 2, 0])
    #expect(figures(.csdQueueCPU) == [1, 1, 0])
    #expect(figures(.pageFree) == [1, 1, 0])
    #expect(figures(.directReclaimEnd) == [0, 1, 0])
    #expect(figures(.signalGenerate) == [0, 0, 1])
    #expect(figures(.pageAlloc) == [0, 1, 0])
    #expect(events.explainedByFamily[Int(OperationFamily.functionCall.rawValue)] == 1)
  }

  @Test func compactionGivesBackWhatNoEventSawItTake() throws {
    for (reason, unexplained) in [(MigrationReason.compaction, 0), (.demotion, 1)] {
      var script = BatchScript()
      script.free(cpu: 0, task: 100, pfn: 5)
      script.add(.migratePagesStart, cpu: 1, task: 101, [1, UInt64(reason.rawValue)])
      script.add(.migratePages, cpu: 1, task: 101, [0, 1, 0, 0, 0, 0, 1, UInt64(reason.rawValue)])
      script.free(cpu: 1, task: 101, pfn: 5)
      let counts = try ReplaySessionTests.replay(script).reconstruction
      #expect(counts.framesFreedTwice == 1)
      #expect(counts.events.unexplained.reduce(0, +) == unexplained)
    }
  }
}
