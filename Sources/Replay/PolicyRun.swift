/// A policy that runs beside others over the same moments, whatever its kind.
///
/// Called once for many moments, so that it costs nothing an event.
protocol PolicyReplay {
  /// What it assumes of what the trace does not show; nil where that makes no difference.
  var assumption: ReplayAssumption? { get }
  /// Its books.
  var books: ReplayBooks { get }
  /// What the safety check found; nil where this case is not checked.
  var safety: SafetyVerdict? { get }

  /// The kinds of moment that make a difference to it.
  var kinds: MomentKindSet { get }

  /// Replays the moments at `positions`, ascending.
  mutating func replay(_ source: borrowing Reconstruction, at positions: [UInt32])
  /// Closes the books.
  mutating func finish(_ source: borrowing Reconstruction)
}

/// What became of a recorded unmap: its batch, and its deferral, 0 where it was flushed.
private struct UnmapDecision {
  var batch: UInt32 = 0
  var deferral: UInt32 = 0
}

/// Runs one policy under one assumption over the moments of a trace: tells it what happens, does
/// what it asks for, keeps its books, and lets the safety oracle watch.
struct PolicyRun<Policy: FlushPolicy>: PolicyReplay {
  private typealias Decision = UnmapDecision

  let assumption: ReplayAssumption?
  private(set) var books: ReplayBooks
  private var policy: Policy
  private var oracle: SafetyOracle?
  /// What became of the last unmap batch of each task, and of its last flush of one mm.
  private var decisions: [Decision] = []
  private var unmapDecisions: [Decision] = []
  private var deferrals: [UInt32] = []
  private var actions: [FlushAction] = []
  private var now = Situation()
  private var last: Moment?
  /// Of the moment at hand, among those that are ready.
  private var position: UInt32 = 0
  private let listens: MomentKindSet
  /// The loop, compiled for this very policy: a call through ``PolicyReplay`` ends in code for any
  /// policy, which is several times slower, and this leads out of it once for many moments.
  private let loop: Loop
  private typealias Loop = @Sendable (inout PolicyRun, borrowing Reconstruction, [UInt32]) -> Void

  @inline(__always)
  init(
    _ policy: Policy, _ assumption: ReplayAssumption?, _ context: ReplayContext, isChecked: Bool
  ) {
    self.policy = policy
    self.assumption = assumption
    books = ReplayBooks(context)
    oracle = isChecked ? SafetyOracle(context) : nil
    listens = policy.listens
    loop = { $0.run($1, at: $2) }
  }

  var kinds: MomentKindSet {
    let own = listens.union(.everyRun)
    return oracle.map { own.union($0.listens) } ?? own
  }

  var safety: SafetyVerdict? { oracle?.verdict }

  mutating func replay(_ source: borrowing Reconstruction, at positions: [UInt32]) {
    let loop = loop
    loop(&self, source, positions)
  }

  private mutating func run(_ source: borrowing Reconstruction, at positions: [UInt32]) {
    growTo(source)
    if last == nil, let first = source.firstTime { books.begin(at: first) }
    var isWithin = false
    for position in positions {
      let moment = source.moments[Int(position)]
      if books.isOver(moment.time) { continue }
      self.position = position
      isWithin = true
      now.time = moment.time
      now.cpu = Int(moment.cpu)
      now.task = Int(moment.task)
      if Policy.asksForProcesses {
        now.processGroup = Int(source.tasks.processGroup(now.task))
        now.isProcessProven = source.tasks.states[now.task].mmGroup != 0
      }
      if Policy.followsTime {
        policy.timePassed(now, &actions)
        act(moment, source)
      }
      switch moment.kind {
      case .shootdown, .mmShootdown:
        shootdown(
          source.shootdowns[Int(moment.subject &- source.shootdownsBase)], moment, source)
      case .frameFreed: freed(moment, source, behind: decisions[now.task])
      case .frameAllocated: allocated(moment, source)
      case .unmappedFrameFreed: freed(moment, source, behind: unmapDecisions[now.task])
      case .unmappedFrameAllocated: unmappedAllocated(moment, source, isMovable: true)
      case .unmappedFrameTaken: unmappedAllocated(moment, source, isMovable: false)
      case .frameDrained:
        let frame = Int(moment.subject)
        policy.drained(frame, with: deferrals[frame], now, &actions)
        act(moment, source, frame: frame)
      case .frameRefilled:
        let frame = Int(moment.subject)
        policy.refilled(frame, with: deferrals[frame], source.frames, now, &actions)
        act(moment, source)
      default: other(moment, source)
      }
    }
    if isWithin { last = source.moments[Int(position)] }
    let policy = policy
    books.sweep(at: now.time) { policy.isOwed($0) }
  }

  mutating func finish(_ source: borrowing Reconstruction) {
    position = .max
    policy.finish(&actions)
    if let last { act(last, source) }
    actions.removeAll(keepingCapacity: true)
    let policy = policy
    books.close(at: now.time) { policy.isOwed($0) }
  }

