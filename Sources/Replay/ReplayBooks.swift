/// What a replay keeps beside its policy: the counters that change, the fates of deferred batches,
/// which CPUs are lazy, and the safety check, which hears of flushes and frames from here alone.
struct ReplayBooks {
  /// Why a put-off flush has to be done.
  enum Cause {
    /// Some flush that is due anyway, or comes in time, pays.
    case absorption
    case allocation, permission, fileWrite
  }

  /// What is known of a deferral's end when it is made.
  enum Fate {
    /// The next flush that settles pays for it, or nobody owes anything.
    case open, settled
    /// Who calls counts its end.
    case keptByCaller
  }

  private let window: TimeWindow
  private var oracle: StaleTranslationOracle
  private var serials: [UInt32] = []
  private(set) var lazyCPUs = CPUMask()
  private(set) var durations = FlushDurations()
  private(set) var changes: CounterChanges
  /// How the policy's interrupts scatter over the window.
  private(set) var draw = DrawInterval()
  var ledger = Ledger()
  private(set) var safety = SafetyVerdict()
  private(set) var framesPendingMax = 0
  private(set) var framesPending = 0
  /// Of the policy's pending batches, those deferred inside the window.
  private(set) var openInLedger = 0

  init(_ context: ReplayContext) {
    window = context.window
    oracle = StaleTranslationOracle(cpuCount: context.cpuCount)
    changes = CounterChanges(cpuCount: context.cpuCount)
    if window.start > 0 { draw.advance(to: window.start) }
  }

  func isCounted(_ time: UInt64) -> Bool { window.contains(time) }
  func isOver(_ time: UInt64) -> Bool { time > window.end }

  mutating func growTo(frames: Int) {
    guard serials.count < frames else { return }
    serials.append(contentsOf: repeatElement(0, count: frames - serials.count))
  }

  // MARK: What happens in any case

  mutating func lazyBegin(_ cpu: Int) { lazyCPUs.insert(cpu) }

  /// Linux 6.12 `switch_mm_irqs_off` compares generations when a CPU stops being lazy.
  mutating func lazyEnd(_ cpu: Int) {
    lazyCPUs.remove(cpu)
    oracle.flushed(cpu)
  }

  /// A switch to another mm, or a flush of the CPU by itself.
  mutating func cleaned(_ cpu: Int) { oracle.flushed(cpu) }

  /// A recorded flush of all of one mm. CPUs that have another mm loaded compare generations on
  /// return.
  mutating func mmFlush(_ shootdown: Shootdown) {
    draw.add(shootdown.countedInterrupts.count, at: shootdown.start)
    oracle.flushed(shootdown.cleaned)
  }

  /// A recorded batch flush; returns when it would end in the policy's run, if it is done there.
  mutating func lasted(_ shootdown: Shootdown) -> UInt64 {
    guard shootdown.outstanding == 0 else { return shootdown.end }
    return durations.record(shootdown.start, shootdown.end)
  }

  // MARK: What the policy decides

  /// A recorded batch flush is put off; returns the deferral's serial for the safety check.
  mutating func putOff(_ shootdown: Shootdown, _ fate: Fate) -> UInt32 {
    changes.remove(shootdown)
    if isCounted(shootdown.start) {
      ledger.deferred += 1
      switch fate {
      case .open: openInLedger += 1
      case .settled: ledger.absorbed += 1
      case .keptByCaller: break
      }
    }
    return oracle.deferred(shootdown.mask)
  }

  /// A recorded batch flush happens; all that is open is paid for if `settles`.
  mutating func keep(_ shootdown: Shootdown, isRefused: Bool, settles: Bool) {
    draw.add(shootdown.countedInterrupts.count, at: shootdown.start)
    oracle.flushed(shootdown.mask)
    if isRefused, isCounted(shootdown.start) { ledger.refused += 1 }
    if settles { settle(.absorption) }
  }

  /// A put-off flush of `mask` is done by `cpu`, and pays for all that is open.
  mutating func flush(_ mask: CPUMask, _ cause: Cause, from cpu: Int, at time: UInt64) {
    pay(mask, from: cpu, at: time)
    settle(cause)
    guard isCounted(time) else { return }
    switch cause {
    case .absorption: break
    case .allocation: ledger.flushesForAllocation += 1
    case .permission: ledger.flushesForPermission += 1
    case .fileWrite: ledger.flushesForFileWrite += 1
    }
  }

  /// A flush of `mask` by `cpu`, whatever it pays for.
  mutating func pay(_ mask: CPUMask, from cpu: Int, at time: UInt64) {
    oracle.flushed(mask)
    guard isCounted(time) else { return }
    ledger.forcedFlushes += 1
    draw.add(changes.add(mask, from: cpu, lazy: lazyCPUs), at: time)
  }

  private mutating func settle(_ cause: Cause) {
    framesPending = 0
    switch cause {
    case .absorption: ledger.absorbed += openInLedger
    case .allocation: ledger.forcedByAllocation += openInLedger
    case .permission: ledger.forcedByPermission += openInLedger
    case .fileWrite: ledger.forcedByFileWrite += openInLedger
    }
    openInLedger = 0
  }

  /// Closes the books: what is still owed is pending.
  mutating func close() {
    ledger.pending += openInLedger
    openInLedger = 0
    if window.end < .max { draw.advance(to: window.end) }
  }

  // MARK: Frames

  /// A frame was freed with deferral `serial`, and nobody has paid for it yet if `isPending`.
  mutating func freed(_ frame: Int, serial: UInt32, isPending: Bool) {
    serials[frame] = serial
    if isPending { framesPending += 1 }
    framesPendingMax = max(framesPendingMax, framesPending)
  }

  /// One frame fewer is waiting for its flush.
  mutating func stopsPending() { if framesPending > 0 { framesPending -= 1 } }

  /// A frame has been handed out: no CPU may reach it any more.
  mutating func handedOut(_ moment: Moment, _ frames: borrowing FrameTable) {
    let frame = Int(moment.subject)
    let serial = serials[frame]
    serials[frame] = 0
    guard serial != 0 else { return }
    safety.framesChecked += 1
    guard let stale = oracle.staleCPU(serial) else { return }
    safety.violations += 1
    if safety.first == nil {
      safety.first = Violation(
        rule: "I1", time: moment.time, eventIndex: moment.event, cpu: stale,
        pfn: frames.pfn(frame))
    }
  }
}
