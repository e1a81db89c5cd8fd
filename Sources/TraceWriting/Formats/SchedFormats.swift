import TraceEvents

extension EventFormat {
  /// Linux 6.12 x86-64: `include/trace/events/sched.h`, `signal.h`, `mmap.h`, `mmap_lock.h`.
  static let sched: [EventFormat] = [
    EventFormat(
      .schedMigrateTask, id: 309,
      [
        FieldLayout("char comm[16]", 8, 16),
        FieldLayout("pid_t pid", 24, 4, signed: true),
        FieldLayout("int prio", 28, 4, signed: true),
        FieldLayout("int orig_cpu", 32, 4, signed: true),
        FieldLayout("int dest_cpu", 36, 4, signed: true),
      ],
      printFormat: #"""
        "comm=%s pid=%d prio=%d orig_cpu=%d dest_cpu=%d", REC->comm, REC->pid, REC->prio, \#
        REC->orig_cpu, REC->dest_cpu
        """#),
    EventFormat(
      .schedMoveNUMA, id: 294,
      [
        FieldLayout("pid_t pid", 8, 4, signed: true),
        FieldLayout("pid_t tgid", 12, 4, signed: true),
        FieldLayout("pid_t ngid", 16, 4, signed: true),
        FieldLayout("int src_cpu", 20, 4, signed: true),
        FieldLayout("int src_nid", 24, 4, signed: true),
        FieldLayout("int dst_cpu", 28, 4, signed: true),
        FieldLayout("int dst_nid", 32, 4, signed: true),
      ],
      printFormat: #"""
        "pid=%d tgid=%d ngid=%d src_cpu=%d src_nid=%d dst_cpu=%d dst_nid=%d", REC->pid, \#
        REC->tgid, REC->ngid, REC->src_cpu, REC->src_nid, REC->dst_cpu, REC->dst_nid
        """#),
    EventFormat(
      .schedProcessExec, id: 303,
      [
        FieldLayout("__data_loc char[] filename", 8, 4),
        FieldLayout("pid_t pid", 12, 4, signed: true),
        FieldLayout("pid_t old_pid", 16, 4, signed: true),
      ],
      printFormat: #"""
        "filename=%s pid=%d old_pid=%d", __get_str(filename), REC->pid, REC->old_pid
        """#),
    EventFormat(
      .schedProcessExit, id: 307,
      [
        FieldLayout("char comm[16]", 8, 16),
        FieldLayout("pid_t pid", 24, 4, signed: true),
        FieldLayout("int prio", 28, 4, signed: true),
      ],
      printFormat: #"""
        "comm=%s pid=%d prio=%d", REC->comm, REC->pid, REC->prio
        """#),
    EventFormat(
      .schedProcessFork, id: 304,
      [
        FieldLayout("char parent_comm[16]", 8, 16),
        FieldLayout("pid_t parent_pid", 24, 4, signed: true),
        FieldLayout("char child_comm[16]", 28, 16),
        FieldLayout("pid_t child_pid", 44, 4, signed: true),
      ],
      printFormat: #"""
        "comm=%s pid=%d child_comm=%s child_pid=%d", REC->parent_comm, REC->parent_pid, \#
        REC->child_comm, REC->child_pid
        """#),
    EventFormat(
      .schedStickNUMA, id: 293,
      [
        FieldLayout("pid_t src_pid", 8, 4, signed: true),
        FieldLayout("pid_t src_tgid", 12, 4, signed: true),
        FieldLayout("pid_t src_ngid", 16, 4, signed: true),
        FieldLayout("int src_cpu", 20, 4, signed: true),
        FieldLayout("int src_nid", 24, 4, signed: true),
        FieldLayout("pid_t dst_pid", 28, 4, signed: true),
        FieldLayout("pid_t dst_tgid", 32, 4, signed: true),
        FieldLayout("pid_t dst_ngid", 36, 4, signed: true),
        FieldLayout("int dst_cpu", 40, 4, signed: true),
        FieldLayout("int dst_nid", 44, 4, signed: true),
      ],
      printFormat: #"""
        "src_pid=%d src_tgid=%d src_ngid=%d src_cpu=%d src_nid=%d dst_pid=%d dst_tgid=%d \#
        dst_ngid=%d dst_cpu=%d dst_nid=%d", REC->src_pid, REC->src_tgid, REC->src_ngid, \#
        REC->src_cpu, REC->src_nid, REC->dst_pid, REC->dst_tgid, REC->dst_ngid, \#
        REC->dst_cpu, REC->dst_nid
        """#),
    EventFormat(
      .schedSwapNUMA, id: 292,
      [
        FieldLayout("pid_t src_pid", 8, 4, signed: true),
        FieldLayout("pid_t src_tgid", 12, 4, signed: true),
        FieldLayout("pid_t src_ngid", 16, 4, signed: true),
        FieldLayout("int src_cpu", 20, 4, signed: true),
        FieldLayout("int src_nid", 24, 4, signed: true),
        FieldLayout("pid_t dst_pid", 28, 4, signed: true),
        FieldLayout("pid_t dst_tgid", 32, 4, signed: true),
        FieldLayout("pid_t dst_ngid", 36, 4, signed: true),
        FieldLayout("int dst_cpu", 40, 4, signed: true),
        FieldLayout("int dst_nid", 44, 4, signed: true),
      ],
      printFormat: #"""
        "src_pid=%d src_tgid=%d src_ngid=%d src_cpu=%d src_nid=%d dst_pid=%d dst_tgid=%d \#
        dst_ngid=%d dst_cpu=%d dst_nid=%d", REC->src_pid, REC->src_tgid, REC->src_ngid, \#
        REC->src_cpu, REC->src_nid, REC->dst_pid, REC->dst_tgid, REC->dst_ngid, \#
        REC->dst_cpu, REC->dst_nid
        """#),
    EventFormat(
      .schedSwitch, id: 310,
      [
        FieldLayout("char prev_comm[16]", 8, 16),
        FieldLayout("pid_t prev_pid", 24, 4, signed: true),
        FieldLayout("int prev_prio", 28, 4, signed: true),
        FieldLayout("long prev_state", 32, 8, signed: true),
        FieldLayout("char next_comm[16]", 40, 16),
        FieldLayout("pid_t next_pid", 56, 4, signed: true),
        FieldLayout("int next_prio", 60, 4, signed: true),
      ],
      printFormat: #"""
        "prev_comm=%s prev_pid=%d prev_prio=%d prev_state=%s%s ==> next_comm=%s next_pid=%d \#
        next_prio=%d", REC->prev_comm, REC->prev_pid, REC->prev_prio, \#
        (REC->prev_state & ((((0x00000000 | 0x00000001 | 0x00000002 | 0x00000004 | \#
        0x00000008 | 0x00000010 | 0x00000020 | 0x00000040) + 1) << 1) - 1)) ? \#
        __print_flags(REC->prev_state & ((((0x00000000 | 0x00000001 | 0x00000002 | \#
        0x00000004 | 0x00000008 | 0x00000010 | 0x00000020 | 0x00000040) + 1) << 1) - 1), \#
        "|", { 0x00000001, "S" }, { 0x00000002, "D" }, { 0x00000004, "T" }, { 0x00000008, \#
        "t" }, { 0x00000010, "X" }, { 0x00000020, "Z" }, { 0x00000040, "P" }, { 0x00000080, \#
        "I" }) : "R", REC->prev_state & (((0x00000000 | 0x00000001 | 0x00000002 | \#
        0x00000004 | 0x00000008 | 0x00000010 | 0x00000020 | 0x00000040) + 1) << 1) ? "+" : \#
        "", REC->next_comm, REC->next_pid, REC->next_prio
        """#),
    EventFormat(
      .signalGenerate, id: 193,
      [
        FieldLayout("int sig", 8, 4, signed: true),
        FieldLayout("int errno", 12, 4, signed: true),
        FieldLayout("int code", 16, 4, signed: true),
        FieldLayout("char comm[16]", 20, 16),
        FieldLayout("pid_t pid", 36, 4, signed: true),
        FieldLayout("int group", 40, 4, signed: true),
        FieldLayout("int result", 44, 4, signed: true),
      ],
      printFormat: #"""
        "sig=%d errno=%d code=%d comm=%s pid=%d grp=%d res=%d", REC->sig, REC->errno, \#
        REC->code, REC->comm, REC->pid, REC->group, REC->result
        """#),
    EventFormat(
      .exitMmap, id: 664,
      [
        FieldLayout("struct mm_struct * mm", 8, 8),
        FieldLayout("struct maple_tree * mt", 16, 8),
      ],
      printFormat: #"""
        "mt_mod %p, DESTROY", REC->mt
        """#),
    EventFormat(
      .vmUnmappedArea, id: 667,
      [
        FieldLayout("unsigned long addr", 8, 8),
        FieldLayout("unsigned long total_vm", 16, 8),
        FieldLayout("unsigned long flags", 24, 8),
        FieldLayout("unsigned long length", 32, 8),
        FieldLayout("unsigned long low_limit", 40, 8),
        FieldLayout("unsigned long high_limit", 48, 8),
        FieldLayout("unsigned long align_mask", 56, 8),
        FieldLayout("unsigned long align_offset", 64, 8),
      ],
      printFormat: #"""
        "addr=0x%lx err=%ld total_vm=0x%lx flags=0x%lx len=0x%lx lo=0x%lx hi=0x%lx \#
        mask=0x%lx ofs=0x%lx", __builtin_expect(!!((unsigned long)(void *)(REC->addr) >= \#
        (unsigned long)-4095), 0) ? 0 : REC->addr, __builtin_expect(!!((unsigned long)(void \#
        *)(REC->addr) >= (unsigned long)-4095), 0) ? REC->addr : 0, REC->total_vm, \#
        REC->flags, REC->length, REC->low_limit, REC->high_limit, REC->align_mask, \#
        REC->align_offset
        """#),
    EventFormat(
      .mmapLockAcquireReturned, id: 643,
      [
        FieldLayout("struct mm_struct * mm", 8, 8),
        FieldLayout("__data_loc char[] memcg_path", 16, 4),
        FieldLayout("bool write", 20, 1),
        FieldLayout("bool success", 21, 1),
      ],
      printFormat: #"""
        "mm=%p memcg_path=%s write=%s success=%s", REC->mm, __get_str(memcg_path), \#
        REC->write ? "true" : "false", REC->success ? "true" : "false"
        """#),
    EventFormat(
      .mmapLockReleased, id: 644,
      [
        FieldLayout("struct mm_struct * mm", 8, 8),
        FieldLayout("__data_loc char[] memcg_path", 16, 4),
        FieldLayout("bool write", 20, 1),
      ],
      printFormat: #"""
        "mm=%p memcg_path=%s write=%s", REC->mm, __get_str(memcg_path), \#
        REC->write ? "true" : "false"
        """#),
    EventFormat(
      .mmapLockStartLocking, id: 645,
      [
        FieldLayout("struct mm_struct * mm", 8, 8),
        FieldLayout("__data_loc char[] memcg_path", 16, 4),
        FieldLayout("bool write", 20, 1),
      ],
      printFormat: #"""
        "mm=%p memcg_path=%s write=%s", REC->mm, __get_str(memcg_path), \#
        REC->write ? "true" : "false"
        """#),
  ]
}
