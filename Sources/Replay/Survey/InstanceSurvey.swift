import TraceEvents

/// A span of trace time, both ends included.
public struct TimeWindow: Sendable, Equatable {
  /// First time that counts.
  public var start: UInt64
  /// Last time that counts.
  public var end: UInt64

  /// From `start` to `end`.
  public init(start: UInt64, end: UInt64) {
    self.start = start
    self.end = end
  }
}

/// A moment that the recording marks: a write to `trace_marker`, or a signal.
public struct TraceMark: Sendable, Equatable {
  /// When.
  public var time: UInt64
  /// CPU that wrote it.
  public var cpu: UInt16
  /// The text written, or `signal 23 comm`.
  public var label: String
  /// Whether it is a signal and not a text.
  public var isSignal: Bool
}

/// How much a `tlb:tlb_flush` event flushed.
public enum FlushedPages: Int, CaseIterable, Sendable {
  /// `pages` = -1.
  case full
  /// `pages` = 0.
  case none
  /// `pages` > 0 (or another negative number, in a damaged file).
  case range

  /// The class of a `pages` value.
  @inline(__always)
  static func of(_ pages: UInt64) -> FlushedPages {
    pages == .max ? .full : pages == 0 ? .none : .range
  }
}

/// What one buffer instance of a trace holds, counted without any model.
///
/// Every number is measured: it counts events of the trace. Tables by CPU are indexed by CPU number
/// and ``cpuSlots`` wide; rows without a CPU are only in the totals.
public struct InstanceSurvey: Sendable {
  /// Reasons from here on are counted one by one in ``otherFlushReasons``.
  static let flushReasons = 8
  /// Page orders counted; Linux's largest MAX_PAGE_ORDER is 10 on x86-64, others fall in the last.
  static let orders = 32
  /// Marks kept; a trace with more is not marked for windows.
  static let marksMax = 4096

  /// Width of the tables: one more than the highest CPU seen, rounded up to a power of two.
  public private(set) var cpuSlots = 8
  /// One more than the highest CPU with an event.
  public private(set) var cpusSeen = 0
  /// Rows counted.
  public private(set) var eventTotal: UInt64 = 0
  /// Smallest and largest time; nil without rows.
  public private(set) var firstTime: UInt64?
  /// See ``firstTime``.
  public private(set) var lastTime: UInt64?
  /// Marks in order of time.
  public private(set) var marks: [TraceMark] = []
  /// Reasons that no kernel has, by number: a damaged file.
  public private(set) var otherFlushReasons: [Int64: UInt64] = [:]
  /// Shootdown functions: what `csd` events tell about each function word.
  public private(set) var functions = CSDFunctionTable()

  /// How far apart each CPU's full flushes are.
  public private(set) var flushGaps = FlushGaps()

  /// Which kind of migration entry is writable on the traced kernel.
  public private(set) var migrationEntries = MigrationEntrySurvey()

  private var detailRows: [Int] = []
  /// Events that get a row of ``eventCounts``; a trace of more different events is no ordinary one
  /// and counts the rest in ``rareCounts``, so that memory stays with what was seen.
  private static let tableRows = 1024
  /// By event: its row in ``eventCounts``, -1 before the event is seen or without room.
  private var rowOfEvent: [Int32] = []
  private var rowsUsed = 0
  private var eventCounts: [UInt64] = []
  private var rareCounts: [UInt64: UInt64] = [:]
  private var rareTotals: [Int: UInt64] = [:]
  private var withoutCPU: [UInt64] = []
  private var flushCounts: [UInt64]
  private var flushWithoutCPU = [UInt64](repeating: 0, count: flushReasons * 3)
  private var orderCounts = [UInt64](repeating: 0, count: orders)

  /// Nothing counted yet.
  public init() {
    flushCounts = [UInt64](repeating: 0, count: Self.flushReasons * 3 * 8)
  }

  /// Events of directory index `event` in total.
  public func total(_ event: Int) -> UInt64 {
    guard event < rowOfEvent.count else { return 0 }
    let row = Int(rowOfEvent[event])
    guard row < 0 else {
      return eventCounts[row * cpuSlots..<(row + 1) * cpuSlots].reduce(withoutCPU[event], +)
    }
    return withoutCPU[event] + (rareTotals[event] ?? 0)
  }

  /// Events of directory index `event` on each of the first `cpus` CPUs.
  public func perCPU(_ event: Int, cpus: Int) -> [UInt64] {
    guard event < rowOfEvent.count else { return [UInt64](repeating: 0, count: cpus) }
    let row = Int(rowOfEvent[event])
    return (0..<cpus).map { cpu in
      if row < 0 { return rareCounts[Self.rareKey(event, cpu)] ?? 0 }
      return cpu < cpuSlots ? eventCounts[row * cpuSlots + cpu] : 0
    }
  }

