import TraceEvents

/// Puts kernel operations together from raw events: the stage between batches and policies.
///
/// Batches go in, ``Moment``s come out in time order. A shootdown's moment stands where it started,
/// but is complete only when its initiator goes on; until then it and what follows is held back, so
/// a policy never sees half a shootdown.
struct Reconstruction: ~Copyable {
  /// Moments held back for an unfinished shootdown; beyond, it is taken as it is.
  static let momentsHeldMax = 1 << 18
  /// Requests to one CPU that may be under way; beyond, the oldest is given up.
  static let requestsMax = 256
  static let noShootdown = UInt32.max

  struct Request {
    var csd: UInt64
    var shootdown: UInt32
  }

  struct CPUState {
    var task = EventBatch.unknownTask
    var taskIndex: UInt32 = 0
    var isLazy = false
    /// The user task that ran last: while the CPU is lazy, its mm stays loaded.
    var userTaskIndex: UInt32 = 0
    /// The shootdown that it initiated and may be waiting for.
    var open = Reconstruction.noShootdown
    /// The shootdown whose function it runs.
    var serving = Reconstruction.noShootdown
    var requests: [Request] = []
  }

  let context: ReplayContext
  var cpus: [CPUState]
  var tasks = TaskTable()
  var frames = FrameTable()
  var tally: RecordedTally
  var counts = ReconstructionCounts()
  private var durations = FlushDurations()

  var moments: [Moment] = []
  var momentsBase: UInt64 = 0
  /// Place of the event at hand among all events of the instance in time order, from 0.
  private var event: UInt64 = 0
  private var eventsBefore: UInt64 = 0
  var shootdowns: [Shootdown] = []
  var shootdownsBase: UInt32 = 0
  /// Shootdowns whose initiator may still wait, by start: one a CPU at most.
  var open: [UInt32] = []
  var nextBatch: UInt32 = 0
  /// Whether frames that flushes of one mm free are followed.
  var followsUnmappedFrames = false
  /// Whether `csd_queue_cpu` and `csd_function_entry` of shootdowns have been seen.
  var areRequestsTraced = false
  var areRunsTraced = false

  init(_ context: ReplayContext) {
    self.context = context
    cpus = Array(repeating: CPUState(), count: context.cpuCount)
    tally = RecordedTally(cpuCount: context.cpuCount)
    moments.reserveCapacity(EventBatch.capacity)
  }

  /// Moments from the front that are complete.
  var readyCount: Int {
    for shootdown in shootdowns where !shootdown.isResolved {
      return Int(shootdown.position - momentsBase)
    }
    return moments.count
  }

  /// Reads the rows of a batch.
  mutating func consume(_ batch: borrowing EventBatch, _ directory: EventDirectory) {
    defer { eventsBefore += UInt64(batch.count) }
    for row in 0..<batch.count {
      guard let kind = batch.kind(row) else { continue }
      event = eventsBefore + UInt64(row)
      let cpu = Int(batch.cpu(row))
      guard cpu < cpus.count else {
        counts.rowsOfUnknownCPUs += 1
        continue
      }
      let time = batch.timestamp(row)
      if cpus[cpu].task != batch.task(row) {
        run(batch.task(row), on: cpu, at: time, directory)
      }
      switch kind {
      case .tlbFlush:
        tlbFlush(
          cpu, time, reason: batch.signedWord(row, TLBFlush.reason),
          pages: batch.signedWord(row, TLBFlush.pages))
        continue
      case .csdQueueCPU:
        if batch.word(row, CSDQueue.function) == context.flushFunction {
          requestQueued(
            cpu, time, target: batch.word(row, CSDQueue.cpu), csd: batch.word(row, CSDQueue.csd))
        }
        continue
      case .csdFunctionEntry:
        if batch.word(row, CSDFunction.function) == context.flushFunction {
          functionEntered(cpu, time, csd: batch.word(row, CSDFunction.csd))
        }
        continue
      case .csdFunctionExit, .ipiSendCPU, .ipiSendCPUMask, .callFunctionEntry, .callFunctionExit,
        .callFunctionSingleEntry, .callFunctionSingleExit, .kernelStack, .userStack:
        continue
      default: break
      }
      // The initiator waits with interrupts on but runs nothing else: what it does next is after.
      if cpus[cpu].open != Self.noShootdown {
        resolve(
          openOn: cpu, at: time, isFreeing: kind == .pageFree || kind == .pageFreeBatched)
      }
      cpus[cpu].serving = Self.noShootdown
      memoryEvent(kind, batch, row, cpu, time, directory)
    }
    settle()
  }

  /// Says of the first `count` moments, which are complete, how long their batch flushes last.
  mutating func estimateDurations(_ count: Int) {
    for position in 0..<count where moments[position].kind == .shootdown {
      let slot = Int(moments[position].subject &- shootdownsBase)
      guard shootdowns[slot].kind == .unmapBatch else { continue }
      let isAnswered = shootdowns[slot].outstanding == 0
      shootdowns[slot].endAmongFew =
        isAnswered
        ? durations.record(shootdowns[slot].start, shootdowns[slot].end) : shootdowns[slot].end
      shootdowns[slot].typicalDuration = durations.typical
      guard let given = context.flushDuration else { continue }
      let end = shootdowns[slot].start.addingReportingOverflow(given)
      shootdowns[slot].endAmongFew = end.overflow ? .max : end.partialValue
      shootdowns[slot].typicalDuration = given
    }
  }

  /// Takes away the first `count` moments and the shootdowns that they need.
  mutating func drop(_ count: Int) {
    guard count > 0 else { return }
    moments.removeFirst(count)
    momentsBase += UInt64(count)
    let done = shootdowns.firstIndex { !$0.isResolved || $0.position >= momentsBase }
    let dropped = done ?? shootdowns.count
    shootdowns.removeFirst(dropped)
    shootdownsBase &+= UInt32(dropped)
  }

