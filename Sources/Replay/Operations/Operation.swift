import Synchronization
import TraceEvents

/// Why an unmap batch was flushed, as far as the trace tells.
public enum UnmapEvidence: UInt8, Sendable, CaseIterable {
  /// Migration whose page-table entries were all seen, none of them writable.
  case provenReadOnly
  /// Migration with a writable entry, or with a folio of several pages: never deferred.
  case provenIneligible
  /// Reclaim that took pages out of the page cache: `try_to_unmap` has no event, so whether they
  /// were mapped read-only is not visible.
  case reclaimedFile
  /// A batch whose pages left no other trace (anonymous memory, or events that were not recorded).
  case unseen
  /// A batch flush outside reclaim and migration (THP split and the like): never deferred.
  case otherPath
}

/// What a shootdown was for.
enum ShootdownKind: UInt8, Sendable {
  /// One mm: munmap, mprotect, NUMA scan, copy on write.
  case mm
  /// A batched unmap: reclaim or migration (`arch_tlbbatch_flush`, no mm, no range).
  case unmapBatch
}

/// What an unmap batch is seen to have unmapped.
struct UnmapCount: Equatable {
  /// Pages taken out of the page cache, and pages that a migration entry replaced.
  var pages: UInt32 = 0
  /// Migration entries by what they say of the entry before them.
  var readOnlyEntries: UInt32 = 0
  var writableEntries: UInt32 = 0
  var unclearEntries: UInt32 = 0
}

/// One `flush_tlb_multi` call (or a batch flush of the initiator alone), put together from the
/// events of all CPUs that took part.
///
/// Invariant: once `isResolved`, nothing of it changes any more.
struct Shootdown: ~Copyable {
  // What every replay reads comes first, close together.

  var kind = ShootdownKind.mm
  var evidence = UnmapEvidence.unseen
  /// What the kernel was doing.
  var cause = FlushCause.unknown
  /// Whether the initiator's own TLB was flushed, and whether that event lies inside the window.
  var isLocal = false
  var isLocalCounted = false
  /// Whether there was a "remote ipi send" event inside the window.
  var isSendCounted = false
  /// Whether it counts by the task that did it, and by its CPU too.
  var isOfCountedTask = true
  var isOfCountedCPU = true
  var initiator: Int
  var taskIndex: UInt32
  /// Number of the unmap batch that it paid for (``BatchNumbers``), 0 none, and what that batch is
  /// seen to hold. A flush of one mm has such a number where frees directly follow it and these frames
  /// are followed.
  var batch: UInt32 = 0
  /// First and last moment, in the trace's time.
  var start: UInt64
  /// CPUs that it interrupted.
  var receivers = CPUMask()
  /// The CPUs that the kernel's mask held: interrupted, lazy, and the initiator if it flushed. Known
  /// once the moment is ready.
  private(set) var mask = CPUMask()
  /// CPUs that it left out because they were lazy (concluded, not recorded).
  var lazyMembers = CPUMask()
  /// See ``start``.
  var end: UInt64
  /// Requested pages, -1 all.
  var pages: Int64
  /// When it would end if few others ran beside it, and how long a batch flush typically lasts then;
  /// known once the moment is ready, for batches only.
  var endAmongFew: UInt64 = 0
  /// See ``endAmongFew``.
  var typicalDuration: UInt64 = 0
  /// Of the interrupts, those inside the window and on CPUs that count, each of which raised the TLB
  /// row.
  var countedInterrupts = CPUMask()
  /// CPUs that wrote a "remote shootdown" event inside the window.
  var countedRemoteEvents = CPUMask()

  /// CPUs that wrote a flush event of all pages, wherever in the trace.
  var fullEvents = CPUMask()
  var unmapped = UnmapCount()
  /// Which pages these are, as far as events name them, among ``UnmappedPages``.
  var unmappedPages: Range<UInt64> = 0..<0
  var isResolved = false
  /// Whether the kind is recorded (a local event names it) or concluded from what the task did.
  var isKindRecorded = false
  /// Whether an event names its cause, or it is concluded.
  var isCauseRecorded = false
  /// The call chains of its initiator, 0 unknown (``CallChains``), and what they were called for.
  var kernelChain = CallChains.none
  /// See ``kernelChain``.
  var userChain = CallChains.none
  /// See ``kernelChain``; nil where no rule knows the path.
  var pathCause: FlushCause?
  /// The cause by its call path, or else by the events around it.
  var bestCause: FlushCause { pathCause ?? cause }
  /// What it was doing when it began, for either kind; where the initiator's next event tells more,
  /// that is waited for.
  var ifMM: CauseFound
  var ifBatch: CauseFound
  var awaitsNextEvent = false
  /// Interrupted CPUs that have not answered yet.
  var outstanding = 0
  /// Position of its moment in the stream of all moments.
  var position: UInt64
  /// Of no use but that the whole is lent where it lies: what the compiler can load, it copies to the
  /// stack for every call that borrows it, and each replay makes several at every shootdown.
  let anchor = Atomic<UInt8>(0)

  /// Nothing of it changes any more: fills in ``mask``.
  mutating func findMask() {
    mask = flushing
    mask.formUnion(lazyMembers)
  }