  /// `tlb_flush` events of `reason` and `pages` on `cpu`.
  public func flushes(_ reason: Int, _ pages: FlushedPages, cpu: Int) -> UInt64 {
    guard reason < Self.flushReasons, cpu < cpuSlots else { return 0 }
    return flushCounts[(reason * 3 + pages.rawValue) * cpuSlots + cpu]
  }

  /// `tlb_flush` events of `reason` and `pages` on all CPUs.
  public func flushes(_ reason: Int, _ pages: FlushedPages) -> UInt64 {
    guard reason < Self.flushReasons else { return 0 }
    let row = reason * 3 + pages.rawValue
    return flushCounts[row * cpuSlots..<(row + 1) * cpuSlots].reduce(flushWithoutCPU[row], +)
  }

  /// Reasons that occur, ascending, of those with a table.
  public var flushReasonsSeen: [Int] {
    (0..<Self.flushReasons).filter { reason in
      FlushedPages.allCases.contains { flushes(reason, $0) > 0 }
    }
  }

  /// `mm_page_alloc` events by order; the last slot holds every larger order.
  public var allocationsByOrder: [UInt64] { orderCounts }

  /// The kinds that the second pass of ``absorb(_:window:directory:)`` looks at.
  static let detailedKinds: [EventKind] = [
    .tlbFlush, .pageAlloc, .csdFunctionEntry, .csdFunctionExit, .csdQueueCPU, .print,
    .signalGenerate, .setMigrationPTE, .removeMigrationPTE,
  ]

  /// By event index, 1 for those kinds; the last entry serves every event that the tool does not know.
  private static let detailWeights: [Int] =
    EventKind.allCases.map { detailedKinds.contains($0) ? 1 : 0 } + [0]

  /// Counts the rows of `batch` that lie in `window`.
  mutating func absorb(
    _ batch: borrowing EventBatch, window: TimeWindow?, directory: EventDirectory
  ) {
    guard batch.count > 0 else { return }
    grow(events: directory.names.count)
    if detailRows.isEmpty {
      detailRows = [Int](repeating: 0, count: EventBatch.capacity + 1)
    }
    let (details, uncounted) = countRows(batch, window ?? TimeWindow(start: 0, end: .max))
    if uncounted > 0 { countRowsApart(batch, window) }
    for index in 0..<details { absorbDetail(batch, detailRows[index], directory) }
  }

  /// Counts every row of a CPU that the tables have room for, and lists the rows to look at closer.
  ///
  /// - Returns: how many are listed in ``detailRows``, and how many rows were left out.
  private mutating func countRows(_ batch: borrowing EventBatch, _ window: TimeWindow) -> (
    details: Int, uncounted: Int
  ) {
    let weights = Self.detailWeights
    let tableRows = rowOfEvent
    let slots = cpuSlots
    var first = firstTime ?? .max
    var last = lastTime ?? 0
    var counted = 0
    var apart = 0
    var details = 0
    var highest = cpusSeen &- 1
    detailRows.withUnsafeMutableBufferPointer { rows in
      eventCounts.withUnsafeMutableBufferPointer { counts in
        for row in 0..<batch.count {
          let time = batch.timestamp(row)
          guard time >= window.start, time <= window.end else { continue }
          counted &+= 1
          first = min(first, time)
          last = max(last, time)
          let event = Int(batch.event(row))
          let cpu = Int(batch.cpu(row))
          // `grow` has made room for every event of the directory.
          let tableRow = Int(tableRows[event])
          if tableRow >= 0, cpu < slots {
            counts[tableRow &* slots &+ cpu] &+= 1
            highest = max(highest, cpu)
          } else {
            apart &+= 1
          }
          // Written always, kept only if the row counts: no branch to mispredict.
          rows[details] = row
          details &+= weights[min(event, weights.count &- 1)]
        }
      }
    }
    cpusSeen = highest + 1
    if counted > 0 {
      firstTime = first
      lastTime = last
      eventTotal += UInt64(counted)
    }
    return (details, apart)
  }

  /// Counts the rows that ``countRows(_:_:)`` left out: without a CPU, of a CPU or an event that has
  /// no place in the table yet, or of an event that never gets one.
  private mutating func countRowsApart(_ batch: borrowing EventBatch, _ window: TimeWindow?) {
    // The rows of before: what gets a place below was left out for the whole batch.
    let tableRows = rowOfEvent
    let slots = cpuSlots
    for row in 0..<batch.count {
      let event = Int(batch.event(row))
      let cpu = batch.cpu(row)
      guard tableRows[event] < 0 || Int(cpu) >= slots,
        window?.contains(batch.timestamp(row)) ?? true
      else { continue }
      if cpu == EventBatch.unknownCPU {
        withoutCPU[event] += 1
        continue
      }
      widen(to: Int(cpu) + 1)
      cpusSeen = max(cpusSeen, Int(cpu) + 1)
      if rowOfEvent[event] < 0, rowsUsed < Self.tableRows {
        rowOfEvent[event] = Int32(rowsUsed)
        rowsUsed += 1
        eventCounts += [UInt64](repeating: 0, count: cpuSlots)
      }
      let tableRow = Int(rowOfEvent[event])
      if tableRow >= 0 {
        eventCounts[tableRow * cpuSlots + Int(cpu)] += 1
      } else {
        rareCounts[Self.rareKey(event, Int(cpu)), default: 0] += 1
        rareTotals[event, default: 0] += 1
      }
    }
  }

