/// The rules in which the posted versions of lazy unmap flush (LUF), and of MIGRC before it, differ.
///
/// The versions themselves stand in `Versions`, a file each.
public struct LazyFlushRules: Sendable, Equatable {
  /// The policy's name on the command line.
  public var name: String
  /// Whether a write to a protected page ends all deferral.
  public var flushesOnWriteProtectFault = false
  /// Whether mmap with PROT_WRITE does.
  public var flushesOnWritableMapping = false
  /// Whether the end of every write(2) to a file does.
  public var flushesOnFileWrite = false
  /// Whether a refill of a per-CPU list hands the newest generation of its frames to the task, which
  /// then flushes at its next allocation.
  public var flushesAfterRefill = true
  /// Whether a batch is flushed at once while another batch flush is running.
  public var givesUpWhileFlushing = true
  /// Whether a batch flush that starts while another one runs still takes its CPUs out of the mask.
  public var creditsWhileFlushing = true
  /// Whether a frame forgets its generation when it goes from a per-CPU list to buddy, and has the
  /// order of its free block instead when it leaves.
  public var forgetsInBuddy = false
  /// Which unmaps may be put off.
  public var scope = Scope.migrationAndReclaim
  /// Whether demotion is put off only where kswapd does it.
  public var defersDemotionOfKswapdOnly = false
  /// Whether an unmapped folio stays allocated until its flush is done, instead of being freed at
  /// once.
  public var holdsFolios = false
  /// Whether held folios count as free in watermark checks.
  public var countsHeldAsFree = false
  /// Whether an allocation in trouble does all flushes owed and ends deferral until it is through.
  public var pausesUnderPressure = false
  /// What a put-off flush belongs to.
  public var domain = Domain.global
  /// Whether a fault in a mapping that may be written, or any write fault, ends deferral.
  public var flushesOnMayWriteFault = false
  /// Whether munmap, mprotect, madvise and mremap end deferral.
  public var flushesOnUnmap = false
  /// Of ``flushesOnFileWrite``: whether only writes to the file of a deferred page do.
  public var flushesOnlyWrittenFile = false
  /// Whether a page that leaves the page cache outside reclaim ends deferral.
  public var flushesOnTruncate = false
  /// Which recorded flushes are credited to a CPU.
  public var credit = Credit.batchFlushes
  /// Whether an allocation that cannot wait gets another frame.
  public var skipsForAtomicAllocations = false

  /// Which unmaps a version puts off.
  public enum Scope: String, Sendable, CaseIterable {
    /// Demotion and promotion.
    case numaMigration = "migrate-numa"
    /// Any asynchronous migration.
    case anyMigration = "migrate-any"
    /// And reclaim.
    case migrationAndReclaim = "migrate-any+reclaim"
  }

  /// What is flushed at one time.
  public enum Domain: String, Sendable, CaseIterable {
    /// All that is owed.
    case global
    /// Each batch for itself, with the CPUs that owe it, and all of a node under pressure.
    case node
    /// Each batch for itself; frames that pass through buddy share their zone's.
    case table
  }

  /// Which flushes of a CPU count as done for it.
  public enum Credit: String, Sendable, CaseIterable {
    case none
    /// Batch flushes.
    case batchFlushes = "batch"
    /// And full flushes of munmap, mprotect, mremap and madvise.
    case batchAndUnmapFlushes = "batch+mm-stamps"
    /// And every other full flush of the CPU.
    case fullFlushes = "full"
  }

  /// Whether taking a frame with a flush owed does that flush. No version lacks it: without it a
  /// policy is unsafe, which is how tests know that the safety check can fail.
  var flushesBeforeReuse = true

  /// Whether a batch flush for `cause` may be put off at all.
  func admits(_ cause: FlushCause) -> Bool {
    switch cause {
    case .kswapdReclaim, .directReclaim: scope == .migrationAndReclaim
    case .kswapdDemotion: true
    case .directDemotion: !defersDemotionOfKswapdOnly
    case .promotion: true
    case .compaction, .movePages, .memoryHotplug, .contiguousRange, .longtermPin, .otherMigration:
      scope != .numaMigration
    case .otherBatch: false
    default: scope == .migrationAndReclaim
    }
  }
}
