/// Payload slots of `sched:sched_switch`.
public enum SchedSwitch {
  /// Thread that leaves the CPU, and the one that gets it.
  public static let previousTask = 0
  /// See ``previousTask``.
  public static let nextTask = 1
  /// Task state of the leaving thread (binary only; text prints letters: absent).
  public static let previousState = 2
  /// Their names.
  public static let previousName = 3
  /// See ``previousName``.
  public static let nextName = 4
}

/// Payload slots of `sched_process_fork`.
public enum SchedFork {
  /// Thread that forked.
  public static let parent = 0
  /// New thread.
  public static let child = 1
}

extension Tracepoint {
  /// Linux 6.12 `include/trace/events/sched.h`.
  static let sched = [
    Tracepoint(
      .schedSwitch, "sched", "sched_switch",
      [
        TracepointField("prev_pid"), TracepointField("next_pid"),
        TracepointField("prev_state", .flags(names: [:])), TracepointField("prev_comm", .text),
        TracepointField("next_comm", .text),
      ]),
    Tracepoint(
      .schedMigrateTask, "sched", "sched_migrate_task",
      [TracepointField("pid"), TracepointField("orig_cpu"), TracepointField("dest_cpu")]),
    Tracepoint(
      .schedMoveNUMA, "sched", "sched_move_numa",
      [
        TracepointField("pid"), TracepointField("tgid"), TracepointField("src_cpu"),
        TracepointField("src_nid"), TracepointField("dst_cpu"), TracepointField("dst_nid"),
      ]),
    Tracepoint(.schedStickNUMA, "sched", "sched_stick_numa"),
    Tracepoint(.schedSwapNUMA, "sched", "sched_swap_numa"),
    Tracepoint(
      .schedProcessFork, "sched", "sched_process_fork",
      [TracepointField("parent_pid", aliases: ["pid"]), TracepointField("child_pid")]),
    Tracepoint(.schedProcessExec, "sched", "sched_process_exec", [TracepointField("pid")]),
    Tracepoint(.schedProcessExit, "sched", "sched_process_exit", [TracepointField("pid")]),
  ]

  /// Linux 6.12 `include/trace/events/mmap.h` and `mmap_lock.h`.
  static let mmap = [
    Tracepoint(.vmUnmappedArea, "mmap", "vm_unmapped_area"),
    Tracepoint(.exitMmap, "mmap", "exit_mmap", [TracepointField("mm", .hexadecimal)]),
    Tracepoint(
      .mmapLockStartLocking, "mmap_lock", "mmap_lock_start_locking",
      [TracepointField("mm", .hexadecimal), TracepointField("write")]),
    Tracepoint(
      .mmapLockAcquireReturned, "mmap_lock", "mmap_lock_acquire_returned",
      [TracepointField("mm", .hexadecimal), TracepointField("write")]),
    Tracepoint(
      .mmapLockReleased, "mmap_lock", "mmap_lock_released",
      [TracepointField("mm", .hexadecimal), TracepointField("write")]),
  ]
}

/// Payload slots of `signal:signal_generate`.
public enum SignalGenerate {
  /// Signal number.
  public static let signal = 0
  /// Name and thread of the task that gets it.
  public static let targetName = 1
  /// See ``targetName``.
  public static let targetTask = 2
}

extension Tracepoint {
  /// Linux 6.12 `include/trace/events/signal.h`.
  static let signal = [
    Tracepoint(
      .signalGenerate, "signal", "signal_generate",
      [TracepointField("sig"), TracepointField("comm", .text), TracepointField("pid")])
  ]
}
