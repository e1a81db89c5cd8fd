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

  /// What it decided since it was last asked; nothing where nobody observes it.
  mutating func takeDecisions() -> [ObservedDecision]

  /// The kinds of moment that make a difference to it.
  var kinds: MomentKindSet { get }
  /// Kinds of which it looks up some for itself.
  var chances: MomentKindSet { get }

  /// Which moments of frames it looks at in the span that comes next.
  var frameVisits: FrameVisits { get }

  /// What it would be under another assumption if nothing was in doubt so far; not checked for safety.
  func parted(as assumption: ReplayAssumption, _ context: ReplayContext) -> any PolicyReplay

  /// Replays moments, ascending.
  mutating func replay(_ source: borrowing Reconstruction, _ moments: Visits)
  /// Closes the books.
  mutating func finish(_ source: borrowing Reconstruction)
}

/// What a run knows of an unmap batch, or of a flush of one mm that frees frames, by its number: the
/// deferral that it was put off as, 0 where it was flushed, and whether that is spent, so that its
/// frames make no difference any more.
private struct BatchFate {
  private var bits: UInt32 = 0

  init() {}
  init(_ deferral: UInt32) { bits = deferral }

  var deferral: UInt32 { bits & 0x7fff_ffff }
  /// The deferral unless it is spent, then 0.
  var unspent: UInt32 { bits >> 31 == 0 ? bits : 0 }

  mutating func spend() { bits |= 1 << 31 }
  mutating func revive() { bits = deferral }
}

/// Runs one policy under one assumption over the moments of a trace: tells it what happens, does
/// what it asks for, keeps its books, and lets the safety oracle watch.
struct PolicyRun<Policy: FlushPolicy>: PolicyReplay {
  private(set) var assumption: ReplayAssumption?
  private(set) var books: ReplayBooks
  private var policy: Policy
  /// Told of nothing unless `isChecked`.
  private var oracle: SafetyOracle
  private var isChecked: Bool
  private var batches: [BatchFate] = []
  /// Whether the policy follows frames that flushes of one mm free.
  private let followsUnmappedFrames: Bool
  private let forgetsInBuddy: Bool
  /// Whether drained frames matter to the policy, under its rules.
  private let followsDrains: Bool
  /// Whether a moment of a frame can be passed over that makes no difference to the policy.
  private var mayPass = false
  private var actions: [FlushAction] = []
  private var now = Situation()
  private var last: Moment?
  /// Of the moment at hand, among those that are ready.
  private var position: UInt32 = 0
  private let listens: MomentKindSet
  /// Kinds that only the oracle is told of.
  private var observed = MomentKindSet.none
  private(set) var chances = MomentKindSet.none
  /// Offset in the span of the last chance of each CPU that was looked up; `Int.max` if there is no more.
  private var awaited: [Int] = []
  /// For an observer; nil without one.
  private var log: DecisionLog?
  /// The loop, compiled for this very policy: a call through ``PolicyReplay`` ends in code for any
  /// policy, which is several times slower, and this leads out of it once for many moments.
  private let loop: Loop
  private typealias Loop =
    @Sendable (inout PolicyRun, borrowing Reconstruction, Visits) -> Void

  @inline(__always)
  init(
    _ policy: Policy, _ assumption: ReplayAssumption?, _ context: ReplayContext, isChecked: Bool
  ) {
    self.policy = policy
    self.assumption = assumption
    self.isChecked = isChecked
    followsUnmappedFrames = policy.listens.contains(.unmappedFrameAllocated)
    forgetsInBuddy = policy.forgetsInBuddy
    followsDrains = Policy.followsDrains && policy.listens.contains(.frameDrained)
    books = ReplayBooks(context, isShown: (assumption ?? .expected) == .expected)
    oracle = SafetyOracle(
      context, followsUnmappedFrames: followsUnmappedFrames,
      isToldOfMMFlushes: Policy.putsOffMMFlushes || context.visitsEveryFrame)
    listens = policy.listens
    log = context.isObserved && (assumption ?? .expected) == .expected ? DecisionLog() : nil
    loop = { $0.run($1, $2) }
    chooseVisits(context)
  }

