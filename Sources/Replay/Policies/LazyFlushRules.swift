/// The rules in which the posted versions of lazy unmap flush (LUF) differ.
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
  /// Whether taking a frame with a flush owed does that flush. No version lacks it: without it a
  /// policy is unsafe, which is how tests know that the safety check can fail.
  var flushesBeforeReuse = true

  /// LUF v10, patchwork series of 10 May 2024 (linux-mm): one system-wide pending batch, frames
  /// carry its generation, any folio that reclaim or asynchronous migration unmaps read-only.
  public static let v10 = LazyFlushRules(
    name: "luf-v10", flushesOnWriteProtectFault: true, flushesOnWritableMapping: true)

  /// v10 as its text was posted: patch 5 of 12 stores a buddy block's order where its generation
  /// belongs, so a frame that passes through buddy has that, which is soon a generation long done.
  /// Not safe.
  public static let v10AsPosted = LazyFlushRules(
    name: "luf-v10-as-posted", flushesOnWriteProtectFault: true, flushesOnWritableMapping: true,
    forgetsInBuddy: true)

  /// LUF v11, series of 31 May 2024 (linux-mm): the end of a write to a regular file ends deferral,
  /// mmap and write-protect faults do not; the lock is only tried when a batch flush starts, and one
  /// that fails to get it is not credited. Who fails is not visible: taken for those that start while
  /// another flush runs, which is at least all of them.
  public static let v11 = LazyFlushRules(
    name: "luf-v11", flushesOnFileWrite: true, creditsWhileFlushing: false)
}
