/// What a kernel function on the path to a TLB flush says about the flush.
public struct KernelPathRule: Sendable {
  /// Functions, any of which is enough; what the compiler put behind a name (`.isra.0`) does not
  /// count.
  public let functions: [String]
  /// What the flush is for.
  public let cause: FlushCause
  /// The same where kswapd is on the path.
  public let causeInKswapd: FlushCause?
  /// The kernel files that the functions are in, and what calls and flushes there.
  public let source: String

  init(
    _ functions: [String], _ cause: FlushCause, inKswapd: FlushCause? = nil, _ source: String
  ) {
    self.functions = functions
    self.cause = cause
    causeInKswapd = inKswapd
    self.source = source
  }
}

/// The rules that tell the cause of a flush from its kernel call path.
///
/// First come operations on memory, which nest in each other: a huge page is split inside reclaim,
/// which runs inside a fault. Of these the innermost one flushes. If there is none, the first of
/// the other rules holds that knows any function of the path: system calls and what lies between
/// them. All functions stand in Linux 6.12 (Debian's 6.12 source); names that older kernels have
/// for the same stand beside them and are called so.
public enum KernelPathRules {
  /// All rules, those of operations first, the others by precedence.
  public static let all: [KernelPathRule] = operations + lives + calls + rest
  /// Rules below this number are of operations.
  static let operationCount = operations.count
  private static let operations =
    migrations + hugePages + reclaim + kernelThreads + [codePatching, copyOnWrite]

  /// The rule number of a function's name, nil if none knows it.
  public static func rule(of function: String) -> Int? {
    let plain = function.prefix { $0 != "." }
    if let known = numbers[String(plain)] { return known }
    return plain.hasPrefix("__x64_sys_") || plain.hasPrefix("__ia32_sys_") ? otherCall : nil
  }

  /// kswapd's own function (mm/vmscan.c): the outermost of all that it does.
  static let kswapd = "kswapd"

  private static let numbers: [String: Int] = {
    var numbers: [String: Int] = [:]
    for (number, rule) in all.enumerated() {
      for function in rule.functions where numbers[function] == nil { numbers[function] = number }
    }
    return numbers
  }()
  private static let otherCall = numbers["do_syscall_64"]

  // Migration flushes in `try_to_migrate_one` (mm/rmap.c), entry by entry, or once a batch by
  // `try_to_unmap_flush` in `migrate_pages_batch` (mm/migrate.c). What it is for its caller tells.
  private static let migrations = [
    KernelPathRule(
      ["demote_folio_list", "demote_page_list"], .directDemotion, inKswapd: .kswapdDemotion,
      "mm/vmscan.c 6.12, called by shrink_folio_list; formerly demote_page_list"),
    KernelPathRule(
      ["migrate_misplaced_folio", "migrate_misplaced_page"], .promotion,
      "mm/migrate.c 6.12, called by do_numa_page; formerly migrate_misplaced_page"),
    KernelPathRule(
      ["compact_zone"], .compaction, "mm/compaction.c 6.12: kcompactd and direct compaction"),
    KernelPathRule(
      ["alloc_contig_range_noprof", "alloc_contig_range", "__alloc_contig_migrate_range"],
      .contiguousRange,
      "mm/page_alloc.c 6.12: CMA, gigantic pages; formerly without _noprof"),
    KernelPathRule(
      ["do_migrate_range", "offline_pages"], .memoryHotplug, "mm/memory_hotplug.c 6.12"),
    KernelPathRule(
      [
        "migrate_longterm_unpinnable_folios", "migrate_longterm_unpinnable_pages",
        "check_and_migrate_movable_folios", "check_and_migrate_movable_pages",
      ], .longtermPin, "mm/gup.c 6.12; formerly ..._pages"),
    KernelPathRule(
      ["kernel_move_pages", "do_pages_move", "do_move_pages_to_node"], .movePages,
      "mm/migrate.c 6.12: move_pages(2)"),
    KernelPathRule(
      ["kernel_migrate_pages", "do_migrate_pages"], .movePages,
      "mm/mempolicy.c 6.12: migrate_pages(2), cpusets"),
  ]

