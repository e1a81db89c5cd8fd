/// A flush policy that a modelled machine obeys while it runs, with its books.
///
/// A replay tells a policy what a kernel did; here the modelled kernel asks before it does it. The
/// state machines are the same. Frames and tasks are numbers of the machine, from 0.
package struct LivePolicy: ~Copyable {
  /// An unmap batch that is about to be flushed.
  package struct Batch {
    package var cause = FlushCause.otherBatch
    package var cpu = 0
    package var task = 0
    package var time: UInt64 = 0
    /// CPUs in the mask that are not lazy, and those that are.
    package var mask = CPUMask()
    package var lazy = CPUMask()
    /// Pages that it unmapped.
    package var pages = 0
    /// Whether none of them was mapped writable, and all are single pages.
    package var isReadOnly = false

    package init() {}
  }

  /// A policy that the closed loop cannot run, and why.
  package struct Refusal: Error {
    package let message: String
  }

  /// Flushes that the last call asked for, in order; whoever calls does them and clears this.
  package var flushes: [CPUMask] = []
  /// How long a batch flush has taken so far on average, or is taken to last before the first.
  package var typicalDuration: UInt64

  private var policy: any FlushPolicy
  private let listens: MomentKindSet
  private var books: ReplayBooks
  private var source: Reconstruction
  private var frames = FrameTable()
  /// Deferral that a frame was freed with, 0 none.
  private var deferrals: [UInt32]
  private var passages = BuddyPassages()
  private var actions: [FlushAction] = []
  private var now = Situation()
  private let isChanging: Bool

  /// The policy `blueprint`, nil for none: every batch is flushed when the kernel says.
  package init(
    _ blueprint: PolicyBlueprint?, cpus: Int, tasks: Int, frames frameCount: Int,
    flushDuration: UInt64
  ) throws(Refusal) {
    if let blueprint, blueprint.asksForProcesses || blueprint.changesOtherFlushes {
      throw Refusal(
        message:
          "\(blueprint.name) cannot drive the modelled machine: it changes other flushes than "
          + "those of unmap batches; replay it on the trace of a run without it instead")
    }
    var context = ReplayContext(cpuCount: cpus)
    context.flushDuration = flushDuration
    typicalDuration = flushDuration
    isChanging = blueprint != nil
    policy = blueprint?.policy(.expected, context) ?? UnmapBatching(pagesMax: 1)
    listens = blueprint == nil ? MomentKindSet([]) : policy.listens
    books = ReplayBooks(context)
    source = Reconstruction(context, telling: MomentKindSet([]))
    guard isChanging else {
      deferrals = []
      return
    }
    // Frame numbers and their indices are the same: the table is filled in order.
    for frame in stride(from: 0, to: frameCount, by: FrameTable.chunkFrames) {
      _ = frames.index(of: UInt64(frame))
    }
    deferrals = Array(repeating: 0, count: max(frameCount, frames.indexCount))
    policy.growTo(tasks: tasks, frames: deferrals.count)
  }

  /// What became of all deferrals.
  package var ledger: Ledger { books.ledger }

  /// Whether it does anything else than the kernel.
  package var changesAnything: Bool { isChanging }

  // MARK: Moments

  /// The number of the deferral that takes the place of the batch's flush; 0: flush it now.
  package mutating func unmapBatch(_ batch: borrowing Batch) -> UInt32 {
    guard isChanging else { return 0 }
    begin(batch.cpu, batch.task, batch.time)
    var shootdown = Self.shootdown(
      .unmapBatch, batch.cause, batch.cpu, batch.task, batch.time, batch.mask, batch.lazy)
    shootdown.unmapped.pages = UInt32(clamping: batch.pages)
    shootdown.evidence = batch.isReadOnly ? .provenReadOnly : .provenIneligible
    let deferral = books.nextDeferral
    let decision = policy.batchFlush(
      shootdown, mayDefer: batch.isReadOnly, until: batch.time &+ typicalDuration, as: deferral,
      now, &actions)
    let opened = books.enter(decision, of: shootdown, at: batch.time)
    act(moment(.shootdown))
    return opened
  }

  /// One mm is flushed; `full` if all of it on `mask`.
  package mutating func mmFlush(
    _ cause: FlushCause, full: Bool, mask: CPUMask, lazy: CPUMask, cpu: Int, task: Int,
    time: UInt64
  ) {
    guard isChanging, listens.contains(.mmShootdown) else { return }
    begin(cpu, task, time)
    var shootdown = Self.shootdown(.mm, cause, cpu, task, time, mask, lazy)
    shootdown.pages = full ? -1 : 1
    _ = policy.mmFlush(shootdown, as: books.nextDeferral, now, &actions)
    act(moment(.mmShootdown))
  }

  /// A frame is freed with a deferral.
  package mutating func freed(_ frame: Int, with deferral: UInt32, time: UInt64) {
    guard deferral != 0 else { return }
    books.dropped(deferrals[frame], at: time)
    deferrals[frame] = deferral
    books.freed(with: deferral, at: time)
  }

  /// A batch's last frame has been freed.
  package mutating func release(_ deferral: UInt32) {
    if deferral != 0 { books.release(deferral) }
  }

  /// A frame is allocated; `refilled`: the task moved frames to its list for it.
  package mutating func allocated(
    _ frame: Int, afterRefill refilled: Bool, cpu: Int, task: Int, time: UInt64
  ) {
    guard isChanging else { return }
    begin(cpu, task, time)
    let deferral = deferrals[frame]
    deferrals[frame] = 0
    now.isAtomic = false
    let passage =
      listens.contains(.frameDrained) ? passages.taken(frame, frames) : BuddyPassage()
    policy.allocated(with: deferral, passage, now, &actions)
    act(moment(.frameAllocated, UInt32(frame)), frame: frame)
    books.dropped(deferral, at: time)
    if refilled { tell(.taskAllocated, cpu: cpu, task: task, time: time) }
  }

  /// A frame goes from a per-CPU list to buddy.
  package mutating func drained(_ frame: Int, cpu: Int, task: Int, time: UInt64) {
    guard isChanging, listens.contains(.frameDrained), deferrals[frame] != 0 else { return }
    begin(cpu, task, time)
    let passage = passages.drained(frame, frames)
    if policy.forgetsInBuddy {
      books.dropped(deferrals[frame], at: time)
      deferrals[frame] = 0
    } else {
      policy.drained(with: deferrals[frame], passage, now, &actions)
      act(moment(.frameDrained, UInt32(frame)), frame: frame)
    }
  }

  /// A frame goes from buddy to a per-CPU list.
  package mutating func refilled(_ frame: Int, cpu: Int, task: Int, time: UInt64) {
    guard isChanging, deferrals[frame] != 0 || listens.contains(.frameDrained) else { return }
    begin(cpu, task, time)
    let passage =
      listens.contains(.frameDrained) ? passages.refilled(frame, frames) : BuddyPassage()
    policy.refilled(with: deferrals[frame], passage, now, &actions)
    act(moment(.frameRefilled, UInt32(frame)), frame: frame)
  }

  /// Anything else that a policy may listen to.
  package enum Occasion {
    case writeProtectFault, writableMapping, fileWriteEnd, directReclaimBegin, directReclaimEnd
    case kswapdWakeup, switchedMM, lazyBegin, lazyEnd, pageMapped
  }

  /// Tells of one.
  package mutating func note(_ occasion: Occasion, cpu: Int, task: Int, time: UInt64) {
    guard isChanging else { return }
    let kind: Moment.Kind =
      switch occasion {
      case .writeProtectFault: .writeProtectFault
      case .writableMapping: .writableMapping
      case .fileWriteEnd: .fileWriteEnd
      case .directReclaimBegin: .directReclaimBegin
      case .directReclaimEnd: .directReclaimEnd
      case .kswapdWakeup: .kswapdWakeup
      case .switchedMM: .switchedMM
      case .lazyBegin: .lazyBegin
      case .lazyEnd: .lazyEnd
      case .pageMapped: .pageMapped
      }
    tell(kind, cpu: cpu, task: task, time: time)
  }

  /// A fault on a user address, in a mapping that may be written or not.
  package mutating func fault(
    address: UInt64, isWrite: Bool, mayWrite: Bool, cpu: Int, task: Int, time: UInt64
  ) {
    guard isChanging, listens.contains(.userFault) else { return }
    source.userFaults.drop(before: .max)
    let number = source.userFaults.append(
      UserFault(
        address: address, errorCode: isWrite ? 6 : 4,
        mayWrite: mayWrite ? .recorded : .sharedReadOnly), at: 0)
    tell(.userFault, number, cpu: cpu, task: task, time: time)
  }

  /// munmap, mprotect or mmap over a range has ended well.
  package mutating func changedRange(
    address: UInt64, bytes: UInt64, cpu: Int, task: Int, time: UInt64
  ) {
    guard isChanging, listens.contains(.unmapRange) else { return }
    source.addressRanges.drop(before: .max)
    let number = source.addressRanges.append(
      AddressRange(address: address, length: bytes, detail: 0, call: .munmap, isEnd: true), at: 0)
    tell(.unmapRange, number, cpu: cpu, task: task, time: time)
  }

  /// Nothing follows: closes the books. False if they do not balance.
  package mutating func finish(at time: UInt64) -> Bool {
    guard isChanging else { return true }
    now.time = time
    policy.finish(&actions)
    act(moment(.taskAllocated))
    let policy = policy
    books.close(at: time) { policy.isOwed($0) }
    return books.ledger.isBalanced
  }

  // MARK: What the policy wants

  private mutating func tell(
    _ kind: Moment.Kind, _ subject: UInt32 = 0, cpu: Int, task: Int, time: UInt64
  ) {
    guard isChanging, listens.contains(kind) else { return }
    begin(cpu, task, time)
    let moment = moment(kind, subject)
    policy.other(moment, source, now, &actions)
    act(moment)
  }

  private mutating func begin(_ cpu: Int, _ task: Int, _ time: UInt64) {
    now.cpu = cpu
    now.task = task
    now.time = time
    now.flushDuration = typicalDuration
  }

  private func moment(_ kind: Moment.Kind, _ subject: UInt32 = 0) -> Moment {
    Moment(
      time: now.time, kind: kind, payer: .user, cpu: UInt16(truncatingIfNeeded: now.cpu),
      subject: subject, batch: 0, task: UInt32(truncatingIfNeeded: now.task), event: 0)
  }

  private mutating func act(_ moment: Moment, frame: Int? = nil) {
    guard !actions.isEmpty else { return }
    for action in actions {
      switch action {
      case .flush(let mask, let fate, let times):
        books.flush(mask, fate, times: times, moment, lazy: CPUMask())
        for _ in 0..<times { flushes.append(mask) }
      case .settle(let deferral, let fate): books.settle(deferral, fate, at: moment.time)
      case .settleAll(let fate): books.settleAll(fate, at: moment.time)
      // A CPU that flushes itself interrupts nobody; held and recycled frames are not run here.
      case .cleanSelf, .frameHeld, .recycleFrame: continue
      }
    }
    actions.removeAll(keepingCapacity: true)
    let policy = policy
    books.sweep(at: now.time) { policy.isOwed($0) }
  }

  private static func shootdown(
    _ kind: ShootdownKind, _ cause: FlushCause, _ cpu: Int, _ task: Int, _ time: UInt64,
    _ mask: CPUMask, _ lazy: CPUMask
  ) -> Shootdown {
    var shootdown = Shootdown(
      initiator: cpu, taskIndex: UInt32(task), start: time, end: time, pages: -1,
      ifMM: CauseFound(cause: cause, isRecorded: true),
      ifBatch: CauseFound(cause: cause, isRecorded: true), position: 0)
    shootdown.kind = kind
    shootdown.cause = cause
    shootdown.isResolved = true
    shootdown.isLocal = mask.contains(cpu)
    shootdown.receivers = mask
    shootdown.receivers.remove(cpu)
    shootdown.lazyMembers = lazy
    shootdown.findMask()
    return shootdown
  }
}
