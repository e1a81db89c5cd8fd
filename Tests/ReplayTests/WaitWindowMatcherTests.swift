import Testing
import TraceBuilding
import TraceEvents
import TraceFiles

@testable import Replay

@Suite struct WaitWindowMatcherTests {
  private func wait(
    _ number: UInt32, on cpu: Int, at start: UInt64, pages: Int64 = -1, isBatch: Bool = false
  ) -> WaitWindowMatcher.Wait {
    WaitWindowMatcher.Wait(
      number: number, initiator: cpu, start: start, pages: pages, isBatch: isBatch)
  }

  private func match(_ number: UInt32, _ isAmbiguous: Bool = false) -> WaitWindowMatcher.Match {
    WaitWindowMatcher.Match(number: number, isAmbiguous: isAmbiguous)
  }

  @Test func theOnlyOpenOneIsMeant() {
    var matcher = WaitWindowMatcher(cpuCount: 4)
    #expect(matcher.match(1, pages: -1) == nil)
    matcher.begin(wait(7, on: 0, at: 10))
    #expect(matcher.match(0, pages: -1) == nil)
    #expect(matcher.match(1, pages: -1) == match(7))
    // Once: a receiver answers a shootdown once.
    #expect(matcher.match(1, pages: -1) == nil)
    matcher.end(on: 0)
    #expect(matcher.match(2, pages: -1) == nil && matcher.isIdle)
  }

  @Test func theOldestIsTakenWhereNothingElseSpeaks() {
    var matcher = WaitWindowMatcher(cpuCount: 4)
    matcher.begin(wait(1, on: 0, at: 10))
    matcher.begin(wait(2, on: 1, at: 11))
    #expect(matcher.match(3, pages: -1) == match(1, true))
    #expect(matcher.match(3, pages: -1) == match(2))
  }

  @Test func pagesGenerationsAndInterruptsDecide() {
    var matcher = WaitWindowMatcher(cpuCount: 4)
    matcher.begin(wait(1, on: 0, at: 10, pages: 3))
    matcher.begin(wait(2, on: 1, at: 11, isBatch: true))
    matcher.begin(wait(3, on: 2, at: 12, pages: 5))
    // A number of pages is the requested one, none is a batch's.
    #expect(matcher.match(3, pages: 5) == match(3))
    #expect(matcher.match(3, pages: 0) == match(2))

    matcher = WaitWindowMatcher(cpuCount: 4)
    matcher.begin(wait(1, on: 0, at: 10))
    matcher.flush(on: 3, at: 11)
    matcher.begin(wait(2, on: 1, at: 12))
    // For the first CPU 3 is up to date already, CPU 2 is not.
    #expect(matcher.match(3, pages: -1) == match(2))
    #expect(matcher.match(2, pages: -1) == match(1, true))

    matcher = WaitWindowMatcher(cpuCount: 4)
    matcher.begin(wait(1, on: 0, at: 10))
    matcher.begin(wait(2, on: 1, at: 11))
    matcher.announce(3, by: 1)
    #expect(matcher.match(3, pages: -1) == match(2))
  }

  /// The pair's BEFORE run without its csd events, and, if wanted, without its ipi events.
  private static func stripped(_ pair: String, of kinds: Set<EventKind>) throws
    -> (exact: ReconstructionCounts, blind: ReconstructionCounts, receivers: [Int])
  {
    let input = try TraceInput(CapturedPair.bundled + "/\(pair)/0.1/trace.dat")
    var batch = EventBatch()
    var kept = EventBatch()
    var reader = try input.makeReader(ReadRequest(order: .time, instance: ""))
    var survey = TraceSurvey()
    while try reader.next(into: &batch) { survey.absorb(batch, directory: reader.directory) }
    let instance = survey.instances[0]
    let context = ReplayContext(
      instance, facts: reader.facts, cpuCount: instance.cpusSeen, window: nil)
    var exact = Reconstruction(context)
    var blind = Reconstruction(context)
    var receivers = [0, 0]
    reader = try input.makeReader(ReadRequest(order: .time, instance: ""))
    while try reader.next(into: &batch) {
      kept.removeAll()
      for row in 0..<batch.count {
        guard let kind = batch.kind(row), !kinds.contains(kind) else { continue }
        copy(batch, row, kind, to: &kept)
      }
      exact.consume(batch, reader.directory)
      blind.consume(kept, reader.directory)
      receivers[0] += drain(&exact)
      receivers[1] += drain(&blind)
    }
    exact.close()
    blind.close()
    receivers[0] += drain(&exact)
    receivers[1] += drain(&blind)
    return (exact.counts, blind.counts, receivers)
  }

  private static func copy(
    _ batch: borrowing EventBatch, _ row: Int, _ kind: EventKind, to kept: inout EventBatch
  ) {
    let fields = Tracepoint.of(kind).fields.count
    let words = kept.append(
      timestamp: batch.timestamp(row), cpu: batch.cpu(row), event: kind.rawValue,
      task: batch.task(row), words: fields)
    for slot in 0..<fields { words[slot] = batch.word(row, slot) }
    guard kind == .ipiSendCPUMask, let mask = batch.value(row, IPISend.target) else { return }
    var limbs: [UInt64] = []
    while let limb = batch.maskLimb(mask, limbs.count) { limbs.append(limb) }
    words[IPISend.target] = kept.appendMask(limbs)
  }

  private static func drain(_ reconstruction: inout Reconstruction) -> Int {
    let ready = reconstruction.readyCount
    var receivers = 0
    for position in 0..<ready
    where [.shootdown, .mmShootdown].contains(reconstruction.moments[position].kind) {
      let slot = Int(reconstruction.moments[position].subject &- reconstruction.shootdownsBase)
      receivers += reconstruction.shootdowns[slot].receivers.count
    }
    reconstruction.drop(ready)
    return receivers
  }

  @Test(arguments: ["burst-16", "small-4"])
  func withoutCSDEventsItFindsTheSameReceivers(_ pair: String) throws {
    let csd: Set<EventKind> = [.csdQueueCPU, .csdFunctionEntry, .csdFunctionExit]
    let ipi: Set<EventKind> = [.ipiSendCPU, .ipiSendCPUMask]
    let found = try Self.stripped(pair, of: csd.union(ipi))
    let shadow = found.exact.waitWindow
    // Beside csd events it answers as it does alone, and seldom otherwise than they do.
    #expect(shadow.compared == found.receivers[0] - shadow.silentReceivers)
    let agreed = shadow.agreed + shadow.agreedAmbiguous
    #expect(agreed * 100 >= shadow.compared * 99, "\(shadow)")
    let matched = found.blind.receiversInWaitWindow + found.blind.receiversAmbiguous
    #expect(matched == shadow.compared - shadow.missed)
    #expect(found.receivers[1] == matched)
    #expect(found.exact.mmShootdowns == found.blind.mmShootdowns)
    #expect(found.exact.batchShootdowns == found.blind.batchShootdowns)

    // Interrupts name receivers that wrote no event.
    let aided = try Self.stripped(pair, of: csd)
    #expect(aided.blind.waitWindow.receiversAnnounced > 0)
    #expect(aided.receivers[1] >= found.receivers[1] && aided.receivers[1] <= found.receivers[0])
  }
}