  /// Ends all that is open: nothing follows.
  mutating func close() {
    for cpu in cpus.indices where cpus[cpu].open != Self.noShootdown {
      resolve(openOn: cpu, at: nil)
      counts.shootdownsOpenAtEnd += 1
    }
  }

  mutating func emit(
    _ kind: Moment.Kind, _ cpu: Int, _ time: UInt64, subject: UInt32 = 0, batch: UInt32 = 0
  ) {
    moments.append(
      Moment(
        time: time, kind: kind, payer: tasks.states[Int(cpus[cpu].taskIndex)].payer,
        cpu: UInt16(truncatingIfNeeded: cpu), subject: subject, batch: batch,
        task: cpus[cpu].taskIndex, event: event))
  }

  /// Notes who runs on a CPU, and whether a flush would leave it out.
  mutating func run(_ task: Int32, on cpu: Int, at time: UInt64, _ directory: EventDirectory) {
    let index = tasks.index(of: task)
    let state = tasks.states[Int(index)]
    if state.kind == .unnamed || state.nameGroup == 0 {
      tasks.name(index, directory.taskName(task))
    }
    cpus[cpu].task = task
    cpus[cpu].taskIndex = index
    let isLazy = tasks.states[Int(index)].isLazy
    if !isLazy { cpus[cpu].userTaskIndex = index }
    if isLazy != cpus[cpu].isLazy {
      cpus[cpu].isLazy = isLazy
      emit(isLazy ? .lazyBegin : .lazyEnd, cpu, time)
    }
  }

  private mutating func memoryEvent(
    _ kind: EventKind, _ batch: borrowing EventBatch, _ row: Int, _ cpu: Int, _ time: UInt64,
    _ directory: EventDirectory
  ) {
    let task = Int(cpus[cpu].taskIndex)
    switch kind {
    case .pageAlloc:
      // `MIGRATE_MOVABLE` is 1: user memory and page cache.
      allocated(
        cpu, time, pfn: batch.word(row, PageAlloc.pfn), batch.word(row, PageAlloc.order),
        isMovable: batch.word(row, PageAlloc.migratetype) == 1)
    case .pageFree:
      freed(cpu, time, pfn: batch.word(row, PageFree.pfn), batch.word(row, PageFree.order))
      return
    case .pageFreeBatched:
      freed(cpu, time, pfn: batch.word(row, PageFree.pfn), 0, isBatched: true)
      return
    case .pagePCPDrain:
      drained(cpu, time, pfn: batch.word(row, PageFree.pfn), batch.word(row, PageFree.order))
      return
    case .pageAllocZoneLocked:
      refilled(cpu, time, pfn: batch.word(row, PageFree.pfn), batch.word(row, PageFree.order))
      return
    case .filemapDelete:
      deleted(cpu, pfn: batch.word(row, FilemapChange.pfn), batch.word(row, FilemapChange.order))
    case .setMigrationPTE:
      entrySet(
        cpu, MigrationEntry(bits: batch.word(row, MigrationPTE.pte)),
        order: batch.word(row, MigrationPTE.order))
    case .setMigrationPMD: tasks.states[task].largeFolios &+= 1
    case .migratePagesStart:
      migrationStarted(task, reason: batch.signedWord(row, MigratePagesStart.reason))
    case .migratePages: migrationEnded(cpu, time)
    case .kswapdWake, .kswapdSleep:
      tasks.states[task].kind = .kernel
      tasks.states[task].isKswapd = true
    case .directReclaimBegin:
      tasks.states[task].isInDirectReclaim = true
      tasks.states[task].deleted = 0
    case .directReclaimEnd: tasks.states[task].isInDirectReclaim = false
    case .pageFaultUser:
      tasks.states[task].kind = .user
      fault(cpu, time, error: batch.word(row, PageFault.errorCode))
    case .pageFaultKernel:
      // Kernel code that writes to user memory breaks copy-on-write as well.
      if batch.word(row, PageFault.address) < 1 << 63 {
        fault(cpu, time, error: batch.word(row, PageFault.errorCode))
      }
    case .sysEnterMmap:
      if batch.value(row, MemorySyscall.detail).map({ $0 & 2 != 0 }) == true {
        emit(.writableMapping, cpu, time)
      }
    case .rawSysEnter:
      // x86-64 `mmap` is number 9; its third argument is `prot`, PROT_WRITE is 2.
      if batch.word(row, RawSyscall.number) == 9,
        batch.value(row, RawSyscall.firstArgument + 2).map({ $0 & 2 != 0 }) == true
      {
        emit(.writableMapping, cpu, time)
      }
    case .sysExitWrite, .sysExitPwrite64: emit(.fileWriteEnd, cpu, time)
    case .rawSysExit:
      // x86-64 `write` is number 1, `pwrite64` 18.
      let number = batch.word(row, RawSyscall.number)
      if number == 1 || number == 18 { emit(.fileWriteEnd, cpu, time) }
    case .rssStat:
      if batch.word(row, RSSStat.current) == 1 {
        tasks.enter(batch.word(row, RSSStat.mmID), task)
      }
    case .schedSwitch:
      let next = Int32(truncatingIfNeeded: batch.signedWord(row, SchedSwitch.nextTask))
      run(next, on: cpu, at: time, directory)
    default: break
    }
    tasks.states[task].isFreeingBatch = false
    tasks.states[task].isFreeingUnmapped = false
  }

  private mutating func fault(_ cpu: Int, _ time: UInt64, error: UInt64) {
    if error != EventBatch.absent, error & 3 == 3 { emit(.writeProtectFault, cpu, time) }
  }
}
