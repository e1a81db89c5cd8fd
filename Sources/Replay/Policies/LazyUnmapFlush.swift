/// The rules in which the posted versions of lazy unmap flush (LUF) differ.
public struct LazyFlushRules: Sendable, Equatable {
  /// The policy's name on the command line.
  public var name: String
  /// Whether a write to a protected page ends all deferral.
  public var flushesOnWriteProtectFault: Bool
  /// Whether mmap with PROT_WRITE does.
  public var flushesOnWritableMapping: Bool
  /// Whether a refill of a per-CPU list hands the newest generation of its frames to the task, which
  /// then flushes at its next allocation.
  public var flushesAfterRefill: Bool
  /// Whether a batch is flushed at once while another batch flush is running.
  public var givesUpWhileFlushing: Bool
  /// Whether taking a frame with a flush owed does that flush. No version lacks it: without it a
  /// policy is unsafe, which is how tests know that the safety check can fail.
  var flushesBeforeReuse = true

  /// LUF v10, patchwork series of 10 May 2024 (linux-mm): one system-wide pending batch, frames
  /// carry its generation, any folio that reclaim or asynchronous migration unmaps read-only.
  public static let v10 = LazyFlushRules(
    name: "luf-v10", flushesOnWriteProtectFault: true, flushesOnWritableMapping: true,
    flushesAfterRefill: true, givesUpWhileFlushing: true)
}

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
    let isBusy = rules.givesUpWhileFlushing && busyUntil.map { start < $0 } ?? false
    guard isEligible, !isBusy else {
      let settled = credit(mask)
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

  /// A write-protect fault at `time`.
  mutating func writeProtectFault(at time: UInt64, flushLasting duration: UInt64) -> ForcedFlush? {
    rules.flushesOnWriteProtectFault ? flush(at: time, lasting: duration) : nil
  }

  /// A writable mapping is made at `time`.
  mutating func writableMapping(at time: UInt64, flushLasting duration: UInt64) -> ForcedFlush? {
    rules.flushesOnWritableMapping ? flush(at: time, lasting: duration) : nil
  }

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
