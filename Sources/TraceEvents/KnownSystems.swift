/// The subsystem of events that the tool counts but does not decode, for dialects that print the
/// bare name (ftrace text, trace-cmd report): one event then has one name in every dialect.
///
/// Source: `include/trace/events/*.h` and `arch/x86/include/asm/trace/*.h` of Linux 6.12.
enum KnownSystems {
  static func system(of name: String) -> String? {
    if name.hasPrefix("sys_enter_") || name.hasPrefix("sys_exit_") { return "syscalls" }
    return table[name]
  }

  private static let families: [(String, String)] = [
    (
      "irq_vectors",
      """
      local_timer_entry local_timer_exit spurious_apic_entry spurious_apic_exit error_apic_entry
      error_apic_exit x86_platform_ipi_entry x86_platform_ipi_exit irq_work_entry irq_work_exit
      reschedule_entry reschedule_exit threshold_apic_entry threshold_apic_exit
      deferred_error_apic_entry deferred_error_apic_exit thermal_apic_entry thermal_apic_exit
      vector_config vector_update vector_clear vector_reserve vector_alloc vector_activate
      vector_deactivate vector_setup vector_teardown vector_free_moved
      """
    ),
    (
      "irq",
      """
      irq_handler_entry irq_handler_exit softirq_entry softirq_exit softirq_raise tasklet_entry
      tasklet_exit
      """
    ),
    (
      "timer",
      """
      timer_init timer_start timer_expire_entry timer_expire_exit timer_cancel timer_base_idle
      hrtimer_init hrtimer_setup hrtimer_start hrtimer_expire_entry hrtimer_expire_exit
      hrtimer_cancel itimer_state itimer_expire tick_stop
      """
    ),
    (
      "sched",
      """
      sched_kthread_stop sched_kthread_stop_ret sched_kthread_work_queue_work
      sched_kthread_work_execute_start sched_kthread_work_execute_end sched_waking sched_wakeup
      sched_wakeup_new sched_process_free sched_wait_task sched_process_wait sched_prepare_exec
      sched_process_hang sched_stat_wait sched_stat_sleep sched_stat_iowait sched_stat_blocked
      sched_stat_runtime sched_pi_setprio sched_skip_vma_numa sched_wake_idle_without_ipi
      """
    ),
    ("signal", "signal_deliver"),
    (
      "vmscan",
      """
      mm_vmscan_memcg_reclaim_begin mm_vmscan_memcg_reclaim_end
      mm_vmscan_memcg_softlimit_reclaim_begin mm_vmscan_memcg_softlimit_reclaim_end
      mm_shrink_slab_start mm_shrink_slab_end mm_vmscan_lru_shrink_active
      mm_vmscan_node_reclaim_begin mm_vmscan_node_reclaim_end mm_vmscan_throttled
      """
    ),
    (
      "kmem",
      "kmalloc kfree kmem_cache_alloc kmem_cache_free kmalloc_node kmem_cache_alloc_node"
    ),
    (
      "compaction",
      """
      mm_compaction_isolate_migratepages mm_compaction_isolate_freepages
      mm_compaction_migratepages mm_compaction_begin mm_compaction_end
      mm_compaction_try_to_compact_pages mm_compaction_finished mm_compaction_suitable
      mm_compaction_deferred mm_compaction_defer_compaction mm_compaction_defer_reset
      mm_compaction_kcompactd_sleep mm_compaction_wakeup_kcompactd mm_compaction_kcompactd_wake
      """
    ),
    ("ipi", "ipi_raise ipi_entry ipi_exit"),
    ("filemap", "filemap_set_wb_err file_check_and_advance_wb_err"),
    ("mmap", "vma_mas_szero vma_store"),
    ("raw_syscalls", ""),
    (
      "ftrace",
      """
      bprint bputs function funcgraph_entry funcgraph_exit context_switch wakeup mmiotrace_rw
      mmiotrace_map branch hwlat osnoise timerlat raw_data func_repeats
      """
    ),
    (
      "luf",
      """
      luf_defer luf_giveup luf_mark luf_take luf_flush
      """
    ),
  ]

  private static let table: [String: String] = {
    var table: [String: String] = [:]
    for (system, names) in families {
      for name in names.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
        table[String(name)] = system
      }
    }
    return table
  }()
}
