/// Fast page recycling (FPR, arXiv 2409.10946): a frame that goes back to the process that unmapped
/// it needs no flush, since only that process has stale translations to it.
///
/// A flush that munmap or madvise does to free pages is put off. The CPUs that owe it are kept by
/// process; its frames owe that process' flush for as long as none has paid, across recycling. When
/// such a frame is allocated by another process, or as memory of the kernel's, all CPUs that the
/// process' translations may still be on flush once. CPUs that have flushed everything or changed to
/// another mm since the last put-off flush owe nothing.
///
/// Invariant: a deferral is in `open` of its process while it is unpaid and, unless its task may
/// still free frames with it, a free frame carries it. Hence open deferrals are bounded by frames
/// and tasks.
struct PageRecycling: FlushPolicy {
  private struct Process {
    /// CPUs of the flushes put off since `generation` began.
    var owing = CPUMask()
    /// When the last was, in `serial`.
    var serial: UInt64 = 0
    var generation: UInt32 = 1
    var open: [UInt32] = []
  }
  /// What a frame owes: the flush of a process, of a generation.
  private struct Origin {
    var process: UInt32 = 0
    var generation: UInt32 = 0
  }
  private struct Deferral {
    var origin = Origin()
    var position: UInt32 = 0
    var frames: UInt32 = 0
    var hadFrames = false
    var isHeld = false
    var isOpen = false
  }

  private let identity: ProcessIdentity
  private var processes: [Process] = []
  /// Frames that went back to the process that freed them, and what each of these owes.
  private var recycled = FrameSet()
  private var origins: [Origin] = []
  private var deferrals: [Deferral] = []
  /// The deferral that each task frees frames with.
  private var held: [UInt32] = []
  private var cleanThrough: [UInt64]
  private var serial: UInt64 = 0

  init(_ identity: ProcessIdentity, cpuCount: Int) {
    self.identity = identity
    cleanThrough = Array(repeating: 0, count: cpuCount)
  }

  static var asksForProcesses: Bool { true }
  static var recyclesFrames: Bool { true }
  static var putsOffNoBatch: Bool { true }
  static var putsOffMMFlushes: Bool { true }
  var listens: MomentKindSet {
    MomentKindSet([
      .mmShootdown, .switchedMM, .unmappedFramesFreed, .unmappedFrameAllocated,
      .onceUnmappedAllocated,
    ])
  }

  mutating func growTo(tasks: Int, frames: Int) {
    while held.count < tasks { held.append(0) }
    while processes.count < ProcessIdentity.count(tasks: tasks) { processes.append(Process()) }
    recycled.growTo(frames)
    if origins.count < frames {
      origins.append(contentsOf: repeatElement(Origin(), count: frames - origins.count))
    }
  }

  mutating func batchFlush(
    _ shootdown: borrowing Shootdown, mayDefer: Bool, until end: UInt64, as deferral: UInt32,
    _ now: Situation, _ actions: inout [FlushAction]
  ) -> FlushDecision {
    clean(shootdown.mask)
    return .asRecorded(isRefused: false)
  }

  mutating func mmFlush(
    _ shootdown: borrowing Shootdown, as deferral: UInt32, _ now: Situation,
    _ actions: inout [FlushAction]
  ) -> FlushDecision {
    // Only a flush that frees pages can be put off: others change what stays mapped.
    guard shootdown.batch != 0 else {
      clean(shootdown.cleaned)
      return .asRecorded(isRefused: false)
    }
    release(now.task, &actions)
    let process = identity.process(now)
    serial += 1
    processes[process].owing.formUnion(shootdown.mask)
    processes[process].serial = serial
    open(deferral, process)
    held[now.task] = deferral
    return .putOff
  }

  mutating func unmappedFreed(_ count: Int, with deferral: UInt32) {
    deferrals[Int(deferral)].frames += UInt32(truncatingIfNeeded: count)
    deferrals[Int(deferral)].hadFrames = true
  }

  @inline(__always)
  func remembers(_ frame: Int) -> Bool { recycled.contains(frame) }

  mutating func unmappedAllocated(
    _ frame: Int, isMovable: Bool, with deferral: UInt32, _ now: Situation,
    _ actions: inout [FlushAction]
  ) {
    guard deferral != 0 || recycled.contains(frame) else { return }
    let origin = deferral != 0 ? deferrals[Int(deferral)].origin : origins[frame]
    let process = Int(origin.process)
    let isOwed = origin.generation == processes[process].generation
    if isOwed, isMovable, process == identity.process(now) {
      actions.append(.recycleFrame)
      recycled.insert(frame)
      origins[frame] = origin
    } else {
      if isOwed { flush(process, .allocation, &actions) }
      recycled.remove(frame)
    }
    detach(deferral, &actions)
  }

