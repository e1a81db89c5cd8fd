import TraceEvents

/// What a replay keeps beside its policy: the counters that change, the fates of deferred batches,
/// who pays for forced flushes, and how long and on how many frames flushes were owed.
struct ReplayBooks {
  /// Deferrals open at a time before those that nobody owes any more are looked for.
  private static let openBeforeSweep = 1 << 14

  private let window: TimeWindow
  private let countedCPUs: CPUList?
  private var deferrals = DeferralBook()
  private var sweepAt = ReplayBooks.openBeforeSweep
  private(set) var changes: CounterChanges
  /// The same in time and by sender; nil where nothing draws it.
  private(set) var places: InterruptChanges?
  /// What the policy changes of how interrupts scatter over the window.
  private(set) var draw = DrawInterval()
  private(set) var ledger = Ledger()
  private(set) var pending = PendingFramesGauge()
  private(set) var ages = DurationHistogram()
  private(set) var bursts: FlushBurstGauge
  /// Of the shootdowns that were put off: the CPUs that flushed, and the interrupts among them.
  private(set) var owed = 0
  private(set) var saved = 0
  /// What that comes to by the cause of the shootdowns; nil unless the case is shown.
  private(set) var byCause: CauseChanges?
  private(set) var payers = Array(repeating: Payment(), count: TaskClass.allCases.count)

  init(_ context: ReplayContext, isShown: Bool = false) {
    window = context.window
    countedCPUs = context.countedCPUs
    places = isShown ? InterruptChanges(context) : nil
    byCause = isShown ? CauseChanges() : nil
    changes = CounterChanges(cpuCount: context.cpuCount)
    bursts = FlushBurstGauge(span: context.burstSpan)
  }

  /// The case is no longer the one that is shown.
  mutating func hide() {
    places = nil
    byCause = nil
  }

  func isCounted(_ time: UInt64) -> Bool { window.contains(time) }

  private func isCounted(_ shootdown: borrowing Shootdown) -> Bool {
    shootdown.isOfCountedTask && shootdown.isOfCountedCPU && isCounted(shootdown.start)
  }

  private func isCounted(_ moment: Moment) -> Bool {
    isCounted(moment.time) && countedCPUs?.contains(Int(moment.cpu)) ?? true
  }

  /// The first moment comes at `time`.
  mutating func begin(at time: UInt64) { draw.advance(to: time) }

  // MARK: Recorded shootdowns

  /// The number that the next deferral gets.
  var nextDeferral: UInt32 { deferrals.next }

  /// Enters what a policy makes of a shootdown that was offered as ``nextDeferral``; the deferral that
  /// it opened, 0 none.
  mutating func enter(
    _ decision: FlushDecision, of shootdown: borrowing Shootdown, at time: UInt64
  ) -> UInt32 {
    let deferral = nextDeferral
    byCause?.atHand = shootdown.bestCause
    switch decision {
    case .asRecorded(let isRefused):
      if isRefused { refused(shootdown) }
      return 0
    case .putOff:
      putOff(shootdown)
      return deferral
    case .putOffForNobody:
      putOff(shootdown)
      settle(deferral, .absorbed, at: time)
      return deferral
    case .broadcast:
      broadcast(shootdown)
      return 0
    }
  }

  /// A recorded shootdown does not happen; deferral ``nextDeferral`` is open, and held by its task.
  mutating func putOff(_ shootdown: borrowing Shootdown) {
    byCause?.putOff(shootdown, as: deferrals.next)
    remove(shootdown)
    let isCounted = isCounted(shootdown)
    deferrals.add(at: shootdown.start, isCounted: isCounted)
    if isCounted { ledger.deferred += 1 }
    owed += shootdown.receivers.count + (shootdown.isLocal ? 1 : 0)
    saved += shootdown.countedInterrupts.count
  }

  private mutating func remove(_ shootdown: borrowing Shootdown) {
    changes.remove(shootdown)
    places?.remove(shootdown)
    let interrupts = shootdown.countedInterrupts.count
    if interrupts > 0 { draw.add(-interrupts, at: shootdown.start) }
  }

  /// A recorded shootdown is done without interrupting anybody.
  mutating func broadcast(_ shootdown: borrowing Shootdown) {
    byCause?.broadcast(shootdown)
    remove(shootdown)
    if isCounted(shootdown) { ledger.broadcasts += 1 }
  }

