/// Judges a policy's run by what it did, not by what it meant: hears every moment of the trace and
/// every flush that really happens, and keeps no state of the policy's.
///
/// A flush that does not happen leaves its CPUs with translations to the pages that were unmapped;
/// frames that are freed with it are stale on these CPUs until each has flushed. Rule I1 is judged
/// here, as every other needs the same bookkeeping; the others are ``SafetyChecks``.
struct SafetyOracle {
  /// The moments that it must see, beside those that every run follows.
  let listens: MomentKindSet
  private var stale: StaleTranslations
  private var checks: [any SafetyCheck]
  private var onPutOff: [Int] = []
  private var onBatchFlush: [Int] = []
  private var onMMFlush: [Int] = []
  private var onConvertedFlush: [Int] = []
  private var onCallFlush: [Int] = []
  private var onFlush: [Int] = []
  private var onOwnFlush: [Int] = []
  private var onHandout: [Int] = []
  /// Checks to tell of a moment, by its kind: in any case, while a CPU may be stale, and while one of
  /// them waits for flushes.
  private var always = MomentAudience()
  private var whileStale = MomentAudience()
  private var whileAwaiting = MomentAudience()
  /// Frames that went back to the process that freed them behind a flush of one mm which did not happen,
  /// and, for these, which that was. Only where such frames are followed.
  private var recycledFrames = FrameSet()
  private var frameUnmaps: [UInt32] = []
  private let followsUnmappedFrames: Bool
  /// Whether the frame that is being handed out goes back to the process that freed it, or is held.
  private var isRecycled = false
  private var isHeld = false
  private var reuse = RuleFindings()
  private var counts = SafetyCounts()
  /// Whether a check waits for flushes of one mm.
  private var awaitsFlushes = false
  /// Whether a check waits for frames that no CPU can reach, too.
  private var awaitsHandouts = false
  /// Flushes that generations tell apart: a frame that slept through more is told of.
  private let flushesToldApart: UInt64
  private let hearsFromTheStart: Bool
  /// Whether there is anything to judge yet.
  private var isAwake: Bool { hearsFromTheStart || stale.hasUnmaps }
  private var heldBack = 0
  /// The first of ``Reconstruction/cleanings`` that it has not heard of, and of the flushes there.
  private var nextCleaning = 0
  private var nextFlush = 0
  /// Where it comes, or before.
  private var nextPosition = 0
  /// Whether flushes of one mm may not happen in this run, so that it has to be told of each.
  let isToldOfMMFlushes: Bool

  /// An oracle; `followsUnmappedFrames`: also of frames that were freed behind a flush of one mm.
  /// `isToldOfMMFlushes`: it is told of each ``Moment/Kind/mmShootdown``, and does not catch up with
  /// them.
  init(
    _ context: ReplayContext, followsUnmappedFrames: Bool = false, isToldOfMMFlushes: Bool = true
  ) {
    self.followsUnmappedFrames = followsUnmappedFrames
    self.isToldOfMMFlushes = isToldOfMMFlushes
    stale = StaleTranslations(cpuCount: context.cpuCount)
    let wrap = GenerationWrap(bits: context.generationBits)
    flushesToldApart = wrap.flushesMax
    checks = context.safetyChecks.map { $0 is GenerationWrap ? wrap : $0 }
    hearsFromTheStart = checks.contains { $0.hearsFromTheStart }
    listens = checks.reduce(isToldOfMMFlushes ? MomentKindSet([.mmShootdown]) : .none) {
      $0.union($1.moments).union($1.momentsAlways).union($1.momentsWhileAwaiting)
    }
    for (index, check) in checks.enumerated() {
      if check.hears.contains(.putOff) { onPutOff.append(index) }
      if check.hears.contains(.batchFlushes) { onBatchFlush.append(index) }
      if check.hears.contains(.mmFlushes) { onMMFlush.append(index) }
      if check.hears.contains(.convertedFlushes) { onConvertedFlush.append(index) }
      if check.hears.contains(.callFlushes) { onCallFlush.append(index) }
      if check.hears.contains(.flushes) { onFlush.append(index) }
      if check.hears.contains(.ownFlushes) { onOwnFlush.append(index) }
      if check.hears.contains(.handouts) { onHandout.append(index) }
      for kind in Moment.Kind.allCases {
        if check.momentsAlways.contains(kind) { always.add(index, to: kind) }
        if check.moments.contains(kind) { whileStale.add(index, to: kind) }
        if check.momentsWhileAwaiting.contains(kind) { whileAwaiting.add(index, to: kind) }
      }
    }
  }

