import Synchronization
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
    /// Shootdowns before the last page that reclaim took out of the page cache here.
    var reclaimedAfter = Reconstruction.noShootdown
    /// Whether the function that it runs for another has not written a flush event yet.
    var isSilent = false
  }

  let context: ReplayContext
  /// A time behind the window where the trace goes on behind it.
  private(set) var endTime: UInt64?
  var cpus: [CPUState]
  var tasks = TaskTable()
  var frames = FrameTable()
  /// Only where drained frames are told.
  var passages = BuddyPassages()
  var tally: RecordedTally
  /// Who sent the interrupts of the recorded run; nil where nothing draws it.
  private(set) var senders: SenderMatrix?
  var counts = ReconstructionCounts()
  private var durations = FlushDurations()
  /// CPUs that are lazy, as far as moments are ready, and where among these that changes.
  private(set) var lazyCPUs = CPUMask()
  var ready = ReadyMoments()
  /// What every safety check catches up with.
  private(set) var cleanings = CPUCleanings()
  /// What is in doubt somewhere among these.
  private(set) var doubts: ReplayDoubts = []
  private var lazyChanges: [(position: UInt32, mask: CPUMask)] = []
  /// How the recorded interrupts scatter over the window.
  private(set) var draw = DrawInterval()
  /// Time of the first moment; nil before it.
  private(set) var firstTime: UInt64?

  var moments: [Moment] = []
  /// Of each of these, where drained frames are told: the frame's way through buddy.
  var passagesTold: [BuddyPassage] = []
  var momentsBase: UInt64 = 0
  /// Place of the event at hand among all events of the instance in time order, from 0.
  private var event: UInt64 = 0
  private var eventsBefore: UInt64 = 0
  var shootdowns = ShootdownQueue()
  var shootdownsBase: UInt32 = 0
  /// Shootdowns whose initiator may still wait.
  var matcher: WaitWindowMatcher
  var nextBatch: UInt32 = 0
  var batchNumbers = BatchNumbers()
  /// Place, from 1, of the moment that tells of each batch's frees, by its number; 0 none.
  private var freesTold: [UInt64] = [0]
  /// Whether frames that flushes of one mm free are followed.
  let followsUnmappedFrames: Bool
  /// Whether `csd_queue_cpu` and `csd_function_entry` of shootdowns have been seen.
  var areRequestsTraced = false
  var areRunsTraced = false
  /// Whether entries and ends of system calls have been seen, by number and by name.
  var areCallsTraced = false
  var areCallEndsTraced = false
  var areRawCallsTraced = false
  var areNamedCallsTraced = false
  var areMigrationStartsTraced = false
  var areFreesTraced = false
  /// Whether NUMA hinting is seen to be at work.
  var isHintingSeen = false

  /// Kinds of moment that are told; what belongs to others is not even collected.
  let wanted: MomentKindSet
  /// What moments refer to by number.
  var userFaults = SideRecords<UserFault>()
  var addressRanges = SideRecords<AddressRange>()
  var pageMappings = SideRecords<PageMapping>()
  var returnedPages = SideRecords<ReturnedPage>()
  /// Pages that batches took out of the page cache.
  var removedPages = RemovedPages()
  var arePageRemovalsTraced = false
  var addressEvidence = AddressEvidence()
  /// Pages that migrations have unmapped: any at all, and those of batches that are not dropped.
  var everUnmapped = PageFilter()
  var unmappedPages = UnmappedPages()

  /// See ``Shootdown/anchor``: without it every method that changes nothing gets a copy of all this.
  private let anchor = Atomic<UInt8>(0)

  /// Who causes shootdowns and who suffers, where that is asked for.
  var initiators: InitiatorAccounts?
  var victims: VictimAccounts?

  init(_ context: ReplayContext, telling wanted: MomentKindSet = .unmapFlushes) {
    self.context = context
    self.wanted = wanted
    followsUnmappedFrames = wanted.contains(.unmappedFrameAllocated)
    cpus = Array(repeating: CPUState(), count: context.cpuCount)
    tally = RecordedTally(context)
    senders = context.recordsTimeline ? SenderMatrix(cpuCount: context.cpuCount) : nil
    matcher = WaitWindowMatcher(cpuCount: context.cpuCount)
    moments.reserveCapacity(EventBatch.capacity)
  }

  /// Moments from the front that are complete.
  var readyCount: Int {
    for slot in shootdowns.indices where !shootdowns[slot].isResolved {
      return Int(shootdowns[slot].position - momentsBase)
    }
    return moments.count
  }

  /// Reads the rows of a batch.
  mutating func consume(_ batch: borrowing EventBatch, _ directory: EventDirectory) {
    defer { eventsBefore += UInt64(batch.count) }
    counts.events.see(batch)
    for row in 0..<batch.count {
      guard let kind = batch.kind(row) else { continue }
      event = eventsBefore + UInt64(row)
      let cpu = Int(batch.cpu(row))
      guard cpu < cpus.count else {
        counts.rowsOfUnknownCPUs += 1
        if EventAccounts.family(kind) != nil { counts.events.failToExplain(kind) }
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
      case .csdQueueCPU, .csdFunctionEntry, .csdFunctionExit, .ipiSendCPU, .ipiSendCPUMask:
        crossCall(kind, batch, row, cpu, time)
        continue
      case .callFunctionEntry, .callFunctionExit,
        .callFunctionSingleEntry, .callFunctionSingleExit:
        continue
      case .kernelStack, .userStack:
        if initiators?.followsChains == true { chain(kind, cpu, batch.word(row, 0)) }
        continue
      default: break
      }
      // The initiator waits with interrupts on but runs nothing else: what it does next is after.
      if cpus[cpu].open != Self.noShootdown { resolve(openOn: cpu, at: time, goingOnWith: kind) }
      if matcher.isWaiting(cpu) { matcher.end(on: cpu) }
      if cpus[cpu].serving != Self.noShootdown { cpus[cpu].serving = Self.noShootdown }
      memoryEvent(kind, batch, row, cpu, time, directory)
    }
    settle()
  }

  /// Whether what the task of a moment does counts.
  @inline(__always)
  func isOfCountedTask(_ moment: Moment) -> Bool {
    context.countedTasks == nil
      || context.counts(task: tasks.id(of: moment.task), at: moment.time)
  }

  /// Says of the first `count` moments, which are complete, what every replay asks: how long their
  /// batch flushes last, which CPUs are lazy, and how the recorded interrupts scatter.
  mutating func prepare(_ count: Int) {
    ready.index(
      moments, count, until: context.window.end, batchCount: batchNumbers.count)
    if count > 0, moments[count - 1].time > context.window.end { endTime = moments[count - 1].time }
    lazyChanges.removeAll(keepingCapacity: true)
    lazyChanges.append((0, lazyCPUs))
    doubts = []
    if firstTime == nil, count > 0 {
      let first = max(moments[0].time, context.window.start)
      firstTime = first
      draw.advance(to: first)
    }
    let looked = MomentKindSet([.lazyBegin, .lazyEnd, .shootdown, .mmShootdown, .frameAllocated])
    for position in 0..<count where looked.contains(moments[position].kind) {
      switch moments[position].kind {
      case .lazyBegin:
        lazyCPUs.insert(Int(moments[position].cpu))
        lazyChanges.append((UInt32(truncatingIfNeeded: position), lazyCPUs))
      case .lazyEnd:
        lazyCPUs.remove(Int(moments[position].cpu))
        lazyChanges.append((UInt32(truncatingIfNeeded: position), lazyCPUs))
      case .shootdown, .mmShootdown:
        prepareShootdown(Int(moments[position].subject &- shootdownsBase))
      case .frameAllocated:
        if moments[position].isAtomic { doubts.insert(.atomicAllocation) }
      default: break
      }
    }
    findCleanings(count)
  }

  /// Collects ``cleanings`` of the first `count` moments.
  mutating func findCleanings(_ count: Int) {
    // Taken out, so that it can look at the rest.
    var found = CPUCleanings()
    swap(&found, &cleanings)
    found.find(self, count)
    swap(&found, &cleanings)
  }

  /// CPUs that are lazy at a position among the moments that are ready.
  func lazyCPUs(at position: UInt32) -> CPUMask {
    var low = 0
    var high = lazyChanges.count
    while low < high {
      let middle = (low + high) / 2
      if lazyChanges[middle].position <= position { low = middle + 1 } else { high = middle }
    }
    return low > 0 ? lazyChanges[low - 1].mask : CPUMask()
  }

  private mutating func prepareShootdown(_ slot: Int) {
    shootdowns[slot].findMask()
    if initiators != nil { account(slot) }
    let interrupts = shootdowns[slot].countedInterrupts.count
    if interrupts > 0 {
      draw.add(interrupts, at: shootdowns[slot].start)
      senders?.add(1, from: shootdowns[slot].initiator, to: shootdowns[slot].countedInterrupts)
    }
    guard shootdowns[slot].kind == .unmapBatch else { return }
    if shootdowns[slot].evidence == .unseen { doubts.insert(.eligibility) }
    let isAnswered = shootdowns[slot].outstanding == 0
    shootdowns[slot].endAmongFew =
      isAnswered
      ? durations.record(shootdowns[slot].start, shootdowns[slot].end) : shootdowns[slot].end
    shootdowns[slot].typicalDuration = durations.typical
    guard let given = context.flushDuration else { return }
    let end = shootdowns[slot].start.addingReportingOverflow(given)
    shootdowns[slot].endAmongFew = end.overflow ? .max : end.partialValue
    shootdowns[slot].typicalDuration = given
  }

  /// Takes away the first `count` moments and the shootdowns that they need.
  mutating func drop(_ count: Int) {
    guard count > 0 else { return }
    moments.removeFirst(count)
    passagesTold.removeFirst(min(count, passagesTold.count))
    momentsBase += UInt64(count)
    var dropped = 0
    while dropped < shootdowns.count, shootdowns[dropped].isResolved,
      shootdowns[dropped].position < momentsBase
    {
      dropped += 1
    }
    shootdowns.removeFirst(dropped)
    shootdownsBase &+= UInt32(dropped)
    dropPages()
    userFaults.drop(before: momentsBase)
    addressRanges.drop(before: momentsBase)
    pageMappings.drop(before: momentsBase)
    returnedPages.drop(before: momentsBase)
  }

  private mutating func dropPages() {
    var first = UInt64.max
    for slot in shootdowns.indices where !shootdowns[slot].unmappedPages.isEmpty {
      first = min(first, shootdowns[slot].unmappedPages.lowerBound)
    }
    unmappedPages.drop(before: first)
  }

  /// Ends all that is open: nothing follows.
  mutating func close() {
    for cpu in cpus.indices where cpus[cpu].open != Self.noShootdown {
      resolve(openOn: cpu, at: nil)
      counts.shootdownsOpenAtEnd += 1
    }
    counts.events.close()
  }

  /// Place that the next moment will have in the stream of all moments.
  var nextPosition: UInt64 { momentsBase &+ UInt64(moments.count) }

  /// A number of a batch is given (again).
  mutating func opened(_ batch: UInt32) {
    while freesTold.count <= Int(batch) { freesTold.append(0) }
    freesTold[Int(batch)] = 0
  }

  /// A frame was freed with a batch, or behind a flush of one mm. One moment, where the first of them was freed, tells of those that
  /// follow within 20 us: that is how much too early a frame may count as pending.
  mutating func noteFreed(
    _ kind: Moment.Kind, with batch: UInt32, _ cpu: Int, _ time: UInt64
  ) {
    guard wanted.contains(kind) else { return }
    if freesTold[Int(batch)] > momentsBase {
      let told = Int(freesTold[Int(batch)] - 1 - momentsBase)
      if time &- moments[told].time <= (context.millisecond ?? 0) / 50 {
        moments[told].subject += 1
        return
      }
    }
    tell(moment(kind, cpu, time, subject: 1, batch: batch))
    freesTold[Int(batch)] = nextPosition
  }

  mutating func emit(
    _ kind: Moment.Kind, _ cpu: Int, _ time: UInt64, subject: UInt32 = 0, batch: UInt32 = 0,
    passage: BuddyPassage = BuddyPassage(), isAtomic: Bool = false, isMovable: Bool = false
  ) {
    guard wanted.contains(kind) else { return }
    tell(
      moment(
        kind, cpu, time, subject: subject, batch: batch, isAtomic: isAtomic, isMovable: isMovable),
      passage)
  }

  /// The next moment, and of one of frames their way through buddy.
  mutating func tell(_ moment: Moment, _ passage: BuddyPassage = BuddyPassage()) {
    moments.append(moment)
    if followsBuddy { passagesTold.append(passage) }
  }

  /// Whether it is followed how frames pass through buddy.
  var followsBuddy: Bool { wanted.contains(.frameDrained) }

  /// The way through buddy of the frame that moment `position` is about, where that is followed.
  func passage(at position: Int) -> BuddyPassage {
    position < passagesTold.count ? passagesTold[position] : BuddyPassage()
  }

  private func moment(
    _ kind: Moment.Kind, _ cpu: Int, _ time: UInt64, subject: UInt32 = 0, batch: UInt32 = 0,
    isAtomic: Bool = false, isMovable: Bool = false
  ) -> Moment {
    Moment(
      time: time, kind: kind, payer: tasks.states[Int(cpus[cpu].taskIndex)].payer,
      cpu: UInt16(truncatingIfNeeded: cpu), subject: subject, batch: batch,
      task: cpus[cpu].taskIndex, event: event, isAtomic: isAtomic, isMovable: isMovable)
  }

  /// Notes who runs on a CPU, and whether a flush would leave it out.
  mutating func run(_ task: Int32, on cpu: Int, at time: UInt64, _ directory: EventDirectory) {
    let index = tasks.index(of: task)
    if tasks.states[Int(index)].kind == .unnamed || tasks.states[Int(index)].nameGroup == 0 {
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
    if tasks.states[task].isScanning { tasks.states[task].isScanning = false }
    switch kind {
    case .pageAlloc, .pageFree, .pageFreeBatched, .pagePCPDrain, .pageAllocZoneLocked:
      frameEvent(kind, batch, row, cpu, time)
      // Frees are no end of a run of frees; an allocation is.
      if kind != .pageAlloc { return }
    case .filemapAdd: pageAdded(batch, row, cpu, time)
    case .filemapDelete:
      pageRemoved(batch, row, cpu, time)
      deleted(
        cpu, time, pfn: batch.word(row, FilemapChange.pfn), batch.word(row, FilemapChange.order))
    case .setMigrationPTE, .removeMigrationPTE, .setMigrationPMD, .removeMigrationPMD,
      .migratePagesStart, .migratePages:
      migrationEvent(kind, batch, row, cpu, time)
    case .kswapdWake, .kswapdSleep:
      tasks.states[task].kind = .kernel
      tasks.states[task].isKswapd = true
    case .wakeupKswapd: emit(.kswapdWakeup, cpu, time)
    case .directReclaimBegin:
      tasks.states[task].isInDirectReclaim = true
      tasks.states[task].deleted = 0
      emit(.directReclaimBegin, cpu, time)
    case .directReclaimEnd:
      if !tasks.states[task].isInDirectReclaim { counts.events.failToExplain(kind) }
      tasks.states[task].isInDirectReclaim = false
      emit(.directReclaimEnd, cpu, time)
    case .pageFaultUser, .pageFaultKernel:
      let address = batch.word(row, PageFault.address)
      let isUser = kind == .pageFaultUser
      // Kernel code that touches user memory faults like its user.
      if isUser || address < 1 << 63 {
        fault(
          cpu, time, address: address, error: batch.word(row, PageFault.errorCode),
          isUser: isUser)
      }
    case .rssStat:
      memoryCounted(
        cpu, mm: batch.word(row, RSSStat.mmID), isCurrent: batch.word(row, RSSStat.current) == 1)
    case .schedProcessExec: executed(cpu)
    case .schedProcessExit: tasks.states[task].call = .exit
    case .schedSwitch:
      counts.addressSpaces.contextSwitches += 1
      if victims != nil { switched(cpu, time, task: batch.signedWord(row, SchedSwitch.nextTask)) }
      let next = Int32(truncatingIfNeeded: batch.signedWord(row, SchedSwitch.nextTask))
      run(next, on: cpu, at: time, directory)
    default: _ = systemCallEvent(kind, batch, row, cpu, time)
    }
    if tasks.states[task].isFreeingBatch { tasks.states[task].isFreeingBatch = false }
    if tasks.states[task].isFreeingUnmapped { tasks.states[task].isFreeingUnmapped = false }
  }

  private mutating func migrationEvent(
    _ kind: EventKind, _ batch: borrowing EventBatch, _ row: Int, _ cpu: Int, _ time: UInt64
  ) {
    let task = Int(cpus[cpu].taskIndex)
    if areMigrationStartsTraced, kind != .migratePagesStart, !tasks.states[task].isInMigration {
      counts.events.failToExplain(kind)
    }
    switch kind {
    case .migratePagesStart:
      migrationStarted(task, reason: batch.signedWord(row, MigratePagesStart.reason))
    case .migratePages: migrationEnded(cpu, time)
    case .setMigrationPTE:
      let entry = MigrationEntry(bits: batch.word(row, MigrationPTE.pte))
      entrySet(cpu, time, entry, order: batch.word(row, MigrationPTE.order))
      pageUnmapped(cpu, time, address: batch.word(row, MigrationPTE.address), entry)
    case .setMigrationPMD: tasks.states[task].largeFolios &+= 1
    case .removeMigrationPTE:
      pageMapped(
        cpu, time, address: batch.word(row, MigrationPTE.address),
        pte: batch.word(row, MigrationPTE.pte))
    default: break
    }
  }

  /// Events of one frame or block; those that contradict what is known are not explained.
  private mutating func frameEvent(
    _ kind: EventKind, _ batch: borrowing EventBatch, _ row: Int, _ cpu: Int, _ time: UInt64
  ) {
    let before = contradictions
    let pfn = batch.word(row, PageFree.pfn)
    let order = kind == .pageFreeBatched ? 0 : batch.word(row, PageFree.order)
    switch kind {
    case .pageAlloc:
      // `___GFP_DIRECT_RECLAIM` is bit 10 since Linux 5.1 (`include/linux/gfp_types.h`).
      let flags = batch.value(row, PageAlloc.gfpFlags)
      let isAtomic = flags.map { $0 & 0x400 == 0 } ?? false
      // The targets of a migration are taken without reclaim, but where sleeping is allowed.
      let isMigrating = tasks.states[Int(cpus[cpu].taskIndex)].isInMigration
      // `MIGRATE_MOVABLE` is 1: user memory and page cache.
      allocated(
        cpu, time, pfn: pfn, order, isAtomic: isAtomic && !isMigrating,
        isMovable: batch.word(row, PageAlloc.migratetype) == 1)
    case .pageFree:
      areFreesTraced = true
      freed(cpu, time, pfn: pfn, order)
    case .pageFreeBatched: freed(cpu, time, pfn: pfn, order, isBatched: true)
    case .pagePCPDrain: drained(cpu, time, pfn: pfn, order)
    default: refilled(cpu, time, pfn: pfn, order)
    }
    guard contradictions != before else { return }
    // Compaction takes free frames out of buddy without an event and gives back by ordinary frees
    // those that it did not need (Linux 6.12 `mm/compaction.c` `release_free_list`).
    let reason = tasks.states[Int(cpus[cpu].taskIndex)].migrationReason
    let isGivenBack = kind == .pageFree && reason == Int8(MigrationReason.compaction.rawValue)
    if !isGivenBack { counts.events.failToExplain(kind) }
  }

  private var contradictions: Int {
    counts.impossibleBlocks &+ counts.framesAllocatedTwice &+ counts.framesFreedTwice
  }
}
