/// What the kernel was doing when it flushed.
///
/// The causes of unmap batches come first, then those of flushes of one mm. A synchronous migration
/// flushes entry by entry, as one mm, and carries the cause of its migration all the same.
public enum FlushCause: UInt8, Sendable, CaseIterable {
  /// kswapd unmapped pages to free them; or a task in direct reclaim did.
  case kswapdReclaim
  /// See ``kswapdReclaim``.
  case directReclaim
  /// kswapd, or a task in direct reclaim, moved pages to a slower node.
  case kswapdDemotion
  /// See ``kswapdDemotion``.
  case directDemotion
  /// A NUMA hinting fault moved a page to the node of its user (`numa_misplaced`).
  case promotion
  /// Compaction, by kcompactd or by a task that allocates.
  case compaction
  /// `move_pages`, `migrate_pages` or a cpuset: the kernel has one reason for them.
  case movePages
  /// Memory is taken offline.
  case memoryHotplug
  /// A contiguous range is made free (CMA, gigantic pages).
  case contiguousRange
  /// Pages are moved before they are pinned for long.
  case longtermPin
  /// A migration for another reason (`mbind`, memory failure, DAMON), or one without its start event.
  case otherMigration
  /// An unmap batch outside reclaim and migration: a folio split and the like.
  case otherBatch
  /// These system calls.
  case munmap
  /// See ``munmap``.
  case mprotect
  /// See ``munmap``.
  case mremap
  /// See ``munmap``.
  case madvise
  /// `mmap` over a range that was mapped.
  case mmap
  /// Another system call.
  case otherSystemCall
  /// `task_numa_work` made page-table entries inaccessible (Linux 6.12 `kernel/sched/fair.c`).
  case numaScan
  /// A write fault replaced a shared page (`wp_page_copy`, Linux 6.12 `mm/memory.c`).
  case copyOnWrite
  /// The task was ending, forking or executing.
  case exit
  /// See ``exit``.
  case fork
  /// See ``exit``.
  case exec
  /// A kernel thread outside reclaim and migration: writeback (`page_mkclean`), khugepaged, ksmd.
  case kernelThread
  /// The trace does not tell.
  case unknown
  // What only a call path tells.
  /// `brk` gave memory back.
  case brk
  /// A huge page, or the huge mapping of one, was split.
  case hugePageSplit
  /// khugepaged or MADV_COLLAPSE put a huge page together.
  case hugePageCollapse
  /// ksmd protected pages from writing, or merged them.
  case samePageMerging
  /// Writeback made clean pages read-only, to see the next write.
  case writeback
  /// A file was cut, punched or invalidated, and its mappings with it.
  case truncation
  /// A page fault other than a copy on write and a hinting fault.
  case otherFault
  /// The kernel changed its own code through a mapping of its own.
  case codePatching
  /// Mappings of the kernel itself: `vfree` and the like, which write no `tlb_flush` event.
  case kernelRange

  /// Whether a system call changes or removes mappings.
  var isAddressSpaceCall: Bool {
    switch self {
    case .munmap, .mprotect, .mremap, .madvise, .mmap: true
    default: false
    }
  }

  /// Whether a flush of one mm may be that of pages that are unmapped for good.
  var mayUnmap: Bool {
    switch self {
    case .munmap, .madvise, .mmap, .exit, .exec, .otherSystemCall, .unknown: true
    default: false
    }
  }

  /// The words for it in a report.
  public var label: String {
    switch self {
    case .kswapdReclaim: "kswapd reclaim"
    case .directReclaim: "direct reclaim"
    case .kswapdDemotion: "kswapd demotion"
    case .directDemotion: "direct demotion"
    case .promotion: "promotion"
    case .compaction: "compaction"
    case .movePages: "move_pages"
    case .memoryHotplug: "memory hotplug"
    case .contiguousRange: "contiguous range"
    case .longtermPin: "longterm pin"
    case .otherMigration: "other migration"
    case .otherBatch: "other unmap batch"
    case .munmap: "munmap"
    case .mprotect: "mprotect"
    case .mremap: "mremap"
    case .madvise: "madvise"
    case .mmap: "mmap"
    case .otherSystemCall: "other system call"
    case .numaScan: "NUMA scan"
    case .copyOnWrite: "copy on write"
    case .exit: "exit"
    case .fork: "fork"
    case .exec: "exec"
    case .kernelThread: "kernel thread"
    case .unknown: "unknown"
    case .brk: "brk"
    case .hugePageSplit: "huge page split"
    case .hugePageCollapse: "huge page collapse"
    case .samePageMerging: "same-page merging"
    case .writeback: "writeback"
    case .truncation: "truncation"
    case .otherFault: "other page fault"
    case .codePatching: "code patching"
    case .kernelRange: "kernel range"
    }
  }

  /// What surrounding events can say of it at best.
  public var seenFromOutside: FlushCause {
    switch self {
    case .brk, .truncation: .otherSystemCall
    case .hugePageSplit: .otherBatch
    case .hugePageCollapse, .samePageMerging, .writeback, .codePatching: .kernelThread
    case .otherFault: .unknown
    default: self
    }
  }
}

/// A cause, and whether an event names it.
struct CauseFound: Equatable {
  var cause: FlushCause
  var isRecorded: Bool
}

/// The system call that a task is in, as far as flushes depend on it.
enum MemoryCall: UInt8 {
  case none, munmap, mprotect, mremap, madvise, mmap, movePages, write, exit, fork, exec, other

  /// The call with this number on x86-64 (Linux 6.12 `arch/x86/entry/syscalls/syscall_64.tbl`).
  init(number: UInt64) {
    switch number {
    case 1, 18, 20, 296, 328: self = .write
    case 9: self = .mmap
    case 10, 329: self = .mprotect
    case 11: self = .munmap
    case 25: self = .mremap
    case 28: self = .madvise
    case 56, 57, 58, 435: self = .fork
    case 59, 322: self = .exec
    case 60, 231: self = .exit
    case 256, 279: self = .movePages
    default: self = .other
    }
  }

  /// The cause of a flush inside it.
  var cause: FlushCause {
    switch self {
    case .none: .unknown
    case .munmap: .munmap
    case .mprotect: .mprotect
    case .mremap: .mremap
    case .madvise: .madvise
    case .mmap: .mmap
    case .movePages: .movePages
    case .exit: .exit
    case .fork: .fork
    case .exec: .exec
    case .write, .other: .otherSystemCall
    }
  }
}
