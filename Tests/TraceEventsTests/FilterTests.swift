import Testing
import TraceEvents

@Suite struct FilterTests {
  @Test func listsOfCPUsAreThoseOfTheKernel() throws {
    let list = try CPUList("0-3,8,2-4")
    #expect(list.cpus == [0, 1, 2, 3, 4, 8])
    #expect(list.text == "0-4,8")
    #expect(!list.contains(5) && !list.contains(-1) && !list.contains(Int(EventBatch.unknownCPU)))
    for wrong in ["", "1,", "3-1", "-1", "1-", "a", "1-2-3", "4096", "99999999999999999999"] {
      #expect(throws: FilterError.self, "\(wrong)") { _ = try CPUList(wrong) }
    }
  }

  private func span(
    _ text: String, _ unit: TimeUnit = .nanoseconds(resolution: 1)
  ) throws -> [UInt64?] {
    let found = try TimeSelection(text).resolved(unit, first: 1_000_000_000, last: 3_000_000_000)
    return [found.start, found.end]
  }

  @Test func timesAreSecondsOrHaveUnits() throws {
    #expect(try span("1.5,2") == [1_500_000_000, 2_000_000_000])
    #expect(try span(",2000ms") == [0, 2_000_000_000])
    #expect(try span("1500000.5us,") == [1_500_000_500, nil])
    #expect(try span("17ns,18ns") == [17, 18])
    #expect(try span(",") == [0, nil])
    #expect(try span("10%-20%") == [1_200_000_000, 1_400_000_000])
    #expect(try span("10%/2") == [1_200_000_000, 1_400_000_000])
    #expect(try span("90%-100%") == [2_800_000_000, nil])
    #expect(try span("1000,2000", .ticks) == [1000, 2000])
  }

  @Test func timesThatMeanNothingAreRefused() {
    for wrong in [
      "", "1", "2,1", "1,1", "a,b", "1.2.3,", "1.0000000001,", "1e3,", "10%", "20%-10%", "0%/1",
      "10%/0", "10%/11", "101%-102%", "10%-20%,30%-40%", "99999999999999999999,", "-1,2",
    ] {
      #expect(throws: FilterError.self, "\(wrong)") { _ = try TimeSelection(wrong) }
    }
    #expect(throws: FilterError.self) { try span("1.5,2", .ticks) }
    #expect(throws: FilterError.self) { try span("1,2", .none) }
    #expect(throws: FilterError.self) { try span("1,2", .relativeNanoseconds(resolution: 1)) }
  }

  /// Spans that meet at a percentage share nothing and leave nothing out.
  @Test(arguments: [(UInt64(7), UInt64(7)), (0, 999), (5, .max)])
  func sharesMeet(_ first: UInt64, _ last: UInt64) throws {
    var reached = first
    for (from, to) in [(0, 13), (13, 50), (50, 100)] {
      let part = try TimeSelection("\(from)%-\(to)%").resolved(
        .nanoseconds(resolution: 1), first: first, last: last)
      #expect(part.start == reached)
      reached = part.end ?? .max
    }
    #expect(reached == .max)
  }

  @Test func patternsOfNames() throws {
    let flush = EventName(system: "tlb", name: "tlb_flush")
    for text in ["tlb:tlb_flush", "tlb_flush", "tlb:*", "*flush", "t?b:*", "*"] {
      #expect(try EventPattern(text).matches(flush), "\(text)")
    }
    for text in ["tlb", "tlb:", "kmem:*", "flush", "tlb_flush?"] {
      #expect(try !EventPattern(text).matches(flush), "\(text)")
    }
    var request = FilterRequest()
    request.events = try [EventPattern("tlb:*"), EventPattern("!tlb_flush")]
    #expect(!request.wants(flush))
    #expect(request.wants(EventName(system: "tlb", name: "other")))
    #expect(NamePattern("*a*b*c*").matches("xxaybzcw"))
    #expect(!NamePattern("a*b").matches("axc"))
    // Backtracking stays within the product of both lengths.
    #expect(
      !NamePattern(String(repeating: "a*", count: 2000) + "b")
        .matches(String(repeating: "a", count: 4000)))
  }

  /// A thread is called what it was called then: its parent's name, then its own ones.
  @Test func namesFollowForksAndRenames() {
    let directory = EventDirectory()
    // Side records of different CPUs come in any order.
    directory.name(task: 8, "worker", at: 30)
    directory.fork(task: 8, of: 7, at: 20)
    directory.name(task: 7, "shell", at: 0)
    directory.name(task: 7, "make", at: 10)
    #expect(directory.taskName(7, at: 9) == "shell")
    #expect(directory.taskName(7, at: 10) == "make")
    #expect(directory.taskName(8, at: 25) == "make")
    #expect(directory.taskName(8, at: 31) == "worker")
    #expect(directory.taskName(8) == "worker")
    #expect(directory.nameTimes(of: 8) == [20, 30])
    #expect(directory.taskName(9, at: 5) == nil)
    // A ring of parents ends.
    directory.fork(task: 3, of: 4, at: 5)
    directory.fork(task: 4, of: 3, at: 5)
    #expect(directory.taskName(3, at: 6) == nil)
  }

  @Test func rowsThatAreLeftOutTakeTheirPayloadWithThem() throws {
    var batch = EventBatch()
    for index in 0..<10 {
      let words = batch.append(
        timestamp: UInt64(100 + index), cpu: UInt16(index % 3),
        event: EventKind.tlbFlush.rawValue, task: Int32(index), words: 2)
      words[0] = UInt64(index)
      words[1] = 0
    }
    var request = FilterRequest()
    request.cpus = try CPUList("1")
    request.time = try TimeSelection("102ns,108ns")
    let directory = EventDirectory()
    var filter = try EventFilter(
      request, facts: TraceFacts(format: "", instances: []), unit: .nanoseconds(resolution: 1),
      first: 100, last: 109, directory: directory)
    filter.apply(to: &batch, directory)
    #expect(batch.count == 2)
    #expect((0..<2).map { batch.timestamp($0) } == [104, 107])
    #expect((0..<2).map { batch.word($0, 0) } == [4, 7])
    #expect((0..<2).map { batch.task($0) } == [4, 7])
  }
}
