import TraceEvents
import TraceWriting

/// SplitMix64 (Steele, Lea, Flood 2014): small, seeded, the same on every machine.
struct SplitMix64 {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// A number below `bound`; the bias of the remainder does not matter here.
  mutating func below(_ bound: UInt64) -> UInt64 { next() % bound }
}

/// What a trace of the mix holds, counted while it was made.
struct MixCounts: Equatable {
  /// Events by kind and CPU.
  private(set) var events: [UInt64]
  /// `tlb_flush` by reason (0 to 4) and class: 0 full, 1 none, 2 range.
  private(set) var flushes = [UInt64](repeating: 0, count: 5 * 3)
  /// `mm_page_alloc` by order.
  private(set) var orders = [UInt64](repeating: 0, count: 11)
  let cpus: Int

  init(cpus: Int) {
    self.cpus = cpus
    events = [UInt64](repeating: 0, count: cpus * Int(EventKind.knownCount))
  }

  mutating func count(_ row: TraceRow) {
    events[Int(row.kind.rawValue) * cpus + Int(row.cpu)] += 1
    if row.kind == .tlbFlush {
      let pages = row.words[TLBFlush.pages]
      let pagesClass = pages == .max ? 0 : pages == 0 ? 1 : 2
      flushes[Int(row.words[TLBFlush.reason]) * 3 + pagesClass] += 1
    } else if row.kind == .pageAlloc {
      orders[Int(row.words[PageAlloc.order])] += 1
    }
  }

  func perCPU(_ kind: EventKind) -> ArraySlice<UInt64> {
    events[Int(kind.rawValue) * cpus..<(Int(kind.rawValue) + 1) * cpus]
  }

  var total: UInt64 { events.reduce(0, +) }
}

/// The events of one CPU of a busy machine, in time order and without end.
///
/// Episodes: task switches with their flushes, munmap shootdowns and the interrupts they cause,
/// faults with allocations, migrations. Shares follow the captures of memory churn in `Traces`.
struct EventMix {
  /// CPUs of the machine.
  static let cpus = 16
  /// Threads of each CPU.
  private static let tasksPerCPU = 8

  private let cpu: UInt16
  private var random: SplitMix64
  private var time: UInt64
  private var task: Int32
  private var pending: [TraceRow] = []
  private var position = 0
  /// Frames handed out and not yet freed, oldest first.
  private var frames: [UInt64]
  private var oldestFrame = 0

  init(seed: UInt64, cpu: Int) {
    self.cpu = UInt16(cpu)
    random = SplitMix64(seed: seed &+ UInt64(cpu) &* 0x1_0000_0001)
    time = 100_000_000_000 + UInt64(cpu) * 37
    task = Self.task(cpu, 0)
    frames = (0..<512).map { UInt64(0x10_0000 + cpu * 0x1_0000 + $0) }
    pending.reserveCapacity(128)
  }

  private static func task(_ cpu: Int, _ index: Int) -> Int32 {
    Int32(1000 + cpu * tasksPerCPU + index)
  }

  /// Names of the tasks; the text words of a switch index the same names.
  static var names: TraceNames {
    let tasks = (0..<cpus).flatMap { cpu in
      (0..<tasksPerCPU).map { (task: task(cpu, $0), name: "worker-\(cpu)-\($0)") }
    }
    return TraceNames(tasks: tasks, texts: tasks.map(\.name))
  }

  /// The kinds of event that occur.
  static let kinds: [EventKind] = [
    .tlbFlush, .migratePages, .migratePagesStart, .setMigrationPTE, .removeMigrationPTE, .pageAlloc,
    .pageFree, .pageFaultUser, .csdQueueCPU, .csdFunctionEntry, .csdFunctionExit,
    .callFunctionEntry, .schedSwitch, .sysEnterMunmap,
  ]

  /// Time of the row that `next` will give.
  mutating func nextTime() -> UInt64 {
    if position == pending.count { refill() }
    return pending[position].time
  }

  /// The next row.
  mutating func next() -> TraceRow {
    if position == pending.count { refill() }
    position += 1
    return pending[position - 1]
  }

  private mutating func refill() {
    pending.removeAll(keepingCapacity: true)
    position = 0
    switch random.below(100) {
    case 0..<30: taskSwitch()
    case 30..<60: fault()
    case 60..<75: unmap()
    case 75..<97: interrupt()
    default: migration()
    }
  }

  /// Adds a row some hundred nanoseconds on; once in a while after an idle pause.
  private mutating func add(_ kind: EventKind, _ payload: (inout TraceRow) -> Void) {
    let pause = random.below(50_000) == 0 ? 300_000_000 : 0
    time += 100 + random.below(1_500) + UInt64(pause)
    var row = TraceRow(kind, cpu: cpu, task: task, time: time)
    payload(&row)
    pending.append(row)
  }

  private mutating func flush(reason: UInt64, pages: UInt64) {
    add(.tlbFlush) {
      $0.flags = 1
      $0.preemptCount = 1
      $0.words[TLBFlush.reason] = reason
      $0.words[TLBFlush.pages] = pages
    }
  }

