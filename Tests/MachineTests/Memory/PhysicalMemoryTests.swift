import Testing

@testable import Machine

@Suite struct PhysicalMemoryTests {
  private static let cost = ParameterRange(
    1, lower: 1, upper: 1, source: "test", confidence: .low)

  private static func memory(_ pages: [Int], cpus: Int = 3) -> PhysicalMemory {
    PhysicalMemory(
      nodes: pages.map { MemoryNode(pages: $0, cpus: 0..<cpus, pageRead: cost) }, cpus: cpus,
      minFreeKilobytes: 64, watermarkScaleFactor: 10)
  }

  /// The macros of tests cannot call what mutates.
  private func taken(_ memory: inout PhysicalMemory, _ node: Int = 0, cpu: Int = 0) -> Int32? {
    memory.take(node, cpu: cpu)
  }

  /// Free lists as plain arrays, searched and shifted: head first.
  struct PlainMemory {
    var free = [[Int32]](repeating: [], count: PhysicalMemory.orderMax + 1)
    var lists: [[Int32]]
    let end: Int32

    init(pages: Int, cpus: Int) {
      lists = Array(repeating: [], count: cpus)
      end = Int32(pages)
      var frame = 0
      while frame < pages {
        var order = PhysicalMemory.orderMax
        while frame % (1 << order) != 0 || frame + (1 << order) > pages { order -= 1 }
        free[order].append(Int32(frame))
        frame += 1 << order
      }
    }

    mutating func takeFromBuddy() -> Int32? {
      guard let order = free.firstIndex(where: { !$0.isEmpty }) else { return nil }
      let frame = free[order].removeFirst()
      for half in stride(from: order - 1, through: 0, by: -1) {
        free[half].insert(frame + Int32(1 << half), at: 0)
      }
      return frame
    }

    mutating func giveToBuddy(_ freed: Int32) {
      var frame = freed
      var order = 0
      while order < PhysicalMemory.orderMax,
        let place = free[order].firstIndex(of: frame ^ Int32(1 << order))
      {
        frame = min(frame, free[order].remove(at: place))
        order += 1
      }
      let parent = frame & ~Int32(1 << order)
      let isMergeLikely =
        order < PhysicalMemory.orderMax - 1
        && free[order + 1].contains(parent ^ Int32(1 << (order + 1)))
      if isMergeLikely { free[order].append(frame) } else { free[order].insert(frame, at: 0) }
    }
  }

  /// How many frames move is a matter of sizes; which ones and in which order the twin knows.
  @Test(arguments: 0..<8) func behavesLikeItsPlainTwin(_ seed: Int) throws {
    let pages = 3000
    var memory = Self.memory([pages])
    var plain = PlainMemory(pages: pages, cpus: 3)
    var state = UInt64(seed) &* 0x9e37_79b9_7f4a_7c15 &+ 1
    func draw(_ limit: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(limit))
    }
    var held: [Int32] = []
    var isFilling = true
    for step in 0..<20_000 {
      let cpu = draw(3)
      if held.isEmpty { isFilling = true }
      if step % 500 == 0 { isFilling.toggle() }
      if draw(10) < (isFilling ? 7 : 3) {
        let taken = memory.take(0, cpu: cpu)
        for moved in memory.refilled {
          let other = plain.takeFromBuddy()
          #expect(other == moved)
          plain.lists[cpu].append(moved)
        }
        let expected = plain.lists[cpu].isEmpty ? nil : plain.lists[cpu].removeFirst()
        try #require(taken == expected)
        if let taken { held.append(taken) } else { isFilling = false }
      } else if !held.isEmpty {
        let frame = held.remove(at: draw(held.count))
        memory.give(frame, cpu: cpu)
        plain.lists[cpu].insert(frame, at: 0)
        for moved in memory.drained {
          let other = plain.lists[cpu].popLast()
          #expect(other == moved)
          plain.giveToBuddy(moved)
        }
      }
    }
    let free = plain.free.indices.reduce(0) { $0 + plain.free[$1].count << $1 }
    #expect(memory.freePages(0) == free)
    #expect(free + plain.lists.reduce(0) { $0 + $1.count } + held.count == pages)
    #expect(memory.imbalance() == nil)
  }

  @Test func whatIsFreedLastIsTakenFirst() throws {
    var memory = Self.memory([4096])
    let first = try #require(taken(&memory))
    let second = try #require(taken(&memory))
    memory.give(first, cpu: 1)
    memory.give(second, cpu: 1)
    #expect(taken(&memory, cpu: 1) == second)
    #expect(taken(&memory, cpu: 1) == first)
  }

  @Test func marksStopAllocationsBeforeMemoryIsGone() throws {
    var memory = Self.memory([4096], cpus: 1)
    let marks = memory.watermarks(0)
    while memory.admits(0) { _ = try #require(taken(&memory)) }
    #expect(memory.freePages(0) <= marks.low)
    let free = memory.freePages(0)
    let isAdmitted = memory.admits(0, upToMin: true)
    #expect(isAdmitted == (free > marks.min))
  }

  @Test func reclaimKeepsPerCPUListsShort() throws {
    func longest(whileReclaiming: Bool) throws -> Int {
      var memory = Self.memory([1 << 18], cpus: 1)
      var held: [Int32] = []
      for _ in 0..<20_000 { held.append(try #require(taken(&memory))) }
      memory.setReclaimActive(0, whileReclaiming)
      var free = 0
      for frame in held {
        memory.give(frame, cpu: 0)
        free = max(free, memory.zones[0].perCPU[0].list.count)
      }
      return free
    }
    #expect(try longest(whileReclaiming: true) < longest(whileReclaiming: false))
  }

  @Test func everyFrameIsInOnePlace() throws {
    var memory = Self.memory([1500, 700])
    var held: [Int32] = []
    for index in 0..<900 { held.append(try #require(taken(&memory, index % 2, cpu: index % 3))) }
    for (index, frame) in held.enumerated() {
      if index % 3 == 0 { memory.insert(frame, index % 2 == 0 ? .inactiveFile : .activeFile) }
    }
    #expect(memory.imbalance() == nil)
    #expect(memory.count(.inactiveFile, 0) + memory.count(.inactiveFile, 1) == 150)
    // A frame that two lists claim is found.
    memory.lruOf[Int(held[1])] = 1
    #expect(memory.imbalance() != nil)
  }

  @Test func inactiveListsAreLowByTheKernelsRatio() throws {
    var memory = Self.memory([2048], cpus: 1)
    for index in 0..<100 {
      memory.insert(try #require(taken(&memory)), index < 40 ? .inactiveFile : .activeFile)
    }
    #expect(memory.isInactiveLow(.inactiveFile, 0))
    #expect(!memory.isInactiveLow(.inactiveAnonymous, 0))
  }
}
