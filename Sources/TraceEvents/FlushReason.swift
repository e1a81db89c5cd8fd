/// Why a TLB was flushed: the `reason` field of `tlb:tlb_flush`.
///
/// Linux 6.12 `include/linux/mm_types.h` `enum tlb_flush_reason`; 5 since about 6.14. The meanings
/// are those of the places in `arch/x86/mm/tlb.c` that emit them.
public enum FlushReason: Int, CaseIterable, Sendable {
  /// `switch_mm`: -1 page = the switch needed a flush, 0 = it did not.
  case taskSwitch = 0
  /// On the receiver of a shootdown interrupt.
  case remoteShootdown = 1
  /// On the initiator of a flush without mm: a batched unmap (reclaim, migration).
  case localShootdown = 2
  /// On the initiator of a flush of one mm (munmap, mprotect, COW and so on).
  case localMMShootdown = 3
  /// On the initiator, once a shootdown, before lazy CPUs are left out: it may send nothing.
  case remoteSendIPI = 4
  /// On a receiver that no longer runs the mm.
  case remoteWrongCPU = 5

  /// The reasons of events that the CPU writes which begins a flush.
  public static let initiators: ClosedRange<Int64> = 2...4

  /// What the tool calls it; the kernel's own words differ from version to version.
  public var label: String {
    switch self {
    case .taskSwitch: "flush on task switch"
    case .remoteShootdown: "remote shootdown"
    case .localShootdown: "local shootdown"
    case .localMMShootdown: "local mm shootdown"
    case .remoteSendIPI: "remote ipi send"
    case .remoteWrongCPU: "remote wrong CPU"
    }
  }
}