  private static let hugePages = [
    KernelPathRule(
      [
        "collapse_huge_page", "collapse_file", "hpage_collapse_scan_pmd",
        "hpage_collapse_scan_file",
        "collapse_pte_mapped_thp", "retract_page_tables", "khugepaged", "madvise_collapse",
      ], .hugePageCollapse,
      "mm/khugepaged.c 6.12: khugepaged and MADV_COLLAPSE, try_to_unmap_flush in collapse_file, "
        + "pmdp_collapse_flush in collapse_huge_page"),
    KernelPathRule(
      [
        "split_huge_page_to_list_to_order", "split_huge_page_to_list", "__split_huge_pmd",
        "__split_huge_pmd_locked", "split_huge_pmd_locked", "__split_huge_pud",
        "deferred_split_scan", "unmap_folio",
      ], .hugePageSplit,
      "mm/huge_memory.c 6.12: pmdp_invalidate and pmdp_huge_clear_flush, try_to_unmap_flush in "
        + "unmap_folio; formerly split_huge_page_to_list"),
  ]

  private static let reclaim = [
    KernelPathRule(
      ["shrink_lruvec", "shrink_inactive_list", "shrink_one", "evict_folios"], .directReclaim,
      inKswapd: .kswapdReclaim,
      "mm/vmscan.c 6.12: they call shrink_folio_list, which flushes by try_to_unmap_flush behind "
        + "every batch of freed folios; shrink_one and evict_folios are of the multi-gen LRU")
  ]

  private static let kernelThreads = [
    KernelPathRule(
      ["task_numa_work", "change_prot_numa"], .numaScan,
      "kernel/sched/fair.c, mm/mempolicy.c 6.12: change_protection makes entries inaccessible and "
        + "flushes what it changed (mm/mprotect.c)"),
    KernelPathRule(
      ["ksm_scan_thread", "ksm_do_scan", "try_to_merge_one_page", "write_protect_page"],
      .samePageMerging, "mm/ksm.c 6.12: ptep_clear_flush in write_protect_page and replace_page"),
    KernelPathRule(
      [
        "folio_mkclean", "page_mkclean", "page_vma_mkclean_one", "page_mkclean_one",
        "folio_clear_dirty_for_io",
      ], .writeback,
      "mm/rmap.c, mm/page-writeback.c 6.12: ptep_clear_flush in page_vma_mkclean_one"),
  ]

  private static let codePatching = KernelPathRule(
    ["__text_poke"], .codePatching,
    "arch/x86/kernel/alternative.c 6.12: flush_tlb_mm_range of the patching mm")

  private static let copyOnWrite = KernelPathRule(
    ["do_wp_page", "wp_page_copy", "do_huge_pmd_wp_page", "hugetlb_wp"], .copyOnWrite,
    "mm/memory.c, mm/huge_memory.c, mm/hugetlb.c 6.12: ptep_clear_flush in wp_page_copy")

  private static let lives = [
    KernelPathRule(
      [
        "begin_new_exec", "exec_mmap", "setup_arg_pages", "relocate_vma_down", "shift_arg_pages",
        "load_elf_binary", "bprm_execve", "do_execveat_common",
      ], .exec, "fs/exec.c, mm/mmap.c 6.12: the old mm is freed, the stack is moved"),
    KernelPathRule(
      ["do_exit", "do_group_exit", "exit_mmap", "__oom_reap_task_mm"], .exit,
      "kernel/exit.c, mm/mmap.c, mm/oom_kill.c 6.12: tlb_finish_mmu at the end of exit_mmap"),
    KernelPathRule(
      ["dup_mmap", "dup_mm", "copy_page_range", "copy_process", "kernel_clone"], .fork,
      "kernel/fork.c, mm/memory.c 6.12: flush_tlb_mm behind dup_mmap, entries are protected from "
        + "writing"),
  ]

