import Testing
import TraceBuilding
import TraceEvents

@testable import Replay

@Suite struct KernelPathRulesTests {
  /// Paths as captures of Linux 6.12 show them, the innermost function first.
  static let paths: [(FlushCause, String)] = [
    (
      .kswapdDemotion,
      """
      native_flush_tlb_multi arch_tlbbatch_flush try_to_unmap_flush migrate_pages_batch migrate_pages \
      demote_folio_list shrink_folio_list shrink_inactive_list shrink_lruvec shrink_node \
      balance_pgdat kswapd kthread ret_from_fork ret_from_fork_asm
      """
    ),
    (
      .directDemotion,
      """
      migrate_pages demote_folio_list shrink_folio_list evict_folios shrink_one shrink_node \
      do_try_to_free_pages try_to_free_pages __alloc_pages_slowpath.constprop.0 do_anonymous_page \
      handle_mm_fault asm_exc_page_fault
      """
    ),
    (
      .kswapdReclaim,
      "try_to_unmap_flush shrink_folio_list shrink_inactive_list shrink_lruvec kswapd"
    ),
    (
      .directReclaim,
      "try_to_unmap_flush shrink_folio_list shrink_lruvec try_to_free_pages do_wp_page handle_mm_fault"
    ),
    (
      .promotion,
      "migrate_pages_batch migrate_pages migrate_misplaced_folio do_numa_page __handle_mm_fault"
    ),
    (.compaction, "migrate_pages compact_zone compact_node kcompactd kthread"),
    (
      .movePages,
      "migrate_pages_sync migrate_pages move_pages_and_store_status do_pages_move kernel_move_pages"
    ),
    (
      .madvise,
      """
      try_to_unmap_flush shrink_folio_list reclaim_folio_list reclaim_pages \
      madvise_cold_or_pageout_pte_range walk_pgd_range do_madvise __x64_sys_madvise do_syscall_64
      """
    ),
    (.madvise, "tlb_finish_mmu zap_page_range_single do_madvise __x64_sys_madvise do_syscall_64"),
    (.munmap, "tlb_finish_mmu vms_clear_ptes do_vmi_munmap __vm_munmap __x64_sys_munmap"),
    (.brk, "tlb_finish_mmu do_vmi_align_munmap __do_sys_brk __x64_sys_brk do_syscall_64"),
    (.mmap, "tlb_finish_mmu do_vmi_munmap mmap_region do_mmap vm_mmap_pgoff ksys_mmap_pgoff"),
    (
      .exec, "tlb_finish_mmu exit_mmap __mmput exec_mmap begin_new_exec load_elf_binary bprm_execve"
    ),
    (.exit, "tlb_finish_mmu exit_mmap __mmput do_exit do_group_exit __x64_sys_exit_group"),
    (.fork, "flush_tlb_mm_range dup_mmap copy_process kernel_clone __do_sys_clone do_syscall_64"),
    (.copyOnWrite, "ptep_clear_flush wp_page_copy do_wp_page __handle_mm_fault handle_mm_fault"),
    (
      .numaScan,
      "change_protection change_prot_numa task_numa_work task_work_run syscall_exit_to_user_mode"
    ),
    // An operation inside another one is the one that flushes.
    (.hugePageSplit, "try_to_unmap_flush unmap_folio shrink_folio_list shrink_lruvec kswapd"),
    (
      .directReclaim,
      "shrink_folio_list shrink_lruvec try_to_free_pages collapse_huge_page khugepaged"
    ),
    (.hugePageCollapse, "pmdp_collapse_flush collapse_huge_page khugepaged kthread"),
    (.writeback, "ptep_clear_flush page_vma_mkclean_one folio_mkclean writepages kthread"),
    (.otherSystemCall, "flush_tlb_mm_range map_ldt_struct __x64_sys_modify_ldt do_syscall_64"),
    (.otherSystemCall, "flush_tlb_mm_range __ia32_sys_modify_ldt"),
    (.otherFault, "flush_tlb_page insert_page handle_mm_fault exc_page_fault"),
    (.kernelThread, "flush_tlb_mm_range something kthread ret_from_fork"),
  ]

  @Test(arguments: paths)
  func pathsTellCauses(_ cause: FlushCause, _ path: String) {
    #expect(Self.cause(path.split(separator: " ").map(String.init)) == cause)
  }

  @Test func unknownPathsHaveNoCause() {
    #expect(Self.cause(["flush_tlb_mm_range", "mystery"]) == nil)
    #expect(Self.cause([]) == nil)
  }

  @Test func everyRuleIsReachable() {
    for (number, rule) in KernelPathRules.all.enumerated() {
      #expect(rule.functions.contains { KernelPathRules.rule(of: $0) == number }, "\(rule)")
      #expect(rule.source.contains("6.12") && rule.source.contains("/"))
    }
    #expect(KernelPathRules.all.count < 255)
  }

  /// By addresses, whose names somebody else knows, and by names that a dialect prints.
  private static func cause(_ functions: [String]) -> FlushCause? {
    let directory = EventDirectory()
    let addressed = directory.chain(
      of: functions.indices.map { 0xffff_ffff_8100_0000 + UInt64($0) })
    let named = directory.chain(of: functions.map { FunctionName.encode($0, in: directory) })
    var causes = CallPathCauses(directory) { word in
      let index = Int(word & 0xffff)
      return index < functions.count ? functions[index] : nil
    }
    let found = causes.cause(UInt32(addressed))
    #expect(causes.cause(UInt32(named)) == found)
    return found
  }
}