  /// Of the kinds that it listens to, those that a run with a policy that listens to `kinds` has
  /// nothing else to do with.
  func observedOnly(beside kinds: MomentKindSet) -> MomentKindSet {
    listens.subtracting(
      kinds.union(
        MomentKindSet([
          .shootdown, .mmShootdown, .framesFreed, .frameAllocated, .frameRefilled, .frameDrained,
          .unmappedFramesFreed, .unmappedFrameAllocated, .onceUnmappedAllocated,
        ])))
  }

  /// Room for so many frames and numbers of batches.
  mutating func growTo(frames: Int, batches: Int) {
    stale.growTo(batches: batches)
    guard followsUnmappedFrames else { return }
    recycledFrames.growTo(frames)
    if frameUnmaps.count < frames {
      frameUnmaps.append(contentsOf: repeatElement(0, count: frames - frameUnmaps.count))
    }
  }

  /// A recorded shootdown, which happens in this run if `isDone`.
  mutating func shootdown(
    _ shootdown: borrowing Shootdown, isDone: Bool, _ moment: Moment,
    _ source: borrowing Reconstruction
  ) {
    if isDone {
      guard isAwake else { return }
      if shootdown.kind == .unmapBatch {
        tell(onBatchFlush, shootdown, moment, source)
        stale.flush(shootdown.mask)
      } else {
        let flush = MMFlush(shootdown, isInCall: true)
        tell(flush, shootdown, moment, source)
        enter(flush)
      }
      if shootdown.batch != 0 { keep(0, of: shootdown) }
      return
    }
    let unmap = stale.unmap(shootdown.mask)
    for index in onPutOff {
      checks[index].shootdown(shootdown, leaving: unmap, moment, source, &stale)
    }
    awaitsHandouts = onHandout.contains { checks[$0].awaitsHandouts }
    keep(unmap, of: shootdown)
  }

  /// What a shootdown leaves behind, 0 nothing, is kept for the frames that are freed with it.
  private mutating func keep(_ unmap: UInt32, of shootdown: borrowing Shootdown) {
    if shootdown.batch != 0, shootdown.kind == .unmapBatch || followsUnmappedFrames {
      stale.setUnmap(unmap, ofBatch: shootdown.batch)
    } else {
      stale.release(unmap)
    }
  }

  /// A flush of one mm happens as recorded, which all checks know that it concerns.
  private mutating func enter(_ flush: MMFlush) {
    counts.noteRanged(flush.rangedCount)
    stale.flushOwing(flush.cleaned)
  }

  /// Whether it concerns any check.
  private func isTold(_ flush: MMFlush) -> Bool {
    !onMMFlush.isEmpty || flush.isOfCall || awaitsFlushes || reachesOwing(flush)
  }

  private func reachesOwing(_ flush: MMFlush) -> Bool {
    !stale.owing.intersection(flush.ranged).isEmpty
  }

  /// Tells the checks that it concerns, before it is entered.
  private mutating func tell(
    _ flush: MMFlush, _ shootdown: borrowing Shootdown, _ moment: Moment,
    _ source: borrowing Reconstruction
  ) {
    tell(onMMFlush, shootdown, moment, source)
    if reachesOwing(flush) { tell(onConvertedFlush, shootdown, moment, source) }
    if flush.isOfCall || awaitsFlushes {
      tell(onCallFlush, shootdown, moment, source)
      askForFlushes()
    }
  }

  /// Tells checks of a recorded shootdown that happens.
  @inline(__always)
  private mutating func tell(
    _ audience: [Int], _ shootdown: borrowing Shootdown, _ moment: Moment,
    _ source: borrowing Reconstruction
  ) {
    for index in audience {
      checks[index].shootdown(shootdown, leaving: 0, moment, source, &stale)
    }
  }

  private mutating func askForFlushes() {
    awaitsFlushes = onCallFlush.contains { checks[$0].awaitsFlushes }
  }

  /// Hears of all ``Reconstruction/cleanings`` before `position` among the moments that are ready.
  @inline(__always)
  mutating func catchUp(to position: Int, _ source: borrowing Reconstruction) {
    // Of its own, as the loops that it stands in are long already.
    if nextPosition < position { hearCleanings(to: position, source) }
  }