  private static let calls = [
    KernelPathRule(
      [
        "do_mbind", "memory_failure", "soft_offline_page", "soft_offline_in_use_page",
        "damon_pa_migrate", "migrate_vma_setup", "migrate_device_unmap", "migrate_vma_collect_pmd",
        "migrate_pages",
      ], .otherMigration,
      "mm/mempolicy.c, mm/memory-failure.c, mm/damon/paddr.c, mm/migrate_device.c, mm/migrate.c 6.12"
    ),
    KernelPathRule(
      ["madvise_cold_or_pageout_pte_range", "madvise_pageout"], .madvise,
      "mm/madvise.c 6.12: MADV_PAGEOUT and MADV_COLD, by reclaim_pages"),
    KernelPathRule(
      ["shrink_folio_list", "shrink_page_list"], .directReclaim, inKswapd: .kswapdReclaim,
      "mm/vmscan.c 6.12: reclaim by others (DAMON); formerly shrink_page_list"),
    KernelPathRule(
      [
        "unmap_mapping_folio", "unmap_mapping_range", "unmap_mapping_pages",
        "unmap_mapping_range_tree", "truncate_pagecache", "invalidate_inode_pages2_range",
      ], .truncation, "mm/memory.c, mm/truncate.c 6.12: zap_page_range_single of every mapping"),
    KernelPathRule(
      ["__x64_sys_munmap", "__do_sys_munmap", "__vm_munmap"], .munmap,
      "mm/mmap.c 6.12: tlb_finish_mmu behind unmap_vmas and free_pgtables"),
    KernelPathRule(
      ["__x64_sys_mprotect", "do_mprotect_pkey", "__x64_sys_pkey_mprotect"], .mprotect,
      "mm/mprotect.c 6.12: tlb_finish_mmu behind change_protection"),
    KernelPathRule(
      ["__x64_sys_mremap", "__do_sys_mremap", "move_page_tables"], .mremap,
      "mm/mremap.c 6.12: flush_tlb_range in move_ptes"),
    KernelPathRule(
      ["__x64_sys_madvise", "__x64_sys_process_madvise", "do_madvise", "madvise_vma_behavior"],
      .madvise,
      "mm/madvise.c 6.12: zap_page_range_single for MADV_DONTNEED, tlb_finish_mmu for "
        + "MADV_FREE"),
    KernelPathRule(
      ["__x64_sys_brk", "__do_sys_brk", "do_brk_flags"], .brk,
      "mm/mmap.c 6.12: do_vmi_align_munmap of mm/vma.c"),
    KernelPathRule(
      ["__x64_sys_mmap", "ksys_mmap_pgoff", "vm_mmap_pgoff", "do_mmap", "mmap_region"], .mmap,
      "mm/mmap.c 6.12: MAP_FIXED over what is mapped"),
    KernelPathRule(
      ["do_munmap", "do_vmi_munmap", "do_vmi_align_munmap"], .munmap,
      "mm/mmap.c, mm/vma.c 6.12: shmdt and drivers"),
  ]

  private static let rest = [
    KernelPathRule(
      ["handle_mm_fault", "do_user_addr_fault", "exc_page_fault", "asm_exc_page_fault"],
      .otherFault, "mm/memory.c, arch/x86/mm/fault.c 6.12"),
    KernelPathRule(
      ["do_syscall_64", "entry_SYSCALL_64_after_hwframe"], .otherSystemCall,
      "arch/x86/entry/common.c, entry_64.S 6.12: any other system call"),
    KernelPathRule(
      ["flush_tlb_kernel_range", "__purge_vmap_area_lazy"], .kernelRange,
      "arch/x86/mm/tlb.c, mm/vmalloc.c 6.12"),
    KernelPathRule(
      ["kthread", "worker_thread"], .kernelThread, "kernel/kthread.c, kernel/workqueue.c 6.12"),
  ]
}