  /// Which moments it looks at follows from whether it is checked.
  private mutating func chooseVisits(_ context: ReplayContext) {
    observed = isChecked ? oracle.observedOnly(beside: listens) : .none
    mayPass = !context.visitsEveryFrame && !(isChecked && !oracle.passesFrames)
    chances = mayPass && Policy.takesChances ? policy.chances : .none
  }

  var kinds: MomentKindSet {
    var kinds = listens.subtracting(chances).union(MomentKindSet([.shootdown]))
    if !Policy.putsOffNoBatch {
      kinds = kinds.union(MomentKindSet([.frameAllocated, .framesFreed]))
    }
    return isChecked ? kinds.union(oracle.listens) : kinds
  }

  var safety: SafetyVerdict? { isChecked ? oracle.verdict : nil }

  mutating func takeDecisions() -> [ObservedDecision] { log?.take() ?? [] }

  var frameVisits: FrameVisits {
    guard mayPass, !Policy.recyclesFrames,
      !(Policy.asksForEveryAllocation && policy.mayActOnAny && chances.isEmpty)
    else { return .all }
    return followsDrains ? .firstAfterDrain : .first
  }

  func parted(as assumption: ReplayAssumption, _ context: ReplayContext) -> any PolicyReplay {
    var other = self
    other.assumption = assumption
    other.policy.assume(assumption)
    other.books.hide()
    other.log = nil
    other.isChecked = false
    other.oracle = SafetyOracle(context)
    other.chooseVisits(context)
    return other
  }

  mutating func replay(_ source: borrowing Reconstruction, _ moments: Visits) {
    let loop = loop
    loop(&self, source, moments)
  }

  private mutating func run(_ source: borrowing Reconstruction, _ moments: Visits) {
    growTo(source)
    if last == nil, let first = source.firstTime { books.begin(at: first) }
    var visits = moments
    let isSparse = visits.frames != .all
    if let position = source.ready.last { last = source.moments[position] }
    if isChecked, visits.start == 0 { oracle.beginReady() }
    // An optional would be copied at every moment.
    let takesChances = Policy.takesChances && !chances.isEmpty
    let chances = source.ready.chances(
      Policy.takesChances ? chances : .none, in: visits.start..<visits.end)
    visits.withWords { words in
      if takesChances { awaitChances(chances, source, words) }
      for word in words.indices {
        while let offset = words.takeFirst(in: word) {
          let at = words.start + offset
          let batch = source.ready.batch(at)
          // Most moments are of frames whose flush is paid for or was never put off.
          if passes(at, batch, source) {
            if isSparse, isChecked, batch != ReadyMoments.noBatch { pass(at, batch, source, words) }
            continue
          }
          position = UInt32(truncatingIfNeeded: at)
          happened(at, source)
          if isSparse, batch != ReadyMoments.noBatch { words.add(source.ready.next(at)) }
          if Policy.takesChances, takesChances {
            awaitChances(chances, behind: at, source, words)
          }
        }
      }
    }
    if isChecked { oracle.catchUp(to: visits.end, source) }
    sweep()
  }

  // Mutating, as the next one and others here, or the whole run would be copied for the call.

  /// Looks at the first moment of each CPU for which the policy may act.
  private mutating func awaitChances(
    _ chances: borrowing Chances, _ source: borrowing Reconstruction, _ words: VisitWords
  ) {
    awaited.removeAll(keepingCapacity: true)
    for cpu in 0..<source.ready.cpuCount {
      awaited.append(-1)
      awaitChance(of: cpu, from: 0, chances, source, words)
    }
  }

