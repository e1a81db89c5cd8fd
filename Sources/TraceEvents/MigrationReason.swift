/// Why folios were migrated: Linux 6.12 `include/linux/migrate_mode.h` `enum migrate_reason`.
public enum MigrationReason: Int, CaseIterable, Sendable {
  /// Reasons in the kernel's order.
  case compaction, memoryFailure, memoryHotplug, syscall, mempolicyMbind, numaMisplaced
  /// `numa_misplaced` above is promotion (and NUMA balancing); `demotion` below is its opposite.
  case contigRange, longtermPin, demotion, damon

  /// The kernel's word for it.
  public var label: String {
    switch self {
    case .compaction: "compaction"
    case .memoryFailure: "memory_failure"
    case .memoryHotplug: "memory_hotplug"
    case .syscall: "syscall_or_cpuset"
    case .mempolicyMbind: "mempolicy_mbind"
    case .numaMisplaced: "numa_misplaced"
    case .contigRange: "contig_range"
    case .longtermPin: "longterm_pin"
    case .demotion: "demotion"
    case .damon: "damon"
    }
  }
}
