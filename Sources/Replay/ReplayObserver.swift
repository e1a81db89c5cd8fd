/// Told what a replay sees and what policies decide, for a timeline.
///
/// A session without one does nothing for it. Each kind is told in time order: first the recorded
/// shootdowns of a stretch, then each policy's decisions in it, then that the stretch is over.
public protocol ReplayObserver: AnyObject {
  /// The recorded run did this, inside the window or not.
  func recorded(_ shootdown: ObservedShootdown)
  /// A policy decided this; `policy` counts those beside the recorded run, from 0.
  func decided(_ decision: ObservedDecision, policy: Int)
  /// All that happened before `time` was told.
  func reached(_ time: UInt64)
}

/// A recorded shootdown; times in the trace's unit.
public struct ObservedShootdown: Sendable {
  /// From the initiator's first event to its last receiver.
  public var start: UInt64
  /// See ``start``.
  public var end: UInt64
  /// The initiator's CPU and thread.
  public var cpu: Int
  /// See ``cpu``.
  public var task: Int32
  /// What the kernel was doing.
  public var cause: FlushCause
  /// Whether it is of unmapped pages of reclaim or migration, not of one mm.
  public var isUnmapBatch: Bool
  /// Requested pages, -1 all.
  public var pages: Int64
  /// Pages that the batch is seen to unmap.
  public var unmappedPages: Int
  /// CPUs that it interrupted, and the interrupts inside the window.
  public var receivers: CPUMask
  /// See ``receivers``.
  public var interrupts: Int

  init(_ shootdown: borrowing Shootdown, task: Int32) {
    start = shootdown.start
    end = max(shootdown.start, shootdown.end)
    cpu = shootdown.initiator
    self.task = task
    cause = shootdown.cause
    isUnmapBatch = shootdown.kind == .unmapBatch
    pages = shootdown.pages
    unmappedPages = Int(shootdown.unmapped.pages)
    receivers = shootdown.receivers
    interrupts = shootdown.countedInterrupts.count
  }
}

/// What a policy made of a moment, under the assumption that is shown.
public struct ObservedDecision: Sendable {
  /// What was decided.
  public enum Kind: Sendable, Equatable {
    /// A recorded shootdown does not happen now.
    case putOff
    /// It might have been put off, had nothing stood in the way.
    case refused
    /// It is done without interrupts.
    case broadcast
    /// A flush that the recorded run did not do.
    case flush(DeferralFate)
  }

  /// When.
  public var time: UInt64
  /// The CPU that decides, or flushes.
  public var cpu: Int
  /// What.
  public var kind: Kind
  /// CPUs that are flushed, or would have been.
  public var cpus: CPUMask
  /// Interrupts inside the window that this saves, or adds.
  public var interrupts: Int
  /// Frames that are free with a flush owed, right after.
  public var framesPending: Int
}

/// Decisions of a policy that nobody was told of yet.
struct DecisionLog {
  private var entries: [ObservedDecision] = []

  mutating func note(
    _ decision: FlushDecision, of shootdown: borrowing Shootdown, at time: UInt64, pending: Int
  ) {
    let kind: ObservedDecision.Kind
    switch decision {
    case .asRecorded(let isRefused):
      guard isRefused else { return }
      kind = .refused
    case .putOff, .putOffForNobody: kind = .putOff
    case .broadcast: kind = .broadcast
    }
    entries.append(
      ObservedDecision(
        time: time, cpu: shootdown.initiator, kind: kind, cpus: shootdown.mask,
        interrupts: kind == .refused ? 0 : shootdown.countedInterrupts.count,
        framesPending: pending))
  }

  mutating func note(
    _ mask: CPUMask, _ fate: DeferralFate, _ moment: Moment, interrupts: Int, pending: Int
  ) {
    entries.append(
      ObservedDecision(
        time: moment.time, cpu: Int(moment.cpu), kind: .flush(fate), cpus: mask,
        interrupts: interrupts, framesPending: pending))
  }

  mutating func take() -> [ObservedDecision] {
    defer { entries.removeAll(keepingCapacity: true) }
    return entries
  }
}