  private mutating func growTo(_ source: borrowing Reconstruction) {
    let tasks = max(source.tasks.states.count, source.tasks.groupCount)
    let frames = source.frames.indexCount
    guard decisions.count < tasks || deferrals.count < frames else { return }
    while decisions.count < tasks {
      decisions.append(Decision())
      unmapDecisions.append(Decision())
    }
    if deferrals.count < frames {
      deferrals.append(contentsOf: repeatElement(0, count: frames - deferrals.count))
    }
    policy.growTo(tasks: tasks, frames: frames)
    oracle?.growTo(tasks: tasks, frames: frames)
  }

  private mutating func other(_ moment: Moment, _ source: borrowing Reconstruction) {
    if listens.contains(moment.kind) {
      policy.other(moment, source, now, &actions)
      if !actions.isEmpty { act(moment, source) }
    }
    oracle?.observe(moment, source)
  }

  private mutating func shootdown(
    _ shootdown: borrowing Shootdown, _ moment: Moment, _ source: borrowing Reconstruction
  ) {
    let task = Int(shootdown.taskIndex)
    let deferral = books.nextDeferral
    let decision: FlushDecision
    if shootdown.kind == .unmapBatch {
      now.flushDuration = shootdown.typicalDuration
      decision = policy.batchFlush(
        shootdown, mayDefer: (assumption ?? .expected).isEligible(shootdown.evidence),
        until: shootdown.endAmongFew, as: deferral, now, &actions)
    } else {
      decision = policy.mmFlush(shootdown, as: deferral, now, &actions)
    }
    var opened: UInt32 = 0
    switch decision {
    case .asRecorded(let isRefused):
      if isRefused { books.refused(shootdown) }
    case .putOff:
      books.putOff(shootdown)
      opened = deferral
    case .putOffForNobody:
      books.putOff(shootdown)
      books.settle(deferral, .absorbed, at: moment.time)
      opened = deferral
    case .broadcast: books.broadcast(shootdown)
    }
    oracle?.shootdown(shootdown, isDone: opened == 0, moment, source)
    act(moment, source)
    guard shootdown.batch != 0 || opened != 0 else { return }
    let kept = Decision(batch: shootdown.batch, deferral: opened)
    if shootdown.kind == .unmapBatch {
      books.release(decisions[task].deferral)
      decisions[task] = kept
    } else {
      books.release(unmapDecisions[task].deferral)
      unmapDecisions[task] = kept
    }
  }

  /// A frame is freed behind an unmap batch, or behind a flush of one mm.
  private mutating func freed(
    _ moment: Moment, _ source: borrowing Reconstruction, behind decision: Decision
  ) {
    if decision.deferral != 0, decision.batch == moment.batch {
      let frame = Int(moment.subject)
      books.dropped(deferrals[frame], at: moment.time)
      deferrals[frame] = decision.deferral
      books.freed(with: decision.deferral, at: moment.time)
      if moment.kind == .frameFreed {
        policy.freed(frame, with: decision.deferral, now, &actions)
      } else {
        policy.unmappedFreed(frame, with: decision.deferral, now, &actions)
      }
      act(moment, source, frame: frame)
    }
    oracle?.observe(moment, source)
  }

  private mutating func unmappedAllocated(
    _ moment: Moment, _ source: borrowing Reconstruction, isMovable: Bool
  ) {
    let frame = Int(moment.subject)
    // What a batch freed is told of at its own moment, which follows.
    let deferral = moment.batch == 0 ? deferrals[frame] : 0
    if moment.batch == 0 { deferrals[frame] = 0 }
    policy.unmappedAllocated(frame, isMovable: isMovable, with: deferral, now, &actions)
    act(moment, source, frame: frame)
    books.dropped(deferral, at: moment.time)
    oracle?.observe(moment, source)
  }

  private mutating func allocated(_ moment: Moment, _ source: borrowing Reconstruction) {
    let frame = Int(moment.subject)
    let deferral = deferrals[frame]
    deferrals[frame] = 0
    now.isAtomic = moment.isAtomic
    policy.allocated(frame, with: deferral, source.frames, now, &actions)
    act(moment, source, frame: frame)
    books.dropped(deferral, at: moment.time)
    oracle?.observe(moment, source)
  }

  private mutating func act(
    _ moment: Moment, _ source: borrowing Reconstruction, frame: Int? = nil
  ) {
    guard !actions.isEmpty else { return }
    for action in actions {
      switch action {
      case .flush(let mask, let fate):
        books.flush(mask, fate, moment, lazy: source.lazyCPUs(at: position))
        oracle?.flushed(mask, fate, moment)
      case .cleanSelf(let cpu): oracle?.flushed(cpu, moment)
      case .settle(let deferral, let fate): books.settle(deferral, fate, at: moment.time)
      case .settleAll(let fate): books.settleAll(fate, at: moment.time)
      case .frameHeld:
        books.frameHeld(at: moment.time)
        if let frame { oracle?.held(frame) }
      case .forgetFrame:
        guard let frame else { continue }
        books.dropped(deferrals[frame], at: moment.time)
        deferrals[frame] = 0
      case .recycleFrame:
        books.recycled(at: moment.time)
        oracle?.recycled()
      }
    }
    actions.removeAll(keepingCapacity: true)
  }
}