  @inline(never)
  private mutating func hearCleanings(to position: Int, _ source: borrowing Reconstruction) {
    while nextCleaning < source.cleanings.entries.count,
      Int(source.cleanings.entries[nextCleaning].position) < position
    {
      let cleaning = source.cleanings.entries[nextCleaning]
      switch cleaning.kind {
      case .switchedMM: stale.flush(Int(cleaning.cpu))
      case .lazyBegin: stale.beginLazy(Int(cleaning.cpu))
      case .lazyEnd: stale.endLazy(Int(cleaning.cpu))
      default:
        if !isToldOfMMFlushes, isAwake { flushedMM(at: Int(cleaning.position), source) }
        nextFlush += 1
      }
      nextCleaning += 1
    }
    nextPosition =
      nextCleaning < source.cleanings.entries.count
      ? Int(source.cleanings.entries[nextCleaning].position) : .max
  }

  private mutating func flushedMM(at position: Int, _ source: borrowing Reconstruction) {
    let flush = source.cleanings.flushes[nextFlush]
    // Mostly nobody has to look at it closer.
    if isTold(flush) {
      let moment = source.moments[position]
      let slot = Int(moment.subject &- source.shootdownsBase)
      tell(flush, source.shootdowns[lent: slot], moment, source)
    }
    enter(flush)
  }

  /// Other moments are ready: counting begins anew.
  mutating func beginReady() {
    nextCleaning = 0
    nextFlush = 0
    nextPosition = 0
  }

  /// The CPUs of `mask` flush everything at `moment`, so many times: the policy's own flush.
  mutating func flushed(
    _ mask: CPUMask, _ fate: DeferralFate, times: Int, _ moment: Moment
  ) {
    for index in onFlush { checks[index].flushed(mask, fate, times: times, moment, &stale) }
    stale.flush(mask, forced: times)
  }

  /// A CPU flushes itself.
  mutating func flushed(_ cpu: Int, _ moment: Moment) {
    // Asked for at every entry to the kernel, so nothing happens where nothing is owed.
    guard stale.owing.contains(cpu) else { return }
    for index in onOwnFlush { checks[index].flushedItself(cpu, moment, &stale) }
    stale.flush(cpu)
  }

  /// A frame that the recorded run is about to take would still have been held: another one is
  /// taken, which nobody has a stale translation to.
  mutating func held() {
    isHeld = true
    heldBack += 1
  }

  /// The frame that is handed out next stays with the process that freed it: its own translations
  /// are no danger to it. They stay stale for whoever gets the frame later.
  mutating func recycled() { isRecycled = true }

  /// Any moment but a shootdown, after the policy has acted on it.
  mutating func observe(_ moment: Moment, _ source: borrowing Reconstruction) {
    switch moment.kind {
    case .frameAllocated, .unmappedFrameAllocated, .onceUnmappedAllocated:
      // Before the first flush that does not happen no frame is stale.
      if isAwake { allocated(moment, source) }
    case .switchedMM: stale.flush(Int(moment.cpu))
    case .lazyBegin: stale.beginLazy(Int(moment.cpu))
    case .lazyEnd: stale.endLazy(Int(moment.cpu))
    default: break
    }
    tell(moment, source)
  }

  private mutating func allocated(_ moment: Moment, _ source: borrowing Reconstruction) {
    // Where a batch freed a frame that was once unmapped, the moment that follows is the one, which is
    // not told where no batch is put off.
    if moment.kind != .onceUnmappedAllocated {
      handedOutOfBatch(moment, source.frames)
    } else if moment.batch == 0 {
      handedOutAgain(moment, source.frames)
    } else if stale.unmap(ofBatch: moment.batch) == 0 {
      handedOutOfBatch(moment, source.frames)
    }
  }

  /// Tells the checks that want to be told of a moment now.
  private mutating func tell(_ moment: Moment, _ source: borrowing Reconstruction) {
    var rest = always.of(moment.kind)
    if awaitsFlushes { rest |= whileAwaiting.of(moment.kind) }
    if !stale.owing.isEmpty { rest |= whileStale.of(moment.kind) }
    while rest != 0 {
      checks[rest.trailingZeroBitCount].observe(moment, source, &stale)
      rest &= rest &- 1
    }
    if moment.kind == .unmappedFault { askForFlushes() }
  }

  /// Whether a frame that was recycled may still be stale.
  func remembers(_ frame: Int) -> Bool { recycledFrames.contains(frame) }

  /// Whether frames of a batch whose flush is paid for can be handed out unseen; they are counted.
  var passesFrames: Bool {
    let kinds: [Moment.Kind] = [.frameAllocated, .unmappedFrameAllocated]
    return kinds.allSatisfy {
      always.of($0) | whileStale.of($0) | whileAwaiting.of($0) == 0
    }
  }

