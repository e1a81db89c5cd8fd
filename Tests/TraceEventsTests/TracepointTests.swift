import Testing
import TraceEvents

@Suite struct TracepointTests {
  @Test func everyKindHasOneTracepointAtItsIndex() {
    #expect(Tracepoint.all.count == EventKind.allCases.count)
    for (index, tracepoint) in Tracepoint.all.enumerated() {
      #expect(Int(tracepoint.kind.rawValue) == index)
      #expect(tracepoint.fields.count < EventBatch.wordsPerRowMax - 64)
    }
  }

  @Test func bareNamesFindTheirSystem() {
    let directory = EventDirectory()
    #expect(directory.index(system: nil, name: "tlb_flush") == EventKind.tlbFlush.rawValue)
    #expect(directory.index(system: "tlb", name: "tlb_flush") == EventKind.tlbFlush.rawValue)
    #expect(directory.index(system: nil, name: "tracing_mark_write") == EventKind.print.rawValue)
    #expect(
      directory.index(system: nil, name: "mm_vmscan_writepage")
        == EventKind.vmscanWriteFolio.rawValue)
  }

  @Test func anotherSystemsEventOfTheSameNameIsAnotherEvent() throws {
    let directory = EventDirectory()
    let other = try #require(directory.index(system: "mytlb", name: "tlb_flush"))
    #expect(other >= EventKind.knownCount)
    #expect(directory.names[Int(other)].full == "mytlb:tlb_flush")
  }

  @Test func unknownEventsKeepTheNameFoundAndTheirIndex() throws {
    let directory = EventDirectory()
    let first = try #require(directory.index(system: nil, name: "made_up"))
    #expect(directory.index(system: nil, name: "made_up") == first)
    #expect(directory.names[Int(first)].full == "made_up")
    let timer = try #require(directory.index(system: nil, name: "hrtimer_start"))
    #expect(directory.names[Int(timer)].full == "timer:hrtimer_start")
    #expect(directory.index(system: "timer", name: "hrtimer_start") == timer)
  }

  @Test func namesRunOutWithoutGrowingForEver() {
    let directory = EventDirectory()
    for number in 0..<EventDirectory.unknownNamesMax {
      #expect(directory.index(system: "x", name: "e\(number)") != nil)
    }
    #expect(directory.index(system: "x", name: "one too many") == nil)
    #expect(directory.index(system: "x", name: "e7") != nil)
  }

  @Test func functionsByNameComeBackAsTheirName() {
    let directory = EventDirectory()
    let flush = FunctionName.encode("flush_tlb_func", in: directory)
    #expect(flush == FunctionName.flushTLBFunction)
    #expect(FunctionName.symbol(flush, in: directory) == "flush_tlb_func")
    let other = FunctionName.encode("nohz_csd_func", in: directory)
    #expect(other != flush)
    #expect(FunctionName.symbol(other, in: directory) == "nohz_csd_func")
    #expect(FunctionName.symbol(0xffff_ffff_8110_b1f0, in: directory) == nil)
  }
}