  /// And again of those for which it has just become so.
  private mutating func awaitChances(
    _ chances: borrowing Chances, behind at: Int, _ source: borrowing Reconstruction,
    _ words: VisitWords
  ) {
    let offset = at - words.start + 1
    awaitChance(of: now.cpu, from: offset, chances, source, words)
    let kind = source.moments[at].kind
    guard kind == .shootdown || (Policy.putsOffMMFlushes && kind == .mmShootdown) else { return }
    let slot = Int(source.moments[at].subject &- source.shootdownsBase)
    let mask = source.shootdowns[lent: slot].mask
    mask.forEach { awaitChance(of: $0, from: offset, chances, source, words) }
  }

  @inline(__always)
  private mutating func awaitChance(
    of cpu: Int, from offset: Int, _ chances: borrowing Chances,
    _ source: borrowing Reconstruction, _ words: VisitWords
  ) {
    guard cpu < awaited.count, awaited[cpu] < offset, policy.mayAct(on: cpu) else { return }
    let next = source.ready.next(chances, of: cpu, from: offset)
    awaited[cpu] = next ?? .max
    words.insert(next)
  }

  private mutating func sweep() {
    guard books.mustSweep else { return }
    let policy = policy
    books.sweep(at: now.time) { policy.isOwed($0) }
  }

  /// Whether a moment of a frame makes no difference.
  @inline(__always)
  private mutating func passes(
    _ at: Int, _ batch: Int, _ source: borrowing Reconstruction
  ) -> Bool {
    guard batch < batches.count, batches[batch].unspent == 0, mayPass else { return false }
    if Policy.recyclesFrames, source.ready.allocation(at) != .none,
      remembers(Int(source.moments[at].subject))
    {
      return false
    }
    if Policy.asksForEveryAllocation, policy.mayAct(on: source.ready.cpu(at)) { return false }
    if Policy.followsDrains, batches[batch].deferral != 0,
      source.ready.allocation(at) == .drain
    {
      return false
    }
    return !isChecked || oracle.passes(source.ready.allocation(at), ofBatch: batch)
  }

  /// A moment was passed over: so can be those of the same batch that follow, down to the last.
  private mutating func pass(
    _ at: Int, _ batch: Int, _ source: borrowing Reconstruction, _ words: VisitWords
  ) {
    let ahead = source.ready.allocationsAhead(at)
    guard ahead.last != 0 else { return }
    let offset = at - words.start
    // Frames that are looked at for other reasons would be counted twice.
    if !followsDrains, !chances.contains(.frameAllocated),
      oracle.passes(ahead, ofBatch: batch, within: Int(ahead.last) - offset)
    {
      words.add(Int(ahead.last))
    } else {
      words.add(source.ready.next(at))
    }
  }

  @inline(__always)
  private mutating func happened(_ at: Int, _ source: borrowing Reconstruction) {
    let moment = source.moments[at]
    if Policy.followsTime { timePassed(moment, source) }
    now.time = moment.time
    if isChecked {
      oracle.catchUp(to: at, source)
      if observed.contains(moment.kind) {
        oracle.observe(moment, source)
        return
      }
    }
    now.cpu = Int(moment.cpu)
    now.task = Int(moment.task)
    if Policy.asksForProcesses {
      now.processGroup = Int(source.tasks.processGroup(now.task))
      now.isProcessProven = source.tasks.states[now.task].mmGroup != 0
    }
    happened(moment, source)
  }

  /// What is due before a moment happens at its own time, whichever moments are passed over.
  private mutating func timePassed(_ moment: Moment, _ source: borrowing Reconstruction) {
    while let due = policy.due, due <= moment.time {
      var then = moment
      then.time = due
      now.time = due
      policy.timePassed(now, &actions)
      act(then, source)
    }
  }