  /// The policy does nothing at a moment of a frame of batch `number`: whether it need not be seen.
  mutating func passes(_ allocation: ReadyAllocation, ofBatch number: Int) -> Bool {
    guard allocation == .mayWait || allocation == .cannotWait else { return true }
    guard let flushes = stale.flushesSinceClean(number) else { return false }
    guard flushes > 0 else { return true }
    guard flushes <= flushesToldApart, !awaitsHandouts else { return false }
    reuse.checked += 1
    counts.note(cannotWait: allocation == .cannotWait, after: flushes - 1)
    return true
  }

  /// Such allocations that follow in `moments` more, all of one batch, need not be seen either, but the
  /// last one; false where they must. None of these frames can be waited for later: that takes a CPU
  /// that is stale.
  mutating func passes(
    _ ahead: AllocationsAhead, ofBatch number: Int, within moments: Int
  ) -> Bool {
    guard let flushes = stale.flushesSinceClean(number) else { return false }
    guard flushes > 0 else { return true }
    // Each moment may be one flush more.
    guard flushes + UInt64(moments) <= flushesToldApart, !awaitsHandouts else { return false }
    reuse.checked += Int(ahead.count)
    counts.note(Int(ahead.count), cannotWait: Int(ahead.cannotWait))
    return true
  }

  /// A frame that was freed with a batch, or behind a flush of one mm.
  private mutating func handedOutOfBatch(_ moment: Moment, _ frames: borrowing FrameTable) {
    let unmap = stale.unmap(ofBatch: moment.batch)
    if followsUnmappedFrames { keep(isRecycled ? unmap : 0, for: Int(moment.subject)) }
    if unmap != 0, !isRecycled, !isHeld { handedOut(unmap, moment, frames) }
    isRecycled = false
    isHeld = false
  }

  /// A frame that was recycled once.
  private mutating func handedOutAgain(_ moment: Moment, _ frames: borrowing FrameTable) {
    let frame = Int(moment.subject)
    if !isRecycled {
      let unmap = recycledFrames.contains(frame) ? frameUnmaps[frame] : 0
      if unmap != 0, !isHeld { handedOut(unmap, moment, frames) }
      keep(0, for: frame)
    }
    isRecycled = false
    isHeld = false
  }

  /// `unmap` is what the frame was freed with, 0 none, until it is freed again.
  private mutating func keep(_ unmap: UInt32, for frame: Int) {
    if recycledFrames.contains(frame) {
      stale.release(frameUnmaps[frame])
      recycledFrames.remove(frame)
    }
    guard unmap != 0 else { return }
    stale.hold(unmap)
    frameUnmaps[frame] = unmap
    recycledFrames.insert(frame)
  }

  private mutating func handedOut(
    _ unmap: UInt32, _ moment: Moment, _ frames: borrowing FrameTable
  ) {
    reuse.checked += 1
    let flushes = stale.policyFlushes(since: unmap)
    counts.note(cannotWait: AtomicAllocations.cannotSleep(moment), after: flushes)
    let staleCPU = stale.staleCPU(unmap)
    guard staleCPU != nil || awaitsHandouts || flushes > flushesToldApart else { return }
    let frame = Int(moment.subject)
    let handout = FrameHandout(
      frame: frame, pfn: frames.pfn(frame), staleCPU: staleCPU, flushesSince: flushes)
    if let cpu = handout.staleCPU {
      reuse.violated(.staleFrame, moment, cpu: cpu, pfn: handout.pfn)
    }
    for index in onHandout { checks[index].handedOut(handout, moment, &stale) }
  }

  /// What was found. Asked once.
  var verdict: SafetyVerdict {
    let detail = "\(reuse.checked) frames of unflushed unmaps were handed out again"
    var statistics = RuleFindings()
    statistics.checked = reuse.checked + heldBack
    statistics.violations = heldBack
    let held =
      heldBack == 0
      ? "no frame that the recorded run took was still held back"
      : "\(heldBack) frames that the recorded run took were still held back: free memory is less "
        + "than recorded, and other frames were taken"
    return SafetyVerdict(
      [reuse.verdict(.staleFrame, detail), statistics.verdict(.freeStatistics, held)]
        + checks.flatMap { $0.verdicts(counts) },
      framesChecked: reuse.checked)
  }
}

/// Which checks are told of a kind of moment: a bit for each.
private struct MomentAudience {
  private var bits = Array(repeating: UInt64(0), count: Moment.Kind.allCases.count)

  mutating func add(_ check: Int, to kind: Moment.Kind) {
    precondition(check < UInt64.bitWidth, "more safety checks than bits")
    bits[Int(kind.rawValue)] |= 1 << UInt64(check)
  }

  func of(_ kind: Moment.Kind) -> UInt64 { bits[Int(kind.rawValue)] }
}
