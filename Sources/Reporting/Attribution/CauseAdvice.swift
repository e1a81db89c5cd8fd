import Replay

/// What can be done about the shootdowns of a cause, and the kernel's rule that it rests on.
///
/// Kernel files and functions are those of Linux 6.12.
enum CauseAdvice {
  /// A line for the reader; nil where nothing useful can be said.
  static func text(_ cause: FlushCause) -> String? { movement(cause) ?? change(cause) }

  /// Pages that the kernel moves or takes away by itself.
  private static func movement(_ cause: FlushCause) -> String? {
    switch cause {
    case .kswapdReclaim, .directReclaim:
      "Reclaim flushes once for every batch of freed folios, at most 31 (shrink_folio_list, "
        + "mm/vmscan.c); larger batches or lazy unmap flush help where the pages were mapped "
        + "read-only. More free memory, or memory.high above the working set, avoids the unmaps."
    case .kswapdDemotion, .directDemotion:
      "Demotion flushes once for up to 512 pages (NR_MAX_BATCHED_MIGRATION, migrate_pages_batch in "
        + "mm/migrate.c), but reclaim hands over some 32 at a time (demote_folio_list, "
        + "mm/vmscan.c). Less is demoted if less is promoted that does not stay."
    case .promotion:
      "Promotion moves one folio per hinting fault (migrate_misplaced_folio, mm/migrate.c). Since 6.4 "
        + "an entry that the NUMA scan made inaccessible needs no second flush, unless a flush of the "
        + "mm is under way (set_tlb_ubc_flush_pending, mm/rmap.c; pte_accessible, "
        + "arch/x86/include/asm/pgtable.h). kernel.numa_balancing_promote_rate_limit_MBps limits how many "
        + "there are."
    case .compaction:
      "Compaction migrates for high orders (compact_zone, mm/compaction.c). Fewer huge page requests "
        + "(transparent_hugepage/defrag=madvise) or vm.compaction_proactiveness=0 avoid it."
    case .movePages:
      "move_pages(2) flushes once for up to 512 pages, but a change of target node ends a batch "
        + "(do_pages_move, mm/migrate.c): fewer and larger calls, sorted by node. Pages that a batch "
        + "could not move are flushed one by one (migrate_pages_sync)."
    case .numaScan:
      "The scan makes entries inaccessible and flushes (task_numa_work, kernel/sched/fair.c). "
        + "kernel.numa_balancing=0, binding memory, or longer scan periods "
        + "(debugfs sched/numa_balancing/scan_period_min_ms) stop or thin it."
    case .hugePageSplit:
      "A huge mapping is split for a part of it (__split_huge_pmd, mm/huge_memory.c): unmapping or "
        + "protecting less than 2 MiB of one. Align to 2 MiB, or MADV_NOHUGEPAGE for such regions."
    case .hugePageCollapse:
      "khugepaged replaces small pages (collapse_huge_page, mm/khugepaged.c): raise "
        + "khugepaged/scan_sleep_millisecs, or transparent_hugepage/enabled=madvise."
    case .samePageMerging:
      "ksmd merges pages (mm/ksm.c): slow it by ksm/sleep_millisecs or stop it."
    case .writeback:
      "Writeback protects clean pages of shared file mappings (folio_mkclean, mm/rmap.c): longer "
        + "dirty_writeback intervals, or write(2) instead of stores to the mapping."
    case .contiguousRange, .memoryHotplug, .longtermPin:
      "Pages are moved out of a range on purpose (mm/page_alloc.c, mm/memory_hotplug.c, mm/gup.c): "
        + "reserve the memory at boot, or pin before it is used."
    default: nil
    }
  }

  /// What programs do to their mappings.
  private static func change(_ cause: FlushCause) -> String? {
    switch cause {
    case .munmap, .mmap, .brk:
      "One flush per unmapped range of whatever was there (tlb_finish_mmu, mm/mmu_gather.c). "
        + "Allocators that keep mappings (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, retain in jemalloc) "
        + "avoid it. Private writable memory is out of reach of lazy unmap flush."
    case .madvise:
      "MADV_DONTNEED flushes in every call (zap_page_range_single, mm/memory.c): typically an "
        + "allocator's purge. A longer decay (jemalloc dirty_decay_ms), larger ranges per call, or "
        + "MADV_FREE for memory that is used again soon make fewer."
    case .mprotect:
      "mprotect flushes what it changed (change_protection, mm/mprotect.c). Fewer, larger calls; JITs "
        + "can map code twice instead of toggling protection."
    case .mremap:
      "mremap flushes the old range (move_ptes, mm/mremap.c): reserve room instead of moving."
    case .copyOnWrite:
      "A write to a shared page replaces its entry and flushes one page (wp_page_copy, mm/memory.c): "
        + "behind a fork (posix_spawn or vfork instead), in private file mappings, or in memory that "
        + "is read before it is first written (the zero page: write first, or MADV_POPULATE_WRITE). "
        + "No lazy scheme may put this off: the old page must not be read."
    case .fork:
      "fork protects all private pages from writing and flushes the parent (dup_mmap, kernel/fork.c): "
        + "posix_spawn or vfork do not."
    case .exit, .exec:
      "Only CPUs that still have the mm loaded are interrupted when it ends (exit_mmap, mm/mmap.c); "
        + "short-lived threads on many CPUs make it dear."
    case .truncation:
      "Cutting or invalidating a file unmaps it everywhere (unmap_mapping_range, mm/memory.c): "
        + "replace files by rename instead of truncating what others have mapped."
    default: nil
    }
  }
}
