import Testing
import TraceEvents

@testable import Replay
@testable import Reporting

@Suite struct ReconstructionReportTests {
  private let names = EventDirectory().names

  private func counts() -> ReconstructionCounts {
    var counts = ReconstructionCounts()
    counts.mmShootdowns = 11
    counts.batchShootdowns[Int(UnmapEvidence.reclaimedFile.rawValue)] = 1_934
    counts.causes.shootdowns[Int(FlushCause.kswapdReclaim.rawValue)] = 1_900
    counts.causes.shootdownsRecorded[Int(FlushCause.kswapdReclaim.rawValue)] = 1_800
    counts.causes.localFlushes[Int(FlushCause.copyOnWrite.rawValue)] = 7
    counts.causes.writableEntries[Int(FlushCause.kswapdReclaim.rawValue)] = 5
    counts.waitWindow.agreed = 90
    counts.waitWindow.agreedAmbiguous = 4
    counts.waitWindow.missed = 6
    counts.addressSpaces.munmaps = 3
    counts.interruptsMatchedExactly = 3_762
    counts.shootdownsOpenAtEnd = 1
    counts.events.explained[Int(EventKind.tlbFlush.rawValue)] = 7_000
    counts.events.unexplained[Int(EventKind.tlbFlush.rawValue)] = 19
    counts.events.unused[Int(EventKind.print.rawValue)] = 2
    counts.events.explainedByFamily[Int(OperationFamily.shootdown.rawValue)] = 7_000
    return counts
  }

  @Test func causesReceiversAndEventsAreShown() {
    var report = Report(title: "t")
    report.sections = [ReplayReport.reconstruction(counts(), names, isDetailed: true)]
    let text = TextRenderer().render(report)
    let joined = text.split(whereSeparator: { $0 == " " || $0 == "\n" }).joined(separator: " ")
    for wanted in [
      "kswapd reclaim 1,900 1,800 0 0 0 0", "copy on write 0 0 7 0 0 0",
      "shootdowns 11 of one mm, 1,934 of unmap batches", "batches reclaimed file pages 1,934",
      "the same shootdown for 94 of 100 receivers (4 of them chosen among several)",
      "mappings munmap 3",
      "left over shootdowns open at the end 1", "explained 7,000 events: shootdowns 7,000",
      "unexplained tlb:tlb_flush 19", "unused ftrace:print 2",
    ] {
      #expect(joined.contains(wanted), "\(wanted) in\n\(text)")
    }
    #expect(!text.contains("munmap 0") && !text.contains("madvise"))
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 })
  }

  @Test func aShortReportHasWhatWasNotPutTogether() {
    var report = Report(title: "t")
    report.sections = [ReplayReport.reconstruction(counts(), names, isDetailed: false)]
    let text = TextRenderer().render(report)
    for wanted in ["kswapd reclaim", "left over", "unexplained"] { #expect(text.contains(wanted)) }
    for detail in ["receivers", "wait window", "mappings", "unused"] {
      #expect(!text.contains(detail), "\(detail)")
    }
  }

  @Test func whatIsNotThereIsLeftOut() {
    var report = Report(title: "t")
    report.sections = [
      ReplayReport.reconstruction(ReconstructionCounts(), names, isDetailed: true)
    ]
    let text = TextRenderer().render(report)
    #expect(!text.contains("flushes by cause"))
    #expect(!text.contains("left over"))
    #expect(!text.contains("wait window"))
  }

  @Test func dataHasEveryCount() throws {
    guard case .object(let members) = ReplayReportData.reconstruction(counts(), names),
      case .object(let causes) = members["causes"], case .object(let events) = members["events"],
      case .object(let reclaim) = causes["kswapd_reclaim"]
    else {
      Issue.record("no causes or events")
      return
    }
    #expect(causes.keys.sorted() == ["copy_on_write", "kswapd_reclaim"])
    #expect(reclaim["writable_entries"] == JSONValue(5))
    #expect(events["unexplained"] == .object(["tlb:tlb_flush": JSONValue(19)]))
    #expect(events["unused"] == .object(["ftrace:print": JSONValue(2)]))
    #expect(members["grade"] == .string("derived"))
  }
}
