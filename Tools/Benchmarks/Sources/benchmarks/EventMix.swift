import TraceEvents
import TraceWriting

/// The events of a busy machine, all CPUs in time order and without end.
///
/// Each CPU does one thing after another: task switches, faults, reads and writes of files, munmap,
/// reclaim, migration (`EventMix+Episodes.swift`). An interrupt for a shootdown comes between the
/// events of its receiver, and the initiator waits for it. Every frame is followed, so that a replay
/// finds what it finds in a capture. Shares of events lie between those of two captures in `Traces`:
/// `luf-pairs/small-4/0.1`, which reclaims, and `captures/ft-8cpu-churn`, which unmaps.
struct EventMix {
  /// CPUs of the machine.
  static let cpus = 16
  /// Processes; each has one thread on each CPU.
  static let processes = 8

  /// The interrupt of a shootdown that a CPU has not taken yet.
  struct Interrupt {
    var time: UInt64
    var initiator: Int
    var csd: UInt64
    var pages: UInt64
  }

  /// A range that a process has mapped, and the frames in it.
  struct Mapping {
    var address: UInt64
    var pages: Int
    var frames: [UInt32] = []
  }

  struct CPU {
    var clock: UInt64 = 0
    var task: Int32 = 0
    /// What it does next; until written, the time of a row is the distance from the event before it.
    var pending: [TraceRow] = []
    var position = 0
    /// Place in `pending` before which all interrupts that it sent must have been taken.
    var waitsAt = Int.max
    var outstanding = 0
    var interrupts: [Interrupt] = []
    /// Whether the first of them has been taken, but not flushed yet.
    var isAnswering = false
    /// By process: what its thread here has mapped; the last one is still being touched.
    var mappings: [[Mapping]] = Array(repeating: [], count: EventMix.processes)
    /// What comes into being when all of `pending` is written.
    var drained: [UInt32] = []
    var cached: [MachineFrames.FilePage] = []
    /// The node whose kswapd runs here.
    var kswapd: Int?
    var taskBeforeKswapd: Int32 = 0
    var mappingsMade: UInt64 = 0
  }

  var random: SplitMix64
  var cpus: [CPU]
  var frames = MachineFrames(cpus: EventMix.cpus)
  var isKswapdRunning = [Bool](repeating: false, count: MachineFrames.nodes)
  /// Next page of each process's file that is read or written.
  var fileIndex = [UInt32](repeating: 0x10_0000, count: EventMix.processes)
  private var nextTimes: [UInt64]

  init(seed: UInt64) {
    random = SplitMix64(seed: seed)
    cpus = Array(repeating: CPU(), count: Self.cpus)
    for cpu in cpus.indices {
      cpus[cpu].clock = 100_000_000_000 + UInt64(cpu) * 37
      cpus[cpu].task = Self.task(cpu, cpu % Self.processes)
      cpus[cpu].pending.reserveCapacity(512)
    }
    nextTimes = cpus.map(\.clock)
    for cpu in cpus.indices { plan(cpu) }
    for cpu in cpus.indices { nextTimes[cpu] = nextTime(cpu) }
  }

  // MARK: Names

  static let idleTask: Int32 = 0
  static func kswapdTask(_ node: Int) -> Int32 { Int32(40 + node) }
  static func task(_ cpu: Int, _ process: Int) -> Int32 {
    Int32(1000 + cpu * processes + process)
  }
  /// Index of a thread's name among the texts of ``names``.
  static func name(_ task: Int32) -> UInt64 {
    if task == idleTask { return UInt64(processes) }
    if task < 1000 { return UInt64(processes + 1) + UInt64(task - 40) }
    return UInt64(process(task))
  }
  static func process(_ task: Int32) -> Int { Int(task - 1000) % processes }
  static func isUser(_ task: Int32) -> Bool { task >= 1000 }

  /// Names of the tasks; the text words of a switch index its texts.
  static var names: TraceNames {
    let texts = (0..<processes).map { "app-\($0)" } + ["swapper", "kswapd0", "kswapd1"]
    let threads = (0..<cpus).flatMap { cpu in (0..<processes).map { task(cpu, $0) } }
    let kernel = (0..<MachineFrames.nodes).map(kswapdTask)
    return TraceNames(
      tasks: (kernel + threads).map { (task: $0, name: texts[Int(name($0))]) }, texts: texts)
  }