  private static func rareKey(_ event: Int, _ cpu: Int) -> UInt64 {
    UInt64(event) << 16 | UInt64(cpu)
  }

  private mutating func absorbDetail(
    _ batch: borrowing EventBatch, _ row: Int, _ directory: EventDirectory
  ) {
    let cpu = batch.cpu(row)
    switch Int(batch.event(row)) {
    case Int(EventKind.tlbFlush.rawValue): countFlush(batch, row, cpu)
    case Int(EventKind.pageAlloc.rawValue):
      let order = batch.word(row, PageAlloc.order)
      if order != EventBatch.absent { orderCounts[Int(min(order, UInt64(Self.orders - 1)))] &+= 1 }
    case Int(EventKind.csdFunctionEntry.rawValue):
      functions.run(
        batch.word(row, CSDFunction.function), cpu: cpu,
        isRemote: batch.word(row, CSDFunction.csd) != 0)
    case Int(EventKind.csdFunctionExit.rawValue): functions.end(cpu: cpu)
    case Int(EventKind.csdQueueCPU.rawValue):
      functions.queue(
        batch.word(row, CSDQueue.function), to: batch.word(row, CSDQueue.cpu))
    case Int(EventKind.setMigrationPTE.rawValue), Int(EventKind.removeMigrationPTE.rawValue):
      migrationEntries.note(batch, row)
    default: mark(batch, row, directory)
    }
  }

  @inline(__always)
  private mutating func countFlush(_ batch: borrowing EventBatch, _ row: Int, _ cpu: UInt16) {
    let reason = batch.word(row, TLBFlush.reason)
    guard reason < UInt64(Self.flushReasons) else {
      let number = Int64(bitPattern: reason)
      if otherFlushReasons.count < 1024 || otherFlushReasons[number] != nil {
        otherFlushReasons[number, default: 0] += 1
      }
      return
    }
    let index = Int(reason) * 3 + FlushedPages.of(batch.word(row, TLBFlush.pages)).rawValue
    if cpu == EventBatch.unknownCPU {
      flushWithoutCPU[index] &+= 1
    } else {
      flushCounts[index * cpuSlots + Int(cpu)] &+= 1
      flushGaps.note(
        cpu, batch.timestamp(row), reason: reason, pages: batch.word(row, TLBFlush.pages))
    }
    if reason == UInt64(FlushReason.remoteShootdown.rawValue) { functions.sawRemoteFlush(cpu: cpu) }
  }

  private mutating func mark(_ batch: borrowing EventBatch, _ row: Int, _ directory: EventDirectory)
  {
    guard marks.count < Self.marksMax else { return }
    let isSignal = batch.event(row) == EventKind.signalGenerate.rawValue
    let label: String
    if isSignal {
      let number = batch.signedWord(row, SignalGenerate.signal)
      label = "signal \(number) \(directory.string(batch.word(row, SignalGenerate.targetName)))"
    } else {
      label = directory.string(batch.word(row, PrintMark.text))
    }
    let mark = TraceMark(
      time: batch.timestamp(row), cpu: batch.cpu(row), label: label, isSignal: isSignal)
    // Unordered input brings marks of several CPUs: keep them sorted.
    let position = marks.lastIndex { $0.time <= mark.time }.map { $0 + 1 } ?? 0
    marks.insert(mark, at: position)
  }

  private mutating func grow(events: Int) {
    guard events > withoutCPU.count else { return }
    rowOfEvent += [Int32](repeating: -1, count: events - rowOfEvent.count)
    withoutCPU += [UInt64](repeating: 0, count: events - withoutCPU.count)
  }

  private mutating func widen(to cpus: Int) {
    guard cpus > cpuSlots else { return }
    let wider = 1 << (Int.bitWidth - (cpus - 1).leadingZeroBitCount)
    eventCounts = Self.widened(eventCounts, from: cpuSlots, to: wider)
    flushCounts = Self.widened(flushCounts, from: cpuSlots, to: wider)
    cpuSlots = wider
  }

  private static func widened(_ table: [UInt64], from old: Int, to new: Int) -> [UInt64] {
    var wide = [UInt64](repeating: 0, count: table.count / old * new)
    for index in table.indices { wide[index / old * new + index % old] = table[index] }
    return wide
  }
}