  /// CPUs that flush for it: interrupted, and the initiator if it flushed.
  var flushing: CPUMask {
    var flushing = receivers
    if isLocal { flushing.insert(initiator) }
    return flushing
  }

  /// Of these, the ones that flushed a few pages only.
  var ranged: CPUMask { pages == -1 ? CPUMask() : flushing.subtracting(fullEvents) }

  /// The CPUs that have no stale translation left after it, whatever was unmapped before.
  var cleaned: CPUMask { pages == -1 ? mask.subtracting(lazyMembers) : fullEvents }
}

/// What a policy is told: one thing that the kernel did, in time order.
///
/// Of 32 bytes, so that each lies in one line of the cache: replays look at some here and there.
struct Moment {
  enum Kind: UInt8, CaseIterable {
    /// `subject` is the number of a ``Shootdown``: of unmap batch `batch`, and of one mm, which few
    /// listen to.
    case shootdown
    /// See ``shootdown``.
    case mmShootdown
    /// Frame `subject` was freed with unmap batch `batch`. Few need that; for all others:
    case frameFreed
    /// `subject` frames more were freed with unmap batch `batch`, the first of them here.
    case framesFreed
    /// Frame `subject`, which was freed with `batch`, was allocated.
    case frameAllocated
    /// Such a frame was moved from buddy to the per-CPU list of the task's CPU.
    case frameRefilled
    /// Such a frame went from a per-CPU list back to buddy.
    case frameDrained
    /// Task `task` allocated (after a refill that moved such frames).
    case taskAllocated
    /// A write to a present page that the page table protects.
    case writeProtectFault
    /// mmap with PROT_WRITE.
    case writableMapping
    /// A write(2) or pwrite64(2) ended.
    case fileWriteEnd
    /// The CPU changed to another mm (or found its own behind) and compared generations.
    case switchedMM
    /// The CPU went to idle or a kernel thread, which a flush without page-table frees leaves out.
    case lazyBegin
    /// It came back to a user task.
    case lazyEnd
    /// A fault on a user address; `subject` is the number of a ``UserFault``. What it brings in is
    /// in no event.
    case userFault
    /// munmap, mprotect, madvise or mremap began, or ended well: `subject` numbers an
    /// ``AddressRange``.
    case unmapRange
    /// mmap with MAP_FIXED likewise: what was mapped there is gone.
    case fixedMapping
    /// A migration made a page present again; `subject` numbers a ``PageMapping``.
    case pageMapped
    /// A user's task took a page out of the page cache: truncation, invalidation.
    case pageCacheRemoved
    /// Reclaim took one out, the first on this CPU since the last shootdown: others tell nothing new.
    case pageReclaimed
    /// A page came into the page cache again that unmap batch `batch` had taken out; `subject` numbers
    /// a ``ReturnedPage``.
    case pageReturned
    /// The task entered direct reclaim, or left it.
    case directReclaimBegin
    /// See ``directReclaimBegin``.
    case directReclaimEnd
    /// An allocation woke kswapd.
    case kswapdWakeup
    /// A migration for a NUMA hinting fault ended that unmapped pages and flushed no batch, since no
    /// CPU can use their entries (Linux 6.4, commit 4d4b6d66db63).
    case inaccessibleUnmap
    /// `subject` frames were freed behind the flush of one mm with number `batch`, the first of them
    /// here. This and the next two only where a policy follows these frames.
    case unmappedFramesFreed
    /// Frame `subject`, which was freed so, is allocated.
    case unmappedFrameAllocated
    /// A frame that was once freed so, but not when it was freed last, is allocated. Where that was with
    /// unmap batch `batch`, a ``frameAllocated`` follows.
    case onceUnmappedAllocated
    /// A ``userFault`` at an address where a migration may have taken a page away, or the next fault
    /// of a task that had one: what a check of replaced entries needs of all faults.
    case unmappedFault
  }

  var time: UInt64
  /// Place of the event that told, among all events of the instance in time order, from 0.
  var event: UInt64
  var subject: UInt32
  var batch: UInt32
  /// The task, and above it ``isAtomic`` and ``isMovable``.
  private var bits: UInt32
  var cpu: UInt16
  var kind: Kind
  /// Whose time a flush that the moment forces would take.
  var payer: TaskClass

  init(
    time: UInt64, kind: Kind, payer: TaskClass, cpu: UInt16, subject: UInt32, batch: UInt32,
    task: UInt32, event: UInt64, isAtomic: Bool = false, isMovable: Bool = false
  ) {
    self.time = time
    self.event = event
    self.subject = subject
    self.batch = batch
    bits = task & Self.taskMax
    self.cpu = cpu
    self.kind = kind
    self.payer = payer
    bits[bit: 31] = isAtomic
    bits[bit: 30] = isMovable
  }

  private static let taskMax: UInt32 = 1 << 30 - 1

  /// Whose moment it is, by ``TaskTable`` index.
  var task: UInt32 { bits & Self.taskMax }
  /// Of allocations: whether the context could not wait (no `__GFP_DIRECT_RECLAIM`).
  var isAtomic: Bool { bits[bit: 31] }
  /// Of frames that were once freed behind the flush of one mm: whether they become user memory or
  /// page cache.
  var isMovable: Bool { bits[bit: 30] }
}