  private mutating func taskSwitch() {
    let previous = task
    let next = Self.task(Int(cpu), Int(random.below(UInt64(Self.tasksPerCPU))))
    add(.schedSwitch) {
      $0.flags = 1
      $0.preemptCount = 2
      $0.words[SchedSwitch.previousTask] = UInt64(previous)
      $0.words[SchedSwitch.nextTask] = UInt64(next)
      $0.words[SchedSwitch.previousState] = 1
      $0.words[SchedSwitch.previousName] = UInt64(previous - 1000)
      $0.words[SchedSwitch.nextName] = UInt64(next - 1000)
    }
    task = next
    flush(reason: 0, pages: random.below(3) == 0 ? .max : 0)
  }

  private mutating func fault() {
    let address = 0x7f00_0000_0000 + random.below(1 << 30) << 12
    for index in 0..<1 + random.below(4) {
      add(.pageFaultUser) {
        $0.words[PageFault.address] = address + index << 12
        $0.words[PageFault.ip] = 0x40_1000
        $0.words[PageFault.errorCode] = 6
      }
      allocate(order: random.below(16) == 0 ? random.below(10) : 0)
    }
  }

  private mutating func allocate(order: UInt64) {
    let frame = frames[oldestFrame]
    add(.pageAlloc) {
      $0.words[PageAlloc.pfn] = frame
      $0.words[PageAlloc.order] = order
      $0.words[PageAlloc.gfpFlags] = 0x14_0cca
      $0.words[PageAlloc.migratetype] = 1
    }
  }

  private mutating func free(_ count: UInt64) {
    for _ in 0..<count {
      let frame = frames[oldestFrame]
      oldestFrame = (oldestFrame + 1) % frames.count
      add(.pageFree) {
        $0.words[PageFree.pfn] = frame
        $0.words[PageFree.order] = 0
      }
    }
  }

  /// One shootdown of a range: request, targets, local flush.
  private mutating func unmap() {
    let pages = 1 + random.below(40)
    let address = 0x7f00_0000_0000 + random.below(1 << 30) << 12
    let flushed = pages > 33 ? UInt64.max : pages
    add(.sysEnterMunmap) {
      $0.words[MemorySyscall.address] = address
      $0.words[MemorySyscall.length] = pages << 12
    }
    send(pages: flushed)
    flush(reason: 3, pages: flushed)
    free(min(pages, 8))
  }

  private mutating func send(pages: UInt64) {
    flush(reason: 4, pages: pages)
    for _ in 0..<1 + random.below(5) {
      let target = random.below(UInt64(Self.cpus))
      add(.csdQueueCPU) {
        $0.words[CSDQueue.cpu] = target
        $0.words[CSDQueue.callsite] = 0xffff_ffff_811a_0020
        $0.words[CSDQueue.function] = FunctionName.flushTLBFunction
        $0.words[CSDQueue.csd] = 0xffff_8880_0000_0040 + target << 6
      }
    }
  }

  /// A shootdown's interrupt on its target.
  private mutating func interrupt() {
    let csd = 0xffff_8880_0000_0040 + UInt64(cpu) << 6
    let pages = [1, 2, 8, 0, UInt64.max][Int(random.below(5))]
    add(.callFunctionEntry) {
      $0.flags = 9
      $0.words[IRQVector.vector] = 252
    }
    add(.csdFunctionEntry) {
      $0.flags = 9
      $0.words[CSDFunction.function] = FunctionName.flushTLBFunction
      $0.words[CSDFunction.csd] = csd
    }
    flush(reason: 1, pages: pages)
    add(.csdFunctionExit) {
      $0.flags = 9
      $0.words[CSDFunction.function] = FunctionName.flushTLBFunction
      $0.words[CSDFunction.csd] = csd
    }
  }

  private mutating func migration() {
    let address = 0x7f00_0000_0000 + random.below(1 << 30) << 12
    let count = 4 + random.below(28)
    let reason = [0, 5, 8][Int(random.below(3))] as UInt64
    add(.migratePagesStart) {
      $0.words[MigratePagesStart.mode] = 1
      $0.words[MigratePagesStart.reason] = reason
    }
    for index in 0..<count {
      add(.setMigrationPTE) {
        $0.words[MigrationPTE.address] = address + index << 12
        $0.words[MigrationPTE.pte] = 0xf7ff_e7ff_dfc7_c600
      }
    }
    send(pages: .max)
    flush(reason: 2, pages: .max)
    for index in 0..<count {
      add(.removeMigrationPTE) {
        $0.words[MigrationPTE.address] = address + index << 12
        $0.words[MigrationPTE.pte] = 0x8000_0001_01c1_c067
      }
    }
    add(.migratePages) {
      $0.words[MigratePages.succeeded] = count
      $0.words[MigratePages.mode] = 1
      $0.words[MigratePages.reason] = reason
    }
  }
}
