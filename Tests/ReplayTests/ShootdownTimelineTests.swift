import Testing
import TraceBuilding
import TraceEvents

@testable import Replay

/// Interrupts by time and by sender add up to the rows, in every kind of trace.
@Suite struct ShootdownTimelineTests {
  private static func outcome(
    _ script: BatchScript, cpus: Int = 5, window: TimeWindow? = nil, records: Bool = true
  ) throws -> Outcome {
    var context = ReplayContext(
      cpuCount: cpus, window: window, flushFunction: FunctionName.flushTLBFunction)
    context.recordsTimeline = records
    var session = try ReplaySession(
      context, policies: Array(PolicyCatalog.sampleNames.dropFirst()))
    script.forEachBatch { session.consume($0, directory: script.directory) }
    return try session.finish()
  }

  private static func check(_ outcome: Outcome) throws {
    var changed = 0
    let recorded = try #require(outcome.policies[0].figures)
    for policy in outcome.policies {
      guard let figures = policy.figures else { continue }
      let timeline = try #require(figures.timeline, "\(policy.name)")
      let senders = try #require(figures.senders, "\(policy.name)")
      for cpu in figures.tlbRow.indices {
        let series = timeline.series(ofCPU: cpu)
        #expect(series.reduce(0, +) == figures.tlbRow[cpu], "\(policy.name) CPU \(cpu)")
        #expect(series.allSatisfy { $0 >= 0 }, "\(policy.name) CPU \(cpu)")
        #expect(senders.count(from: cpu, to: cpu) == 0)
        #expect(senders.received[cpu] <= figures.tlbRow[cpu])
      }
      #expect(timeline.series.reduce(0, +) == figures.tlbRowTotal)
      let unknown = try #require(figures.interruptsOfUnknownSenders)
      #expect(senders.total + unknown == figures.tlbRowTotal)
      #expect(unknown == recorded.interruptsOfUnknownSenders)
      #expect(timeline.spanCount <= ShootdownTimeline.spansMax)
      if figures.tlbRow != recorded.tlbRow { changed += 1 }
    }
    #expect(changed > 0)
  }

  @Test(arguments: 0..<6)
  func sumsAreTheRows(_ seed: UInt64) throws {
    let script = ReplayPropertyTests.stream(seed)
    try Self.check(try Self.outcome(script))
    // Requests only, flush events only: the row comes from other events, the sums still agree.
    try Self.check(try Self.outcome(script.without([.csdFunctionEntry, .csdFunctionExit])))
    let blind = script.without([.csdFunctionEntry, .csdFunctionExit, .csdQueueCPU])
    try Self.check(try Self.outcome(blind))
  }

  @Test func aWindowLimitsThem() throws {
    let script = ReplayPropertyTests.stream(3)
    let length = script.now - 1000
    let window = TimeWindow(start: 1000 + length / 4, end: 1000 + length / 4 * 3)
    let outcome = try Self.outcome(script, window: window)
    try Self.check(outcome)
    let timeline = try #require(outcome.policies[0].figures?.timeline)
    #expect(timeline.start == window.start && timeline.end == window.end)
    let last = timeline.start + UInt64(timeline.spanCount - 1) * timeline.width
    #expect(last <= window.end && last + timeline.width > window.end)
  }

  @Test func nothingIsKeptUnlessAskedFor() throws {
    let outcome = try Self.outcome(ReplayPropertyTests.stream(1), records: false)
    for policy in outcome.policies {
      #expect(policy.figures?.timeline == nil && policy.figures?.senders == nil)
    }
  }

  @Test func recordingChangesNoFigure() throws {
    let script = ReplayPropertyTests.stream(2)
    let (with, without) = (
      try Self.outcome(script), try Self.outcome(script, records: false)
    )
    for (a, b) in zip(with.policies, without.policies) {
      #expect(a.figures?.tlbRow == b.figures?.tlbRow)
      #expect(a.figures?.ledger == b.figures?.ledger)
    }
  }

  @Test(arguments: [
    (0, 1), (127, 1), (128, 2), (1_000, 10), (99_999, 1_000), (12_345_678_901, 100_000_000),
  ])
  func aKnownSpanIsDividedByRoundWidths(_ length: UInt64, _ width: UInt64) {
    let timeline = ShootdownTimeline(cpuCount: 1, over: TimeWindow(start: 7, end: 7 + length))
    #expect(timeline.width == width)
    #expect(timeline.spanCount == Int(length / width) + 1)
    let longest = ShootdownTimeline(cpuCount: 1, over: TimeWindow(start: 0, end: .max - 1))
    #expect(longest.spanCount <= ShootdownTimeline.spansMax)
  }

  @Test func widthsDoubleWhereTheEndIsNotKnown() {
    var timeline = ShootdownTimeline(cpuCount: 2, over: TimeWindow(start: 500, end: .max))
    var generator = SplitMix64(seed: 9)
    var time: UInt64 = 0
    var total = 0
    for _ in 0..<10_000 {
      time &+= generator.next() % 5_000
      timeline.add(1, ofCPU: Int(generator.next() % 2), at: time)
      total += 1
    }
    #expect(timeline.series.reduce(0, +) == total)
    #expect(timeline.spanCount > 64 && timeline.spanCount <= 128)
    timeline.add(1, ofCPU: 1, at: .max)
    timeline.add(CPUMask([0, 1]), at: 3)
    #expect(timeline.series.reduce(0, +) == total + 3)
    #expect(timeline.spanCount <= 128)
  }

  @Test func moreCPUsThanAMatrixHasRowsShareThem() {
    var matrix = SenderMatrix(cpuCount: 1_000)
    #expect(matrix.cpusPerGroup == 4 && matrix.groupCount == 250)
    matrix.add(1, from: 999, to: CPUMask([0, 3, 4, 998]))
    #expect(matrix.count(from: 249, to: 0) == 2)
    #expect(matrix.count(from: 249, to: 1) == 1 && matrix.count(from: 249, to: 249) == 1)
    #expect(matrix.total == 4 && matrix.received.reduce(0, +) == 4)
    #expect(SenderMatrix(cpuCount: 256).groupCount == 256)
    #expect(SenderMatrix(cpuCount: CPUMask.cpuLimit).groupCount == 256)
  }
}

extension ShootdownTimeline {
  fileprivate mutating func add(_ cpus: CPUMask, at time: UInt64) { add(1, of: cpus, at: time) }
}