  /// A recorded shootdown happens though it might have been put off.
  mutating func refused(_ shootdown: borrowing Shootdown) {
    if isCounted(shootdown) { ledger.refused += 1 }
  }

  /// The task frees no more frames with this deferral.
  mutating func release(_ deferral: UInt32) { deferrals.release(deferral) }

  /// Nor with one that is settled and held, of which it does not matter what frames carry it.
  mutating func release(spent deferral: UInt32) { deferrals.release(settled: deferral) }

  /// Nor does any frame carry it.
  mutating func retire(_ deferral: UInt32, at time: UInt64) {
    deferrals.retire(deferral)
    pending.set(deferrals.framesPending, at: time, in: window)
  }

  /// Whether a deferral still waits for its fate.
  func isOpen(_ deferral: UInt32) -> Bool { deferrals.isOpen(deferral) }

  // MARK: What the policy does

  /// Flushes of `mask` that had been put off, or that the recorded run had no need of; the interrupts
  /// inside the window.
  @discardableResult
  mutating func flush(
    _ mask: CPUMask, _ fate: DeferralFate, times: Int = 1, _ moment: Moment,
    lazy lazyCPUs: CPUMask
  ) -> Int {
    guard isCounted(moment.time) else { return 0 }
    let interrupts = changes.add(
      mask, from: Int(moment.cpu), lazy: lazyCPUs, counted: countedCPUs, times: times)
    if places != nil {
      var counted = mask
      if let countedCPUs { counted.formIntersection(countedCPUs) }
      places?.add(counted, from: Int(moment.cpu), lazy: lazyCPUs, times: times, at: moment.time)
    }
    draw.add(interrupts, at: moment.time)
    byCause?.flushed(interrupts, fate, moment)
    payers[moment.payer.rawIndex].interrupts += interrupts
    guard isCounted(moment) else { return interrupts }
    ledger.forcedFlushes += times
    ledger.flushes[fate.rawValue] += times
    payers[moment.payer.rawIndex].flushes += times
    bursts.note(times, at: moment.time)
    return interrupts
  }

  /// A deferral is over.
  mutating func settle(_ deferral: UInt32, _ fate: DeferralFate, at time: UInt64) {
    guard let began = deferrals.settle(deferral) else { return }
    byCause?.settle(deferral)
    pending.set(deferrals.framesPending, at: time, in: window)
    guard began.isCounted else { return }
    ledger.fates[fate.rawValue] += 1
    ages.record(time > began.time ? time - began.time : 0)
  }

  /// All open deferrals are over.
  mutating func settleAll(_ fate: DeferralFate, at time: UInt64) {
    while let deferral = deferrals.open.last { settle(deferral, fate, at: time) }
  }

  /// Whether so many deferrals are open that those that no CPU owes take room.
  var mustSweep: Bool { deferrals.open.count >= sweepAt }

  /// Settles them, where that is so.
  mutating func sweep(at time: UInt64, _ isOwed: (UInt32) -> Bool) {
    guard mustSweep else { return }
    for deferral in deferrals.open where !isOwed(deferral) {
      settle(deferral, .absorbed, at: time)
    }
    sweepAt = max(Self.openBeforeSweep, deferrals.open.count * 2)
  }

  /// Closes the books: what a CPU still owes is pending, the rest was absorbed.
  mutating func close(at time: UInt64, _ isOwed: (UInt32) -> Bool) {
    for deferral in deferrals.open {
      let isOwed = isOwed(deferral)
      guard let began = deferrals.settle(deferral), began.isCounted else { continue }
      if isOwed { ledger.pending += 1 } else { ledger.fates[DeferralFate.absorbed.rawValue] += 1 }
    }
    if window.end < .max { draw.advance(to: window.end) }
    pending.close(at: time, in: window)
    bursts.close()
  }

  // MARK: Frames

  /// A frame went back to the process that freed it.
  mutating func recycled(at moment: Moment) {
    if isCounted(moment) { ledger.framesRecycled += 1 }
  }

  /// A frame that the recorded run takes would have been held.
  mutating func frameHeld(at moment: Moment) {
    if isCounted(moment) { ledger.framesHeld += 1 }
  }

  /// Frames were freed with a deferral.
  mutating func freed(_ count: Int = 1, with deferral: UInt32, at time: UInt64) {
    deferrals.attachFrames(count, deferral)
    pending.set(deferrals.framesPending, at: time, in: window)
  }

