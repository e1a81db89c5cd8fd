/// What ends a deferral, and why a flush that had been put off is done.
public enum DeferralFate: Int, Sendable, CaseIterable {
  /// Another flush came in time, or no CPU owed anything.
  case absorbed
  /// One of its frames was allocated, or a refill moved it.
  case allocation
  /// A write-protect fault, a fault in a mapping that may be written, or a writable mapping.
  case permission
  /// A write to a file, a truncation, or an eviction from the page cache.
  case fileWrite
  /// Memory ran short.
  case pressure
  /// An unmap that the recorded run did not flush.
  case unmap
  /// Its frames went back to the process that freed them, which needs no flush.
  case recycled
}

/// What a policy makes of a recorded shootdown.
enum FlushDecision: Equatable {
  /// It happens as recorded. `isRefused`: it would have been put off, had nothing stood in the way.
  case asRecorded(isRefused: Bool)
  /// It does not happen now: the deferral that was offered is open.
  case putOff
  /// It does not happen and no CPU owes anything.
  case putOffForNobody
  /// The CPUs are cleaned without an interrupt and without events of them.
  case broadcast
}

/// What a policy wants done at a moment, in order.
enum FlushAction: Equatable {
  /// The moment's CPU flushes `mask`, and so many times where batches are flushed in their own time.
  case flush(CPUMask, DeferralFate, times: Int = 1)
  /// A CPU flushes itself, which interrupts nobody and is not counted.
  case cleanSelf(Int)
  /// A deferral is over.
  case settle(UInt32, DeferralFate)
  /// All open deferrals are over.
  case settleAll(DeferralFate)
  /// The frame at hand, which the recorded run takes here, would not have been to have: another
  /// frame is taken.
  case frameHeld
  /// The frame at hand goes back to the process that may have stale translations to it.
  case recycleFrame
}

/// The moment at hand, as a policy may know it.
struct Situation {
  var time: UInt64 = 0
  var cpu = 0
  var task = 0
  /// Number of the threads that are taken for its process (``TaskTable/processGroup(_:)``), 0 where
  /// nothing tells, and whether `kmem:rss_stat` proves it.
  var processGroup = 0
  var isProcessProven = false
  /// How long a flush lasts that the recorded run did not do, in the trace's unit.
  var flushDuration: UInt64 = 0
  /// Whether an allocation at hand cannot wait (no `__GFP_DIRECT_RECLAIM`).
  var isAtomic = false
}

/// A flush policy: a state machine that is told what the kernel did and says what is to be done.
///
/// It counts nothing and keeps no books: ``PolicyRun`` applies its actions. Deferrals are numbered by
/// the run: `deferral` is the number that the flush at hand will have if it is put off, and the
/// number that a frame was freed with, 0 for none. A number is given again only after its deferral is
/// settled and the last frame that carried it has been allocated.
protocol FlushPolicy: Sendable {
  /// The kinds of moment that it must be told of by ``other(_:_:_:_:)``, and whether of drained and
  /// refilled frames and of flushes of one mm; what nobody listens to costs nothing.
  var listens: MomentKindSet { get }

  /// Whether it never puts off the flush of an unmap batch, so that frames which batches free make no
  /// difference to it.
  static var putsOffNoBatch: Bool { get }
  /// Whether it ever puts off the flush of one mm.
  static var putsOffMMFlushes: Bool { get }

  /// Whether a frame no longer carries the flush that it owes once it has been in buddy.
  var forgetsInBuddy: Bool { get }
  /// Whether drained frames matter to it, those with a spent deferral too: ``drained(with:_:_:_:)``.
  static var followsDrains: Bool { get }

  /// Whether it wants ``allocated(with:_:_:_:)`` too for frames with a spent deferral, or none.
  static var asksForEveryAllocation: Bool { get }
  /// Whether it may want something done at such an allocation, and on a CPU.
  var mayActOnAny: Bool { get }
  /// See ``mayActOnAny``.
  func mayAct(on cpu: Int) -> Bool

  /// Kinds of moment at which it does nothing unless it ``mayAct(on:)`` the moment's CPU, which becomes
  /// so for CPUs of a flush that is put off, and ends with the first such moment of the CPU.
  var chances: MomentKindSet { get }
  /// Whether there are such kinds.
  static var takesChances: Bool { get }

  /// Whether the frames that still carry a deferral, which is settled, make no difference any more.
  func isSpent(_ deferral: UInt32) -> Bool

  /// Room for so many tasks and frames, whose indices the calls below use.
  mutating func growTo(tasks: Int, frames: Int)

  /// Whether it is ever ``due``, and wants ``Situation/processGroup``: most do not.
  static var followsTime: Bool { get }
  /// See ``followsTime``.
  static var asksForProcesses: Bool { get }

  /// When it next wants to do something of itself; nil for never.
  var due: UInt64? { get }
  /// It is ``due`` now.
  mutating func timePassed(_ now: Situation, _ actions: inout [FlushAction])