  @inline(__always)
  private mutating func happened(_ moment: Moment, _ source: borrowing Reconstruction) {
    switch moment.kind {
    case .shootdown, .mmShootdown:
      let slot = Int(moment.subject &- source.shootdownsBase)
      shootdown(source.shootdowns[lent: slot], moment, source)
    case .framesFreed: freed(moment)
    case .frameAllocated: allocated(moment, source)
    case .unmappedFramesFreed: unmappedFreed(moment, source)
    case .unmappedFrameAllocated:
      unmappedAllocated(moment, batches[Int(moment.batch)].unspent, source)
    case .onceUnmappedAllocated:
      if remembers(Int(moment.subject)) { unmappedAllocated(moment, 0, source) }
    case .frameDrained: drained(moment, source)
    case .frameRefilled:
      policy.refilled(
        with: carried(moment, source), source.passage(at: Int(position)), now, &actions)
      act(moment, source)
    default: other(moment, source)
    }
  }

  /// The deferral that the frame at hand carries, 0 where that makes no difference.
  @inline(__always)
  private mutating func carried(
    _ moment: Moment, _ source: borrowing Reconstruction
  ) -> UInt32 {
    forgetsInBuddy && source.passage(at: Int(position)).wasDrained
      ? 0 : batches[Int(moment.batch)].unspent
  }

  private mutating func drained(_ moment: Moment, _ source: borrowing Reconstruction) {
    let deferral = batches[Int(moment.batch)].deferral
    let passage = source.passage(at: Int(position))
    if forgetsInBuddy {
      if !passage.isRepeated { books.dropped(deferral, at: moment.time) }
    } else if Policy.followsDrains, deferral != 0 {
      batches[Int(moment.batch)].revive()
      policy.drained(with: deferral, passage, now, &actions)
      act(moment, source)
    }
  }

  mutating func finish(_ source: borrowing Reconstruction) {
    position = .max
    if Policy.followsTime, let last { timePassed(last, source) }
    policy.finish(&actions)
    // What is done at last is done behind the window, where the trace goes on behind it.
    if var last {
      last.time = max(last.time, source.endTime ?? 0)
      act(last, source)
    }
    actions.removeAll(keepingCapacity: true)
    let policy = policy
    books.close(at: last?.time ?? now.time) { policy.isOwed($0) }
  }

  private mutating func growTo(_ source: borrowing Reconstruction) {
    let tasks = max(source.tasks.states.count, source.tasks.groupCount)
    let frames = source.frames.indexCount
    if batches.count < source.batchNumbers.count {
      batches.append(
        contentsOf: repeatElement(BatchFate(), count: source.batchNumbers.count - batches.count))
    }
    policy.growTo(tasks: tasks, frames: frames)
    if isChecked { oracle.growTo(frames: frames, batches: batches.count) }
  }

  private mutating func other(_ moment: Moment, _ source: borrowing Reconstruction) {
    if listens.contains(moment.kind) {
      policy.other(moment, source, now, &actions)
      if !actions.isEmpty { act(moment, source) }
    }
    if isChecked { oracle.observe(moment, source) }
  }

  private mutating func shootdown(
    _ shootdown: borrowing Shootdown, _ moment: Moment, _ source: borrowing Reconstruction
  ) {
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
    let opened = books.enter(decision, of: shootdown, at: moment.time)
    if log != nil {
      log?.note(decision, of: shootdown, at: moment.time, pending: books.pending.frames)
    }
    if isChecked {
      if moment.kind == .mmShootdown, !oracle.isToldOfMMFlushes {
        precondition(opened == 0, "the policy says that it puts off no flush of one mm")
        oracle.catchUp(to: Int(position) + 1, source)
      } else {
        oracle.shootdown(shootdown, isDone: opened == 0, moment, source)
      }
    }
    act(moment, source)
    if shootdown.batch != 0, shootdown.kind == .unmapBatch || followsUnmappedFrames {
      let number = Int(shootdown.batch)
      let last = batches[number]
      if last.unspent != 0 {
        books.retire(last.unspent, at: moment.time)
      } else if last.deferral != 0 {
        books.release(spent: last.deferral)
      }
      batches[number] = BatchFate(opened)
    } else {
      books.release(opened)
    }
  }