  /// The kinds of event that occur.
  static let kinds: [EventKind] = [
    .tlbFlush, .migratePages, .migratePagesStart, .setMigrationPTE, .removeMigrationPTE, .pageAlloc,
    .pageFree, .pageFreeBatched, .pagePCPDrain, .pageAllocZoneLocked, .lruInsertion, .filemapAdd,
    .filemapDelete, .kswapdWake, .wakeupKswapd, .directReclaimBegin, .directReclaimEnd,
    .shrinkInactive, .pageFaultUser, .csdQueueCPU, .csdFunctionEntry, .ipiSendCPU,
    .ipiSendCPUMask, .schedSwitch, .sysEnterMmap, .sysExitMmap, .sysEnterMunmap, .sysExitMunmap,
    .sysEnterWrite, .sysExitWrite,
  ]

  // MARK: Time

  /// The next row of the machine.
  mutating func next() -> TraceRow {
    var earliest = 0
    for cpu in 1..<Self.cpus where nextTimes[cpu] < nextTimes[earliest] { earliest = cpu }
    let row = isInterruptNext(earliest) ? interruptRow(earliest) : pendingRow(earliest)
    nextTimes[earliest] = nextTime(earliest)
    return row
  }

  /// Time of the row that `next` will give.
  var nextTime: UInt64 { nextTimes.min() ?? 0 }

  private func isWaiting(_ cpu: Int) -> Bool {
    cpus[cpu].outstanding > 0 && cpus[cpu].position >= cpus[cpu].waitsAt
  }

  private func isInterruptNext(_ cpu: Int) -> Bool {
    guard let interrupt = cpus[cpu].interrupts.first else { return false }
    if cpus[cpu].isAnswering || isWaiting(cpu) { return true }
    return interrupt.time <= cpus[cpu].clock + cpus[cpu].pending[cpus[cpu].position].time
  }

  private func nextTime(_ cpu: Int) -> UInt64 {
    if isInterruptNext(cpu) {
      return max(cpus[cpu].interrupts[0].time, cpus[cpu].clock + 120)
    }
    if isWaiting(cpu) { return .max }
    return cpus[cpu].clock + cpus[cpu].pending[cpus[cpu].position].time
  }

  private mutating func pendingRow(_ cpu: Int) -> TraceRow {
    var row = cpus[cpu].pending[cpus[cpu].position]
    cpus[cpu].clock = nextTimes[cpu]
    row.time = cpus[cpu].clock
    cpus[cpu].position += 1
    if row.kind == .csdQueueCPU { queue(row, cpu) }
    if cpus[cpu].position == cpus[cpu].pending.count { plan(cpu) }
    return row
  }

  /// A request is on its way: its target is interrupted some microseconds on.
  private mutating func queue(_ row: TraceRow, _ cpu: Int) {
    let target = Int(row.words[CSDQueue.cpu])
    let pages = row.words[TraceRow.wordsMax - 1]
    cpus[target].interrupts.append(
      Interrupt(
        time: row.time + 700 + random.below(2_000), initiator: cpu, csd: row.words[CSDQueue.csd],
        pages: pages))
    nextTimes[target] = nextTime(target)
  }

  /// A receiver runs the function, then tells what it flushed; the initiator may go on then.
  private mutating func interruptRow(_ cpu: Int) -> TraceRow {
    let interrupt = cpus[cpu].interrupts[0]
    cpus[cpu].clock = nextTimes[cpu]
    var row = TraceRow(
      cpus[cpu].isAnswering ? .tlbFlush : .csdFunctionEntry, cpu: UInt16(cpu),
      task: cpus[cpu].task, time: cpus[cpu].clock)
    row.flags = 9
    guard cpus[cpu].isAnswering else {
      cpus[cpu].isAnswering = true
      row.words[CSDFunction.function] = FunctionName.flushTLBFunction
      row.words[CSDFunction.csd] = interrupt.csd
      return row
    }
    // Some find that they are up to date, some are too far behind for a range.
    let fate = random.below(20)
    row.words[TLBFlush.reason] = 1
    row.words[TLBFlush.pages] = fate == 0 ? 0 : fate < 4 ? .max : interrupt.pages
    cpus[cpu].isAnswering = false
    cpus[cpu].interrupts.removeFirst()
    cpus[interrupt.initiator].outstanding -= 1
    if cpus[interrupt.initiator].outstanding == 0 {
      cpus[interrupt.initiator].clock = max(cpus[interrupt.initiator].clock, cpus[cpu].clock)
      nextTimes[interrupt.initiator] = nextTime(interrupt.initiator)
    }
    return row
  }
}
