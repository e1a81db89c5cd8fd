/// Lazy unmap flush as a state machine over one pending batch: told what happens, it says what is
/// to be done, and counts nothing.
///
/// A deferred batch adds its CPUs to the pending mask; frames that it frees carry the open
/// generation, which is always `done + 1`. Whoever takes such a frame flushes the whole mask, and
/// `done` advances. A batch flush that is not deferred takes its CPUs out of the mask; when that
/// leaves none, nothing is owed any more, and the generation stays open.
///
/// Invariant: `pending` is empty if and only if `pendingBatches` is 0.
struct LazyUnmapFlush: Sendable {
  enum BatchAction: Equatable {
    /// No flush; frames that the batch frees carry `generation`. `isSettled`: no CPU owes anything,
    /// so the deferral is over before it began.
    case deferred(generation: UInt32, isSettled: Bool)
    /// The flush happens as recorded. `settled` deferred batches are paid for by it.
    case flush(isRefused: Bool, settled: Int)
  }

  /// A flush that had been put off.
  struct ForcedFlush: Equatable {
    var mask: CPUMask
    /// Deferred batches that it pays for.
    var settled: Int
  }

  let rules: LazyFlushRules
  private(set) var pending = CPUMask()
  private(set) var pendingBatches = 0
  /// Generation of the last forced flush; 0 before the first, and "no generation" on a frame.
  private(set) var done: UInt32 = 0
  private var busyUntil: UInt64?

  init(_ rules: LazyFlushRules) { self.rules = rules }

  /// A batch of unmapped pages is about to be flushed on `mask`.
  mutating func unmapBatch(
    on mask: CPUMask, isEligible: Bool, from start: UInt64, to end: UInt64
  ) -> BatchAction {
    let isBusy = rules.givesUpWhileFlushing && isRunning(at: start)
    guard isEligible, !isBusy else {
      let holdsLock = rules.creditsWhileFlushing || !isRunning(at: start)
      let settled = holdsLock ? credit(mask) : 0
      busyUntil = max(busyUntil ?? end, end)
      return .flush(isRefused: isEligible, settled: settled)
    }
    if mask.isEmpty, pending.isEmpty {
      return .deferred(generation: done + 1, isSettled: true)
    }
    pending.formUnion(mask)
    pendingBatches += 1
    return .deferred(generation: done + 1, isSettled: false)
  }

  /// A frame, or a task after a refill, with `generation` is taken at `time`; a flush that this
  /// needs lasts `duration`.
  mutating func taken(
    _ generation: UInt32, at time: UInt64, flushLasting duration: UInt64
  ) -> ForcedFlush? {
    rules.flushesBeforeReuse && generation > done ? flush(at: time, lasting: duration) : nil
  }

  /// Something at `time` ends all deferral; a flush that this needs lasts `duration`.
  mutating func end(at time: UInt64, flushLasting duration: UInt64) -> ForcedFlush? {
    flush(at: time, lasting: duration)
  }

  /// Whether a frame with `generation` still owes its flush.
  @inline(__always)
  func isOwed(_ generation: UInt32) -> Bool { generation > done && pendingBatches > 0 }

  private func isRunning(at time: UInt64) -> Bool { busyUntil.map { time < $0 } ?? false }

  /// A completed batch flush of the mask's CPUs; mm flushes and switches are not credited.
  private mutating func credit(_ mask: CPUMask) -> Int {
    pending.subtract(mask)
    guard pending.isEmpty else { return 0 }
    defer { pendingBatches = 0 }
    return pendingBatches
  }

  private mutating func flush(at time: UInt64, lasting duration: UInt64) -> ForcedFlush? {
    guard pendingBatches > 0 else { return nil }
    let forced = ForcedFlush(mask: pending, settled: pendingBatches)
    pending.removeAll()
    pendingBatches = 0
    done += 1
    let end = time.addingReportingOverflow(duration)
    busyUntil = max(busyUntil ?? 0, end.overflow ? .max : end.partialValue)
    return forced
  }
}