  mutating func other(
    _ moment: Moment, _ source: borrowing Reconstruction, _ now: Situation,
    _ actions: inout [FlushAction]
  ) {
    if moment.kind == .switchedMM, now.cpu < cleanThrough.count { cleanThrough[now.cpu] = serial }
  }

  /// All CPUs that still owe a flush of the process do it.
  private mutating func flush(
    _ process: Int, _ fate: DeferralFate, _ actions: inout [FlushAction]
  ) {
    let since = processes[process].serial
    let owing = processes[process].owing.filtered {
      $0 < cleanThrough.count && cleanThrough[$0] < since
    }
    if !owing.isEmpty {
      actions.append(.flush(owing, fate))
      clean(owing)
    }
    for deferral in processes[process].open {
      deferrals[Int(deferral)].isOpen = false
      actions.append(.settle(deferral, owing.isEmpty ? .absorbed : fate))
    }
    processes[process].open.removeAll(keepingCapacity: true)
    processes[process].owing.removeAll()
    processes[process].generation &+= 1
    if processes[process].generation == 0 { processes[process].generation = 1 }
  }

  private mutating func clean(_ mask: CPUMask) {
    let serial = serial
    mask.forEach { if $0 < cleanThrough.count { cleanThrough[$0] = serial } }
  }

  // MARK: Deferrals

  private mutating func open(_ deferral: UInt32, _ process: Int) {
    while deferrals.count <= Int(deferral) { deferrals.append(Deferral()) }
    deferrals[Int(deferral)] = Deferral(
      origin: Origin(process: UInt32(process), generation: processes[process].generation),
      position: UInt32(processes[process].open.count), isHeld: true, isOpen: true)
    processes[process].open.append(deferral)
  }

  /// The task frees no more frames with its last deferral.
  private mutating func release(_ task: Int, _ actions: inout [FlushAction]) {
    let deferral = held[task]
    held[task] = 0
    guard deferral != 0 else { return }
    deferrals[Int(deferral)].isHeld = false
    // Frames that could not be followed may be anybody's by now.
    if deferrals[Int(deferral)].isOpen, !deferrals[Int(deferral)].hadFrames {
      flush(Int(deferrals[Int(deferral)].origin.process), .absorbed, &actions)
    }
    closeIfEmpty(deferral, &actions)
  }

  /// A frame no longer carries a deferral, though it may still owe its process' flush.
  private mutating func detach(_ deferral: UInt32, _ actions: inout [FlushAction]) {
    guard deferral != 0, deferrals[Int(deferral)].frames > 0 else { return }
    deferrals[Int(deferral)].frames -= 1
    closeIfEmpty(deferral, &actions)
  }

  private mutating func closeIfEmpty(_ deferral: UInt32, _ actions: inout [FlushAction]) {
    let record = deferrals[Int(deferral)]
    guard record.isOpen, !record.isHeld, record.frames == 0 else { return }
    deferrals[Int(deferral)].isOpen = false
    let process = Int(record.origin.process)
    let last = processes[process].open.removeLast()
    if last != deferral {
      processes[process].open[Int(record.position)] = last
      deferrals[Int(last)].position = record.position
    }
    actions.append(.settle(deferral, .recycled))
  }
}

extension PageRecycling {
  private static let limits = [
    "put off are flushes of one mm with page frees directly behind them (munmap, madvise), all "
      + "others happen as recorded; frames that were freed later are taken for unmapped otherwise",
    "which threads are one process is not visible without kmem:rss_stat: the figure shown takes those "
      + "of the same name, the bounds each by itself and all together",
    "modelled: a frame allocated as movable memory by the same process counts as recycled, page cache "
      + "as well; the paper recycles inside one extended mmap only",
  ]

  static let entry = PolicyEntry(
    summary: "frames that go back to the process that unmapped them need no flush, others one",
    source: "fast page recycling, arXiv 2409.10946",
    PolicyBlueprint(
      name: "fpr", limits: limits, asksForPermissions: false, asksForProcesses: true,
      changesOtherFlushes: true
    ) { assumption, context in
      let identity: ProcessIdentity =
        switch assumption {
        case .onlyProven: .thread
        case .expected: .name
        case .allPossible, .allPossibleAtOnce: .everybody
        }
      return PageRecycling(identity, cpuCount: context.cpuCount)
    })
}