  /// A batched unmap is about to be flushed (mm == NULL, every page). `mayDefer`: its pages were
  /// mapped read-only, as far as the trace or the assumption says; it lasts until `end`.
  mutating func batchFlush(
    _ shootdown: borrowing Shootdown, mayDefer: Bool, until end: UInt64, as deferral: UInt32,
    _ now: Situation, _ actions: inout [FlushAction]
  ) -> FlushDecision

  /// One mm is about to be flushed: munmap, mprotect, NUMA scan, copy on write.
  mutating func mmFlush(
    _ shootdown: borrowing Shootdown, as deferral: UInt32, _ now: Situation,
    _ actions: inout [FlushAction]
  ) -> FlushDecision

  /// A frame that was freed with a recorded batch is allocated; `deferral` may be 0.
  mutating func allocated(
    with deferral: UInt32, _ passage: BuddyPassage, _ now: Situation,
    _ actions: inout [FlushAction])

  /// Frames were freed behind a flush of one mm that was put off as `deferral`.
  mutating func unmappedFreed(_ count: Int, with deferral: UInt32)

  /// A frame that was once freed behind a flush of one mm is allocated, as user memory or page cache
  /// if `isMovable`; `deferral` is the one it carries, or 0. Told of while the deferral is not spent, or
  /// the policy remembers the frame.
  mutating func unmappedAllocated(
    _ frame: Int, isMovable: Bool, with deferral: UInt32, _ now: Situation,
    _ actions: inout [FlushAction])

  /// Whether frames may go back to the process that freed them, and owe a flush none the less.
  static var recyclesFrames: Bool { get }
  /// Whether it keeps something of a frame that was once freed so, and then allocated.
  func remembers(_ frame: Int) -> Bool

  /// A frame freed with a batch goes from a per-CPU list to buddy, or back.
  mutating func drained(
    with deferral: UInt32, _ passage: BuddyPassage, _ now: Situation,
    _ actions: inout [FlushAction])
  /// See ``drained(with:_:_:_:)``.
  mutating func refilled(
    with deferral: UInt32, _ passage: BuddyPassage, _ now: Situation,
    _ actions: inout [FlushAction])

  /// Anything else.
  mutating func other(
    _ moment: Moment, _ source: borrowing Reconstruction, _ now: Situation,
    _ actions: inout [FlushAction])

  /// Whether a CPU still owes an open deferral. Asked rarely.
  func isOwed(_ deferral: UInt32) -> Bool

  /// It goes on under another assumption, which would have made no difference so far.
  mutating func assume(_ assumption: ReplayAssumption)

  /// Nothing follows: what is still to be done.
  mutating func finish(_ actions: inout [FlushAction])
}

extension FlushPolicy {
  var listens: MomentKindSet { .always }

  static var putsOffNoBatch: Bool { false }
  static var putsOffMMFlushes: Bool { false }
  var forgetsInBuddy: Bool { false }
  static var followsDrains: Bool { false }
  static var asksForEveryAllocation: Bool { false }
  var mayActOnAny: Bool { true }
  func mayAct(on cpu: Int) -> Bool { true }
  var chances: MomentKindSet { .none }
  static var takesChances: Bool { false }
  func isSpent(_ deferral: UInt32) -> Bool { true }

  static var followsTime: Bool { false }
  static var asksForProcesses: Bool { false }

  var due: UInt64? { nil }
  mutating func timePassed(_ now: Situation, _ actions: inout [FlushAction]) {}

  mutating func mmFlush(
    _ shootdown: borrowing Shootdown, as deferral: UInt32, _ now: Situation,
    _ actions: inout [FlushAction]
  ) -> FlushDecision { .asRecorded(isRefused: false) }

  mutating func allocated(
    with deferral: UInt32, _ passage: BuddyPassage, _ now: Situation,
    _ actions: inout [FlushAction]
  ) {}

  mutating func unmappedFreed(_ count: Int, with deferral: UInt32) {}

  mutating func unmappedAllocated(
    _ frame: Int, isMovable: Bool, with deferral: UInt32, _ now: Situation,
    _ actions: inout [FlushAction]
  ) {}

  static var recyclesFrames: Bool { false }
  func remembers(_ frame: Int) -> Bool { false }

  mutating func drained(
    with deferral: UInt32, _ passage: BuddyPassage, _ now: Situation,
    _ actions: inout [FlushAction]
  ) {}

  mutating func refilled(
    with deferral: UInt32, _ passage: BuddyPassage, _ now: Situation,
    _ actions: inout [FlushAction]
  ) {}

  mutating func other(
    _ moment: Moment, _ source: borrowing Reconstruction, _ now: Situation,
    _ actions: inout [FlushAction]
  ) {}

  func isOwed(_ deferral: UInt32) -> Bool { true }

  mutating func assume(_ assumption: ReplayAssumption) {}

  mutating func finish(_ actions: inout [FlushAction]) {}
}