  /// A frame that carried a deferral was allocated, or forgets it.
  mutating func dropped(_ deferral: UInt32, at time: UInt64) {
    deferrals.detachFrame(deferral)
    pending.set(deferrals.framesPending, at: time, in: window)
  }
}

/// What tasks of a class did of flushes that had been put off.
public struct Payment: Sendable, Equatable {
  /// Flushes, and the interrupts that they sent.
  public internal(set) var flushes = 0
  /// See ``flushes``.
  public internal(set) var interrupts = 0
}

/// Frames that are free with a flush owed, over time.
///
/// Invariant: `series` covers the time since the first note with at most ``bucketsMax`` buckets of
/// one width, which doubles when they are full.
struct PendingFramesGauge {
  private static let bucketsMax = 64
  private static let firstWidth: UInt64 = 1 << 10

  private(set) var frames = 0
  private(set) var framesMax = 0
  private(set) var series: [Int] = []
  private(set) var start: UInt64?
  private(set) var width = PendingFramesGauge.firstWidth
  /// Frames times time, in the trace's unit: high and low word, since long traces overflow one.
  private var weighted: (high: UInt64, low: UInt64) = (0, 0)
  private var last: UInt64 = 0
  /// Where the last bucket of `series` begins.
  private var bucketStart: UInt64 = 0

  mutating func set(_ count: Int, at time: UInt64, in window: TimeWindow) {
    guard count != frames else { return }
    if time >= window.start, time <= window.end {
      advance(to: time, in: window)
      framesMax = max(framesMax, count, frames)
      note(count)
    }
    frames = count
  }

  mutating func close(at time: UInt64, in window: TimeWindow) {
    guard start != nil else { return }
    advance(to: min(time, window.end), in: window)
  }

  /// Time-weighted mean since the first frame, rounded; nil before it.
  var framesMean: Int? {
    guard let start, last > start else { return nil }
    let span = last - start
    guard weighted.high < span else { return nil }
    return Int(clamping: span.dividingFullWidth((weighted.high, weighted.low)).quotient)
  }

  private mutating func advance(to time: UInt64, in window: TimeWindow) {
    guard let start else {
      start = max(time, window.start)
      last = max(time, window.start)
      bucketStart = last
      series.append(frames)
      return
    }
    guard time > last, time >= start else { return }
    let (high, low) = (time - last).multipliedFullWidth(by: UInt64(max(frames, 0)))
    let sum = weighted.low.addingReportingOverflow(low)
    weighted = (weighted.high &+ high &+ (sum.overflow ? 1 : 0), sum.partialValue)
    last = time
    if time - bucketStart >= width { openBuckets(to: time) }
  }

  /// The level counts in the bucket at hand, which is the last one.
  private mutating func note(_ count: Int) {
    let bucket = series.count - 1
    if series[bucket] < count { series[bucket] = count }
  }

  private mutating func openBuckets(to time: UInt64) {
    guard let start else { return }
    while (time - start) / width >= UInt64(Self.bucketsMax) {
      width = width.multipliedReportingOverflow(by: 2).partialValue
      if width == 0 { width = 1 << 63 }
      series = stride(from: 0, to: series.count, by: 2).map {
        max(series[$0], $0 + 1 < series.count ? series[$0 + 1] : 0)
      }
    }
    let bucket = (time - start) / width
    // A bucket that nothing changed in keeps the level before it.
    while series.count <= Int(bucket) { series.append(frames) }
    note(frames)
    bucketStart = start + bucket * width
  }
}

/// Forced flushes by how many fall into one span of time.
struct FlushBurstGauge {
  /// Bucket n holds spans with 2^n to 2^(n+1) - 1 flushes.
  private(set) var spansByFlushes = Array(repeating: 0, count: 32)
  private(set) var flushesMax = 0
  /// Length of a span in the trace's unit; nil where the unit is not known.
  let span: UInt64?
  private var current: UInt64?
  private var flushes = 0

  init(span: UInt64?) { self.span = span }

  mutating func note(_ count: Int, at time: UInt64) {
    guard let span, span > 0 else { return }
    if current != time / span {
      close()
      current = time / span
    }
    flushes += count
  }

  mutating func close() {
    if flushes > 0 {
      spansByFlushes[min(Int.bitWidth - 1 - flushes.leadingZeroBitCount, 31)] += 1
      flushesMax = max(flushesMax, flushes)
    }
    flushes = 0
    current = nil
  }
}