  /// Frames were freed with an unmap batch.
  private mutating func freed(_ moment: Moment) {
    let deferral = batches[Int(moment.batch)].deferral
    guard deferral != 0 else { return }
    books.freed(Int(moment.subject), with: deferral, at: moment.time)
  }

  /// Frames were freed behind a flush of one mm.
  private mutating func unmappedFreed(_ moment: Moment, _ source: borrowing Reconstruction) {
    let deferral = batches[Int(moment.batch)].deferral
    guard deferral != 0 else { return }
    books.freed(Int(moment.subject), with: deferral, at: moment.time)
    policy.unmappedFreed(Int(moment.subject), with: deferral)
  }

  /// Whether it makes a difference that a frame is allocated that was once freed behind a flush of one
  /// mm: mostly that is long past.
  @inline(__always)
  private mutating func remembers(_ frame: Int) -> Bool {
    policy.remembers(frame) || (isChecked && oracle.remembers(frame))
  }

  private mutating func unmappedAllocated(
    _ moment: Moment, _ deferral: UInt32, _ source: borrowing Reconstruction
  ) {
    let frame = Int(moment.subject)
    policy.unmappedAllocated(frame, isMovable: moment.isMovable, with: deferral, now, &actions)
    act(moment, source, frame: frame)
    drop(deferral, of: Int(moment.batch), at: moment.time)
    if isChecked { oracle.observe(moment, source) }
  }

  private mutating func allocated(_ moment: Moment, _ source: borrowing Reconstruction) {
    let deferral = carried(moment, source)
    if deferral != 0 || Policy.asksForEveryAllocation {
      now.isAtomic = moment.isAtomic
      policy.allocated(with: deferral, source.passage(at: Int(position)), now, &actions)
      act(moment, source, frame: Int(moment.subject))
      drop(deferral, of: Int(moment.batch), at: moment.time)
    }
    if isChecked { oracle.observe(moment, source) }
  }

  /// A frame no longer carries the deferral of a batch, 0 none.
  private mutating func drop(_ deferral: UInt32, of batch: Int, at time: UInt64) {
    guard deferral != 0 else { return }
    books.dropped(deferral, at: time)
    if !books.isOpen(deferral), policy.isSpent(deferral) { batches[batch].spend() }
  }

  /// Does what the policy asks for, mostly nothing.
  @inline(__always)
  private mutating func act(
    _ moment: Moment, _ source: borrowing Reconstruction, frame: Int? = nil
  ) {
    if !actions.isEmpty { perform(moment, source, isOfFrame: frame != nil) }
  }

  private mutating func perform(
    _ moment: Moment, _ source: borrowing Reconstruction, isOfFrame: Bool
  ) {
    for index in actions.indices {
      switch actions[index] {
      case .flush(let mask, let fate, let times):
        let isCounted = source.isOfCountedTask(moment)
        let interrupts =
          isCounted
          ? books.flush(mask, fate, times: times, moment, lazy: source.lazyCPUs(at: position)) : 0
        if log != nil {
          for _ in 0..<times {
            log?.note(
              mask, fate, moment, interrupts: interrupts / times, pending: books.pending.frames)
          }
        }
        if isChecked { oracle.flushed(mask, fate, times: times, moment) }
      case .cleanSelf(let cpu): if isChecked { oracle.flushed(cpu, moment) }
      case .settle(let deferral, let fate): books.settle(deferral, fate, at: moment.time)
      case .settleAll(let fate): books.settleAll(fate, at: moment.time)
      case .frameHeld:
        if source.isOfCountedTask(moment) { books.frameHeld(at: moment) }
        if isChecked, isOfFrame { oracle.held() }
      case .recycleFrame:
        if source.isOfCountedTask(moment) { books.recycled(at: moment) }
        if isChecked { oracle.recycled() }
      }
    }
    // Cheaper than to remove all, and there are few.
    while !actions.isEmpty { actions.removeLast() }
  }
}
